//! dynamodb.
