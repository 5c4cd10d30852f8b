//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListChangeSets.html>

use kernel::{Direction, Parts, Result, Tx};

use super::PAGE;
use crate::api::{ChangeSetSummary, ListChangeSetsInput, ListChangeSetsOutput};
use crate::change_set::ChangeSet;
use crate::keys::ChangeSetKey;
use crate::stack::{self, Stack, invalid};

/// The change sets of a stack by name, a page at a time.
pub(crate) async fn list_change_sets(
    tx: &mut Tx,
    input: ListChangeSetsInput,
) -> Result<ListChangeSetsOutput> {
    let missing = || invalid(format!("Stack [{}] does not exist", input.stack_name));
    let stack = stack::seek(tx, &input.stack_name).await?.ok_or_else(missing)?;
    let parts = Parts::of(&stack.id);
    let rows = match input.next_token {
        None => tx.scan::<ChangeSetKey>(parts, PAGE).await?,
        Some(name) => {
            let after = ChangeSetKey { stack: stack.id.clone(), name };
            tx.scan_after(parts, &after, PAGE, Direction::Forward).await?
        }
    };
    let next_token = rows.last().filter(|_| rows.len() == PAGE).map(|(key, _)| key.name.clone());
    let summaries = rows.into_iter().map(|(_, found)| summary(&stack, found)).collect();
    Ok(ListChangeSetsOutput { summaries: Some(summaries), next_token })
}

fn summary(stack: &Stack, found: ChangeSet) -> ChangeSetSummary {
    ChangeSetSummary {
        stack_id: Some(stack.arn.clone()),
        stack_name: Some(stack.name.clone()),
        execution_status: Some(found.execution_status(stack)),
        status: Some(found.status()),
        change_set_id: Some(found.arn),
        change_set_name: Some(found.name),
        status_reason: found.failure,
        creation_time: Some(found.created),
        description: found.description,
        include_nested_stacks: Some(found.nested),
        parent_change_set_id: found.parent,
        root_change_set_id: found.root,
        import_existing_resources: Some(false),
    }
}
