//! State machines: what is kept of them, how they are configured, and their definitions, parsed once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use asl::Machine;
use base::{Fault, Timestamp};
use kernel::{Error, Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{
    EncryptionConfiguration, EncryptionType, LogLevel, LoggingConfiguration, StateMachineType, Tag,
    TracingConfiguration,
};
use crate::arn::{machine_arn, machine_name};
use crate::fault;
use crate::keys::{MachineKey, RevisionKey};
use crate::log::{self, Log};

/// The most tags of a machine.
const TAGS_MAX: usize = 50;
/// Parsed definitions that are kept; when there are more, all are let go.
const PARSED_MAX: usize = 4_096;

/// A state machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StateMachine {
    /// The newest revision.
    #[serde(rename = "r")]
    pub revision: Uuid,
    #[serde(rename = "c")]
    pub created_at: Timestamp,
    /// Whether it is going: nothing is started any more.
    #[serde(rename = "d", default)]
    pub deleting: bool,
    #[serde(rename = "k", default)]
    pub kind: StateMachineType,
    /// The number of the last version that was published; never given twice.
    #[serde(rename = "v", default)]
    pub last_version: u32,
    /// The first revision, which has no id in answers.
    #[serde(rename = "f")]
    pub first_revision: Uuid,
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}
store::stored!(StateMachine, format = 1);

/// A definition with its role, as `CreateStateMachine` or `UpdateStateMachine` left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Revision {
    /// As it was given.
    #[serde(rename = "d")]
    pub definition: String,
    #[serde(rename = "r")]
    pub role_arn: String,
    #[serde(rename = "t")]
    pub updated_at: Timestamp,
    /// As it was given.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<LoggingConfiguration>,
    /// Whether X-Ray is asked for; shown, and without effect.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub traced: bool,
}
store::stored!(Revision, format = 1);

impl Revision {
    /// What was asked for. Nothing is sent to X-Ray: the platform traces every execution by itself.
    pub(crate) fn tracing(&self) -> TracingConfiguration {
        TracingConfiguration { enabled: Some(self.traced) }
    }

    /// What logs are written.
    pub(crate) fn logging(&self) -> LoggingConfiguration {
        let given = self.logging.clone().unwrap_or_default();
        LoggingConfiguration {
            level: Some(given.level.unwrap_or(LogLevel::Off)),
            include_execution_data: Some(given.include_execution_data.unwrap_or_default()),
            destinations: given.destinations,
        }
    }
}

impl StateMachine {
    /// A revision's id as answers show it.
    pub(crate) fn revision_id(&self, revision: Uuid) -> Option<String> {
        (revision != self.first_revision).then(|| revision.to_string())
    }

    pub(crate) fn is_express(&self) -> bool {
        self.kind == StateMachineType::Express
    }
}

/// The encryption configuration of every machine.
pub(crate) fn encryption() -> EncryptionConfiguration {
    EncryptionConfiguration { r#type: EncryptionType::AwsOwnedKey, ..EncryptionConfiguration::default() }
}

/// Refuses keys of the customer.
pub(crate) fn check_encryption(given: Option<&EncryptionConfiguration>) -> Result<(), Fault> {
    if given.is_some_and(|given| given.r#type != EncryptionType::AwsOwnedKey) {
        let what = "Invalid Encryption Configuration: encryption with a key of the customer is";
        return Err(fault::not_implemented("InvalidEncryptionConfiguration", what));
    }
    let is_of_a_key = |given: &EncryptionConfiguration| {
        given.kms_key_id.is_some() || given.kms_data_key_reuse_period_seconds.is_some()
    };
    if given.is_some_and(is_of_a_key) {
        let message = "Invalid Encryption Configuration: kmsKeyId and kmsDataKeyReusePeriodSeconds are not for AWS_OWNED_KEY";
        return Err(Fault::new("InvalidEncryptionConfiguration", message));
    }
    Ok(())
}

/// What `CreateStateMachine` and `UpdateStateMachine` may ask for beyond a definition and a role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub logging: Option<LoggingConfiguration>,
    pub tracing: Option<TracingConfiguration>,
    pub encryption: Option<EncryptionConfiguration>,
    pub publish: Option<bool>,
    pub version_description: Option<String>,
}

impl Settings {
    /// Whether X-Ray is asked for; `None` if nothing is said of it.
    pub(crate) fn traced(&self) -> Option<bool> {
        self.tracing.as_ref().map(|tracing| tracing.enabled.unwrap_or_default())
    }

    /// Refuses, by name, what would not be honoured.
    pub(crate) fn check(&self, scope: &Scope) -> Result<(), Fault> {
        if let Some(logging) = &self.logging {
            log::check(scope, logging)?;
        }
        check_encryption(self.encryption.as_ref())?;
        if self.version_description.is_some() && self.publish != Some(true) {
            return Err(Fault::validation("Version description can only be set when publish is true"));
        }
        Ok(())
    }
}

/// The machine of that ARN with its key, guarded: deletion and the caller's commit exclude each other.
pub(crate) async fn find(tx: &mut Tx, arn: &str) -> Result<(MachineKey, StateMachine)> {
    let key = MachineKey { name: machine_name(tx.scope(), arn)? };
    match tx.get(&key).await? {
        Some(machine) => Ok((key, machine)),
        None => Err(fault::machine_does_not_exist(arn).into()),
    }
}

/// Like [`find`], for what needs a machine that stays.
pub(crate) async fn find_active(tx: &mut Tx, arn: &str) -> Result<(MachineKey, StateMachine)> {
    let name = machine_name(tx.scope(), arn)?;
    find_active_named(tx, name, arn).await
}

/// The machine of that name, which `arn` means, if it stays.
pub(crate) async fn find_active_named(
    tx: &mut Tx,
    name: String,
    arn: &str,
) -> Result<(MachineKey, StateMachine)> {
    let key = MachineKey { name };
    let machine = tx.get(&key).await?.ok_or_else(|| fault::machine_does_not_exist(arn))?;
    if machine.deleting {
        return Err(fault::machine_deleting(&machine_arn(tx.scope(), &key.name)).into());
    }
    Ok((key, machine))
}

/// The text of a revision.
pub(crate) async fn revision(tx: &mut Tx, machine: &str, revision: Uuid) -> Result<Revision> {
    let key = RevisionKey { machine: machine.to_owned(), revision };
    tx.peek(&key).await?.ok_or_else(|| Error::bug(format!("find revision {revision} of machine {machine}")))
}

/// Whether a tag's key or value has the characters that it may have.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_Tag.html>
fn fits(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c))
}

/// Tags as a map.
pub(crate) fn add_tags(to: &mut BTreeMap<String, String>, tags: Vec<Tag>, arn: &str) -> Result<(), Fault> {
    let unfit = |tag: &&Tag| {
        let key = tag.key.as_deref().unwrap_or_default();
        key.is_empty() || !fits(key) || !tag.value.as_deref().is_none_or(fits)
    };
    if let Some(tag) = tags.iter().find(unfit) {
        let why =
            "Tags may only contain Unicode letters, digits, white space, or these symbols: _ . : / = + - @";
        return Err(Fault::validation(format!(
            "Invalid tag '{}': {why}",
            tag.key.as_deref().unwrap_or_default()
        )));
    }
    let system =
        |tag: &&Tag| tag.key.as_deref().is_some_and(|key| key.to_ascii_lowercase().starts_with("aws:"));
    if let Some(Tag { key: Some(key), .. }) = tags.iter().find(system) {
        let why = format!("Tag keys that begin with 'aws:' are reserved for system use: '{key}'");
        return Err(Fault::validation(why));
    }
    to.extend(tags.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())));
    if to.len() > TAGS_MAX {
        let message = format!("Too many tags for resource '{arn}': at most {TAGS_MAX} are allowed");
        return Err(Fault::new("TooManyTags", message));
    }
    Ok(())
}

/// Definitions by revision, and by the label of the map whose children they are for, parsed: the service's only state
/// outside the store.
#[derive(Default)]
pub(crate) struct Definitions(Mutex<HashMap<(Uuid, String), Arc<Definition>>>);

/// A parsed definition.
#[derive(Debug)]
pub(crate) struct Definition {
    pub machine: Arc<Machine>,
    pub role_arn: String,
    /// What is logged, if anything is.
    pub log: Option<Log>,
}

/// Which variables the states read, by the states' names; `None` if none of them reads any.
pub(crate) fn variable_references(definition: &Definition) -> Option<BTreeMap<String, Vec<String>>> {
    Some(definition.machine.variable_references().clone()).filter(|found| !found.is_empty())
}

/// The parsed definition of a revision. `machine` may be that of a map run's children, `machine/label`.
pub(crate) async fn definition(tx: &mut Tx, machine: &str, id: Uuid) -> Result<Arc<Definition>> {
    let label = machine.rsplit_once('/').map_or("", |(_, label)| label);
    let definitions = tx.state::<Definitions>()?;
    let place = (id, label.to_owned());
    let known = definitions.0.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let name = machine.split('/').next().unwrap_or_default();
    let Revision { definition, role_arn, logging, .. } = revision(tx, name, id).await?;
    let bug = || Error::bug(format!("parse the stored definition of machine {machine}"));
    let mut parsed = Arc::new(Machine::parse(&definition).map_err(|_| bug())?);
    if !label.is_empty() {
        parsed = Arc::clone(parsed.child(label).ok_or_else(bug)?);
    }
    let log = logging.as_ref().and_then(Log::new);
    let parsed = Arc::new(Definition { machine: parsed, role_arn, log });
    let mut all = definitions.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= PARSED_MAX {
        all.clear();
    }
    all.insert(place, Arc::clone(&parsed));
    Ok(parsed)
}
