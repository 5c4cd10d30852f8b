//! Dynamic references: `{{resolve:ssm:…}}`, `{{resolve:ssm-secure:…}}` and `{{resolve:secretsmanager:…}}` in properties.
//!
//! They are resolved where a property is sent, and nowhere else: rows and events keep the reference, so that a secret stands in no
//! place of CloudFormation's.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>

use std::collections::BTreeMap;

use base::{Document, Fault};
use kernel::Effect;
use serde_json::json;

use crate::provider::{Failure, Properties};

const OPEN: &str = "{{resolve:";
const CLOSE: &str = "}}";

/// Where the value is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reference {
    Parameter { name: String, secure: bool },
    Secret { id: String, json_key: Option<String>, stage: Option<String>, version: Option<String> },
}

/// The properties with the values that their references name.
pub(crate) async fn resolve(effect: &Effect, properties: &Properties) -> Result<Properties, Failure> {
    let mut found = BTreeMap::new();
    gather(&Document::Object(properties.clone()), &mut found);
    if found.is_empty() {
        return Ok(properties.clone());
    }
    for (text, value) in &mut found {
        let reference = parse(text).ok_or_else(|| {
            let message = format!("Incorrect format is used in the dynamic reference {OPEN}{text}{CLOSE}");
            refused("cloudformation", Fault::new("ValidationError", message))
        })?;
        *value = fetch(effect, &reference).await?;
    }
    Ok(properties.iter().map(|(name, value)| (name.clone(), replaced(value, &found))).collect())
}

fn refused(service: &'static str, fault: Fault) -> Failure {
    Failure { fault, service, id: None, untouched: false }
}

/// Every reference anywhere inside, without its braces.
fn gather(value: &Document, found: &mut BTreeMap<String, String>) {
    match value {
        Document::String(text) => {
            let inner = text.split(OPEN).skip(1).filter_map(|rest| rest.split_once(CLOSE));
            found.extend(inner.map(|(reference, _)| (reference.to_owned(), String::new())));
        }
        Document::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Document::Object(members) => members.values().for_each(|member| gather(member, found)),
        _ => {}
    }
}

fn replaced(value: &Document, found: &BTreeMap<String, String>) -> Document {
    match value {
        Document::String(text) if text.contains(OPEN) => {
            let fill = |text: String, (reference, value): (&String, &String)| {
                text.replace(&format!("{OPEN}{reference}{CLOSE}"), value)
            };
            found.iter().fold(text.clone(), fill).into()
        }
        Document::Array(items) => items.iter().map(|item| replaced(item, found)).collect(),
        Document::Object(members) => {
            let member = |(name, member): (&String, &Document)| (name.clone(), replaced(member, found));
            Document::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn parse(text: &str) -> Option<Reference> {
    let (service, rest) = text.split_once(':')?;
    match service {
        "ssm" | "ssm-secure" => {
            let well = !rest.is_empty() && rest.split(':').count() <= 2;
            well.then(|| Reference::Parameter { name: rest.to_owned(), secure: service == "ssm-secure" })
        }
        "secretsmanager" => {
            // A secret's ARN has colons of its own.
            let parts: Vec<&str> = rest.split(':').collect();
            let id_parts = if rest.starts_with("arn:") { 7 } else { 1 };
            let (id, more) = parts.split_at_checked(id_parts)?;
            let part =
                |index: usize| more.get(index).filter(|part| !part.is_empty()).map(|part| (*part).to_owned());
            let well = part(0).is_none_or(|kind| kind == "SecretString") && more.len() <= 4;
            let id = id.join(":");
            (well && !id.is_empty()).then(|| Reference::Secret {
                id,
                json_key: part(1),
                stage: part(2),
                version: part(3),
            })
        }
        _ => None,
    }
}

async fn fetch(effect: &Effect, reference: &Reference) -> Result<String, Failure> {
    match reference {
        Reference::Parameter { name, secure } => {
            let input = json!({ "Name": name, "WithDecryption": secure });
            let answer = ask(effect, "ssm", "GetParameter", &input).await?;
            if !secure && answer["Parameter"]["Type"] == "SecureString" {
                let message = format!("Non-secure ssm prefix was used for secure parameter: [{name}]");
                return Err(refused("ssm", Fault::new("ValidationError", message)));
            }
            Ok(answer["Parameter"]["Value"].as_str().unwrap_or_default().to_owned())
        }
        Reference::Secret { id, json_key, stage, version } => {
            let mut input = json!({ "SecretId": id });
            if let Some(stage) = stage {
                input["VersionStage"] = stage.as_str().into();
            }
            if let Some(version) = version {
                input["VersionId"] = version.as_str().into();
            }
            let answer = ask(effect, "secretsmanager", "GetSecretValue", &input).await?;
            let secret = answer["SecretString"].as_str().unwrap_or_default();
            match json_key {
                None => Ok(secret.to_owned()),
                Some(key) => member(secret, key),
            }
        }
    }
}

/// The value under a key of a secret that is a JSON object.
fn member(secret: &str, key: &str) -> Result<String, Failure> {
    let wrong = |message: &str| refused("secretsmanager", Fault::new("ValidationError", message));
    let object: Document =
        serde_json::from_str(secret).map_err(|_| wrong("Could not parse SecretString JSON"))?;
    match object.get(key) {
        Some(Document::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(wrong("Could not find a value associated with JSONKey in SecretString")),
    }
}

async fn ask(
    effect: &Effect,
    service: &'static str,
    operation: &str,
    input: &Document,
) -> Result<Document, Failure> {
    let answer = effect.call(service, operation, input.to_string().into()).await;
    let answer = answer.map_err(|fault| refused(service, fault))?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        let secret = |id: &str, key: Option<&str>, stage: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Some(Reference::Secret {
                id: id.to_owned(),
                json_key: own(key),
                stage: own(stage),
                version: None,
            })
        };
        let arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:s-AbCdEf";
        for (text, expected) in [
            ("ssm:/a/b", Some(Reference::Parameter { name: "/a/b".to_owned(), secure: false })),
            ("ssm-secure:p:3", Some(Reference::Parameter { name: "p:3".to_owned(), secure: true })),
            ("ssm:a:1:2", None),
            ("secretsmanager:s", secret("s", None, None)),
            (
                "secretsmanager:s:SecretString:user:AWSPREVIOUS",
                secret("s", Some("user"), Some("AWSPREVIOUS")),
            ),
            (&format!("secretsmanager:{arn}:SecretString:user::"), secret(arn, Some("user"), None)),
            ("secretsmanager:s:SecretBinary", None),
            ("vault:s", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn values_take_the_references_places() {
        let mut found = BTreeMap::new();
        let given = json!({"A": ["x {{resolve:ssm:a}} y {{resolve:ssm:b}}", 1]});
        gather(&given, &mut found);
        assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), ["ssm:a", "ssm:b"]);
        found.insert("ssm:a".to_owned(), "1".to_owned());
        found.insert("ssm:b".to_owned(), "2".to_owned());
        assert_eq!(replaced(&given, &found), json!({"A": ["x 1 y 2", 1]}));
    }
}
