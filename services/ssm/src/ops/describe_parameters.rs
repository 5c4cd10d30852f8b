use kernel::{Result, Tx};

use crate::api::{DescribeParametersInput, DescribeParametersOutput, ParameterMetadata};
use crate::filter::Filter;
use crate::keys::{Parameter, ParameterKey};
use crate::ops::page;
use crate::{fault, name};

/// The page size if none is asked for, and the largest.
const PAGE: usize = 50;

/// What parameters are, without their values.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html>
pub(crate) async fn describe_parameters(
    tx: &mut Tx,
    input: DescribeParametersInput,
) -> Result<DescribeParametersOutput> {
    if input.shared == Some(true) {
        return Err(fault::not_honoured("Shared").into());
    }
    let filter = Filter::of_description(input.parameter_filters, input.filters)?;
    let limit = input.max_results.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let (rows, next_token) =
        page(tx, "", input.next_token, limit, |name, parameter| filter.holds(name, parameter)).await?;
    let parameters = rows.into_iter().map(|(key, parameter)| show(tx, key, parameter)).collect();
    Ok(DescribeParametersOutput { parameters: Some(parameters), next_token })
}

fn show(tx: &Tx, key: ParameterKey, parameter: Parameter) -> ParameterMetadata {
    let latest = parameter.latest;
    ParameterMetadata {
        arn: Some(name::arn(tx.scope(), &key.name)),
        name: Some(key.name),
        r#type: Some(latest.kind),
        key_id: latest.key_id,
        last_modified_date: Some(latest.modified_at),
        last_modified_user: Some(latest.modified_by),
        description: latest.description,
        allowed_pattern: latest.allowed_pattern,
        version: i64::try_from(latest.number).ok(),
        tier: Some(latest.tier),
        policies: Some(Vec::new()),
        data_type: Some(latest.data_type),
    }
}
