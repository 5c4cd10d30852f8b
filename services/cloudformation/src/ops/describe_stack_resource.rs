//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResource.html>

use kernel::{Result, Tx};

use super::physical_id;
use crate::api::{
    DescribeStackResourceInput, DescribeStackResourceOutput, StackResourceDetail,
    StackResourceDriftInformation, StackResourceDriftStatus,
};
use crate::keys::ResourceKey;
use crate::stack::{self, invalid};

/// One resource, with its metadata.
pub(crate) async fn describe_stack_resource(
    tx: &mut Tx,
    input: DescribeStackResourceInput,
) -> Result<DescribeStackResourceOutput> {
    let name = input.stack_name;
    let stack =
        stack::seek(tx, &name).await?.ok_or_else(|| invalid(format!("Stack '{name}' does not exist")))?;
    let key = ResourceKey { stack: stack.id.clone(), logical_id: input.logical_resource_id };
    let resource = tx.get(&key).await?;
    let missing = || invalid(format!("Resource {} does not exist for stack {name}", key.logical_id));
    let resource = resource.ok_or_else(missing)?;
    let detail = StackResourceDetail {
        stack_name: Some(stack.name),
        stack_id: Some(stack.arn),
        logical_resource_id: key.logical_id.clone(),
        physical_resource_id: physical_id(&resource),
        resource_type: resource.kind,
        last_updated_timestamp: resource.changed_at,
        resource_status: resource.status,
        resource_status_reason: resource.reason,
        description: None,
        metadata: resource.metadata,
        drift_information: Some(StackResourceDriftInformation {
            stack_resource_drift_status: StackResourceDriftStatus::NotChecked,
            last_check_timestamp: None,
        }),
        module_info: None,
    };
    Ok(DescribeStackResourceOutput { stack_resource_detail: Some(detail) })
}
