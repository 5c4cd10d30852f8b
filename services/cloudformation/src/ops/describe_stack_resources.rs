//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html>

use kernel::{Parts, Result, Tx};

use super::{PAGE, physical_id, resources_of};
use crate::api::{
    DescribeStackResourcesInput, DescribeStackResourcesOutput, StackResource, StackResourceDriftInformation,
    StackResourceDriftStatus,
};
use crate::keys::{ResourceKey, StackKey};
use crate::resource::Resource;
use crate::stack::{self, Stack, invalid};

/// Up to a hundred resources of a stack, which is named directly or by one of its resources' physical ids.
pub(crate) async fn describe_stack_resources(
    tx: &mut Tx,
    input: DescribeStackResourcesInput,
) -> Result<DescribeStackResourcesOutput> {
    let stack = match (&input.stack_name, &input.physical_resource_id) {
        (Some(name), None) => stack::find(tx, name).await?,
        (None, Some(id)) => stack_of(tx, id).await?,
        _ => {
            let message = "Either a StackName or a PhysicalResourceId must be specified, not both";
            return Err(invalid(message).into());
        }
    };
    let wanted = |name: &String| input.logical_resource_id.as_ref().is_none_or(|wanted| wanted == name);
    let resources = resources_of(tx, &stack).await?;
    let resources: Vec<StackResource> = resources
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .take(PAGE)
        .map(|(name, resource)| describe(&stack, name, resource))
        .collect();
    match (&input.logical_resource_id, resources.is_empty()) {
        (Some(name), true) => {
            Err(invalid(format!("Resource {name} does not exist for stack {}", stack.name)).into())
        }
        _ => Ok(DescribeStackResourcesOutput { stack_resources: Some(resources) }),
    }
}

/// The stack that has a resource of that physical id.
async fn stack_of(tx: &mut Tx, id: &str) -> Result<Stack> {
    let rows = tx.scan::<ResourceKey>(Parts::none(), usize::MAX).await?;
    let found = rows.into_iter().find(|(_, resource)| resource.physical_id() == id);
    let stack = match found {
        Some((key, _)) => tx.get(&StackKey { id: key.stack }).await?,
        None => None,
    };
    stack.ok_or_else(|| invalid(format!("Stack for {id} does not exist")).into())
}

fn describe(stack: &Stack, logical_id: String, resource: Resource) -> StackResource {
    StackResource {
        stack_name: Some(stack.name.clone()),
        stack_id: Some(stack.arn.clone()),
        logical_resource_id: logical_id,
        physical_resource_id: physical_id(&resource),
        resource_type: resource.kind,
        timestamp: resource.changed_at,
        resource_status: resource.status,
        resource_status_reason: resource.reason,
        description: None,
        drift_information: Some(StackResourceDriftInformation {
            stack_resource_drift_status: StackResourceDriftStatus::NotChecked,
            last_check_timestamp: None,
        }),
        module_info: None,
    }
}
