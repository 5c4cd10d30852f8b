//! The sections of a template.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>

use base::Document;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::error::TemplateError;
use super::expr::Expr;
use super::parameter;
use super::predicate::{Block, Predicate};
use super::{Mapping, Template};

/// A resource as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `AWS::SQS::Queue` and the like.
    pub kind: String,
    /// `Properties`, in the order written.
    pub properties: IndexMap<String, Expr>,
    /// `DependsOn`.
    pub depends_on: Vec<String>,
    /// The name of the condition under which the resource exists.
    pub condition: Option<String>,
    /// `DeletionPolicy`: what happens to it when it leaves the stack.
    pub deletion_policy: DeletionPolicy,
    /// `UpdateReplacePolicy`: what happens to its predecessor when it is replaced.
    pub update_replace_policy: DeletionPolicy,
    /// `Metadata` as written.
    pub metadata: Option<Document>,
    /// `CreationPolicy`: it is made only when signals have come.
    pub creation_policy: Option<CreationPolicy>,
}

impl Resource {
    /// Every expression of the declaration.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let policy =
            self.creation_policy.iter().flat_map(|policy| policy.count.iter().chain(&policy.timeout));
        self.properties.values().chain(policy)
    }
}

/// `CreationPolicy.ResourceSignal` of a wait condition.
#[derive(Clone, Debug, PartialEq)]
pub struct CreationPolicy {
    /// `Count`: how many signals.
    pub count: Option<Expr>,
    /// `Timeout`: within which time, an ISO 8601 duration.
    pub timeout: Option<Expr>,
}

/// What becomes of the real resource when the stack lets go of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletionPolicy {
    /// It is deleted.
    #[default]
    Delete,
    /// It stays.
    Retain,
    /// It stays, except where its own creation is rolled back.
    RetainExceptOnCreate,
}

/// An output as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `Description`.
    pub description: Option<String>,
    /// `Value`.
    pub value: Expr,
    /// `Export.Name`.
    pub export: Option<Expr>,
    /// The name of the condition under which the output exists.
    pub condition: Option<String>,
}

/// What DescribeStacks shows of an output's value.
///
/// # Errors
/// A list, an object, or nothing.
pub fn output_text(key: &str, value: Option<Document>) -> Result<String, TemplateError> {
    match value {
        Some(Document::String(text)) => Ok(text),
        Some(value @ (Document::Number(_) | Document::Bool(_))) => Ok(value.to_string()),
        _ => Err(TemplateError::format(format!(
            "The Value field of every Outputs member must evaluate to a String; {key} does not."
        ))),
    }
}

/// Assertions over parameters, checked before anything is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The assertions count only where this holds.
    pub condition: Option<Predicate>,
    /// All must hold.
    pub assertions: Vec<Assertion>,
}

/// One assertion.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// What must hold.
    pub assert: Predicate,
    /// The text shown where it does not.
    pub description: Option<String>,
}

const RESOURCES_MAX: usize = 500;
const OUTPUTS_MAX: usize = 200;
const PARAMETERS_MAX: usize = 200;
const MAPPINGS_MAX: usize = 200;
const DESCRIPTION_BYTES_MAX: usize = 1_024;
const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Rules",
    "Resources",
    "Outputs",
];

pub(super) fn template(document: &Document) -> Result<Template, TemplateError> {
    let root = document.as_object().ok_or_else(|| TemplateError::format("unsupported structure."))?;
    sections(root)?;
    let template = Template {
        description: description(root)?,
        metadata: root.get("Metadata").cloned(),
        parameters: members(root, "Parameters", PARAMETERS_MAX, parameter::declaration)?,
        mappings: members(root, "Mappings", MAPPINGS_MAX, mapping)?,
        conditions: members(root, "Conditions", usize::MAX, |_, predicate| {
            Predicate::parse(predicate, Block::Conditions)
        })?,
        rules: members(root, "Rules", usize::MAX, rule)?,
        resources: members(root, "Resources", RESOURCES_MAX, resource)?,
        outputs: members(root, "Outputs", OUTPUTS_MAX, output)?,
    };
    if template.resources.is_empty() {
        return Err(TemplateError::format("At least one Resources member must be defined."));
    }
    Ok(template)
}

/// `Parameters` of a document whose other sections may still be made.
pub(super) fn parameters(
    document: &Document,
) -> Result<IndexMap<String, parameter::Parameter>, TemplateError> {
    let root = document.as_object().ok_or_else(|| TemplateError::format("unsupported structure."))?;
    members(root, "Parameters", PARAMETERS_MAX, parameter::declaration)
}

/// `Mappings` of a document whose other sections may still be made.
pub(super) fn mappings(document: &Document) -> Result<IndexMap<String, Mapping>, TemplateError> {
    let root = document.as_object().ok_or_else(|| TemplateError::format("unsupported structure."))?;
    members(root, "Mappings", MAPPINGS_MAX, mapping)
}

fn sections(root: &Map<String, Document>) -> Result<(), TemplateError> {
    if root.contains_key("Hooks") {
        return Err(TemplateError::unsupported("the template section Hooks"));
    }
    let unknown: Vec<&str> =
        root.keys().map(String::as_str).filter(|section| !SECTIONS.contains(section)).collect();
    if !unknown.is_empty() {
        let message = format!("Invalid template property or properties [{}]", unknown.join(", "));
        return Err(TemplateError::validation(message));
    }
    match root.get("AWSTemplateFormatVersion") {
        Some(version) if version != "2010-09-09" => {
            Err(TemplateError::format("unsupported value for AWSTemplateFormatVersion."))
        }
        _ => Ok(()),
    }
}

fn description(root: &Map<String, Document>) -> Result<Option<String>, TemplateError> {
    let Some(description) = root.get("Description") else { return Ok(None) };
    let text = description
        .as_str()
        .ok_or_else(|| TemplateError::format("Every Description member must be a string."))?;
    if text.len() > DESCRIPTION_BYTES_MAX {
        return Err(TemplateError::format("'Description' length is greater than 1024."));
    }
    Ok(Some(text.to_owned()))
}

/// The members of one section, each read by `read`.
fn members<T>(
    root: &Map<String, Document>,
    section: &str,
    most: usize,
    read: impl Fn(&str, &Document) -> Result<T, TemplateError>,
) -> Result<IndexMap<String, T>, TemplateError> {
    let Some(document) = root.get(section) else { return Ok(IndexMap::new()) };
    let object = document
        .as_object()
        .ok_or_else(|| TemplateError::format(format!("[/{section}] must be an object.")))?;
    if object.len() > most {
        let (noun, count) = (section.to_lowercase(), object.len());
        let message = format!("Number of {noun}, {count}, is greater than maximum allowed, {most}");
        return Err(TemplateError::format(message));
    }
    let read = |(name, member): (&String, &Document)| {
        alphanumeric(section, name)?;
        Ok((name.clone(), read(name, member)?))
    };
    object.iter().map(read).collect()
}

fn alphanumeric(section: &str, name: &str) -> Result<(), TemplateError> {
    let what = match section {
        "Resources" => "Resource",
        "Outputs" => "Output",
        "Parameters" => "Parameter",
        _ => return Ok(()),
    };
    if name.is_empty() || name.len() > 255 || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(TemplateError::format(format!("{what} name {name} is non alphanumeric.")));
    }
    Ok(())
}

fn object<'d>(section: &str, document: &'d Document) -> Result<&'d Map<String, Document>, TemplateError> {
    document
        .as_object()
        .ok_or_else(|| TemplateError::format(format!("Any {section} member must be an object.")))
}

fn mapping(name: &str, document: &Document) -> Result<Mapping, TemplateError> {
    let bad =
        |what: &str| TemplateError::format(format!("Every Mappings {what} in {name} must be an object."));
    let value = |key: &str, value: &Document| match value {
        Document::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => Ok(()),
        Document::Object(_) | Document::Array(_) => {
            let message =
                format!("Every Mappings attribute must be a String or a List; {name}::{key} is not.");
            Err(TemplateError::format(message))
        }
        _ => Ok(()),
    };
    let mut mapping = Mapping::new();
    for (top, second) in document.as_object().ok_or_else(|| bad("member"))? {
        let second = second.as_object().ok_or_else(|| bad("attribute"))?;
        second.iter().try_for_each(|(key, member)| value(key, member))?;
        mapping.insert(top.clone(), second.clone().into_iter().collect());
    }
    Ok(mapping)
}

fn rule(name: &str, document: &Document) -> Result<Rule, TemplateError> {
    let members = object("Rules", document)?;
    let malformed = || TemplateError::format(format!("Rule {name} must contain a list of Assertions."));
    if let Some(unknown) = members.keys().find(|key| !matches!(key.as_str(), "RuleCondition" | "Assertions"))
    {
        return Err(TemplateError::validation(format!("Invalid template rule property '{unknown}'")));
    }
    let condition = members.get("RuleCondition").map(|p| Predicate::parse(p, Block::Rules)).transpose()?;
    let assertions = members.get("Assertions").and_then(Document::as_array).ok_or_else(malformed)?;
    let assertion = |document: &Document| {
        let assert = document.get("Assert").ok_or_else(malformed)?;
        Ok(Assertion {
            assert: Predicate::parse(assert, Block::Rules)?,
            description: document.get("AssertDescription").and_then(Document::as_str).map(str::to_owned),
        })
    };
    Ok(Rule { condition, assertions: assertions.iter().map(assertion).collect::<Result<_, _>>()? })
}

fn resource(name: &str, document: &Document) -> Result<Resource, TemplateError> {
    let members = object("Resources", document)?;
    for attribute in members.keys() {
        match attribute.as_str() {
            "Type"
            | "Properties"
            | "DependsOn"
            | "Condition"
            | "DeletionPolicy"
            | "UpdateReplacePolicy"
            | "CreationPolicy"
            | "Metadata" => {}
            "UpdatePolicy" => {
                let what = format!("[/Resources/{name}] the resource attribute {attribute}");
                return Err(TemplateError::unsupported(what));
            }
            other => {
                let message = format!("Invalid template resource property '{other}'");
                return Err(TemplateError::validation(message));
            }
        }
    }
    let kind = members.get("Type").and_then(Document::as_str).filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| {
        TemplateError::format(format!(
            "[/Resources/{name}] Every Resources object must contain a Type member."
        ))
    })?;
    let deletion_policy = policy(name, members, "DeletionPolicy")?;
    Ok(Resource {
        kind: kind.to_owned(),
        properties: properties(name, members.get("Properties"))?,
        depends_on: depends_on(name, members.get("DependsOn"))?,
        condition: condition(&format!("Resources/{name}"), members)?,
        deletion_policy,
        update_replace_policy: policy(name, members, "UpdateReplacePolicy")?,
        metadata: members.get("Metadata").cloned(),
        creation_policy: creation_policy((name, kind), members)?,
    })
}

fn creation_policy(
    (name, kind): (&str, &str),
    members: &Map<String, Document>,
) -> Result<Option<CreationPolicy>, TemplateError> {
    let Some(document) = members.get("CreationPolicy") else { return Ok(None) };
    if kind != "AWS::CloudFormation::WaitCondition" {
        let what = format!("[/Resources/{name}] the resource attribute CreationPolicy of the type {kind}");
        return Err(TemplateError::unsupported(what));
    }
    if members.get("Properties").and_then(Document::as_object).is_some_and(|given| !given.is_empty()) {
        let message = "a wait condition with a CreationPolicy takes no properties";
        return Err(TemplateError::format(format!("[/Resources/{name}] {message}")));
    }
    let policy = object("CreationPolicy", document)?;
    let signal = policy.get("ResourceSignal").map(|signal| object("ResourceSignal", signal)).transpose()?;
    let known = ["Count", "Timeout"];
    let unknown = policy.keys().find(|key| *key != "ResourceSignal");
    let unknown = unknown.or_else(|| signal?.keys().find(|key| !known.contains(&key.as_str())));
    if let Some(unknown) = unknown {
        return Err(TemplateError::unsupported(format!("[/Resources/{name}/CreationPolicy] {unknown}")));
    }
    let expr = |member: &str| signal.and_then(|signal| signal.get(member)).map(Expr::parse).transpose();
    Ok(Some(CreationPolicy { count: expr("Count")?, timeout: expr("Timeout")? }))
}

fn properties(name: &str, document: Option<&Document>) -> Result<IndexMap<String, Expr>, TemplateError> {
    let Some(document) = document else { return Ok(IndexMap::new()) };
    let object = document.as_object().ok_or_else(|| {
        TemplateError::format(format!("[/Resources/{name}/Properties] Properties must be an object."))
    })?;
    if let Some(function) = object.keys().find(|key| key.starts_with("Fn::")) {
        let what = format!("[/Resources/{name}/Properties] {function} in place of all properties");
        return Err(TemplateError::unsupported(what));
    }
    object.iter().map(|(name, value)| Ok((name.clone(), Expr::parse(value)?))).collect()
}

fn depends_on(name: &str, document: Option<&Document>) -> Result<Vec<String>, TemplateError> {
    let malformed = || {
        let message =
            format!("[/Resources/{name}/DependsOn] DependsOn must be a string or a list of strings.");
        TemplateError::format(message)
    };
    match document {
        None => Ok(Vec::new()),
        Some(Document::String(one)) => Ok(vec![one.clone()]),
        Some(Document::Array(items)) => {
            let text = |item: &Document| item.as_str().map(str::to_owned).ok_or_else(malformed);
            items.iter().map(text).collect()
        }
        Some(_) => Err(malformed()),
    }
}

fn condition(at: &str, members: &Map<String, Document>) -> Result<Option<String>, TemplateError> {
    match members.get("Condition") {
        None => Ok(None),
        Some(Document::String(name)) => Ok(Some(name.clone())),
        Some(_) => {
            Err(TemplateError::format(format!("[/{at}/Condition] Every Condition member must be a string.")))
        }
    }
}

fn policy(
    name: &str,
    members: &Map<String, Document>,
    attribute: &str,
) -> Result<DeletionPolicy, TemplateError> {
    match members.get(attribute).map(Document::as_str) {
        None | Some(Some("Delete")) => Ok(DeletionPolicy::Delete),
        Some(Some("Retain")) => Ok(DeletionPolicy::Retain),
        Some(Some("RetainExceptOnCreate")) if attribute == "DeletionPolicy" => {
            Ok(DeletionPolicy::RetainExceptOnCreate)
        }
        Some(Some("Snapshot")) => {
            Err(TemplateError::unsupported(format!("[/Resources/{name}] {attribute} Snapshot")))
        }
        Some(other) => {
            let other = other.unwrap_or("(not a string)");
            Err(TemplateError::format(format!("Unrecognized {attribute} {other} for resource {name}")))
        }
    }
}

fn output(name: &str, document: &Document) -> Result<Output, TemplateError> {
    let members = object("Outputs", document)?;
    let known = ["Description", "Value", "Export", "Condition"];
    if let Some(unknown) = members.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(TemplateError::validation(format!("Invalid template output property '{unknown}'")));
    }
    let value = members
        .get("Value")
        .ok_or_else(|| TemplateError::format("Every Outputs member must contain a Value object"))?;
    let export = match members.get("Export") {
        None => None,
        Some(export) => Some(Expr::parse(export.get("Name").ok_or_else(|| malformed_export(name))?)?),
    };
    Ok(Output {
        description: members.get("Description").and_then(Document::as_str).map(str::to_owned),
        value: Expr::parse(value)?,
        export,
        condition: condition(&format!("Outputs/{name}"), members)?,
    })
}

/// The export's name is missing or has characters that AWS does not take.
pub(super) fn malformed_export(output: &str) -> TemplateError {
    TemplateError::format(format!(
        "Output {output} is malformed. The Name field of every Export member must be specified and consist only of \
         alphanumeric characters, colons, or hyphens."
    ))
}
