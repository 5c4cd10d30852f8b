//! A subscription: an endpoint of a topic, its attributes and their bounds.

use std::collections::BTreeMap;

use base::{Arn, Fault, Timestamp};
use kernel::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::fault;
use crate::filter::{Filter, Scope};
use crate::retry::SubscriptionPolicy;

/// A subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub protocol: Protocol,
    pub endpoint: String,
    pub owner: String,
    pub created_at: Timestamp,
    /// What confirms it; `None` once it is confirmed.
    pub token: Option<String>,
    /// Whether it was confirmed by a signed call.
    pub authenticated: bool,
    pub settings: Settings,
}
store::stored!(Subscription, format = 1);

/// How a message reaches an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    Sqs,
    Lambda,
    Http,
    Https,
}

impl Protocol {
    pub(crate) fn parse(text: &str) -> Result<Protocol, Fault> {
        match text {
            "sqs" => Ok(Protocol::Sqs),
            "lambda" => Ok(Protocol::Lambda),
            "http" => Ok(Protocol::Http),
            "https" => Ok(Protocol::Https),
            "sms" | "email" | "email-json" | "application" | "firehose" => {
                Err(fault::not_served(format!("Protocol Reason: the protocol {text}")))
            }
            _ => {
                let message = format!("Amazon SNS does not support this protocol string: {text}");
                Err(fault::invalid(message))
            }
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Protocol::Sqs => "sqs",
            Protocol::Lambda => "lambda",
            Protocol::Http => "http",
            Protocol::Https => "https",
        }
    }

    /// Whether it is an endpoint outside, which must confirm and has a delivery policy.
    pub(crate) fn is_http(self) -> bool {
        matches!(self, Protocol::Http | Protocol::Https)
    }
}

/// What `SetSubscriptionAttributes` sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub filter_policy: String,
    pub filter_scope: Scope,
    pub raw: bool,
    pub dead_letter: Option<String>,
    pub delivery_policy: String,
}

/// The attributes that are set, and the topic that they are set for.
pub(crate) struct Setting<'a> {
    pub protocol: Protocol,
    pub fifo_topic: bool,
    pub attributes: &'a BTreeMap<String, String>,
}

impl Settings {
    /// Sets what `setting` names. The filter is judged by what it is together with its scope.
    pub(crate) fn set(&mut self, tx: &Tx, setting: &Setting<'_>) -> Result<(), Fault> {
        for (name, value) in setting.attributes {
            self.set_one(tx, setting, name, value)?;
        }
        self.filter()?;
        Ok(())
    }

    fn set_one(&mut self, tx: &Tx, setting: &Setting<'_>, name: &str, value: &str) -> Result<(), Fault> {
        match name {
            "FilterPolicy" => value.clone_into(&mut self.filter_policy),
            "FilterPolicyScope" => {
                self.filter_scope = match value {
                    "MessageAttributes" => Scope::MessageAttributes,
                    "MessageBody" => Scope::MessageBody,
                    _ => return Err(fault::invalid(format!("FilterPolicyScope: Invalid value [{value}]."))),
                }
            }
            "RawMessageDelivery" if setting.protocol == Protocol::Lambda && value == "true" => {
                return Err(fault::invalid(
                    "Attributes Reason: RawMessageDelivery: Delivery protocol [lambda] does not support raw message delivery.",
                ));
            }
            "RawMessageDelivery" => {
                self.raw = value.to_ascii_lowercase().parse().map_err(|_| {
                    fault::invalid(
                        "Attributes Reason: RawMessageDelivery: Invalid value. Must be true or false.",
                    )
                })?;
            }
            "RedrivePolicy" => self.dead_letter = dead_letter(tx, value, setting.fifo_topic)?,
            "DeliveryPolicy" if setting.protocol.is_http() || value.is_empty() => {
                SubscriptionPolicy::parse(value)?;
                value.clone_into(&mut self.delivery_policy);
            }
            "DeliveryPolicy" => {
                return Err(fault::invalid(
                    "Attributes Reason: DeliveryPolicy: Delivery protocol does not support a delivery policy.",
                ));
            }
            "ReplayPolicy" | "SubscriptionRoleArn" => {
                return Err(fault::not_served(format!("the subscription attribute {name}")));
            }
            _ => return Err(fault::invalid("AttributeName")),
        }
        Ok(())
    }

    /// The filter, if there is one.
    pub(crate) fn filter(&self) -> Result<Option<Filter>, Fault> {
        Filter::parse(&self.filter_policy, self.filter_scope)
    }

    /// The attributes that can be set, as they are given back.
    pub(crate) fn to_attributes(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([("RawMessageDelivery", self.raw.to_string())]);
        if !self.filter_policy.is_empty() {
            all.insert("FilterPolicy", self.filter_policy.clone());
            all.insert("FilterPolicyScope", self.filter_scope.as_str().to_owned());
        }
        if let Some(arn) = &self.dead_letter {
            all.insert("RedrivePolicy", format!(r#"{{"deadLetterTargetArn":"{arn}"}}"#));
        }
        if !self.delivery_policy.is_empty() {
            all.insert("DeliveryPolicy", self.delivery_policy.clone());
        }
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The dead-letter queue that a `RedrivePolicy` names.
fn dead_letter(tx: &Tx, value: &str, fifo_topic: bool) -> Result<Option<String>, Fault> {
    let invalid = |reason: &str| fault::invalid(format!("RedrivePolicy: {reason}"));
    if value.is_empty() || value == "{}" {
        return Ok(None);
    }
    let policy: BTreeMap<String, Value> =
        serde_json::from_str(value).map_err(|_| invalid("failed to parse JSON."))?;
    if let Some(unknown) = policy.keys().find(|name| *name != "deadLetterTargetArn") {
        return Err(invalid(&format!("unexpected member {unknown}.")));
    }
    let arn = policy.get("deadLetterTargetArn").and_then(Value::as_str).unwrap_or_default();
    let parsed = arn.parse::<Arn>().ok().filter(|arn| arn.service == "sqs");
    match parsed {
        Some(parsed) if parsed.resource.ends_with(".fifo") != fifo_topic => {
            Err(invalid("deadLetterTargetArn must be a FIFO queue for FIFO topics, and none for others"))
        }
        Some(parsed) if tx.targets().find(&parsed).is_some() => Ok(Some(arn.to_owned())),
        _ => Err(invalid("deadLetterTargetArn is an invalid arn")),
    }
}

/// The ARN of a subscription.
pub(crate) fn arn(topic: &Arn, id: Uuid) -> String {
    format!("{topic}:{id}")
}

/// The ARN of its topic, and its id.
pub(crate) fn parse_arn(text: &str) -> Result<(String, Uuid), Fault> {
    let parse = || {
        let (topic, id) = text.rsplit_once(':')?;
        Some((topic.to_owned(), Uuid::parse_str(id).ok()?))
    };
    parse().ok_or_else(|| fault::invalid("SubscriptionArn"))
}
