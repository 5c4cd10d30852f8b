//! Parameters as they are found and shown.

use kernel::{Effect, Result, Tx};

use crate::keys::{Parameter, ParameterKey, Version, VersionKey};
use crate::name::{self, Reference, Selector};
use crate::{api, fault, secret};

/// A version of a parameter, ready to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub name: String,
    pub arn: String,
    pub version: Version,
    /// The selector by which it was asked for.
    pub selector: Option<String>,
    /// The labels of this version.
    pub labels: Vec<String>,
}

impl Found {
    /// One version of a parameter.
    pub(crate) fn new(tx: &Tx, name: &str, parameter: &Parameter, version: Version) -> Found {
        let labels = parameter.labels.iter().filter(|(_, number)| **number == version.number);
        let labels = labels.map(|(label, _)| label.clone()).collect();
        let arn = name::arn(tx.scope(), name);
        Found { name: name.to_owned(), arn, version, selector: None, labels }
    }

    /// The value: of a secure string its ciphertext, unless it is to be decrypted.
    pub(crate) async fn value(&self, effect: &Effect, decrypted: bool) -> Result<String> {
        match self.version.kind {
            api::ParameterType::SecureString if decrypted => {
                secret::open(effect, &self.arn, &self.version.value).await
            }
            _ => Ok(self.version.value.clone()),
        }
    }

    /// As GetParameter shows it.
    pub(crate) async fn show(self, effect: &Effect, decrypted: bool) -> Result<api::Parameter> {
        let value = self.value(effect, decrypted).await?;
        Ok(api::Parameter {
            name: Some(self.name),
            r#type: Some(self.version.kind),
            value: Some(value),
            version: i64::try_from(self.version.number).ok(),
            selector: self.selector,
            last_modified_date: Some(self.version.modified_at),
            arn: Some(self.arn),
            data_type: Some(self.version.data_type),
            ..api::Parameter::default()
        })
    }
}

/// The version that a request asks for, unguarded.
///
/// # Errors
/// `ParameterNotFound`, `ParameterVersionNotFound`.
pub(crate) async fn find(tx: &mut Tx, text: String) -> Result<Found> {
    let reference = Reference::parse(&text, tx.scope())?;
    for name in reference.names {
        let Some(parameter) = tx.peek(&ParameterKey { name: name.clone() }).await? else { continue };
        let wanted = match &reference.selector {
            None => Some(parameter.latest.number),
            Some(Selector::Number(number)) => Some(*number),
            Some(Selector::Label(label)) => parameter.labels.get(label).copied(),
        };
        let selector = reference.selector.as_ref().map(Selector::text);
        let version = match wanted {
            Some(number) => version(tx, &name, &parameter, number).await?,
            None => None,
        };
        let Some(version) = version else {
            let asked = selector.as_deref().unwrap_or_default().trim_start_matches(':').to_owned();
            return Err(fault::version_not_found(&name, &asked).into());
        };
        return Ok(Found { selector, ..Found::new(tx, &name, &parameter, version) });
    }
    Err(fault::not_found(&text).into())
}

/// A version by its number, if it is still kept.
pub(crate) async fn version(
    tx: &mut Tx,
    name: &str,
    parameter: &Parameter,
    number: u64,
) -> Result<Option<Version>> {
    if parameter.latest.number == number {
        return Ok(Some(parameter.latest.clone()));
    }
    tx.peek(&VersionKey { name: name.to_owned(), number }).await
}

/// The parameter of that name, guarded.
///
/// # Errors
/// `ParameterNotFound`.
pub(crate) async fn get(tx: &mut Tx, name: &str) -> Result<(ParameterKey, Parameter)> {
    let key = ParameterKey { name: name.to_owned() };
    match tx.get(&key).await? {
        Some(parameter) => Ok((key, parameter)),
        None => Err(fault::not_found(name).into()),
    }
}
