//! The operations: one a file, small ones by noun.

pub(crate) mod delete_parameter;
pub(crate) mod describe_parameters;
pub(crate) mod get_parameter;
pub(crate) mod get_parameter_history;
pub(crate) mod get_parameters_by_path;
pub(crate) mod labels;
pub(crate) mod put_parameter;
pub(crate) mod tags;

use kernel::{Direction, Parts, Result, Tx};

use crate::fault;
use crate::keys::{Parameter, ParameterKey};

/// Parameters read at once.
const ROWS: usize = 200;

/// A page of parameters whose names begin with `prefix` and that are `wanted`, by name, and where the next page begins.
///
/// # Errors
/// `InvalidNextToken`.
pub(crate) async fn page(
    tx: &mut Tx,
    prefix: &str,
    token: Option<String>,
    limit: usize,
    wanted: impl Fn(&str, &Parameter) -> bool,
) -> Result<(Vec<(ParameterKey, Parameter)>, Option<String>)> {
    let mut after = match token {
        Some(name) if name.starts_with(prefix) && !name.is_empty() => Some(ParameterKey { name }),
        Some(_) => return Err(fault::invalid_token().into()),
        None => None,
    };
    let mut found = Vec::new();
    let parts = Parts::none().and_starting_with(prefix);
    while found.len() <= limit {
        let rows = match &after {
            None => tx.scan::<ParameterKey>(parts.clone(), ROWS).await?,
            Some(key) => tx.scan_after(parts.clone(), key, ROWS, Direction::Forward).await?,
        };
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        found.extend(rows.into_iter().filter(|(key, parameter)| wanted(&key.name, parameter)));
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(key, _)| key.name.clone());
    Ok((found, next))
}
