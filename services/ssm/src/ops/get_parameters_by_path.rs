use kernel::{Effect, Result, Tx};

use crate::api::{GetParametersByPathInput, GetParametersByPathOutput};
use crate::filter::Filter;
use crate::name;
use crate::ops::page;
use crate::parameter::{Found, version};

/// The page size if none is asked for, and the largest.
const PAGE: usize = 10;

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html>
pub(crate) async fn get_parameters_by_path(
    effect: &Effect,
    input: GetParametersByPathInput,
) -> Result<GetParametersByPathOutput> {
    let decrypted = input.with_decryption == Some(true);
    let (found, next_token) = effect.transact("FindParametersByPath", find, input).await?;
    let mut parameters = Vec::with_capacity(found.len());
    for parameter in found {
        parameters.push(parameter.show(effect, decrypted).await?);
    }
    Ok(GetParametersByPathOutput { parameters: Some(parameters), next_token })
}

async fn find(tx: &mut Tx, input: GetParametersByPathInput) -> Result<(Vec<Found>, Option<String>)> {
    let path = name::path(&input.path)?;
    let filter = Filter::of_path(input.parameter_filters)?;
    let deep = input.recursive == Some(true);
    let limit = input.max_results.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    // Names without a slash stand at the root, too.
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let (rows, next) = page(tx, &prefix, input.next_token, limit, |name, parameter| {
        name::is_below(name, path, deep) && filter.holds(name, parameter)
    })
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for (key, parameter) in rows {
        let number = filter.version(&parameter);
        if let Some(version) = version(tx, &key.name, &parameter, number).await? {
            found.push(Found::new(tx, &key.name, &parameter, version));
        }
    }
    Ok((found, next))
}
