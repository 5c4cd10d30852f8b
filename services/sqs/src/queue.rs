//! A queue: its name, its attributes and their bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{AccountId, Arn, Document, Fault, Timestamp};
use kernel::{Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::QueueAttributeName as Name;
use crate::fault;
use crate::keys::QueueKey;

/// The longest `Policy`; a `RedriveAllowPolicy` has no need to be longer.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html>
pub(crate) const POLICY_BYTES_MAX: usize = 8_192;
/// The longest name of a queue.
pub(crate) const NAME_BYTES_MAX: usize = 80;

/// A queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// Tells this queue from earlier ones of the same name: tasks of theirs find that they are stale.
    pub generation: Uuid,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub settings: Settings,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}
store::stored!(Queue, format = 1);

/// What `SetQueueAttributes` sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub visibility_timeout_s: u32,
    pub message_bytes_max: u32,
    pub retention_s: u32,
    pub delay_s: u32,
    pub receive_wait_s: u32,
    #[serde(default)]
    pub policy: String,
    #[serde(default)]
    pub redrive: Option<Redrive>,
    #[serde(default)]
    pub redrive_allow_policy: String,
    pub managed_sse: bool,
    /// Of a FIFO queue only.
    #[serde(default)]
    pub fifo: Option<Fifo>,
}

/// What only a FIFO queue has.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fifo {
    pub content_based_deduplication: bool,
    /// Whether ids of messages are known again within their group only.
    pub deduplicates_by_group: bool,
    /// Whether the throughput limit is one of each group. There is no limit here.
    pub limits_by_group: bool,
}

/// Whether a name is a FIFO queue's.
pub(crate) fn is_fifo(name: &str) -> bool {
    name.ends_with(".fifo")
}

/// The `RedrivePolicy` of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redrive {
    #[serde(rename = "deadLetterTargetArn")]
    pub dead_letter_target_arn: String,
    #[serde(rename = "maxReceiveCount", deserialize_with = "number_or_text")]
    pub receives_max: u32,
}

impl Redrive {
    /// The name of the dead-letter queue.
    pub(crate) fn queue_name(&self) -> Option<String> {
        self.dead_letter_target_arn.parse::<Arn>().ok().map(|arn| arn.resource)
    }
}

fn number_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u32),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

impl Default for Settings {
    /// SQS's defaults.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
    fn default() -> Settings {
        Settings {
            visibility_timeout_s: 30,
            message_bytes_max: crate::message::BYTES_MAX,
            retention_s: 345_600,
            delay_s: 0,
            receive_wait_s: 0,
            policy: String::new(),
            redrive: None,
            redrive_allow_policy: String::new(),
            managed_sse: true,
            fifo: None,
        }
    }
}

impl Settings {
    /// Sets what `attributes` name.
    pub(crate) fn set(&mut self, attributes: &BTreeMap<Name, String>, own_arn: &str) -> Result<(), Fault> {
        for (name, value) in attributes {
            self.set_one(*name, value, own_arn)?;
        }
        let fifo = self.fifo.as_ref();
        if fifo.is_some_and(|fifo| fifo.limits_by_group && !fifo.deduplicates_by_group) {
            return Err(fault::invalid_value(
                "perMessageGroupId",
                "FifoThroughputLimit",
                "It requires the value messageGroup of DeduplicationScope.",
            ));
        }
        Ok(())
    }

    fn set_fifo(&mut self, name: Name, value: &str) -> Result<(), Fault> {
        let invalid = || fault::invalid_attribute_value(name.as_str());
        let Some(fifo) = &mut self.fifo else { return Err(fault::invalid_attribute_name(name.as_str())) };
        match name {
            Name::FifoQueue if value == "true" => {}
            Name::ContentBasedDeduplication => {
                fifo.content_based_deduplication = value.parse().map_err(|_| invalid())?;
            }
            Name::DeduplicationScope => {
                fifo.deduplicates_by_group = either(value, "queue", "messageGroup").ok_or_else(invalid)?;
            }
            Name::FifoThroughputLimit => {
                fifo.limits_by_group = either(value, "perQueue", "perMessageGroupId").ok_or_else(invalid)?;
            }
            _ => return Err(invalid()),
        }
        Ok(())
    }

    fn set_one(&mut self, name: Name, value: &str, own_arn: &str) -> Result<(), Fault> {
        match name {
            Name::VisibilityTimeout => self.visibility_timeout_s = bounded(name, value, 0, 43_200)?,
            Name::MaximumMessageSize => {
                self.message_bytes_max = bounded(name, value, 1_024, crate::message::BYTES_MAX)?;
            }
            Name::MessageRetentionPeriod => self.retention_s = bounded(name, value, 60, 1_209_600)?,
            Name::DelaySeconds => self.delay_s = bounded(name, value, 0, 900)?,
            Name::ReceiveMessageWaitTimeSeconds => self.receive_wait_s = bounded(name, value, 0, 20)?,
            Name::Policy => self.policy = json_object(name, value)?,
            Name::RedriveAllowPolicy => self.redrive_allow_policy = json_object(name, value)?,
            Name::RedrivePolicy => self.redrive = redrive(value, own_arn)?,
            Name::SqsManagedSseEnabled => {
                self.managed_sse =
                    value.parse().map_err(|_| fault::invalid_attribute_value(name.as_str()))?;
            }
            Name::FifoQueue if value == "false" && self.fifo.is_none() => {}
            Name::FifoQueue
            | Name::ContentBasedDeduplication
            | Name::DeduplicationScope
            | Name::FifoThroughputLimit => self.set_fifo(name, value)?,
            Name::KmsMasterKeyId | Name::KmsDataKeyReusePeriodSeconds if value.is_empty() => {}
            Name::KmsMasterKeyId | Name::KmsDataKeyReusePeriodSeconds => {
                return Err(fault::unsupported("encryption with a key of KMS"));
            }
            _ => return Err(fault::invalid_attribute_name(name.as_str())),
        }
        Ok(())
    }

    /// The attributes that can be set, as `GetQueueAttributes` gives them; what is empty is left out.
    pub(crate) fn to_attributes(&self) -> Vec<(Name, String)> {
        let mut all = vec![
            (Name::VisibilityTimeout, self.visibility_timeout_s.to_string()),
            (Name::MaximumMessageSize, self.message_bytes_max.to_string()),
            (Name::MessageRetentionPeriod, self.retention_s.to_string()),
            (Name::DelaySeconds, self.delay_s.to_string()),
            (Name::ReceiveMessageWaitTimeSeconds, self.receive_wait_s.to_string()),
            (Name::SqsManagedSseEnabled, self.managed_sse.to_string()),
            (Name::Policy, self.policy.clone()),
            (Name::RedriveAllowPolicy, self.redrive_allow_policy.clone()),
        ];
        if let Some(redrive) = &self.redrive {
            let Redrive { dead_letter_target_arn: arn, receives_max } = redrive;
            all.push((
                Name::RedrivePolicy,
                format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{receives_max}}}"#),
            ));
        }
        if let Some(fifo) = &self.fifo {
            let scope = if fifo.deduplicates_by_group { "messageGroup" } else { "queue" };
            let limit = if fifo.limits_by_group { "perMessageGroupId" } else { "perQueue" };
            all.extend([
                (Name::FifoQueue, "true".to_owned()),
                (Name::ContentBasedDeduplication, fifo.content_based_deduplication.to_string()),
                (Name::DeduplicationScope, scope.to_owned()),
                (Name::FifoThroughputLimit, limit.to_owned()),
            ]);
        }
        all.retain(|(_, value)| !value.is_empty());
        all
    }

    pub(crate) fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention_s))
    }
}

/// Whether a value is the second of two.
fn either(value: &str, first: &str, second: &str) -> Option<bool> {
    [first, second].iter().position(|known| *known == value).map(|at| at == 1)
}

fn bounded(name: Name, value: &str, min: u32, max: u32) -> Result<u32, Fault> {
    let number = value.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| fault::invalid_attribute_value(name.as_str()))
}

fn json_object(name: Name, value: &str) -> Result<String, Fault> {
    let fits = value.len() <= POLICY_BYTES_MAX;
    if value.is_empty() || (fits && serde_json::from_str::<serde_json::Map<_, _>>(value).is_ok()) {
        return Ok(value.to_owned());
    }
    Err(fault::invalid_attribute_value(name.as_str()))
}

fn redrive(value: &str, own_arn: &str) -> Result<Option<Redrive>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    let invalid = |reason: &str| fault::invalid_value(value, "RedrivePolicy", reason);
    let Ok(Document::Object(members)) = serde_json::from_str(value) else {
        return Err(invalid("Redrive policy is not a valid JSON map."));
    };
    for mandatory in ["maxReceiveCount", "deadLetterTargetArn"] {
        if !members.contains_key(mandatory) {
            let reason = format!("Redrive policy does not contain mandatory attribute: {mandatory}.");
            return Err(invalid(&reason));
        }
    }
    if !members["deadLetterTargetArn"].is_string() {
        return Err(invalid("Invalid value for deadLetterTargetArn."));
    }
    let redrive: Redrive = serde_json::from_value(Document::Object(members))
        .map_err(|_| invalid("Invalid value for maxReceiveCount: it must be between 1 and 1000."))?;
    if !(1..=1_000).contains(&redrive.receives_max) {
        return Err(invalid("Invalid value for maxReceiveCount: it must be between 1 and 1000."));
    }
    let (own, target) = (own_arn.parse::<Arn>(), redrive.dead_letter_target_arn.parse::<Arn>());
    match (own, target) {
        (Ok(own), Ok(target)) if target.service == "sqs" && target.resource.len() <= NAME_BYTES_MAX => {
            if (&own.account, &own.region) != (&target.account, &target.region) {
                return Err(invalid("Dead-letter target owner should be same as the source."));
            }
            if is_fifo(&own.resource) != is_fifo(&target.resource) {
                return Err(invalid("Dead-letter queue must be same type of queue as the source."));
            }
            Ok(Some(redrive))
        }
        _ => Err(invalid("Invalid value for deadLetterTargetArn.")),
    }
}

/// Refuses a `RedrivePolicy` whose dead-letter queue is not there.
pub(crate) async fn check_dead_letter(
    tx: &mut Tx,
    attributes: &BTreeMap<Name, String>,
    settings: &Settings,
) -> Result<()> {
    let given = attributes.get(&Name::RedrivePolicy).zip(settings.redrive.as_ref());
    let Some((value, name)) = given.and_then(|(value, redrive)| Some((value, redrive.queue_name()?))) else {
        return Ok(());
    };
    match tx.peek(&QueueKey { name }).await? {
        Some(_) => Ok(()),
        None => {
            let reason = "Dead letter target does not exist.";
            Err(fault::invalid_value(value, "RedrivePolicy", reason).into())
        }
    }
}

/// The queue's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str) -> Arn {
    Arn::new("sqs", &tx.scope().region, &tx.scope().account, name)
}

/// The queue's URL, as clients of this server reach it.
pub(crate) fn url(tx: &Tx, name: &str) -> String {
    format!("{}/{}/{name}", tx.endpoint(), tx.scope().account)
}

/// The name at the end of a queue's URL; a bare name and an ARN are taken, too, as the SDKs of some languages send them.
pub(crate) fn name_of(url: &str) -> Result<String, Fault> {
    if url.is_empty() {
        return Err(fault::missing("QueueUrl"));
    }
    if let Ok(arn) = url.parse::<Arn>() {
        return Ok(arn.resource);
    }
    let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if name.is_empty() { Err(fault::queue_does_not_exist()) } else { Ok(name.to_owned()) }
}

/// Where the queue of a URL or ARN is: what that does not say is as it is for the caller.
fn scope_of(url: &str, own: &Scope) -> Scope {
    let (account, region) = match url.parse::<Arn>() {
        Ok(arn) => (arn.account_id(), arn.region_name()),
        Err(_) => (url.trim_end_matches('/').rsplit('/').nth(1).and_then(AccountId::parse), None),
    };
    Scope {
        account: account.unwrap_or_else(|| own.account.clone()),
        region: region.unwrap_or_else(|| own.region.clone()),
    }
}

/// Whether an ARN is of the account and region of the transaction's scope.
pub(crate) fn names_own(tx: &Tx, arn: &Arn) -> bool {
    let own = tx.scope();
    arn.account_id().is_none_or(|account| account == own.account)
        && arn.region_name().is_none_or(|region| region == own.region)
}

/// The name of a queue of the caller's own. One of another account's is refused, since nothing allows its use; who asks
/// for one is never given the queue of the same name here.
async fn own_name(tx: &mut Tx, url: &str) -> Result<String> {
    let name = name_of(url)?;
    let own = tx.scope().clone();
    let named = scope_of(url, &own);
    if named == own {
        return Ok(name);
    }
    if named.account == own.account {
        return Err(fault::queue_does_not_exist().into());
    }
    tx.enter(named);
    let exists = tx.version_of(&QueueKey { name }).await?.is_some();
    tx.enter(own);
    Err(if exists { fault::access_denied(url) } else { fault::queue_does_not_exist() }.into())
}

/// The queue behind a URL, unguarded: sending and receiving do not conflict with a change of its attributes.
pub(crate) async fn find(tx: &mut Tx, url: &str) -> Result<(String, Queue)> {
    let name = own_name(tx, url).await?;
    let queue = tx.peek(&QueueKey { name: name.clone() }).await?;
    Ok((name, queue.ok_or_else(fault::queue_does_not_exist)?))
}

/// The queue behind a URL, guarded: for operations that change it.
pub(crate) async fn find_guarded(tx: &mut Tx, url: &str) -> Result<(QueueKey, Queue)> {
    let key = QueueKey { name: own_name(tx, url).await? };
    let queue = tx.get(&key).await?;
    Ok((key, queue.ok_or_else(fault::queue_does_not_exist)?))
}
