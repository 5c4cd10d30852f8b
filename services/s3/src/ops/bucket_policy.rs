use base::{Document, Fault};
use kernel::{Result, Tx};
use serde::Deserialize;

use crate::api::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput,
    PutBucketPolicyOutput,
};
use crate::bucket;

/// The largest policy, in bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
const POLICY_BYTES_MAX: usize = 20 * 1024;

/// Keeps a policy. Access is not checked against it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
pub(crate) async fn put_bucket_policy(
    tx: &mut Tx,
    input: PutBucketPolicyInput,
) -> Result<PutBucketPolicyOutput> {
    let is_object = serde_json::from_str::<Document>(&input.policy).is_ok_and(|policy| policy.is_object());
    if !is_object {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'").into());
    }
    if input.policy.len() > POLICY_BYTES_MAX {
        return Err(malformed("Policies must not exceed 20480 bytes").into());
    }
    bucket::change(tx, &input.bucket, |bucket| bucket.policy = Some(input.policy)).await?;
    Ok(PutBucketPolicyOutput {})
}

/// The policy as it was given.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>
pub(crate) async fn get_bucket_policy(
    tx: &mut Tx,
    input: GetBucketPolicyInput,
) -> Result<GetBucketPolicyOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    Ok(GetBucketPolicyOutput { policy: Some(found.policy.ok_or_else(absent)?) })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>
pub(crate) async fn delete_bucket_policy(
    tx: &mut Tx,
    input: DeleteBucketPolicyInput,
) -> Result<DeleteBucketPolicyOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.policy = None).await?;
    Ok(DeleteBucketPolicyOutput {})
}

/// Whether the policy lets everybody in: a statement that allows something to all, under no condition.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>
pub(crate) async fn get_bucket_policy_status(
    tx: &mut Tx,
    input: GetBucketPolicyStatusInput,
) -> Result<GetBucketPolicyStatusOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let policy = found.policy.ok_or_else(absent)?;
    let policy: Policy = serde_json::from_str(&policy).unwrap_or_default();
    let is_public = Some(policy.statements().any(Statement::is_public));
    Ok(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public }) })
}

/// Of a policy, what says for whom it is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    statement: Statements,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Statements {
    Many(Vec<Statement>),
    One(Statement),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    #[serde(default)]
    principal: Document,
    #[serde(default)]
    condition: Option<Document>,
}

impl Default for Statements {
    fn default() -> Statements {
        Statements::Many(Vec::new())
    }
}

impl Policy {
    fn statements(&self) -> impl Iterator<Item = &Statement> {
        match &self.statement {
            Statements::Many(all) => all.iter(),
            Statements::One(one) => std::slice::from_ref(one).iter(),
        }
    }
}

impl Statement {
    fn is_public(&self) -> bool {
        let named = |principal: &Document| match principal {
            Document::String(name) => name == "*",
            Document::Array(names) => names.iter().any(|name| name == "*"),
            _ => false,
        };
        let all = named(&self.principal) || self.principal.get("AWS").is_some_and(named);
        self.effect == "Allow" && all && self.condition.is_none()
    }
}

fn absent() -> Fault {
    Fault::new("NoSuchBucketPolicy", "The bucket policy does not exist").with_status(404)
}

fn malformed(message: &str) -> Fault {
    Fault::new("MalformedPolicy", message)
}
