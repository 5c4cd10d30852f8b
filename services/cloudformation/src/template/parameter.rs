//! Parameters: what a template declares, what a caller gives, what a value must obey.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use std::collections::BTreeMap;

use base::Document;
use indexmap::IndexMap;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::error::TemplateError;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// `String`.
    String,
    /// `Number`: text that reads as a number; it stays text.
    Number,
    /// `List<Number>`.
    NumberList,
    /// `CommaDelimitedList`.
    TextList,
    /// `AWS::SSM::Parameter::Value<String>`, or of one of AWS's own types: the value given names a parameter of Systems Manager.
    Ssm,
    /// `AWS::SSM::Parameter::Value<List<String>>` or `…<CommaDelimitedList>`: the same, and its value is a list.
    SsmList,
    /// `AWS::SSM::Parameter::Name`: the name itself.
    SsmName,
}

impl ParameterType {
    /// The name as a template writes it.
    pub fn name(self) -> &'static str {
        match self {
            ParameterType::String => "String",
            ParameterType::Number => "Number",
            ParameterType::NumberList => "List<Number>",
            ParameterType::TextList => "CommaDelimitedList",
            ParameterType::Ssm => "AWS::SSM::Parameter::Value<String>",
            ParameterType::SsmList => "AWS::SSM::Parameter::Value<List<String>>",
            ParameterType::SsmName => "AWS::SSM::Parameter::Name",
        }
    }
}

/// A parameter as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `Type`.
    pub kind: ParameterType,
    /// `Default`, as text.
    pub default: Option<String>,
    /// `NoEcho`: the value is never shown.
    pub no_echo: bool,
    /// `Description`.
    pub description: Option<String>,
    /// `AllowedValues`, as text.
    pub allowed_values: Vec<String>,
    constraint_description: Option<String>,
    allowed_pattern: Option<String>,
    length: (Option<usize>, Option<usize>),
    value: (Option<f64>, Option<f64>),
}

impl Parameter {
    /// The value that `text` is for this parameter, unchecked.
    pub fn value_of(&self, text: String) -> ParameterValue {
        let list =
            matches!(self.kind, ParameterType::NumberList | ParameterType::TextList | ParameterType::SsmList);
        ParameterValue { text, resolved: None, list, no_echo: self.no_echo }
    }

    /// `ConstraintDescription`: shown where a constraint fails.
    pub fn constraint_description(&self) -> Option<&str> {
        self.constraint_description.as_deref()
    }
}

/// What a caller gives for a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// `ParameterValue`.
    Value(String),
    /// `UsePreviousValue`.
    Previous,
}

/// A value that obeys its declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterValue {
    /// As given: the text that DescribeStacks shows.
    pub text: String,
    /// What `Ref` yields where that differs: the value of a Systems Manager parameter.
    pub resolved: Option<String>,
    /// `Ref` yields a list.
    pub list: bool,
    /// Never shown.
    pub no_echo: bool,
}

/// Values by parameter name.
pub type ParameterValues = BTreeMap<String, ParameterValue>;

/// What is shown in the place of a secret value.
pub const MASK: &str = "****";

impl ParameterValue {
    /// What may be shown of it.
    pub fn masked(&self) -> ParameterValue {
        let text = MASK.to_owned();
        if self.no_echo { ParameterValue { text, resolved: None, ..*self } } else { self.clone() }
    }

    /// What `Ref` yields: a string, or a list of strings.
    pub fn document(&self) -> Document {
        let text = self.resolved.as_ref().unwrap_or(&self.text);
        if !self.list {
            return Document::from(text.as_str());
        }
        items(text).map(Document::from).collect()
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

const MEMBERS: [&str; 11] = [
    "Type",
    "Default",
    "NoEcho",
    "Description",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
];

pub(super) fn declaration(name: &str, document: &Document) -> Result<Parameter, TemplateError> {
    let members = document
        .as_object()
        .ok_or_else(|| TemplateError::format("Any Parameters member must be an object."))?;
    if let Some(unknown) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        let message = format!("Invalid template parameter property '{unknown}'");
        return Err(TemplateError::validation(message));
    }
    let allowed_pattern = text(members, "AllowedPattern")?;
    if let Some(pattern) = &allowed_pattern {
        compile(name, pattern)?;
    }
    Ok(Parameter {
        kind: kind(name, members)?,
        default: text(members, "Default")?,
        no_echo: text(members, "NoEcho")?.is_some_and(|text| text.eq_ignore_ascii_case("true")),
        description: text(members, "Description")?,
        allowed_values: allowed_values(members)?,
        constraint_description: text(members, "ConstraintDescription")?,
        allowed_pattern,
        length: (number(members, "MinLength")?, number(members, "MaxLength")?),
        value: (number(members, "MinValue")?, number(members, "MaxValue")?),
    })
}

fn kind(name: &str, members: &Map<String, Document>) -> Result<ParameterType, TemplateError> {
    let kind = members
        .get("Type")
        .and_then(Document::as_str)
        .ok_or_else(|| TemplateError::format("Every Parameters object must contain a Type member."))?;
    match kind {
        "String" => Ok(ParameterType::String),
        "Number" => Ok(ParameterType::Number),
        "List<Number>" => Ok(ParameterType::NumberList),
        "CommaDelimitedList" => Ok(ParameterType::TextList),
        "AWS::SSM::Parameter::Value<String>" => Ok(ParameterType::Ssm),
        "AWS::SSM::Parameter::Value<List<String>>" | "AWS::SSM::Parameter::Value<CommaDelimitedList>" => {
            Ok(ParameterType::SsmList)
        }
        "AWS::SSM::Parameter::Name" => Ok(ParameterType::SsmName),
        other if other.starts_with("AWS::SSM::Parameter::Value<AWS::") => Ok(ParameterType::Ssm),
        other if other.starts_with("AWS::") || other.starts_with("List<AWS::") || other == "List<String>" => {
            Err(TemplateError::unsupported(format!("[/Parameters/{name}] the parameter type {other}")))
        }
        other => Err(TemplateError::format(format!("Unrecognized parameter type: {other}"))),
    }
}

/// A scalar as CloudFormation shows it.
pub(super) fn scalar_text(document: &Document) -> Option<String> {
    match document {
        Document::String(text) => Some(text.clone()),
        Document::Number(number) => Some(number.to_string()),
        Document::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn text(members: &Map<String, Document>, member: &str) -> Result<Option<String>, TemplateError> {
    let read = |document| {
        scalar_text(document)
            .ok_or_else(|| TemplateError::format(format!("Every {member} member must be a string.")))
    };
    members.get(member).map(read).transpose()
}

fn number<N: std::str::FromStr>(
    members: &Map<String, Document>,
    member: &str,
) -> Result<Option<N>, TemplateError> {
    let read = |text: String| {
        text.trim()
            .parse()
            .map_err(|_| TemplateError::format(format!("Every {member} member must be a number.")))
    };
    text(members, member)?.map(read).transpose()
}

fn allowed_values(members: &Map<String, Document>) -> Result<Vec<String>, TemplateError> {
    let malformed = || TemplateError::format("Every AllowedValues member must be a list of strings.");
    let Some(document) = members.get("AllowedValues") else { return Ok(Vec::new()) };
    let items = document.as_array().ok_or_else(malformed)?;
    items.iter().map(|item| scalar_text(item).ok_or_else(malformed)).collect()
}

/// The whole value must match, as in Java.
fn compile(name: &str, pattern: &str) -> Result<Regex, TemplateError> {
    Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
        let what = format!(
            "[/Parameters/{name}] the AllowedPattern {pattern} (look-around or a malformed expression)"
        );
        TemplateError::unsupported(what)
    })
}

/// The value of every declared parameter: given, previous or default, in this order.
///
/// `previous` are the texts of the stack as it stands, for `UsePreviousValue`.
///
/// # Errors
/// Parameters given but not declared, declared but without a value, and values that break their constraints.
pub fn resolve(
    declared: &IndexMap<String, Parameter>,
    given: &BTreeMap<String, Given>,
    previous: &ParameterValues,
) -> Result<ParameterValues, TemplateError> {
    let unknown: Vec<&str> =
        given.keys().map(String::as_str).filter(|name| !declared.contains_key(*name)).collect();
    if !unknown.is_empty() {
        let message = format!("Parameters: [{}] do not exist in the template", unknown.join(", "));
        return Err(TemplateError::new(message));
    }
    let mut values = ParameterValues::new();
    let mut missing = Vec::new();
    for (name, parameter) in declared {
        let text = match given.get(name) {
            Some(Given::Value(text)) => Some(text.clone()),
            Some(Given::Previous) => previous.get(name).map(|value| value.text.clone()),
            None => parameter.default.clone(),
        };
        let Some(text) = text else {
            missing.push(name.as_str());
            continue;
        };
        check(name, parameter, &text)?;
        values.insert(name.clone(), parameter.value_of(text));
    }
    if missing.is_empty() {
        return Ok(values);
    }
    Err(TemplateError::new(format!("Parameters: [{}] must have values", missing.join(", "))))
}

fn check(name: &str, parameter: &Parameter, text: &str) -> Result<(), TemplateError> {
    match parameter.kind {
        ParameterType::TextList | ParameterType::NumberList => {
            items(text).try_for_each(|item| check_one(name, parameter, item))
        }
        _ => check_one(name, parameter, text),
    }
}

fn check_one(name: &str, parameter: &Parameter, text: &str) -> Result<(), TemplateError> {
    let Some(violation) = violation(name, parameter, text)? else { return Ok(()) };
    Err(TemplateError::new(match &parameter.constraint_description {
        Some(description) => format!("Parameter '{name}' failed to satisfy constraint: {description}"),
        None => format!("Parameter '{name}' {violation}"),
    }))
}

fn violation(name: &str, parameter: &Parameter, text: &str) -> Result<Option<String>, TemplateError> {
    if !parameter.allowed_values.is_empty() && !parameter.allowed_values.iter().any(|allowed| allowed == text)
    {
        return Ok(Some(format!("must be one of AllowedValues [{}]", parameter.allowed_values.join(", "))));
    }
    if let Some(pattern) = &parameter.allowed_pattern
        && !compile(name, pattern)?.is_match(text)
    {
        return Ok(Some(format!("must match pattern {pattern}")));
    }
    Ok(match parameter.kind {
        ParameterType::Number | ParameterType::NumberList => out_of_range(parameter.value, text),
        _ => out_of_length(parameter.length, text.chars().count()),
    })
}

fn out_of_range((least, most): (Option<f64>, Option<f64>), text: &str) -> Option<String> {
    let Some(number) = text.trim().parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Some("must be a number.".to_owned());
    };
    let below =
        least.filter(|least| number < *least).map(|least| format!("must be a number not less than {least}"));
    below.or_else(|| {
        most.filter(|most| number > *most).map(|most| format!("must be a number not greater than {most}"))
    })
}

fn out_of_length((least, most): (Option<usize>, Option<usize>), length: usize) -> Option<String> {
    let short = least
        .filter(|least| length < *least)
        .map(|least| format!("must contain at least {least} characters"));
    short.or_else(|| {
        most.filter(|most| length > *most).map(|most| format!("must contain at most {most} characters"))
    })
}
