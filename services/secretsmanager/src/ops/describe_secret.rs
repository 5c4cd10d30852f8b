use kernel::{Result, Tx};

use crate::api::{DescribeSecretInput, DescribeSecretOutput};
use crate::secret::find_any;

/// What is known of a secret but for its value, also while it waits for its deletion.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>
pub(crate) async fn describe_secret(tx: &mut Tx, input: DescribeSecretInput) -> Result<DescribeSecretOutput> {
    let (key, secret) = find_any(tx, &input.secret_id).await?;
    Ok(DescribeSecretOutput {
        arn: Some(secret.arn(tx, &key.name)),
        name: Some(key.name),
        description: secret.description.clone(),
        kms_key_id: secret.kms_key.clone(),
        rotation_enabled: Some(false),
        last_changed_date: Some(secret.changed_at),
        last_accessed_date: secret.accessed_on,
        deleted_date: secret.deletion.as_ref().map(|deletion| deletion.asked_at),
        tags: Some(secret.shown_tags()).filter(|tags| !tags.is_empty()),
        version_ids_to_stages: Some(secret.staged()).filter(|staged| !staged.is_empty()),
        created_date: Some(secret.created_at),
        ..DescribeSecretOutput::default()
    })
}
