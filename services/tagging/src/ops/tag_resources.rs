use std::collections::BTreeMap;

use base::{Arn, Fault};
use kernel::{Effect, Result};

use crate::api::{
    ErrorCode, FailureInfo, TagResourcesInput, TagResourcesOutput, UntagResourcesInput, UntagResourcesOutput,
};
use crate::fault;
use crate::resource::{self, Change};

/// Adds tags to resources or gives them other values, resource by resource: what fails is told and holds up nothing else.
///
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
pub(crate) async fn tag_resources(effect: &Effect, input: TagResourcesInput) -> Result<TagResourcesOutput> {
    if input.tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(fault::invalid("Tag keys that begin with aws: are reserved.").into());
    }
    let failed = each(effect, &input.resource_arn_list, &Change::Add(&input.tags)).await?;
    Ok(TagResourcesOutput { failed_resources_map: Some(failed) })
}

/// Removes tags, resource by resource; those that are not there are no error.
///
/// <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_UntagResources.html>
pub(crate) async fn untag_resources(
    effect: &Effect,
    input: UntagResourcesInput,
) -> Result<UntagResourcesOutput> {
    let failed = each(effect, &input.resource_arn_list, &Change::Remove(&input.tag_keys)).await?;
    Ok(UntagResourcesOutput { failed_resources_map: Some(failed) })
}

async fn each(
    effect: &Effect,
    arns: &[String],
    change: &Change<'_>,
) -> Result<BTreeMap<String, FailureInfo>, Fault> {
    // All are read before anything is changed.
    let parsed = arns.iter().map(|text| text.parse().map_err(|_| malformed(text)));
    let parsed = parsed.collect::<Result<Vec<Arn>, Fault>>()?;
    let mut failed = BTreeMap::new();
    for (text, arn) in arns.iter().zip(&parsed) {
        if let Err(fault) = resource::change(effect, arn, change).await {
            failed.insert(text.clone(), told(fault));
        }
    }
    Ok(failed)
}

fn malformed(text: &str) -> Fault {
    fault::invalid(format!("{text} is not a valid ARN."))
}

fn told(fault: Fault) -> FailureInfo {
    let code = match fault.status {
        500.. => ErrorCode::InternalServiceException,
        _ => ErrorCode::InvalidParameterException,
    };
    FailureInfo {
        status_code: Some(i32::from(fault.status)),
        error_code: Some(code),
        error_message: Some(fault.message),
    }
}
