//! `UntagResource`: <https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html>

use kernel::{Result, Tx};

use crate::api::{UntagResourceInput, UntagResourceOutput};
use crate::ops::tag_resource::tagged;

/// Removes tags; a key that is not there is no error.
pub(crate) async fn untag_resource(tx: &mut Tx, input: UntagResourceInput) -> Result<UntagResourceOutput> {
    let mut tagged = tagged(tx, &input.resource).await?;
    tagged.tags().retain(|tag, _| !input.tag_keys.contains(tag));
    tagged.put(tx)?;
    Ok(UntagResourceOutput {})
}
