//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html>

use kernel::{Result, Tx};

use super::describe_stacks::page;
use crate::api::{
    ListStacksInput, ListStacksOutput, StackDriftInformationSummary, StackDriftStatus, StackSummary,
};
use crate::stack::Stack;

/// All stacks, deleted ones included, newest first; or those of some statuses.
pub(crate) async fn list_stacks(tx: &mut Tx, input: ListStacksInput) -> Result<ListStacksOutput> {
    let filter = input.stack_status_filter.unwrap_or_default();
    let wanted = |stack: &Stack| filter.is_empty() || filter.contains(&stack.status);
    let (stacks, next_token) = page(tx, input.next_token, wanted).await?;
    Ok(ListStacksOutput { stack_summaries: Some(stacks.iter().map(summary).collect()), next_token })
}

fn summary(stack: &Stack) -> StackSummary {
    StackSummary {
        stack_id: Some(stack.arn.clone()),
        stack_name: stack.name.clone(),
        template_description: stack.deployed.description.clone(),
        creation_time: stack.created,
        last_updated_time: stack.updated,
        deletion_time: stack.deleted,
        stack_status: stack.status,
        stack_status_reason: stack.reason.clone(),
        drift_information: Some(StackDriftInformationSummary {
            stack_drift_status: StackDriftStatus::NotChecked,
            last_check_timestamp: None,
        }),
        ..StackSummary::default()
    }
}
