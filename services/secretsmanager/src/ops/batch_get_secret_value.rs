use kernel::{Effect, Error, Result, Tx};

use crate::api::{
    APIErrorType, BatchGetSecretValueInput, BatchGetSecretValueOutput, Filter, GetSecretValueInput,
    SecretValueEntry,
};
use crate::fault;
use crate::ops::get_secret_value::get_secret_value;
use crate::ops::list_secrets::{Page, page};

/// The page size if none is asked for, and the largest.
const PAGE: usize = 20;

/// The current values of several secrets. What cannot be read is named beside them.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html>
pub(crate) async fn batch_get_secret_value(
    effect: &Effect,
    input: BatchGetSecretValueInput,
) -> Result<BatchGetSecretValueOutput> {
    let (ids, next_token) = match (input.secret_id_list, input.filters) {
        (Some(ids), None) if input.max_results.is_none() && input.next_token.is_none() => (ids, None),
        (None, Some(filters)) => {
            let limit = input.max_results.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
            effect.transact("FindSecrets", names, (filters, input.next_token, limit)).await?
        }
        _ => {
            let message =
                "Either SecretIdList or Filters must be provided, but not both; pages go with Filters.";
            return Err(fault::parameter(message).into());
        }
    };
    let (mut secret_values, mut errors) = (Vec::new(), Vec::new());
    for secret_id in ids {
        let one = GetSecretValueInput { secret_id: secret_id.clone(), ..GetSecretValueInput::default() };
        match get_secret_value(effect, one).await {
            Ok(value) => secret_values.push(SecretValueEntry {
                arn: value.arn,
                name: value.name,
                version_id: value.version_id,
                secret_binary: value.secret_binary,
                secret_string: value.secret_string,
                version_stages: value.version_stages,
                created_date: value.created_date,
            }),
            Err(Error::Fault(fault)) => errors.push(APIErrorType {
                secret_id: Some(secret_id),
                error_code: Some(fault.code.into_owned()),
                message: Some(fault.message),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(BatchGetSecretValueOutput { secret_values: Some(secret_values), next_token, errors: Some(errors) })
}

async fn names(
    tx: &mut Tx,
    (filters, token, limit): (Vec<Filter>, Option<String>, usize),
) -> Result<(Vec<String>, Option<String>)> {
    let Page { secrets, next } = page(tx, &filters, false, token, limit, |_| {}).await?;
    Ok((secrets.into_iter().map(|(key, _)| key.name).collect(), next))
}
