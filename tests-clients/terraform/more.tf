# What systems of events use less often, and what reads.
data "aws_iam_policy_document" "i" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = ["*"]
  }
}
resource "aws_iam_user" "u" {
  name = "u"
  tags = { note = var.note }
}
resource "aws_iam_access_key" "u" { user = aws_iam_user.u.name }
resource "aws_iam_user_policy" "u" {
  name   = "p"
  user   = aws_iam_user.u.name
  policy = data.aws_iam_policy_document.i.json
}
resource "aws_iam_policy" "p" {
  name   = "p"
  policy = data.aws_iam_policy_document.i.json
}
resource "aws_iam_user_policy_attachment" "u" {
  user       = aws_iam_user.u.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_group" "g" { name = "g" }
resource "aws_iam_user_group_membership" "m" {
  user   = aws_iam_user.u.name
  groups = [aws_iam_group.g.name]
}
resource "aws_iam_role" "r" {
  name_prefix        = "r-"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_role_policies_exclusive" "r" {
  role_name    = aws_iam_role.r.name
  policy_names = []
}
resource "aws_sqs_queue" "q" {
  name_prefix = "q-"
  tags        = { note = var.note }
}
resource "aws_sqs_queue" "dlq" { name = "dlq2" }
resource "aws_sqs_queue_redrive_policy" "q" {
  queue_url      = aws_sqs_queue.q.id
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn, maxReceiveCount = 2 })
}
resource "aws_sqs_queue_redrive_allow_policy" "q" {
  queue_url            = aws_sqs_queue.dlq.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.q.arn] })
}
data "aws_sqs_queue" "q" {
  name = aws_sqs_queue.dlq.name
}
data "aws_sqs_queues" "all" { queue_name_prefix = "dlq" }
resource "aws_sns_topic" "t" {
  name                        = "t.fifo"
  fifo_topic                  = true
  content_based_deduplication = true
}
resource "aws_sns_topic" "plain" { name = "plain" }
resource "aws_sns_topic_policy" "t" {
  arn    = aws_sns_topic.plain.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "sns:Publish", Resource = aws_sns_topic.plain.arn }] })
}
data "aws_sns_topic" "t" { name = aws_sns_topic.plain.name }
resource "aws_dynamodb_table" "p" {
  name           = "prov"
  read_capacity  = 5
  write_capacity = var.note == "one" ? 5 : 6
  hash_key       = "id"
  attribute {
    name = "id"
    type = "N"
  }
  deletion_protection_enabled = false
  server_side_encryption { enabled = true }
}
resource "aws_s3_bucket_acl" "a" {
  bucket     = aws_s3_bucket.a.id
  acl        = "private"
  depends_on = [aws_s3_bucket_ownership_controls.a]
}
resource "aws_s3_bucket_ownership_controls" "a" {
  bucket = aws_s3_bucket.a.id
  rule { object_ownership = "BucketOwnerPreferred" }
}
resource "aws_s3_bucket_request_payment_configuration" "a" {
  bucket = aws_s3_bucket.a.id
  payer  = "BucketOwner"
}
resource "aws_s3_object_copy" "c" {
  tagging_directive = "REPLACE"
  bucket            = aws_s3_bucket.a.id
  key               = "copy"
  source            = "${aws_s3_bucket.a.id}/${aws_s3_object.more_o.key}"
}
resource "aws_s3_object" "more_o" {
  bucket  = aws_s3_bucket.a.id
  key     = "o"
  content = var.note
  tags    = { a = "1" }
}
data "aws_s3_object" "o" {
  bucket = aws_s3_bucket.a.id
  key    = aws_s3_object.more_o.key
}
data "aws_s3_objects" "o" {
  bucket     = aws_s3_bucket.a.id
  depends_on = [aws_s3_object.more_o]
}
data "aws_s3_bucket" "a" { bucket = aws_s3_bucket.a.id }
resource "aws_ssm_parameter" "l" {
  name  = "/x/list"
  type  = "StringList"
  value = "a,b"
}
data "aws_ssm_parameters_by_path" "x" {
  path       = "/x"
  depends_on = [aws_ssm_parameter.l]
}
data "aws_ssm_parameter" "l" { name = aws_ssm_parameter.l.name }
resource "aws_kms_key" "more_k" {}
resource "aws_kms_key_policy" "k" {
  key_id = aws_kms_key.more_k.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "root", Effect = "Allow", Principal = { AWS = "arn:aws:iam::000000000000:root" }, Action = "kms:*", Resource = "*" }] })
}
resource "aws_kms_ciphertext" "c" {
  key_id    = aws_kms_key.more_k.key_id
  plaintext = "hello"
}
resource "aws_secretsmanager_secret" "more_s" {
  name_prefix             = "s-"
  recovery_window_in_days = 0
  description             = var.note
  kms_key_id              = aws_kms_key.more_k.id
}
resource "aws_secretsmanager_secret_policy" "s" {
  secret_arn = aws_secretsmanager_secret.more_s.arn
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "arn:aws:iam::000000000000:root" }, Action = "secretsmanager:GetSecretValue", Resource = "*" }] })
}
data "aws_secretsmanager_random_password" "r" { password_length = 20 }
resource "aws_secretsmanager_secret_version" "more_s" {
  secret_id     = aws_secretsmanager_secret.more_s.id
  secret_string = "x"
}
data "aws_secretsmanager_secret_version" "s" {
  secret_id  = aws_secretsmanager_secret.more_s.id
  depends_on = [aws_secretsmanager_secret_version.more_s]
}
resource "aws_cloudwatch_log_group" "more_g" { name_prefix = "g-" }
resource "aws_cloudwatch_log_stream" "s" {
  name           = "s"
  log_group_name = aws_cloudwatch_log_group.more_g.name
}
resource "aws_cloudwatch_event_bus" "more_b" { name = "more" }
resource "aws_cloudwatch_event_bus_policy" "b" {
  event_bus_name = aws_cloudwatch_event_bus.more_b.name
  policy         = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "x", Effect = "Allow", Principal = { AWS = "111111111111" }, Action = "events:PutEvents", Resource = aws_cloudwatch_event_bus.more_b.arn }] })
}
resource "aws_cloudwatch_event_connection" "basic" {
  name               = "basic"
  authorization_type = "BASIC"
  auth_parameters {
    basic {
      username = "u"
      password = "p"
    }
    invocation_http_parameters {
      header {
        key   = "x"
        value = "y"
      }
    }
  }
}
resource "aws_cloudwatch_event_connection" "oauth" {
  name               = "oauth"
  authorization_type = "OAUTH_CLIENT_CREDENTIALS"
  auth_parameters {
    oauth {
      authorization_endpoint = "https://example.org/token"
      http_method            = "POST"
      client_parameters {
        client_id     = "i"
        client_secret = "s"
      }
      oauth_http_parameters {
        body {
          key   = "grant_type"
          value = "client_credentials"
        }
      }
    }
  }
}
data "aws_cloudwatch_event_bus" "b" { name = aws_cloudwatch_event_bus.more_b.name }
resource "aws_lambda_function" "z" {
  function_name = "z"
  role          = aws_iam_role.r.arn
  runtime       = "python3.12"
  handler       = "index.handler"
  s3_bucket     = aws_s3_object.code.bucket
  s3_key        = aws_s3_object.code.key
  memory_size   = var.note == "one" ? 128 : 256
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.more_g.name
  }
  tracing_config { mode = "Active" }
  ephemeral_storage { size = 1024 }
  reserved_concurrent_executions = 3
}
resource "aws_s3_object" "code" {
  bucket = aws_s3_bucket.a.id
  key    = "code.zip"
  source = "${path.module}/py.zip"
}
resource "aws_lambda_invocation" "i" {
  function_name = aws_lambda_function.z.function_name
  input         = jsonencode({ a = var.note })
}
data "aws_lambda_invocation" "i" {
  function_name = aws_lambda_function.z.function_name
  input         = jsonencode({ b = 2 })
}
data "aws_lambda_function" "z" { function_name = aws_lambda_function.z.function_name }
resource "aws_lambda_alias" "z" {
  name             = "a"
  function_name    = aws_lambda_function.z.function_name
  function_version = "$LATEST"
}
resource "aws_lambda_layer_version" "more_l" {
  layer_name = "pl"
  filename   = "${path.module}/py.zip"
}
resource "aws_sfn_state_machine" "x" {
  name       = "x"
  type       = "EXPRESS"
  role_arn   = aws_iam_role.r.arn
  definition = jsonencode({ QueryLanguage = "JSONata", StartAt = "P", States = { P = { Type = "Pass", Output = "{% $states.input %}", End = true } } })
  tracing_configuration { enabled = true }
}
data "aws_sfn_state_machine" "x" { name = aws_sfn_state_machine.x.name }
data "aws_sfn_state_machine_versions" "x" { statemachine_arn = aws_sfn_state_machine.x.arn }
data "aws_resourcegroupstaggingapi_resources" "r" {
  resource_type_filters = ["sqs"]
  depends_on            = [aws_sqs_queue.q]
}
resource "aws_cloudformation_stack" "more_s" {
  name          = "nested-from-tf"
  template_body = jsonencode({ Resources = { Q = { Type = "AWS::SQS::Queue" } }, Outputs = { Q = { Value = { Ref = "Q" }, Export = { Name = "tf-q" } } } })
}
data "aws_cloudformation_export" "q" {
  name       = "tf-q"
  depends_on = [aws_cloudformation_stack.more_s]
}
data "aws_cloudformation_stack" "s" { name = aws_cloudformation_stack.more_s.name }
data "aws_cloudformation_type" "q" {
  type      = "RESOURCE"
  type_name = "AWS::SQS::Queue"
}
resource "aws_ecr_repository" "more_r" { name = "more" }
resource "aws_ecr_repository_policy" "r" {
  repository = aws_ecr_repository.more_r.name
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "x", Effect = "Allow", Principal = "*", Action = ["ecr:BatchGetImage"] }] })
}
resource "aws_ecr_lifecycle_policy" "r" {
  repository = aws_ecr_repository.more_r.name
  policy     = jsonencode({ rules = [{ rulePriority = 1, selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 5 }, action = { type = "expire" } }] })
}
resource "aws_schemas_registry_policy" "r" {
  registry_name = aws_schemas_registry.more_r.name
  policy        = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "x", Effect = "Allow", Principal = { AWS = "111111111111" }, Action = "schemas:*", Resource = aws_schemas_registry.more_r.arn }] })
}
resource "aws_schemas_registry" "more_r" { name = "morereg" }
data "aws_iam_role" "r" { name = aws_iam_role.r.name }
data "aws_kms_key" "k" { key_id = aws_kms_key.more_k.arn }
data "aws_dynamodb_table" "p" { name = aws_dynamodb_table.p.name }
resource "aws_s3_bucket" "a" {
  bucket_prefix       = "a-"
  force_destroy       = true
  object_lock_enabled = false
}

resource "aws_cloudwatch_log_resource_policy" "p" {
  policy_name     = "events"
  policy_document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "logs:PutLogEvents", Resource = "*" }] })
}
