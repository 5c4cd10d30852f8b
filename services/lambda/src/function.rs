//! A function's versions: reading them by any name, and showing them as AWS does.

use base::{Fault, Timestamp};
use kernel::{Parts, Result, Scope, Tx};

use crate::api::{
    EnvironmentResponse, EphemeralStorage, FunctionConfiguration, LastUpdateStatus, Layer, LogFormat,
    LoggingConfig, PackageType, SnapStartApplyOn, SnapStartOptimizationStatus, SnapStartResponse, State,
    TracingConfigResponse,
};
use crate::fault;
use crate::keys::{Alias, AliasKey, Function, FunctionKey, PackageUse, Version, VersionKey};
use crate::name::{FunctionRef, arn, qualified_arn, version_number, version_text};

/// The most versions or aliases that a page or a look-up reads.
pub(crate) const ALL: usize = 10_000;

/// A version that was found, and how.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub function: Function,
    pub number: u64,
    pub version: Version,
}

/// The function's own row.
pub(crate) async fn function(tx: &mut Tx, name: &str) -> Result<Function> {
    let missing = fault::function_not_found(&arn(tx.scope(), name));
    Ok(tx.get(&FunctionKey { name: name.to_owned() }).await?.ok_or(missing)?)
}

/// The version that `wanted` names. An alias with two versions yields one of them by `chance`, 64 random bits.
pub(crate) async fn find(tx: &mut Tx, wanted: &FunctionRef, chance: u64) -> Result<Found> {
    let missing = fault::function_not_found(&wanted.arn(tx.scope()));
    let key = FunctionKey { name: wanted.name.clone() };
    let function = tx.peek(&key).await?.ok_or_else(|| missing.clone())?;
    let qualifier = wanted.qualifier_or_latest();
    let number = match version_number(qualifier) {
        Some(number) => number,
        None => {
            let key = AliasKey { name: wanted.name.clone(), alias: qualifier.to_owned() };
            tx.peek(&key).await?.ok_or_else(|| missing.clone())?.choose(chance)
        }
    };
    let version = tx.peek(&VersionKey { name: wanted.name.clone(), number }).await?.ok_or(missing)?;
    Ok(Found { function, number, version })
}

/// Whether the function has this version; guarded, so that it is still there when the transaction commits.
pub(crate) async fn must_have(tx: &mut Tx, name: &str, number: u64) -> Result<Version> {
    let missing = fault::function_not_found(&qualified_arn(tx.scope(), name, &version_text(number)));
    Ok(tx.get(&VersionKey { name: name.to_owned(), number }).await?.ok_or(missing)?)
}

/// All versions, `$LATEST` first.
pub(crate) async fn versions(tx: &mut Tx, name: &str) -> Result<Vec<(u64, Version)>> {
    let rows = tx.scan::<VersionKey>(Parts::of(name), ALL).await?;
    Ok(rows.into_iter().map(|(key, version)| (key.number, version)).collect())
}

/// All aliases in the order of their names.
pub(crate) async fn aliases(tx: &mut Tx, name: &str) -> Result<Vec<(String, Alias)>> {
    let rows = tx.scan::<AliasKey>(Parts::of(name), ALL).await?;
    Ok(rows.into_iter().map(|(key, alias)| (key.alias, alias)).collect())
}

impl Alias {
    /// The version that an invocation gets, by 64 random bits.
    pub(crate) fn choose(&self, chance: u64) -> u64 {
        let unit = (chance >> 11) as f64 / (1_u64 << 53) as f64;
        match self.additional {
            Some((other, weight)) if unit < weight => other,
            _ => self.version,
        }
    }
}

/// Refuses a call that was made for another revision.
pub(crate) fn check_revision(expected: Option<&str>, present: uuid::Uuid) -> Result<(), Fault> {
    match expected {
        Some(expected) if expected != present.to_string() => Err(fault::stale_revision()),
        _ => Ok(()),
    }
}

/// `2026-11-22T10:20:19.123+0000`.
pub(crate) fn modified_text(at: Timestamp) -> String {
    at.to_iso_millis().replace('Z', "+0000")
}

impl PackageUse {
    /// The digest as the API shows it: base64.
    pub(crate) fn code_sha256(&self) -> String {
        base::schema::Blob::from(hex::decode(&self.sha256).unwrap_or_default()).to_base64()
    }
}

impl Version {
    /// The log group of the function's output.
    pub(crate) fn log_group(&self, name: &str) -> String {
        self.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{name}"))
    }

    /// As AWS shows `$LATEST` when it is asked for the function: without a qualifier in its ARN.
    pub(crate) fn shown(&self, scope: &Scope, name: &str, number: u64) -> FunctionConfiguration {
        let arn =
            if number == 0 { arn(scope, name) } else { qualified_arn(scope, name, &version_text(number)) };
        self.shown_as(arn, name, number)
    }

    /// Under an ARN of the caller's choice, e.g. with the alias that named it.
    pub(crate) fn shown_as(&self, arn: String, name: &str, number: u64) -> FunctionConfiguration {
        let environment = (!self.environment.is_empty())
            .then(|| EnvironmentResponse { variables: Some(self.environment.clone()), error: None });
        let layer = |used: &crate::keys::LayerUse| Layer {
            arn: Some(used.arn.clone()),
            code_size: i64::try_from(used.package.bytes).ok(),
            ..Layer::default()
        };
        FunctionConfiguration {
            function_name: Some(name.to_owned()),
            function_arn: Some(arn),
            runtime: Some(self.runtime),
            role: Some(self.role.clone()),
            handler: Some(self.handler.clone()),
            code_size: i64::try_from(self.package.bytes).ok(),
            description: Some(self.description.clone()),
            timeout: i32::try_from(self.timeout_s).ok(),
            memory_size: i32::try_from(self.memory_mb).ok(),
            last_modified: Some(modified_text(self.last_modified)),
            code_sha256: Some(self.package.code_sha256()),
            version: Some(version_text(number)),
            dead_letter_config: self
                .dead_letter
                .clone()
                .map(|arn| crate::api::DeadLetterConfig { target_arn: Some(arn) }),
            environment,
            tracing_config: Some(TracingConfigResponse { mode: Some(self.tracing) }),
            revision_id: Some(self.revision_id.to_string()),
            layers: (!self.layers.is_empty()).then(|| self.layers.iter().map(layer).collect()),
            state: Some(State::Active),
            last_update_status: Some(LastUpdateStatus::Successful),
            package_type: Some(PackageType::Zip),
            architectures: Some(vec![self.architecture]),
            ephemeral_storage: i32::try_from(self.ephemeral_mb).ok().map(|size| EphemeralStorage { size }),
            snap_start: Some(SnapStartResponse {
                apply_on: Some(SnapStartApplyOn::None),
                optimization_status: Some(SnapStartOptimizationStatus::Off),
            }),
            logging_config: Some(LoggingConfig {
                log_format: Some(if self.json_logs.is_some() { LogFormat::Json } else { LogFormat::Text }),
                application_log_level: self.json_logs.map(|logs| logs.application_level),
                system_log_level: self.json_logs.map(|logs| logs.system_level),
                log_group: Some(self.log_group(name)),
            }),
            ..FunctionConfiguration::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_divides_its_invocations_by_weight() {
        let alias = Alias {
            version: 1,
            description: String::new(),
            additional: Some((2, 0.25)),
            revision_id: uuid::Uuid::nil(),
        };
        let of = |share: f64| alias.choose((share * u64::MAX as f64) as u64);
        assert_eq!([of(0.0), of(0.2), of(0.26), of(0.99)], [2, 2, 1, 1]);
        assert_eq!(Alias { additional: None, ..alias }.choose(0), 1);
    }

    #[test]
    fn times_read_as_lambda_writes_them() {
        let at = Timestamp::from_iso("2026-11-22T10:20:19.123Z").unwrap();
        assert_eq!(modified_text(at), "2026-11-22T10:20:19.123+0000");
    }
}
