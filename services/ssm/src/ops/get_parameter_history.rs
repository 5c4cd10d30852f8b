use kernel::{Effect, Result, Tx};

use crate::api::{GetParameterHistoryInput, GetParameterHistoryOutput, ParameterHistory};
use crate::fault;
use crate::name::Reference;
use crate::parameter::{self, Found, version};

/// The page size if none is asked for, and the largest.
const PAGE: u64 = 50;

/// Versions, oldest first.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html>
pub(crate) async fn get_parameter_history(
    effect: &Effect,
    input: GetParameterHistoryInput,
) -> Result<GetParameterHistoryOutput> {
    let decrypted = input.with_decryption == Some(true);
    let (found, next_token) = effect.transact("FindParameterHistory", find, input).await?;
    let mut parameters = Vec::with_capacity(found.len());
    for found in found {
        let value = found.value(effect, decrypted).await?;
        parameters.push(show(found, value));
    }
    Ok(GetParameterHistoryOutput { parameters: Some(parameters), next_token })
}

async fn find(tx: &mut Tx, input: GetParameterHistoryInput) -> Result<(Vec<Found>, Option<String>)> {
    let reference = Reference::parse(&input.name, tx.scope())?;
    let name = reference.names.first().filter(|_| reference.selector.is_none());
    let name = name.ok_or_else(|| fault::not_found(&input.name))?;
    let (_, parameter) = parameter::get(tx, name).await?;
    let first = match &input.next_token {
        Some(token) => token.parse().map_err(|_| fault::invalid_token())?,
        None => parameter.oldest,
    };
    let limit = input.max_results.map_or(PAGE, |limit| u64::from(limit.unsigned_abs()));
    let end = first.max(parameter.oldest).saturating_add(limit);
    let mut found = Vec::new();
    for number in first.max(parameter.oldest)..end.min(parameter.latest.number + 1) {
        if let Some(version) = version(tx, name, &parameter, number).await? {
            found.push(Found::new(tx, name, &parameter, version));
        }
    }
    let next = (end <= parameter.latest.number).then(|| end.to_string());
    Ok((found, next))
}

fn show(found: Found, value: String) -> ParameterHistory {
    let version = found.version;
    ParameterHistory {
        name: Some(found.name),
        r#type: Some(version.kind),
        key_id: version.key_id,
        last_modified_date: Some(version.modified_at),
        last_modified_user: Some(version.modified_by),
        description: version.description,
        value: Some(value),
        allowed_pattern: version.allowed_pattern,
        version: i64::try_from(version.number).ok(),
        labels: Some(found.labels),
        tier: Some(version.tier),
        policies: Some(Vec::new()),
        data_type: Some(version.data_type),
    }
}
