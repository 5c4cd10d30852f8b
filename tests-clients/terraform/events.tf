# IAM
resource "aws_iam_role" "run" {
  name               = "run"
  description        = var.note
  assume_role_policy = local.trust
  tags               = { note = var.note }
}
resource "aws_iam_role_policy" "run" {
  name   = "all"
  role   = aws_iam_role.run.id
  policy = local.allow
}
resource "aws_iam_policy" "shared" {
  name   = "shared"
  policy = local.allow
}
resource "aws_iam_role_policy_attachment" "run" {
  role       = aws_iam_role.run.name
  policy_arn = aws_iam_policy.shared.arn
}

# SQS, SNS
resource "aws_sqs_queue" "dead" { name = "dead" }
resource "aws_sqs_queue" "work" {
  name                       = "work"
  visibility_timeout_seconds = 60
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 3 })
  tags                       = { note = var.note }
}
resource "aws_sqs_queue" "fifo" {
  name                        = "orders.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
}
resource "aws_sqs_queue_policy" "work" {
  queue_url = aws_sqs_queue.work.url
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sqs:SendMessage", Resource = aws_sqs_queue.work.arn }] })
}
resource "aws_sns_topic" "news" {
  name         = "news"
  display_name = var.note
  tags         = { note = var.note }
}
resource "aws_sns_topic_subscription" "work" {
  topic_arn            = aws_sns_topic.news.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.work.arn
  raw_message_delivery = true
  filter_policy        = jsonencode({ kind = ["a"] })
}

# DynamoDB
resource "aws_dynamodb_table" "items" {
  name         = "items"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"
  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  attribute {
    name = "by"
    type = "S"
  }
  global_secondary_index {
    name            = "by-owner"
    hash_key        = "by"
    projection_type = "ALL"
  }
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"
  ttl {
    attribute_name = "expires"
    enabled        = true
  }
  point_in_time_recovery { enabled = true }
  tags = { note = var.note }
}
resource "aws_dynamodb_table_item" "one" {
  table_name = aws_dynamodb_table.items.name
  hash_key   = "pk"
  range_key  = "sk"
  item       = jsonencode({ pk = { S = "a" }, sk = { S = "1" }, note = { S = var.note } })
}

# Lambda
resource "aws_lambda_function" "f" {
  function_name    = "f"
  role             = aws_iam_role.run.arn
  runtime          = "nodejs22.x"
  handler          = "index.handler"
  filename         = "${path.module}/fn.zip"
  source_code_hash = filebase64sha256("${path.module}/fn.zip")
  layers           = [aws_lambda_layer_version.l.arn]
  timeout          = 10
  publish          = true
  environment { variables = { NOTE = var.note } }
  dead_letter_config { target_arn = aws_sqs_queue.dead.arn }
  tags = { note = var.note }
}
resource "aws_lambda_layer_version" "l" {
  layer_name          = "l"
  filename            = "${path.module}/fn.zip"
  compatible_runtimes = ["nodejs22.x"]
}
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}
resource "aws_lambda_permission" "events" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.r.arn
}
resource "aws_lambda_function_url" "f" {
  function_name      = aws_lambda_function.f.function_name
  authorization_type = "NONE"
  cors { allow_origins = ["*"] }
}
resource "aws_lambda_event_source_mapping" "q" {
  event_source_arn        = aws_sqs_queue.fifo.arn
  function_name           = aws_lambda_function.f.arn
  batch_size              = 5
  function_response_types = ["ReportBatchItemFailures"]
  filter_criteria {
    filter { pattern = jsonencode({ body = { a = [1] } }) }
  }
}
resource "aws_lambda_event_source_mapping" "s" {
  event_source_arn  = aws_dynamodb_table.items.stream_arn
  function_name     = aws_lambda_function.f.arn
  starting_position = "LATEST"
}
resource "aws_lambda_function_event_invoke_config" "f" {
  function_name          = aws_lambda_function.f.function_name
  maximum_retry_attempts = 1
  destination_config {
    on_failure { destination = aws_sqs_queue.dead.arn }
  }
}

# EventBridge
resource "aws_cloudwatch_event_bus" "b" {
  name        = "b"
  description = var.note
}
resource "aws_cloudwatch_event_rule" "r" {
  name           = "r"
  event_bus_name = aws_cloudwatch_event_bus.b.name
  description    = var.note
  event_pattern  = jsonencode({ source = ["app"], "detail-type" = [{ prefix = "Order" }] })
  tags           = { note = var.note }
}
resource "aws_cloudwatch_event_rule" "every" {
  name                = "every"
  schedule_expression = "rate(1 hour)"
  state               = "DISABLED"
}
resource "aws_cloudwatch_event_target" "q" {
  rule           = aws_cloudwatch_event_rule.r.name
  event_bus_name = aws_cloudwatch_event_bus.b.name
  target_id      = "q"
  arn            = aws_sqs_queue.work.arn
  input_transformer {
    input_paths    = { id = "$.detail.id" }
    input_template = "{\"id\": <id>}"
  }
  dead_letter_config { arn = aws_sqs_queue.dead.arn }
  retry_policy {
    maximum_event_age_in_seconds = 120
    maximum_retry_attempts       = 2
  }
}
resource "aws_cloudwatch_event_target" "m" {
  rule           = aws_cloudwatch_event_rule.r.name
  event_bus_name = aws_cloudwatch_event_bus.b.name
  arn            = aws_sfn_state_machine.m.arn
  role_arn       = aws_iam_role.run.arn
}
resource "aws_cloudwatch_event_permission" "p" {
  principal      = "111111111111"
  statement_id   = "other"
  event_bus_name = aws_cloudwatch_event_bus.b.name
}
resource "aws_cloudwatch_event_archive" "a" {
  name             = "a"
  event_source_arn = aws_cloudwatch_event_bus.b.arn
  retention_days   = 7
}
resource "aws_cloudwatch_event_connection" "c" {
  name               = "c"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "x-key"
      value = "secret"
    }
  }
}
resource "aws_cloudwatch_event_api_destination" "d" {
  name                             = "d"
  invocation_endpoint              = "https://example.org/hook"
  http_method                      = "POST"
  invocation_rate_limit_per_second = 10
  connection_arn                   = aws_cloudwatch_event_connection.c.arn
}

# Step Functions
resource "aws_sfn_state_machine" "m" {
  name       = "m"
  role_arn   = aws_iam_role.run.arn
  definition = jsonencode({ Comment = var.note, StartAt = "P", States = { P = { Type = "Pass", End = true } } })
  publish    = true
  logging_configuration {
    log_destination        = "${aws_cloudwatch_log_group.g.arn}:*"
    include_execution_data = true
    level                  = "ALL"
  }
  tags = { note = var.note }
}
resource "aws_sfn_alias" "live" {
  name = "live"
  routing_configuration {
    state_machine_version_arn = aws_sfn_state_machine.m.state_machine_version_arn
    weight                    = 100
  }
}
resource "aws_sfn_activity" "a" { name = "a" }

# S3
resource "aws_s3_bucket" "b" {
  bucket        = "tf-bucket"
  force_destroy = true
  tags          = { note = var.note }
}
resource "aws_s3_bucket_versioning" "b" {
  bucket = aws_s3_bucket.b.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_bucket_public_access_block" "b" {
  bucket            = aws_s3_bucket.b.id
  block_public_acls = true
}
resource "aws_s3_bucket_server_side_encryption_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}
resource "aws_s3_bucket_lifecycle_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    id     = "old"
    status = "Enabled"
    filter { prefix = "tmp/" }
    expiration { days = 3 }
  }
}
resource "aws_s3_bucket_cors_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["*"]
  }
}
resource "aws_s3_bucket_website_configuration" "b" {
  bucket = aws_s3_bucket.b.id
  index_document { suffix = "index.html" }
  error_document { key = "error.html" }
}
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "${aws_s3_bucket.b.arn}/*" }] })
}
resource "aws_s3_bucket_ownership_controls" "b" {
  bucket = aws_s3_bucket.b.id
  rule { object_ownership = "BucketOwnerEnforced" }
}
resource "aws_s3_bucket_notification" "b" {
  bucket      = aws_s3_bucket.b.id
  eventbridge = true
  queue {
    queue_arn = aws_sqs_queue.work.arn
    events    = ["s3:ObjectCreated:*"]
  }
}
resource "aws_s3_object" "o" {
  bucket       = aws_s3_bucket.b.id
  key          = "index.html"
  content      = "<h1>${var.note}</h1>"
  content_type = "text/html"
}

# SSM, Secrets, KMS, Logs
resource "aws_ssm_parameter" "p" {
  name  = "/app/p"
  type  = "String"
  value = var.note
  tags  = { note = var.note }
}
resource "aws_ssm_parameter" "s" {
  name  = "/app/s"
  type  = "SecureString"
  value = "secret"
}
resource "aws_secretsmanager_secret" "s" {
  name                    = "s"
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_version" "s" {
  secret_id     = aws_secretsmanager_secret.s.id
  secret_string = var.note
}
resource "aws_kms_key" "k" {
  description             = var.note
  enable_key_rotation     = true
  deletion_window_in_days = 7
}
resource "aws_kms_alias" "k" {
  name          = "alias/k"
  target_key_id = aws_kms_key.k.key_id
}
resource "aws_cloudwatch_log_group" "g" {
  name              = "/app/g"
  retention_in_days = var.note == "one" ? 7 : 14
  tags              = { note = var.note }
}
resource "aws_cloudwatch_log_subscription_filter" "f" {
  name            = "f"
  log_group_name  = aws_cloudwatch_log_group.g.name
  filter_pattern  = "ERROR"
  destination_arn = aws_lambda_function.f.arn
}

# Scheduler, Pipes, CloudFormation, ECR, Schemas
resource "aws_scheduler_schedule_group" "g" { name = "g" }
resource "aws_scheduler_schedule" "s" {
  name                = "s"
  group_name          = aws_scheduler_schedule_group.g.name
  schedule_expression = "rate(1 hour)"
  description         = var.note
  flexible_time_window { mode = "OFF" }
  target {
    arn      = aws_sqs_queue.work.arn
    role_arn = aws_iam_role.run.arn
    input    = "{}"
  }
}
resource "aws_pipes_pipe" "p" {
  name        = "p"
  role_arn    = aws_iam_role.run.arn
  source      = aws_sqs_queue.dead.arn
  target      = aws_cloudwatch_event_bus.b.arn
  description = var.note
  source_parameters {
    sqs_queue_parameters { batch_size = 2 }
  }
}
resource "aws_cloudformation_stack" "s" {
  name          = "from-terraform"
  template_body = jsonencode({ Parameters = { Note = { Type = "String" } }, Resources = { T = { Type = "AWS::SNS::Topic", Properties = { DisplayName = { Ref = "Note" } } } }, Outputs = { Topic = { Value = { Ref = "T" } } } })
  parameters    = { Note = var.note }
}
resource "aws_ecr_repository" "r" {
  # two letters at least
  name = "repo"
  image_scanning_configuration { scan_on_push = true }
}
resource "aws_schemas_registry" "r" {
  name        = "reg"
  description = var.note
}
resource "aws_schemas_schema" "s" {
  name          = "sch"
  registry_name = aws_schemas_registry.r.name
  type          = "JSONSchemaDraft4"
  content       = jsonencode({ "$schema" = "http://json-schema.org/draft-04/schema#", title = var.note, type = "object" })
}
resource "aws_schemas_discoverer" "d" {
  source_arn = aws_cloudwatch_event_bus.b.arn
}

