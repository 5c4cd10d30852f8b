//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html>

use kernel::{Direction, Parts, Result, Tx};

use super::{PAGE, physical_id};
use crate::api::{
    ListStackResourcesInput, ListStackResourcesOutput, StackResourceDriftInformationSummary,
    StackResourceDriftStatus, StackResourceSummary,
};
use crate::keys::ResourceKey;
use crate::resource::Resource;
use crate::stack;

/// The resources of a stack by logical id, a page at a time.
pub(crate) async fn list_stack_resources(
    tx: &mut Tx,
    input: ListStackResourcesInput,
) -> Result<ListStackResourcesOutput> {
    let stack = stack::find(tx, &input.stack_name).await?;
    let parts = Parts::of(&stack.id);
    let rows = match input.next_token {
        None => tx.scan::<ResourceKey>(parts, PAGE).await?,
        Some(logical_id) => {
            let after = ResourceKey { stack: stack.id.clone(), logical_id };
            tx.scan_after(parts, &after, PAGE, Direction::Forward).await?
        }
    };
    let next_token = rows.last().filter(|_| rows.len() == PAGE).map(|(key, _)| key.logical_id.clone());
    let summaries = rows.into_iter().map(|(key, resource)| summary(key.logical_id, resource)).collect();
    Ok(ListStackResourcesOutput { stack_resource_summaries: Some(summaries), next_token })
}

fn summary(logical_id: String, resource: Resource) -> StackResourceSummary {
    StackResourceSummary {
        logical_resource_id: logical_id,
        physical_resource_id: physical_id(&resource),
        resource_type: resource.kind,
        last_updated_timestamp: resource.changed_at,
        resource_status: resource.status,
        resource_status_reason: resource.reason,
        drift_information: Some(StackResourceDriftInformationSummary {
            stack_resource_drift_status: StackResourceDriftStatus::NotChecked,
            last_check_timestamp: None,
        }),
        module_info: None,
    }
}
