//! `AWS::Serverless-2016-10-31`: functions, state machines, tables and layers in few words become plain resources.
//!
//! What AWS's transform knows and this one does not is refused by name: APIs, applications, connectors.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html>

mod event;
mod function;
mod machine;
mod policy;
mod simple;

use base::Document;
use serde_json::{Map, json};

use crate::template::error::TemplateError;

const PREFIX: &str = "AWS::Serverless::";

/// Members of an object, in the order written.
type Members = Map<String, Document>;

/// The document with every serverless resource made of plain ones.
pub(super) fn process(mut document: Document) -> Result<Document, TemplateError> {
    let Some(root) = document.as_object_mut() else { return Ok(document) };
    let globals = globals(root.remove("Globals"))?;
    let resources = match root.remove("Resources") {
        Some(Document::Object(resources)) => resources,
        _ => return Err(TemplateError::format("At least one Resources member must be defined.")),
    };
    let mut made = Made::default();
    for (logical_id, resource) in resources {
        let kind = resource.get("Type").and_then(Document::as_str).unwrap_or_default().to_owned();
        match kind.strip_prefix(PREFIX) {
            None => drop(made.resources.insert(logical_id, resource)),
            Some(short) => {
                let declared = Declared::read(&logical_id, short, resource, &globals)?;
                match short {
                    "Function" => function::make(&declared, &mut made)?,
                    "StateMachine" => machine::make(&declared, &mut made)?,
                    "SimpleTable" => simple::table(&declared, &mut made)?,
                    "LayerVersion" => simple::layer(&declared, &mut made)?,
                    _ => {
                        return Err(TemplateError::unsupported(format!(
                            "[/Resources/{logical_id}] the type {kind}"
                        )));
                    }
                }
            }
        }
    }
    made.notify()?;
    root.insert("Resources".to_owned(), made.resources.into());
    if !made.aliases.is_empty() {
        rename(&mut document, &made.aliases);
    }
    Ok(document)
}

const GLOBALS: [&str; 4] = ["Function", "StateMachine", "SimpleTable", "LayerVersion"];

fn globals(document: Option<Document>) -> Result<Members, TemplateError> {
    let Some(document) = document else { return Ok(Members::new()) };
    let Document::Object(globals) = document else {
        return Err(TemplateError::format("Globals must be an object."));
    };
    match globals.keys().find(|name| !GLOBALS.contains(&name.as_str())) {
        Some(name) => Err(TemplateError::unsupported(format!("the section {name} of Globals"))),
        None => Ok(globals),
    }
}

/// A serverless resource, its properties joined with the globals.
struct Declared {
    logical_id: String,
    /// `AWS::Serverless::Function`.
    kind: String,
    properties: Members,
    /// `Condition`, `DependsOn` and the like.
    attributes: Members,
}

impl Declared {
    fn read(
        logical_id: &str,
        short: &str,
        resource: Document,
        globals: &Members,
    ) -> Result<Declared, TemplateError> {
        let Document::Object(mut attributes) = resource else {
            return Err(TemplateError::format("Any Resources member must be an object."));
        };
        attributes.remove("Type");
        let own = attributes.remove("Properties").unwrap_or_else(|| json!({}));
        let properties = match globals.get(short) {
            Some(global) => merged(global.clone(), own),
            None => own,
        };
        let Document::Object(properties) = properties else {
            return Err(TemplateError::format(format!(
                "[/Resources/{logical_id}/Properties] Properties must be an object."
            )));
        };
        let kind = format!("{PREFIX}{short}");
        Ok(Declared { logical_id: logical_id.to_owned(), kind, properties, attributes })
    }

    fn get(&self, name: &str) -> Option<&Document> {
        self.properties.get(name)
    }

    /// The properties of `names` as they are, under the second name of each pair.
    fn copied(&self, names: &[(&str, &str)]) -> Members {
        let copy = |(from, to): &(&str, &str)| Some(((*to).to_owned(), self.get(from)?.clone()));
        names.iter().filter_map(copy).collect()
    }

    /// Refuses properties that nothing is made of.
    fn check(&self, known: &[&str]) -> Result<(), TemplateError> {
        match self.properties.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(self.unsupported(&format!("the property {name} of {}", self.kind))),
        }
    }

    fn unsupported(&self, what: &str) -> TemplateError {
        TemplateError::unsupported(format!("[/Resources/{}] {what}", self.logical_id))
    }

    fn invalid(&self, why: &str) -> TemplateError {
        TemplateError::new(format!(
            "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. \
             Number of errors found: 1. Resource with id [{}] is invalid. {why}",
            self.logical_id
        ))
    }

    /// A resource that exists under the same condition.
    fn beside(&self, kind: &str, properties: Members) -> Document {
        let mut resource = json!({ "Type": kind, "Properties": properties });
        if let Some(condition) = self.attributes.get("Condition") {
            resource["Condition"] = condition.clone();
        }
        resource
    }

    /// The resource itself, with all that the template says of it.
    fn itself(&self, kind: &str, properties: Members) -> Document {
        let mut resource = Document::Object(self.attributes.clone());
        resource["Type"] = kind.into();
        resource["Properties"] = properties.into();
        resource
    }
}

/// Objects join, lists follow each other, anything else is overwritten.
fn merged(global: Document, own: Document) -> Document {
    match (global, own) {
        (Document::Object(mut all), Document::Object(own)) => {
            for (name, value) in own {
                let joined = match all.remove(&name) {
                    Some(before) => merged(before, value),
                    None => value,
                };
                all.insert(name, joined);
            }
            Document::Object(all)
        }
        (Document::Array(mut all), Document::Array(own)) => {
            all.extend(own);
            Document::Array(all)
        }
        (_, own) => own,
    }
}

/// What has been made so far.
#[derive(Default)]
struct Made {
    resources: Members,
    /// `Function.Alias` and `Function.Version`, and the logical ids that they stand for.
    aliases: Vec<(String, String)>,
    /// Buckets that shall tell functions: the bucket's logical id and an entry of its configuration.
    notifications: Vec<(String, Document, String)>,
}

impl Made {
    fn put(&mut self, logical_id: String, resource: Document) {
        self.resources.insert(logical_id, resource);
    }

    /// Writes what functions want to hear into their buckets, which may stand before or behind them.
    fn notify(&mut self) -> Result<(), TemplateError> {
        for (bucket, entry, permission) in std::mem::take(&mut self.notifications) {
            let found =
                self.resources.get_mut(&bucket).filter(|resource| resource["Type"] == "AWS::S3::Bucket");
            let Some(resource) = found else {
                let what = format!("an S3 event of {bucket}, which is no bucket of the template,");
                return Err(TemplateError::unsupported(what));
            };
            let list =
                ["Properties", "NotificationConfiguration"].iter().try_fold(&mut *resource, |at, name| {
                    at.as_object_mut().map(|members| members.entry(*name).or_insert_with(|| json!({})))
                });
            let list = list.and_then(|at| {
                let configurations =
                    at.as_object_mut()?.entry("LambdaConfigurations").or_insert_with(|| json!([]));
                configurations.as_array_mut()
            });
            match list {
                Some(list) => list.push(entry),
                None => {
                    let what =
                        format!("the NotificationConfiguration of {bucket} must be an object of lists");
                    return Err(TemplateError::format(what));
                }
            }
            // The bucket may only name a function that it may invoke.
            after(resource, &permission);
        }
        Ok(())
    }
}

/// The resource is made after the one of that logical id.
fn after(resource: &mut Document, logical_id: &str) {
    let depends = resource.get("DependsOn").cloned();
    resource["DependsOn"] = match depends {
        None => json!([logical_id]),
        Some(Document::Array(mut names)) => {
            names.push(logical_id.into());
            names.into()
        }
        Some(one) => json!([one, logical_id]),
    };
}

/// `!Ref Function.Alias` becomes the alias that was made.
fn rename(document: &mut Document, aliases: &[(String, String)]) {
    match document {
        Document::Array(items) => items.iter_mut().for_each(|item| rename(item, aliases)),
        Document::Object(members) => {
            for (name, member) in members {
                let known = member.as_str().and_then(|text| aliases.iter().find(|(short, _)| short == text));
                match known {
                    Some((_, logical_id)) if name == "Ref" => *member = logical_id.as_str().into(),
                    _ => rename(member, aliases),
                }
            }
        }
        _ => {}
    }
}

/// Tags of these types are an object; everywhere else they are a list.
fn tag_list(tags: &Document) -> Document {
    match tags.as_object() {
        Some(tags) => tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect(),
        None => tags.clone(),
    }
}

/// Where a package is: `s3://bucket/key`, or an object with `Bucket`, `Key` and `Version`.
fn package(declared: &Declared, property: &str) -> Result<Option<Document>, TemplateError> {
    let Some(given) = declared.get(property) else { return Ok(None) };
    let packaged = match given {
        Document::String(uri) => {
            let place = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) = place.ok_or_else(|| {
                declared
                    .invalid(&format!("'{property}' is not a valid S3 Uri of the form 's3://bucket/key'."))
            })?;
            json!({ "S3Bucket": bucket, "S3Key": key })
        }
        Document::Object(parts) => {
            let mut packaged = Members::new();
            for (from, to) in [("Bucket", "S3Bucket"), ("Key", "S3Key"), ("Version", "S3ObjectVersion")] {
                packaged.extend(parts.get(from).map(|value| (to.to_owned(), value.clone())));
            }
            packaged.into()
        }
        _ => return Err(declared.invalid(&format!("'{property}' is malformed."))),
    };
    Ok(Some(packaged))
}

/// The role that a function or a state machine gets where the template names none.
fn role(declared: &Declared, service: &str, policies: policy::Policies) -> Document {
    let mut properties = Members::new();
    properties.insert(
        "AssumeRolePolicyDocument".to_owned(),
        declared.get("AssumeRolePolicyDocument").cloned().unwrap_or_else(|| {
            json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": { "Service": [service] } }
            ] })
        }),
    );
    properties
        .extend(declared.copied(&[("PermissionsBoundary", "PermissionsBoundary"), ("RolePath", "Path")]));
    if !policies.managed.is_empty() {
        properties.insert("ManagedPolicyArns".to_owned(), policies.managed.into());
    }
    if !policies.inline.is_empty() {
        properties.insert("Policies".to_owned(), policies.inline.into());
    }
    if let Some(tags) = declared.get("Tags") {
        properties.insert("Tags".to_owned(), tag_list(tags));
    }
    declared.beside("AWS::IAM::Role", properties)
}
