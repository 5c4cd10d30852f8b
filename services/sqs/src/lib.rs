//! sqs.
