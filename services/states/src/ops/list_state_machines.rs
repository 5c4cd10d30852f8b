use kernel::{Direction, Parts, Result, Tx};

use crate::api::{ListStateMachinesInput, ListStateMachinesOutput, StateMachineListItem};
use crate::arn::machine_arn;
use crate::keys::MachineKey;
use crate::page;

/// What its tokens are of.
const LIST: &str = "machines";

/// The machines in the order of their names.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html>
pub(crate) async fn list_state_machines(
    tx: &mut Tx,
    input: ListStateMachinesInput,
) -> Result<ListStateMachinesOutput> {
    let limit = page::size(input.max_results);
    let mut found = match &input.next_token {
        None => tx.scan::<MachineKey>(Parts::none(), limit + 1).await?,
        Some(token) => {
            let after = MachineKey { name: page::place(LIST, token)? };
            tx.scan_after(Parts::none(), &after, limit + 1, Direction::Forward).await?
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, _)) if more => Some(page::token(LIST, &last.name)?),
        _ => None,
    };
    let state_machines = found
        .into_iter()
        .map(|(key, machine)| StateMachineListItem {
            state_machine_arn: machine_arn(tx.scope(), &key.name),
            name: key.name,
            r#type: machine.kind,
            creation_date: machine.created_at,
        })
        .collect();
    Ok(ListStateMachinesOutput { state_machines, next_token })
}
