//! Labels: names of versions, each of which names one version of a parameter.

use kernel::{Result, Tx};

use crate::api::{
    LabelParameterVersionInput, LabelParameterVersionOutput, UnlabelParameterVersionInput,
    UnlabelParameterVersionOutput,
};
use crate::keys::Parameter;
use crate::{event, fault, parameter};

/// The most labels of a version.
const LABELS_MAX: usize = 10;

/// Labels that keep to the rules move to the version; the others are told.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html>
pub(crate) async fn label_parameter_version(
    tx: &mut Tx,
    input: LabelParameterVersionInput,
) -> Result<LabelParameterVersionOutput> {
    let (key, mut parameter) = parameter::get(tx, &input.name).await?;
    let number = match input.parameter_version {
        None => parameter.latest.number,
        Some(asked) => kept(&parameter, &input.name, asked)?,
    };
    let (valid, invalid): (Vec<String>, Vec<String>) =
        input.labels.into_iter().partition(|label| is_valid(label));
    parameter.labels.extend(valid.into_iter().map(|label| (label, number)));
    if parameter.labels.values().filter(|labelled| **labelled == number).count() > LABELS_MAX {
        return Err(fault::too_many_labels(LABELS_MAX).into());
    }
    tx.put(&key, &parameter)?;
    event::emit(tx, "LabelParameterVersion", &key.name, &parameter.latest)?;
    Ok(LabelParameterVersionOutput {
        invalid_labels: Some(invalid),
        parameter_version: i64::try_from(number).ok(),
    })
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UnlabelParameterVersion.html>
pub(crate) async fn unlabel_parameter_version(
    tx: &mut Tx,
    input: UnlabelParameterVersionInput,
) -> Result<UnlabelParameterVersionOutput> {
    let (key, mut parameter) = parameter::get(tx, &input.name).await?;
    let number = kept(&parameter, &input.name, input.parameter_version)?;
    let (removed, invalid): (Vec<String>, Vec<String>) =
        input.labels.into_iter().partition(|label| parameter.labels.get(label) == Some(&number));
    parameter.labels.retain(|label, _| !removed.contains(label));
    tx.put(&key, &parameter)?;
    Ok(UnlabelParameterVersionOutput { removed_labels: Some(removed), invalid_labels: Some(invalid) })
}

/// The number of a version that is still kept.
fn kept(parameter: &Parameter, name: &str, asked: i64) -> Result<u64> {
    let number = u64::try_from(asked).ok();
    let number = number.filter(|number| (parameter.oldest..=parameter.latest.number).contains(number));
    Ok(number.ok_or_else(|| fault::version_not_found(name, &asked.to_string()))?)
}

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html>
fn is_valid(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && !label.starts_with(|c: char| c.is_ascii_digit())
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}
