//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>

use kernel::{Direction, Parts, Result, Tx};

use super::{PAGE, rolls_back};
use crate::api::{
    DeploymentConfig, DescribeStacksInput, DescribeStacksOutput, Output, Parameter, Stack,
    StackDriftInformation, StackDriftStatus,
};
use crate::keys::StackKey;
use crate::stack::{self, StackOutput};
use crate::template::ParameterValue;

/// The stack of a name or an ARN, or all live ones, newest first.
pub(crate) async fn describe_stacks(tx: &mut Tx, input: DescribeStacksInput) -> Result<DescribeStacksOutput> {
    if let Some(name) = &input.stack_name {
        let stack = stack::find(tx, name).await?;
        return Ok(DescribeStacksOutput { stacks: Some(vec![describe(&stack)]), next_token: None });
    }
    let (stacks, next_token) = page(tx, input.next_token, |stack| stack.deleted.is_none()).await?;
    Ok(DescribeStacksOutput { stacks: Some(stacks.iter().map(describe).collect()), next_token })
}

/// A page of the stacks that `wanted` chooses, newest first, and where the next one begins.
pub(super) async fn page(
    tx: &mut Tx,
    token: Option<String>,
    wanted: impl Fn(&stack::Stack) -> bool,
) -> Result<(Vec<stack::Stack>, Option<String>)> {
    let mut found = Vec::new();
    let mut after = token;
    loop {
        let rows = match after.take() {
            None => tx.scan_back::<StackKey>(Parts::none(), PAGE).await?,
            Some(id) => tx.scan_after(Parts::none(), &StackKey { id }, PAGE, Direction::Backward).await?,
        };
        let last = rows.len() < PAGE;
        for (key, stack) in rows {
            after = Some(key.id);
            if wanted(&stack) {
                found.push(stack);
            }
            if found.len() == PAGE {
                return Ok((found, after));
            }
        }
        if last {
            return Ok((found, None));
        }
    }
}

fn describe(stack: &stack::Stack) -> Stack {
    let settings = &stack.settings;
    let none_if_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Stack {
        stack_id: Some(stack.arn.clone()),
        stack_name: stack.name.clone(),
        change_set_id: stack.change_set.clone(),
        parent_id: stack.parent.as_ref().map(|parent| parent.arn.clone()),
        root_id: stack.parent.as_ref().map(|parent| parent.root_arn.clone()),
        description: none_if_empty(&stack.deployed.description),
        parameters: Some(stack.deployed.parameters.iter().map(parameter).collect()),
        creation_time: stack.created,
        deletion_time: stack.deleted,
        last_updated_time: stack.updated,
        stack_status: stack.status,
        stack_status_reason: stack.reason.clone(),
        disable_rollback: Some(!rolls_back(stack)),
        notification_arns: Some(settings.notification_arns.clone()),
        timeout_in_minutes: settings.timeout_minutes,
        capabilities: Some(settings.capabilities.clone()),
        outputs: Some(stack.outputs.iter().map(output).collect()),
        role_arn: settings.role_arn.clone(),
        deployment_config: Some(DeploymentConfig {
            mode: Some(settings.mode),
            disable_rollback: Some(!rolls_back(stack)),
        }),
        tags: Some(stack.deployed.tags.clone()),
        enable_termination_protection: Some(settings.termination_protection),
        drift_information: Some(StackDriftInformation {
            stack_drift_status: StackDriftStatus::NotChecked,
            last_check_timestamp: None,
        }),
        ..Stack::default()
    }
}

/// A parameter as the API shows it.
pub(super) fn parameter((name, value): (&String, &ParameterValue)) -> Parameter {
    let shown = value.masked().text;
    Parameter {
        parameter_key: Some(name.clone()),
        parameter_value: Some(shown),
        use_previous_value: None,
        resolved_value: value.resolved.clone().filter(|_| !value.no_echo),
    }
}

fn output(output: &StackOutput) -> Output {
    Output {
        output_key: Some(output.key.clone()),
        output_value: Some(output.value.clone()),
        description: output.description.clone(),
        export_name: output.export.clone(),
    }
}
