use kernel::{Direction, Parts, Result, Tx};

use crate::api::{ListPipesInput, ListPipesOutput, Pipe as Listed};
use crate::keys::{Pipe, PipeKey};
use crate::pipe;

/// The page size where the caller gives none.
const LIMIT: usize = 100;
/// Rows read in one step.
const STEP: usize = 100;

/// Pipes by name; a token is the last name that was looked at.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_ListPipes.html>
pub(crate) async fn list_pipes(tx: &mut Tx, input: ListPipesInput) -> Result<ListPipesOutput> {
    let limit = input.limit.map_or(LIMIT, |limit| limit.unsigned_abs() as usize);
    let parts = Parts::none().and_starting_with(input.name_prefix.as_deref().unwrap_or_default());
    let mut after = input.next_token.clone();
    let scope = tx.scope().clone();
    let mut pipes = Vec::new();
    loop {
        let rows = match after.clone() {
            None => tx.scan::<PipeKey>(parts.clone(), STEP).await?,
            Some(name) => tx.scan_after(parts.clone(), &PipeKey { name }, STEP, Direction::Forward).await?,
        };
        let read = rows.len();
        for (key, found) in rows {
            let wanted = is_wanted(&input, &found);
            if wanted && pipes.len() == limit {
                return Ok(ListPipesOutput { pipes: Some(pipes), next_token: after });
            }
            after = Some(key.name.clone());
            if wanted {
                pipes.push(show(pipe::arn(&scope, &key.name), key.name, found));
            }
        }
        if read < STEP {
            return Ok(ListPipesOutput { pipes: Some(pipes), next_token: None });
        }
    }
}

fn is_wanted(input: &ListPipesInput, found: &Pipe) -> bool {
    let starts =
        |prefix: &Option<String>, text: &str| prefix.as_ref().is_none_or(|prefix| text.starts_with(prefix));
    input.desired_state.is_none_or(|state| state == found.desired)
        && input.current_state.is_none_or(|state| state == found.state)
        && starts(&input.source_prefix, &found.settings.source)
        && starts(&input.target_prefix, &found.settings.target)
}

fn show(arn: String, name: String, found: Pipe) -> Listed {
    Listed {
        name: Some(name),
        arn: Some(arn),
        desired_state: Some(found.desired),
        current_state: Some(found.state),
        state_reason: found.reason,
        creation_time: Some(found.created_at),
        last_modified_time: Some(found.modified_at),
        source: Some(found.settings.source),
        target: Some(found.settings.target),
        enrichment: found.settings.enrichment,
    }
}
