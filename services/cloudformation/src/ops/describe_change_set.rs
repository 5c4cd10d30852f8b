//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html>

use kernel::{Result, Tx};

use super::PAGE;
use super::describe_stacks::parameter;
use crate::api::{
    Change, DeploymentConfig, DescribeChangeSetInput, DescribeChangeSetOutput, RollbackConfiguration,
};
use crate::change_set::{self, ChangeSet};
use crate::stack::{Stack, invalid};

/// A change set with a page of its changes.
pub(crate) async fn describe_change_set(
    tx: &mut Tx,
    input: DescribeChangeSetInput,
) -> Result<DescribeChangeSetOutput> {
    let (stack, found) = change_set::find(tx, &input.change_set_name, input.stack_name.as_deref()).await?;
    let start = match &input.next_token {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| invalid("NextToken is invalid"))?,
    };
    let values = input.include_property_values.unwrap_or_default();
    let page = found.changes.iter().skip(start).take(PAGE).cloned();
    let changes = page.map(|change| if values { change } else { without_values(change) }).collect();
    let next_token = (found.changes.len() > start + PAGE).then(|| (start + PAGE).to_string());
    Ok(DescribeChangeSetOutput { changes: Some(changes), next_token, ..describe(&stack, found) })
}

fn describe(stack: &Stack, found: ChangeSet) -> DescribeChangeSetOutput {
    DescribeChangeSetOutput {
        execution_status: Some(found.execution_status(stack)),
        status: Some(found.status()),
        change_set_name: Some(found.name),
        change_set_id: Some(found.arn),
        stack_id: Some(stack.arn.clone()),
        stack_name: Some(stack.name.clone()),
        description: found.description,
        parameters: Some(found.deployed.parameters.iter().map(parameter).collect()),
        creation_time: Some(found.created),
        status_reason: found.failure,
        notification_arns: Some(
            found.notification_arns.unwrap_or_else(|| stack.settings.notification_arns.clone()),
        ),
        rollback_configuration: Some(RollbackConfiguration::default()),
        capabilities: Some(found.capabilities),
        tags: Some(found.deployed.tags),
        include_nested_stacks: Some(found.nested),
        parent_change_set_id: found.parent,
        root_change_set_id: found.root,
        on_stack_failure: found.on_stack_failure,
        import_existing_resources: Some(false),
        deployment_config: Some(DeploymentConfig {
            mode: Some(found.mode),
            disable_rollback: found.disable_rollback,
        }),
        ..DescribeChangeSetOutput::default()
    }
}

/// As the API shows a change to those who did not ask for values.
fn without_values(mut change: Change) -> Change {
    if let Some(resource) = &mut change.resource_change {
        resource.before_context = None;
        resource.after_context = None;
        for target in resource.details.iter_mut().flatten().filter_map(|detail| detail.target.as_mut()) {
            target.path = None;
            target.before_value = None;
            target.after_value = None;
            target.before_value_from = None;
            target.after_value_from = None;
            target.attribute_change_type = None;
        }
    }
    change
}
