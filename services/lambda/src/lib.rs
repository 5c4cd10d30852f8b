//! lambda.
