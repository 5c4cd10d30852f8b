use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    ListStateMachineVersionsInput, ListStateMachineVersionsOutput, StateMachineVersionListItem,
};
use crate::arn::machine_arn;
use crate::keys::VersionKey;
use crate::machine::find;
use crate::page;

/// A machine's versions, the newest first.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachineVersions.html>
pub(crate) async fn list_state_machine_versions(
    tx: &mut Tx,
    input: ListStateMachineVersionsInput,
) -> Result<ListStateMachineVersionsOutput> {
    let (key, _) = find(tx, &input.state_machine_arn).await?;
    let limit = page::size(input.max_results);
    let parts = Parts::of(&key.name);
    let mut found = match &input.next_token {
        None => tx.scan_back::<VersionKey>(parts, limit + 1).await?,
        Some(token) => {
            let last = VersionKey {
                machine: key.name.clone(),
                number: page::place(&input.state_machine_arn, token)?,
            };
            tx.scan_after(parts, &last, limit + 1, Direction::Backward).await?
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next_token = match found.last() {
        Some((last, _)) if more => Some(page::token(&input.state_machine_arn, &last.number)?),
        _ => None,
    };
    let arn = machine_arn(tx.scope(), &key.name);
    let item = |(key, version): (VersionKey, crate::version::Version)| StateMachineVersionListItem {
        state_machine_version_arn: format!("{arn}:{}", key.number),
        creation_date: version.created_at,
    };
    let state_machine_versions = found.into_iter().map(item).collect();
    Ok(ListStateMachineVersionsOutput { state_machine_versions, next_token })
}
