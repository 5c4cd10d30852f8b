//! `AWS::LanguageExtensions`: loops, and attributes of resources that are computed. `Fn::Length`, `Fn::ToJsonString` and the
//! defaults of `Fn::FindInMap` belong to the evaluation; here it is only known that they need this transform.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html>

use base::Document;
use indexmap::IndexMap;
use serde_json::Map;

use crate::template::error::TemplateError;
use crate::template::eval::{Nothing, Pseudo, Scope};
use crate::template::expr::Expr;
use crate::template::parameter::{ParameterValues, scalar_text};
use crate::template::{Mapping, section};

const LOOP: &str = "Fn::ForEach::";
/// What all loops may make: their turns, and the values and bytes of text in them.
const MADE_MAX: usize = 4_000_000;
const POLICIES: [&str; 2] = ["DeletionPolicy", "UpdateReplacePolicy"];

/// The first use of an extension.
pub(super) fn used(document: &Document) -> Option<String> {
    match document {
        Document::Array(items) => items.iter().find_map(used),
        Document::Object(members) => members.iter().find_map(|(name, member)| {
            let default = name == "Fn::FindInMap" && member.as_array().is_some_and(|items| items.len() == 4);
            let extends = name.starts_with(LOOP) || name == "Fn::Length" || name == "Fn::ToJsonString";
            if extends || default { Some(name.clone()) } else { used(member) }
        }),
        _ => None,
    }
}

/// Unrolls all loops and computes the policies of resources.
pub(super) fn process(
    document: Document,
    values: &ParameterValues,
    pseudo: &Pseudo,
) -> Result<Document, TemplateError> {
    let mappings = section::mappings(&document)?;
    let mut unroller = Unroller { values, pseudo, mappings: &mappings, made: 0 };
    let document = unroller.unroll(document, &[])?;
    let mut document = unroller.named(document)?;
    policies(&mut document, values, pseudo)?;
    Ok(document)
}

struct Unroller<'u> {
    values: &'u ParameterValues,
    pseudo: &'u Pseudo,
    mappings: &'u IndexMap<String, Mapping>,
    made: usize,
}

/// A loop's identifier, and its value in this turn.
type Bound = (String, String);

impl Unroller<'_> {
    /// Loops in loops that multiply end in an error, not in a lost process.
    fn count(&mut self, more: usize) -> Result<(), TemplateError> {
        self.made += more;
        match self.made > MADE_MAX {
            true => {
                Err(TemplateError::intrinsic(format!("{LOOP} makes too much: more than {MADE_MAX} bytes")))
            }
            false => Ok(()),
        }
    }

    fn unroll(&mut self, document: Document, bound: &[Bound]) -> Result<Document, TemplateError> {
        if !bound.is_empty() {
            self.count(1)?;
        }
        match document {
            Document::String(text) => {
                let text = filled(&text, bound);
                if !bound.is_empty() {
                    self.count(text.len())?;
                }
                Ok(text.into())
            }
            Document::Array(items) => items
                .into_iter()
                .map(|item| self.unroll(item, bound))
                .collect::<Result<_, _>>()
                .map(Document::Array),
            Document::Object(members) => self.members(members, bound),
            other => Ok(other),
        }
    }

    fn members(
        &mut self,
        members: Map<String, Document>,
        bound: &[Bound],
    ) -> Result<Document, TemplateError> {
        // `Ref` of the identifier is the value itself.
        if let (1, Some(Document::String(name))) = (members.len(), members.get("Ref"))
            && let Some((_, value)) = bound.iter().find(|(identifier, _)| identifier == name)
        {
            return Ok(value.as_str().into());
        }
        let mut out = Map::new();
        for (name, member) in members {
            if name.starts_with(LOOP) {
                self.turns(&name, member, bound, &mut out)?;
            } else {
                out.insert(filled(&name, bound), self.unroll(member, bound)?);
            }
        }
        Ok(out.into())
    }

    /// One loop: its identifier, its collection, and what each turn makes.
    fn turns(
        &mut self,
        name: &str,
        arguments: Document,
        bound: &[Bound],
        out: &mut Map<String, Document>,
    ) -> Result<(), TemplateError> {
        let malformed = || {
            TemplateError::intrinsic(format!(
                "{name} layout is incorrect: it needs an identifier, a collection and an object"
            ))
        };
        let Document::Array(arguments) = arguments else { return Err(malformed()) };
        let [identifier, collection, made]: [Document; 3] = arguments.try_into().map_err(|_| malformed())?;
        let identifier = identifier.as_str().ok_or_else(malformed)?.to_owned();
        let collection = self.unroll(collection, bound)?;
        for value in self.items(name, &collection)? {
            self.count(1)?;
            let mut inner = bound.to_vec();
            inner.push((identifier.clone(), value));
            let Document::Object(members) = self.unroll(made.clone(), &inner)? else {
                return Err(malformed());
            };
            for (name, member) in members {
                if out.insert(name.clone(), member).is_some() {
                    return Err(TemplateError::intrinsic(format!("{LOOP} makes {name} twice")));
                }
            }
        }
        Ok(())
    }

    /// `Ref` and `Fn::GetAtt` whose names are functions of parameters, with the names themselves.
    fn named(&self, document: Document) -> Result<Document, TemplateError> {
        match document {
            Document::Array(items) => items.into_iter().map(|item| self.named(item)).collect(),
            Document::Object(mut members) => {
                if members.len() == 1 {
                    if let Some(name) = members.get_mut("Ref") {
                        self.name("Ref", name)?;
                    }
                    if let Some(Document::Array(names)) = members.get_mut("Fn::GetAtt") {
                        names.iter_mut().try_for_each(|name| self.name("Fn::GetAtt", name))?;
                    }
                }
                let member = |(name, member)| Ok((name, self.named(member)?));
                members.into_iter().map(member).collect::<Result<Map<_, _>, _>>().map(Document::Object)
            }
            scalar => Ok(scalar),
        }
    }

    fn name(&self, function: &str, name: &mut Document) -> Result<(), TemplateError> {
        if !name.is_object() {
            return Ok(());
        }
        let computed = self.scope_value(&self.named(name.take())?)?;
        let text = computed.as_ref().and_then(Document::as_str).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| {
            TemplateError::intrinsic(format!("{function} could not resolve its name to a text"))
        })?;
        *name = text.into();
        Ok(())
    }

    fn scope_value(&self, document: &Document) -> Result<Option<Document>, TemplateError> {
        let scope = Scope {
            mappings: self.mappings,
            parameters: self.values,
            pseudo: self.pseudo,
            conditions: &Default::default(),
            environment: &Nothing,
        };
        scope.value(&Expr::parse(document)?)
    }

    /// The values of a collection, which parameters and mappings may give.
    fn items(&self, name: &str, collection: &Document) -> Result<Vec<String>, TemplateError> {
        let malformed =
            || TemplateError::intrinsic(format!("{name} could not resolve its collection to a list"));
        let value = self.scope_value(collection)?;
        let Some(Document::Array(items)) = value else { return Err(malformed()) };
        let mut texts = Vec::new();
        for item in &items {
            match item {
                Document::Array(inner) => {
                    texts.extend(
                        inner
                            .iter()
                            .map(|item| scalar_text(item).ok_or_else(malformed))
                            .collect::<Result<Vec<_>, _>>()?,
                    );
                }
                item => texts.push(scalar_text(item).ok_or_else(malformed)?),
            }
        }
        Ok(texts)
    }
}

/// `${Identifier}` is the value, `&{Identifier}` its letters and digits.
fn filled(text: &str, bound: &[Bound]) -> String {
    bound.iter().fold(text.to_owned(), |text, (identifier, value)| {
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text.replace(&format!("${{{identifier}}}"), value).replace(&format!("&{{{identifier}}}"), &plain)
    })
}

/// `DeletionPolicy` and `UpdateReplacePolicy` may be functions of parameters.
fn policies(document: &mut Document, values: &ParameterValues, pseudo: &Pseudo) -> Result<(), TemplateError> {
    let Some(resources) = document.get("Resources").and_then(Document::as_object) else { return Ok(()) };
    let computed = |resource: &Document| {
        POLICIES.iter().any(|policy| resource.get(policy).is_some_and(Document::is_object))
    };
    if !resources.values().any(computed) {
        return Ok(());
    }
    let mut plain = document.clone();
    for resource in plain["Resources"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(resource) = resource.as_object_mut() {
            POLICIES.iter().for_each(|policy| drop(resource.remove(*policy)));
        }
    }
    let template = section::template(&plain)?;
    let conditions = template.judge(values, pseudo)?;
    let scope = Scope {
        mappings: &template.mappings,
        parameters: values,
        pseudo,
        conditions: &conditions,
        environment: &Nothing,
    };
    for resource in document["Resources"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for policy in POLICIES {
            let Some(given) = resource.get(policy).filter(|given| given.is_object()) else { continue };
            match scope.value(&Expr::parse(given)?)? {
                Some(value) => resource[policy] = value,
                None => drop(resource.as_object_mut().map(|resource| resource.remove(policy))),
            }
        }
    }
    Ok(())
}
