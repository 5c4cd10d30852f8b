//! Between s3s's shapes and the documents of the router, by the tables of the API.
//!
//! s3s names members in snake case and AWS does not; what they hold is the same but for times.

use base::schema::{Kind, OperationSchema, Shape};
use base::{Document, Timestamp};
use kernel::Operation;
use s3s::S3Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, json};

use super::door::Door;
use crate::fault;

/// A call of an operation, as the router takes it.
pub(super) struct Asked {
    schema: &'static OperationSchema,
    input: Document,
}

/// Its answer.
pub(super) struct Told {
    schema: &'static OperationSchema,
    output: Document,
}

impl Asked {
    pub(super) fn of<O: Operation>(bucket: String) -> Asked {
        Asked { schema: O::SCHEMA, input: json!({ "Bucket": bucket }) }
    }

    /// The same call with a member, if that has a value.
    ///
    /// # Errors
    /// A value that no document holds.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> kernel::Result<Asked> {
        let value = serde_json::to_value(value)?;
        if let (Some(shape), false) = (member(self.schema.input, name), value.is_null()) {
            self.input[name] = to_document(value, shape);
        }
        Ok(self)
    }

    /// Has the router run it, in the name of who sent the request.
    pub(super) async fn run(self, door: &Door, extensions: &http::Extensions) -> S3Result<Told> {
        let caller = super::caller(extensions, &door.kernel);
        let answer = door.kernel.run_document(caller, crate::NAME, self.schema.name, &self.input).await;
        // What the tables refuse is to S3 a document that does not follow its schema.
        let answer = answer.map_err(|fault| match fault.code.as_ref() {
            "ValidationException" | "SerializationException" => fault::malformed_xml(),
            _ => fault,
        });
        let output = door.told(extensions, answer.map_err(kernel::Error::Fault))?;
        Ok(Told { schema: self.schema, output })
    }
}

impl Told {
    /// A member as s3s has it.
    ///
    /// # Errors
    /// The shapes differ, which they do not.
    pub(super) fn get<T: DeserializeOwned>(&mut self, name: &str) -> kernel::Result<T> {
        let value = self.output.get_mut(name).map_or(Document::Null, Document::take);
        let value =
            member(self.schema.output, name).map_or(Document::Null, |shape| from_document(value, shape));
        Ok(serde_json::from_value(value)?)
    }
}

fn member(shape: &'static Shape, name: &str) -> Option<&'static Shape> {
    shape.members().iter().find(|member| member.name == name).map(|member| member.shape)
}

fn to_document(value: Document, shape: &'static Shape) -> Document {
    match (value, &shape.kind) {
        (Document::Object(members), Kind::Structure { members: known, .. }) => {
            let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
            let named =
                members.into_iter().filter(|(_, value)| !value.is_null()).filter_map(|(name, value)| {
                    let name = plain(&name);
                    let member = known.iter().find(|member| plain(member.name) == name)?;
                    Some((member.name.to_owned(), to_document(value, member.shape)))
                });
            Document::Object(named.collect())
        }
        (Document::Array(values), Kind::List { member, .. }) => {
            values.into_iter().map(|value| to_document(value, member)).collect()
        }
        (Document::String(text), Kind::Timestamp(_)) => match Timestamp::from_iso(&text) {
            Some(time) => json!(time.as_epoch_seconds()),
            None => Document::String(text),
        },
        (value, _) => value,
    }
}

fn from_document(value: Document, shape: &'static Shape) -> Document {
    match (value, &shape.kind) {
        (Document::Object(members), Kind::Structure { members: known, .. }) => {
            let named = members.into_iter().map(|(name, value)| {
                let shape = known.iter().find(|member| member.name == name).map(|member| member.shape);
                (snake(&name), shape.map_or(Document::Null, |shape| from_document(value, shape)))
            });
            Document::Object(named.collect::<Map<_, _>>())
        }
        (Document::Array(values), Kind::List { member, .. }) => {
            values.into_iter().map(|value| from_document(value, member)).collect()
        }
        (Document::Number(seconds), Kind::Timestamp(_)) => {
            let time = seconds.as_f64().and_then(Timestamp::from_epoch_seconds);
            time.map_or(Document::Null, |time| json!(time.to_iso_millis()))
        }
        (value, _) => value,
    }
}

/// A member's name as s3s has it: `KMSMasterKeyID` is `kms_master_key_id`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let behind = letters.get(at + 1);
        let word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || behind.is_some_and(char::is_ascii_lowercase)
            });
        if word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    // A word of Rust's.
    if snake == "type" { "type_".to_owned() } else { snake }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    #[test]
    fn names_become_those_of_s3s() {
        for (name, expected) in [
            ("KMSMasterKeyID", "kms_master_key_id"),
            ("SSEAlgorithm", "sse_algorithm"),
            ("CORSRules", "cors_rules"),
            ("ID", "id"),
            ("ETag", "e_tag"),
            ("Type", "type_"),
            ("ApplyServerSideEncryptionByDefault", "apply_server_side_encryption_by_default"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }

    #[test]
    fn documents_of_s3s_become_those_of_the_router_and_back() {
        let shape = member(
            <api::PutBucketLifecycleConfiguration as Operation>::SCHEMA.input,
            "LifecycleConfiguration",
        );
        let shape = shape.unwrap();
        let theirs = json!({ "rules": [{
            "id": "a",
            "status": "Enabled",
            "expiration": { "date": "2026-01-01T00:00:00.000Z" },
            "noncurrent_version_expiration": { "newer_noncurrent_versions": 3 },
        }] });
        let ours = json!({ "Rules": [{
            "ID": "a",
            "Status": "Enabled",
            "Expiration": { "Date": 1_767_225_600.0 },
            "NoncurrentVersionExpiration": { "NewerNoncurrentVersions": 3 },
        }] });
        assert_eq!(to_document(theirs.clone(), shape), ours);
        assert_eq!(from_document(ours, shape), theirs);
    }
}
