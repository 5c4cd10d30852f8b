//! A topic: its name, its attributes and their bounds.

use std::collections::BTreeMap;

use base::{Arn, Fault, Timestamp};
use kernel::{Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Who};
use crate::fault;
use crate::keys::TopicKey;
use crate::retry::TopicPolicy;

/// The longest name of a topic.
pub(crate) const NAME_BYTES_MAX: usize = 256;

/// A topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Topic {
    /// Tells this topic from earlier ones of the same name.
    pub generation: Uuid,
    pub created_at: Timestamp,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    /// How many subscriptions have been taken away.
    pub subscriptions_deleted: u64,
}
store::stored!(Topic, format = 1);

/// What `SetTopicAttributes` sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub display_name: String,
    pub policy: String,
    pub delivery_policy: String,
    pub signature_version: String,
    pub fifo: Option<Fifo>,
    /// `TracingConfig`, if it was set; shown, and without effect: nothing is sent to X-Ray.
    #[serde(default)]
    pub tracing: String,
    /// `<protocol>SuccessFeedbackSampleRate`, as they were set. They take effect with a role only, which is not served.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sample_rates: BTreeMap<String, String>,
}

/// The beginnings of the attributes that log deliveries: <https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html>.
const LOGGED: [&str; 5] = ["Application", "Firehose", "HTTP", "Lambda", "SQS"];

/// What is logged of a protocol's deliveries: `HTTPSuccessFeedbackSampleRate` says `SuccessFeedbackSampleRate`.
fn feedback(name: &str) -> Option<&str> {
    LOGGED.iter().find_map(|protocol| name.strip_prefix(protocol))
}

/// What only a FIFO topic has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fifo {
    pub content_based_deduplication: bool,
    /// Whether ids of messages are known again, and throughput is counted, within their group only.
    pub by_group: bool,
}

impl Settings {
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let invalid = |reason: &str| fault::invalid(format!("{name} Reason: {reason}"));
        let flag = || value.parse::<bool>().map_err(|_| invalid("Value must be true or false."));
        match name {
            "DisplayName" if value.chars().count() > 100 => {
                return Err(invalid("Display name must be at most 100 characters long."));
            }
            "DisplayName" => value.clone_into(&mut self.display_name),
            "Policy" => {
                let parsed = serde_json::from_str::<serde_json::Map<_, _>>(value);
                if !value.is_empty() && parsed.is_err() {
                    return Err(invalid("Policy is not a JSON object."));
                }
                value.clone_into(&mut self.policy);
            }
            "DeliveryPolicy" => {
                TopicPolicy::parse(value)?;
                value.clone_into(&mut self.delivery_policy);
            }
            "SignatureVersion" if matches!(value, "1" | "2") => value.clone_into(&mut self.signature_version),
            "SignatureVersion" => return Err(invalid("Value must be 1 or 2.")),
            "TracingConfig" if matches!(value, "PassThrough" | "Active") => {
                value.clone_into(&mut self.tracing)
            }
            "TracingConfig" => return Err(invalid("Value must be PassThrough or Active.")),
            "FifoTopic" if flag()? == self.fifo.is_some() => {}
            "FifoTopic" => return Err(invalid("The type of a topic cannot be changed.")),
            "ContentBasedDeduplication" | "FifoThroughputScope" => return self.set_fifo(name, value),
            "KmsMasterKeyId" if value.is_empty() => {}
            "KmsMasterKeyId" | "ArchivePolicy" => {
                return Err(fault::not_served(format!("the topic attribute {name}")));
            }
            name => match feedback(name) {
                Some("SuccessFeedbackSampleRate") => {
                    if !value.parse::<u8>().is_ok_and(|percent| percent <= 100) {
                        return Err(invalid("Value must be a percentage from 0 to 100."));
                    }
                    self.sample_rates.insert(name.to_owned(), value.to_owned());
                }
                Some("SuccessFeedbackRoleArn" | "FailureFeedbackRoleArn") if value.is_empty() => {}
                Some("SuccessFeedbackRoleArn" | "FailureFeedbackRoleArn") => {
                    return Err(fault::not_served(format!("the topic attribute {name}")));
                }
                _ => return Err(fault::invalid("AttributeName")),
            },
        }
        Ok(())
    }

    fn set_fifo(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let Some(fifo) = &mut self.fifo else {
            return Err(fault::invalid(format!("{name} Reason: It can only be set on FIFO topics.")));
        };
        match (name, value) {
            ("ContentBasedDeduplication", "true") => fifo.content_based_deduplication = true,
            ("ContentBasedDeduplication", "false") => fifo.content_based_deduplication = false,
            ("FifoThroughputScope", "Topic") => fifo.by_group = false,
            ("FifoThroughputScope", "MessageGroup") => fifo.by_group = true,
            _ => return Err(fault::invalid(format!("{name} Reason: The value {value} is not valid."))),
        }
        Ok(())
    }

    /// The attributes that can be set, as `GetTopicAttributes` gives them.
    pub(crate) fn to_attributes(&self, arn: &Arn) -> BTreeMap<String, String> {
        let policy = if self.policy.is_empty() { default_policy(arn) } else { self.policy.clone() };
        let mut all = BTreeMap::from([("DisplayName", self.display_name.clone()), ("Policy", policy)]);
        if !self.delivery_policy.is_empty() {
            all.insert("DeliveryPolicy", self.delivery_policy.clone());
        }
        if !self.signature_version.is_empty() {
            all.insert("SignatureVersion", self.signature_version.clone());
        }
        if !self.tracing.is_empty() {
            all.insert("TracingConfig", self.tracing.clone());
        }
        if let Some(fifo) = &self.fifo {
            all.insert("FifoTopic", "true".to_owned());
            all.insert("ContentBasedDeduplication", fifo.content_based_deduplication.to_string());
            let scope = if fifo.by_group { "MessageGroup" } else { "Topic" };
            all.insert("FifoThroughputScope", scope.to_owned());
        }
        let rates = self.sample_rates.clone();
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(rates).collect()
    }
}

/// What a topic allows that has no policy of its own: everything to its owner.
fn default_policy(arn: &Arn) -> String {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions,
            "Resource": arn.to_string(),
            "Condition": { "StringEquals": { "AWS:SourceOwner": arn.account } },
        }],
    })
    .to_string()
}

/// The topic's ARN in the transaction's scope.
pub(crate) fn arn(tx: &Tx, name: &str) -> Arn {
    Arn::new(crate::NAME, &tx.scope().region, &tx.scope().account, name)
}

/// The name of the topic that an ARN names, if `who` may be the caller as far as that is known without the topic. From
/// here on the transaction is in the ARN's account and region.
pub(crate) fn enter(tx: &mut Tx, topic_arn: &str, who: Who<'_>) -> Result<String, Fault> {
    let invalid = || fault::invalid("TopicArn");
    let arn: Arn = topic_arn.parse().map_err(|_| invalid())?;
    let fits = is_name(&arn.resource);
    if arn.service != crate::NAME || !fits {
        return Err(invalid());
    }
    let (account, region) = arn.account_id().zip(arn.region_name()).ok_or_else(invalid)?;
    tx.enter(Scope { account, region });
    if let Who::Owner(_) = who {
        access::check(tx, &arn.resource, "", who)?;
    }
    Ok(arn.resource)
}

/// Whether a topic could have that name: whatever becomes part of a key is bounded.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains([':', '/'])
}

/// The topic of an ARN, unguarded: publishing does not conflict with a change of attributes.
pub(crate) async fn find(tx: &mut Tx, topic_arn: &str, who: Who<'_>) -> Result<(String, Topic)> {
    let name = enter(tx, topic_arn, who)?;
    let topic = tx.peek(&TopicKey { name: name.clone() }).await?.ok_or_else(fault::no_topic)?;
    access::check(tx, &name, &topic.settings.policy, who)?;
    Ok((name, topic))
}

/// The topic of an ARN, guarded: for operations that change it.
pub(crate) async fn find_guarded(tx: &mut Tx, topic_arn: &str, who: Who<'_>) -> Result<(TopicKey, Topic)> {
    let key = TopicKey { name: enter(tx, topic_arn, who)? };
    let topic = tx.get(&key).await?.ok_or_else(fault::no_topic)?;
    access::check(tx, &key.name, &topic.settings.policy, who)?;
    Ok((key, topic))
}
