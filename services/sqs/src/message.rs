//! A message: what may be sent, its digests, and the handle that a receive gives out.

use std::collections::BTreeMap;

use base::schema::Blob;
use base::{Fault, Timestamp};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use crate::keys::{Head, HeadKey, Message};
use crate::{fault, handle};

/// The largest message and the largest batch, in bytes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub(crate) const BYTES_MAX: u32 = 1_048_576;
/// What a message that goes costs of a commit beside its body: keys, head, note.
pub(crate) const BYTES_TOUCHED: usize = 1_000;
/// The most attributes of a message.
const ATTRIBUTES_MAX: usize = 10;

/// A message attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    #[serde(rename = "t")]
    pub data_type: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<Blob>,
}

impl Attribute {
    fn len(&self) -> usize {
        self.data_type.len()
            + self.string.as_ref().map_or(0, String::len)
            + self.binary.as_ref().map_or(0, |binary| binary.as_bytes().len())
    }

    pub(crate) fn to_api(&self) -> MessageAttributeValue {
        MessageAttributeValue {
            data_type: self.data_type.clone(),
            string_value: self.string.clone(),
            binary_value: self.binary.clone(),
            ..MessageAttributeValue::default()
        }
    }
}

/// The attributes as they are stored, if all may be sent.
pub(crate) fn attributes(
    sent: Option<BTreeMap<String, MessageAttributeValue>>,
) -> Result<BTreeMap<String, Attribute>, Fault> {
    let sent = sent.unwrap_or_default();
    if sent.len() > ATTRIBUTES_MAX {
        let message =
            format!("Number of message attributes [{}] exceeds the allowed maximum [10].", sent.len());
        return Err(Fault::new("InvalidParameterValue", message));
    }
    sent.into_iter().map(|(name, value)| Ok((checked_name(name)?, checked_value(value)?))).collect()
}

fn checked_name(name: String) -> Result<String, Fault> {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let lower = name.to_ascii_lowercase();
    let ok = (1..=256).contains(&name.len())
        && name.chars().all(letters)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    if ok {
        return Ok(name);
    }
    let message = format!("The message attribute name '{name}' is invalid.");
    Err(Fault::new("InvalidParameterValue", message))
}

fn checked_value(value: MessageAttributeValue) -> Result<Attribute, Fault> {
    let MessageAttributeValue { data_type, string_value: string, binary_value: binary, .. } = value;
    let base = data_type.split('.').next().unwrap_or_default();
    let fits = match (base, &string, &binary) {
        ("String", Some(text), None) => !text.is_empty(),
        ("Number", Some(text), None) => text.parse::<f64>().is_ok_and(f64::is_finite),
        ("Binary", None, Some(bytes)) => !bytes.as_bytes().is_empty(),
        _ => false,
    };
    if fits {
        return Ok(Attribute { data_type, string, binary });
    }
    let message = match base {
        "String" | "Number" | "Binary" => {
            format!(
                "The message attribute value for type '{data_type}' is missing, empty or of another type."
            )
        }
        _ => format!(
            "The type of message (user) attribute '{data_type}' is invalid. You must use only the following supported type prefixes: Binary, Number, String."
        ),
    };
    Err(Fault::new("InvalidParameterValue", message))
}

/// The trace header, the one system attribute that can be sent, which is a text.
pub(crate) fn trace_header(
    sent: Option<BTreeMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>>,
) -> Result<Option<String>, Fault> {
    let Some(value) = sent.and_then(|sent| sent.into_values().next()) else { return Ok(None) };
    if value.data_type != "String" || value.string_value.is_none() {
        let reason = "The message system attribute 'AWSTraceHeader' must be of type String.";
        return Err(fault::invalid_value(value.data_type, "MessageSystemAttributes", reason));
    }
    Ok(value.string_value)
}

/// The size that counts against the limits: body and attributes.
pub(crate) fn len(body: &str, attributes: &BTreeMap<String, Attribute>) -> usize {
    body.len() + attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

/// What moving a message costs of a commit: all that has no small bound, and room for keys, heads and notes.
pub(crate) fn bytes_moved(message: &Message) -> usize {
    len(&message.body, &message.attributes)
        + message.trace_header.as_ref().map_or(0, String::len)
        + BYTES_TOUCHED
}

/// Refuses what XML cannot carry.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub(crate) fn check_body(body: &str) -> Result<(), Fault> {
    if body.is_empty() {
        return Err(fault::missing("MessageBody"));
    }
    // A look at the bytes decides for nearly every message: no control character, nothing near U+FFFE.
    let suspicious = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || b == 0xEF;
    let allowed = |c: char| matches!(c, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if !body.bytes().any(suspicious) || body.chars().all(allowed) {
        return Ok(());
    }
    let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
                   #xE000 to #xFFFD | #x10000 to #x10FFFF";
    Err(Fault::new("InvalidMessageContents", message))
}

/// The lower-case hexadecimal MD5 of `text`.
pub(crate) fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// The digest of message attributes, as the SDKs check it: sorted by name, each part behind its length.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
pub(crate) fn md5_of_attributes<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a Attribute)>,
) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, value) in attributes {
        any = true;
        update(&mut digest, name.as_bytes());
        update(&mut digest, value.data_type.as_bytes());
        if let Some(text) = &value.string {
            digest.update([1]);
            update(&mut digest, text.as_bytes());
        }
        if let Some(bytes) = &value.binary {
            digest.update([2]);
            update(&mut digest, bytes.as_bytes());
        }
    }
    any.then(|| hex::encode(digest.finalize()))
}

fn update(digest: &mut Md5, part: &[u8]) {
    digest.update((part.len() as u32).to_be_bytes());
    digest.update(part);
}

/// What a receive gives out: when it was, where the message's head stood after it, and which receive it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub received_at: Timestamp,
    pub id: Uuid,
    pub visible_at: Timestamp,
    pub seq: u64,
    pub salt: u64,
    pub receipt: u64,
}

impl Receipt {
    pub(crate) fn of(key: &HeadKey, head: &Head, received_at: Timestamp) -> Receipt {
        let HeadKey { visible_at, seq, salt, .. } = *key;
        Receipt { received_at, id: head.id, visible_at, seq, salt, receipt: head.receipt }
    }

    pub(crate) fn head_key(&self, queue: &str) -> HeadKey {
        HeadKey { queue: queue.to_owned(), visible_at: self.visible_at, seq: self.seq, salt: self.salt }
    }

    pub(crate) fn to_handle(self, queue: &str) -> String {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(self.id.as_bytes());
        bytes[16..24].copy_from_slice(&self.visible_at.as_millis().to_be_bytes());
        bytes[24..32].copy_from_slice(&self.seq.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.salt.to_be_bytes());
        bytes[40..].copy_from_slice(&self.receipt.to_be_bytes());
        handle::close(queue, self.received_at, &bytes)
    }

    pub(crate) fn parse(queue: &str, handle: &str) -> Result<Receipt, Fault> {
        let (received_at, bytes) = handle::open(queue, handle)?;
        let bytes = <[u8; 48]>::try_from(bytes).map_err(|_| fault::invalid_receipt_handle(handle))?;
        let number = |at: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(part)
        };
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[..16]);
        Ok(Receipt {
            received_at,
            id: Uuid::from_bytes(id),
            visible_at: Timestamp::from_millis(number(16).cast_signed()),
            seq: number(24),
            salt: number(32),
            receipt: number(40),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_round_trip_and_others_are_refused() {
        let receipt = Receipt {
            received_at: Timestamp::from_millis(1_600_000_000_000),
            id: Uuid::from_u128(7),
            visible_at: Timestamp::from_millis(1_700_000_000_000),
            seq: 3,
            salt: u64::MAX,
            receipt: 9,
        };
        assert_eq!(Receipt::parse("q", &receipt.to_handle("q")).unwrap(), receipt);
        assert_eq!(
            Receipt::parse("other", &receipt.to_handle("q")).unwrap_err().code,
            "ReceiptHandleIsInvalid"
        );
        assert!(Receipt::parse("q", "").is_err());
    }

    #[test]
    fn digests_are_those_that_the_sdks_compute() {
        assert_eq!(md5("hello"), "5d41402abc4b2a76b9719d911017c592");
        let value = Attribute { data_type: "String".into(), string: Some("value".into()), binary: None };
        let name = "name".to_owned();
        let digest = md5_of_attributes([(&name, &value)].into_iter()).unwrap();
        let parts: &[&[u8]] = &[b"\0\0\0\x04name", b"\0\0\0\x06String", b"\x01", b"\0\0\0\x05value"];
        assert_eq!(digest, hex::encode(Md5::digest(parts.concat())));
        assert_eq!(md5_of_attributes([].into_iter()), None);
    }

    #[test]
    fn bodies_that_xml_cannot_carry_are_refused() {
        for body in ["plain", "tab\tline\n", "é \u{FFFD} \u{10000}"] {
            assert!(check_body(body).is_ok(), "{body:?}");
        }
        for body in ["", "\u{0}", "\u{1b}[0m", "\u{FFFE}"] {
            assert!(check_body(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn attributes_have_names_and_types() {
        let value = |data_type: &str, text: &str| MessageAttributeValue {
            data_type: data_type.into(),
            string_value: Some(text.into()),
            ..MessageAttributeValue::default()
        };
        let of = |name: &str, value| attributes(Some([(name.to_owned(), value)].into()));
        assert!(of("good.name", value("Number.int", "12")).is_ok());
        for (name, bad) in [
            (".dot", value("String", "x")),
            ("aws.x", value("String", "x")),
            ("n", value("Number", "x")),
            ("n", value("Text", "x")),
            ("n", value("String", "")),
            ("n", value("Binary", "x")),
        ] {
            assert!(of(name, bad).is_err(), "{name}");
        }
    }
}
