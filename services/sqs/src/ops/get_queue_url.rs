use base::AccountId;
use kernel::{Result, Scope, Tx};

use crate::api::{GetQueueUrlInput, GetQueueUrlOutput};
use crate::fault;
use crate::keys::QueueKey;
use crate::queue::url;

/// The URL of the queue of a name.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html>
pub(crate) async fn get_queue_url(tx: &mut Tx, input: GetQueueUrlInput) -> Result<GetQueueUrlOutput> {
    if let Some(account) = input.queue_owner_aws_account_id.as_deref().and_then(AccountId::parse) {
        tx.enter(Scope { account, region: tx.scope().region.clone() });
    }
    let key = QueueKey { name: input.queue_name };
    if tx.version_of(&key).await?.is_none() {
        return Err(fault::queue_does_not_exist().into());
    }
    Ok(GetQueueUrlOutput { queue_url: Some(url(tx, &key.name)) })
}
