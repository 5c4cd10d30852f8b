//! A message: what may be published.

use std::collections::BTreeMap;

use base::Fault;
use base::schema::Blob;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::api::MessageAttributeValue;
use crate::fault;
use crate::topic::Topic;

/// The largest message with its attributes, and the largest batch, in bytes.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub(crate) const BYTES_MAX: usize = 262_144;
/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 100;

/// A message as it is asked to be published.
#[derive(Default)]
pub(crate) struct Draft {
    pub body: String,
    pub subject: Option<String>,
    pub structure: Option<String>,
    pub attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    pub group: Option<String>,
    pub deduplication: Option<String>,
}

/// A message that may be published.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Message {
    pub id: Uuid,
    pub body: String,
    /// What other protocols get instead of the body.
    pub by_protocol: BTreeMap<String, String>,
    pub subject: Option<String>,
    pub attributes: BTreeMap<String, Attribute>,
    pub group: Option<String>,
    pub deduplication: Option<String>,
    /// Its place in its group, in a FIFO topic.
    pub number: Option<u64>,
}

/// A message attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    pub data_type: String,
    pub string: Option<String>,
    pub binary: Option<Blob>,
}

impl Attribute {
    fn len(&self) -> usize {
        self.data_type.len()
            + self.string.as_ref().map_or(0, String::len)
            + self.binary.as_ref().map_or(0, |binary| binary.as_bytes().len())
    }

    /// The value as text, binary ones in base64.
    pub(crate) fn text(&self) -> String {
        match (&self.string, &self.binary) {
            (Some(text), _) => text.clone(),
            (None, binary) => binary.as_ref().map(Blob::to_base64).unwrap_or_default(),
        }
    }
}

impl Message {
    pub(crate) fn len(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| name.len() + value.len());
        let others = self.by_protocol.iter().map(|(name, text)| name.len() + text.len());
        self.body.len() + attributes.sum::<usize>() + others.sum::<usize>()
    }

    /// The text for a protocol.
    pub(crate) fn text_for(&self, protocol: &str) -> &str {
        self.by_protocol.get(protocol).unwrap_or(&self.body)
    }
}

impl Draft {
    /// The message under `id`, if it may be published to `topic`.
    pub(crate) fn check(self, topic: &Topic, id: Uuid) -> Result<Message, Fault> {
        if self.body.is_empty() {
            return Err(fault::invalid("Empty message"));
        }
        if let Some(subject) = &self.subject {
            check_subject(subject)?;
        }
        let deduplication = check_ids(topic, &self.body, self.group.as_deref(), self.deduplication)?;
        let (body, by_protocol) = match self.structure.as_deref() {
            None | Some("") => (self.body, BTreeMap::new()),
            Some("json") => structured(&self.body)?,
            Some(_) => return Err(fault::invalid("MessageStructure")),
        };
        let attributes = self.attributes.unwrap_or_default().into_iter();
        let attributes =
            attributes.map(|(name, value)| attribute(name, value)).collect::<Result<_, Fault>>()?;
        let message = Message {
            id,
            body,
            by_protocol,
            subject: self.subject,
            attributes,
            group: self.group,
            deduplication,
            number: None,
        };
        if message.len() > BYTES_MAX {
            return Err(fault::invalid("Message too long"));
        }
        Ok(message)
    }
}

/// Subjects are what mail allows: printable ASCII without line breaks.
fn check_subject(subject: &str) -> Result<(), Fault> {
    let ok = (1..=SUBJECT_CHARS_MAX).contains(&subject.len())
        && subject.bytes().all(|b| (0x20..0x7f).contains(&b))
        && !subject.starts_with(' ');
    if ok { Ok(()) } else { Err(fault::invalid("Subject")) }
}

/// The default text and those of single protocols. What is no text is left out, as at AWS.
fn structured(body: &str) -> Result<(String, BTreeMap<String, String>), Fault> {
    let invalid = |reason: &str| fault::invalid(format!("Message Structure - {reason}"));
    let parsed: Map<String, Value> =
        serde_json::from_str(body).map_err(|_| invalid("JSON message body failed to parse"))?;
    let mut texts: BTreeMap<String, String> =
        parsed.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect();
    match texts.remove("default") {
        Some(default) => Ok((default, texts)),
        None => Err(invalid("No default entry in JSON message body")),
    }
}

fn attribute(name: String, value: MessageAttributeValue) -> Result<(String, Attribute), Fault> {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let named = (1..=256).contains(&name.len())
        && name.chars().all(letters)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    if !named {
        return Err(fault::invalid_value(format!("The message attribute name '{name}' is invalid.")));
    }
    let MessageAttributeValue { data_type, string_value: string, binary_value: binary } = value;
    let fits = match (data_type.as_str(), &string, &binary) {
        ("String.Array", Some(text), None) => serde_json::from_str::<Vec<Value>>(text).is_ok(),
        (kind, Some(text), None) if is_kind(kind, "Number") => text.parse::<f64>().is_ok_and(f64::is_finite),
        (kind, Some(text), None) if is_kind(kind, "String") => !text.is_empty(),
        (kind, None, Some(bytes)) if is_kind(kind, "Binary") => !bytes.as_bytes().is_empty(),
        _ => false,
    };
    if fits {
        return Ok((name, Attribute { data_type, string, binary }));
    }
    Err(fault::invalid_value(format!(
        "The message attribute '{name}' with type '{data_type}' must use field 'StringValue' or 'BinaryValue' with a \
         value that fits its type."
    )))
}

fn is_kind(data_type: &str, kind: &str) -> bool {
    data_type.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The id by which a FIFO topic knows the message again, if group and id are as its kind of topic wants them.
fn check_ids(
    topic: &Topic,
    body: &str,
    group: Option<&str>,
    deduplication: Option<String>,
) -> Result<Option<String>, Fault> {
    if let Some(group) = group {
        check_id(group, "MessageGroupId")?;
    }
    let Some(fifo) = &topic.settings.fifo else {
        return match deduplication {
            None => Ok(None),
            Some(_) => Err(fault::invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not \
                 valid for this topic type",
            )),
        };
    };
    if group.is_none() {
        return Err(fault::invalid("The MessageGroupId parameter is required for FIFO topics"));
    }
    match deduplication {
        Some(id) => {
            check_id(&id, "MessageDeduplicationId")?;
            Ok(Some(id))
        }
        None if fifo.content_based_deduplication => Ok(Some(hex::encode(Sha256::digest(body)))),
        None => Err(fault::invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
             explicitly",
        )),
    }
}

fn check_id(id: &str, parameter: &str) -> Result<(), Fault> {
    if (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(fault::invalid(format!(
        "{parameter} Reason: It can only include alphanumeric and punctuation characters, 1 to 128 in length."
    )))
}
