terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

provider "aws" {
  region            = "eu-central-1"
  s3_use_path_style = true
}

variable "note" {
  type    = string
  default = "one"
}

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}

locals {
  trust = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com", "pipes.amazonaws.com", "logs.amazonaws.com"] } }]
  })
  allow = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sqs:*", "dynamodb:*", "lambda:*", "events:*", "states:*"], Resource = "*" }] })
}

output "url" { value = aws_lambda_function_url.f.function_url }
output "me" { value = data.aws_caller_identity.me.arn }
output "topic" { value = aws_cloudformation_stack.s.outputs["Topic"] }
