//! The value language of templates as a tree: literals, collections and intrinsic functions.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use std::collections::BTreeMap;

use base::Document;
use serde_json::Map;

use super::error::TemplateError;
use super::sub::{self, Part};

/// A value of a template before its parameters, resources and imports are known.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A string, number or boolean.
    Literal(Document),
    /// A list.
    List(Vec<Expr>),
    /// An object, in the order written.
    Map(Vec<(String, Expr)>),
    /// `Ref`: a parameter, a pseudo parameter or a resource's physical id.
    Ref(String),
    /// `Fn::GetAtt`.
    GetAtt {
        /// The resource's logical id.
        resource: String,
        /// The attribute's name, or a `Ref` that yields it.
        attribute: Box<Expr>,
    },
    /// `Fn::Join`.
    Join {
        /// What stands between the items.
        delimiter: String,
        /// A list, or a function that yields one.
        items: Box<Expr>,
    },
    /// `Fn::Split`.
    Split {
        /// What stands between the items.
        delimiter: String,
        /// The text to split.
        text: Box<Expr>,
    },
    /// `Fn::Select`.
    Select {
        /// Counted from zero.
        index: Box<Expr>,
        /// A list, or a function that yields one.
        from: Box<Expr>,
    },
    /// `Fn::Sub`.
    Sub {
        /// The text, cut at its variables.
        parts: Vec<Part>,
        /// The variables given beside the text.
        variables: BTreeMap<String, Expr>,
    },
    /// `Fn::Base64`.
    Base64(Box<Expr>),
    /// `Fn::Cidr`: block, count, host bits (none given: 8).
    Cidr(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// `Fn::GetAZs` of a region; empty is the stack's own.
    GetAzs(Box<Expr>),
    /// `Fn::ImportValue`.
    ImportValue(Box<Expr>),
    /// `Fn::FindInMap`.
    FindInMap {
        /// The mapping's name.
        map: Box<Expr>,
        /// The top-level key.
        top: Box<Expr>,
        /// The second-level key.
        second: Box<Expr>,
        /// What counts where there is no such entry. Of `AWS::LanguageExtensions`.
        default: Option<Box<Expr>>,
    },
    /// `Fn::Length` of a list. Of `AWS::LanguageExtensions`.
    Length(Box<Expr>),
    /// `Fn::ToJsonString` of an object or a list. Of `AWS::LanguageExtensions`.
    ToJsonString(Box<Expr>),
    /// `Fn::If`.
    If {
        /// The condition's name.
        condition: String,
        /// The value where it holds.
        then: Box<Expr>,
        /// The value where it does not.
        otherwise: Box<Expr>,
    },
}

const GET_ATT: &str =
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute";
const JOIN: &str = "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be \
joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.";
const SPLIT: &str = "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split \
or a function that returns a string to be split.";
const SELECT: &str = "Fn::Select requires a list argument with two elements: an integer index and a list";
const SUB: &str = "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first \
argument, and an optional second argument to specify a mapping of values to replace in the string";
const FIND_IN_MAP: &str = "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value";
const CIDR: &str = "every Fn::Cidr object requires two or three parameters, the address block, the count and the number \
of host bits";
const IF: &str = "Fn::If requires a list argument with three elements";
const SUPPORTED: &str = "[Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, \
Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, \
Fn::EachMemberIn, Fn::Sub, Fn::Cidr]";

impl Expr {
    /// The tree of `document`, which holds no null.
    ///
    /// # Errors
    /// An unknown function, or a function with the wrong number or kind of arguments.
    pub fn parse(document: &Document) -> Result<Expr, TemplateError> {
        match document {
            Document::Array(items) => Ok(Expr::List(list(items)?)),
            Document::Object(members) => object(members),
            scalar => Ok(Expr::Literal(scalar.clone())),
        }
    }

    /// The expressions directly inside this one.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Literal(_) | Expr::Ref(_) => Vec::new(),
            Expr::List(items) => items.iter().collect(),
            Expr::Map(members) => members.iter().map(|(_, member)| member).collect(),
            Expr::Sub { variables, .. } => variables.values().collect(),
            Expr::GetAtt { attribute: one, .. }
            | Expr::Join { items: one, .. }
            | Expr::Split { text: one, .. }
            | Expr::Base64(one)
            | Expr::Length(one)
            | Expr::ToJsonString(one)
            | Expr::GetAzs(one)
            | Expr::ImportValue(one) => vec![one],
            Expr::Select { index: a, from: b } | Expr::If { then: a, otherwise: b, .. } => vec![a, b],
            Expr::FindInMap { map, top, second, default } => {
                [Some(map), Some(top), Some(second), default.as_ref()]
                    .into_iter()
                    .flatten()
                    .map(|e| &**e)
                    .collect()
            }
            Expr::Cidr(a, b, c) => {
                [Some(a), Some(b), c.as_ref()].into_iter().flatten().map(|e| &**e).collect()
            }
        }
    }

    /// Calls `visit` with this expression and everything inside it, both branches of `Fn::If` included.
    pub fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// The text, if this is a literal string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Expr::Literal(Document::String(text)) => Some(text),
            _ => None,
        }
    }
}

fn list(items: &[Document]) -> Result<Vec<Expr>, TemplateError> {
    items.iter().map(Expr::parse).collect()
}

fn object(members: &Map<String, Document>) -> Result<Expr, TemplateError> {
    if let Some((name, argument)) = members.iter().next()
        && members.len() == 1
        && (name == "Ref" || name.starts_with("Fn::"))
    {
        return function(name, argument);
    }
    if let Some(name) = members.keys().find(|name| name.starts_with("Fn::")) {
        return Err(TemplateError::intrinsic(format!("{name} must be the only member of its object")));
    }
    let member = |(name, member): (&String, &Document)| Ok((name.clone(), Expr::parse(member)?));
    Ok(Expr::Map(members.iter().map(member).collect::<Result<_, TemplateError>>()?))
}

fn function(name: &str, argument: &Document) -> Result<Expr, TemplateError> {
    match name {
        "Ref" => match argument.as_str() {
            Some(name) if !name.is_empty() => Ok(Expr::Ref(name.to_owned())),
            _ => Err(TemplateError::intrinsic("every Ref object must have a single String value.")),
        },
        "Fn::GetAtt" => get_att(argument),
        "Fn::Join" => {
            let (delimiter, items) = delimited(argument, JOIN)?;
            Ok(Expr::Join { delimiter, items })
        }
        "Fn::Split" => {
            let (delimiter, text) = delimited(argument, SPLIT)?;
            Ok(Expr::Split { delimiter, text })
        }
        "Fn::Select" => {
            let [index, from] = arguments(argument, SELECT)?;
            Ok(Expr::Select { index, from })
        }
        "Fn::Sub" => substitution(argument),
        "Fn::Base64" => Ok(Expr::Base64(boxed(argument)?)),
        "Fn::GetAZs" => Ok(Expr::GetAzs(boxed(argument)?)),
        "Fn::ImportValue" => import(argument),
        "Fn::FindInMap" => {
            let (argument, default) = with_default(argument)?;
            let [map, top, second] = arguments(&argument, FIND_IN_MAP)?;
            Ok(Expr::FindInMap { map, top, second, default })
        }
        "Fn::Length" => Ok(Expr::Length(boxed(argument)?)),
        "Fn::ToJsonString" => Ok(Expr::ToJsonString(boxed(argument)?)),
        "Fn::Cidr" => cidr(argument),
        "Fn::If" => conditional(argument),
        "Fn::Transform" | "Fn::ForEach" | "Fn::GetStackOutput" => {
            Err(TemplateError::unsupported(format!("the function {name}")))
        }
        name if name.starts_with("Fn::ForEach::") => {
            Err(TemplateError::unsupported("the function Fn::ForEach"))
        }
        "Fn::Equals"
        | "Fn::And"
        | "Fn::Or"
        | "Fn::Not"
        | "Fn::Contains"
        | "Fn::EachMemberIn"
        | "Fn::EachMemberEquals" => {
            let message =
                format!("{name} may only be used in the Conditions and Rules blocks of the template");
            Err(TemplateError::intrinsic(message))
        }
        _ => Err(unknown(name)),
    }
}

pub(super) fn unknown(name: &str) -> TemplateError {
    let message = format!("Encountered unsupported function: {name} Supported functions are: {SUPPORTED}");
    TemplateError::intrinsic(message)
}

fn boxed(document: &Document) -> Result<Box<Expr>, TemplateError> {
    Expr::parse(document).map(Box::new)
}

fn arguments<const N: usize>(argument: &Document, wrong: &str) -> Result<[Box<Expr>; N], TemplateError> {
    let items = argument.as_array().ok_or_else(|| TemplateError::intrinsic(wrong))?;
    let parsed: Vec<Box<Expr>> = items.iter().map(boxed).collect::<Result<_, _>>()?;
    parsed.try_into().map_err(|_| TemplateError::intrinsic(wrong))
}

/// The first three arguments of `Fn::FindInMap`, and the default that may stand behind them.
fn with_default(argument: &Document) -> Result<(Document, Option<Box<Expr>>), TemplateError> {
    match argument.as_array().map(Vec::as_slice) {
        Some([map, top, second, last]) => {
            let default = last.get("DefaultValue").ok_or_else(|| TemplateError::intrinsic(FIND_IN_MAP))?;
            let three = Document::Array(vec![map.clone(), top.clone(), second.clone()]);
            Ok((three, Some(boxed(default)?)))
        }
        _ => Ok((argument.clone(), None)),
    }
}

fn get_att(argument: &Document) -> Result<Expr, TemplateError> {
    let wrong = || TemplateError::intrinsic(GET_ATT);
    let (resource, attribute) = match argument {
        Document::String(text) => {
            let (resource, attribute) = text.split_once('.').ok_or_else(wrong)?;
            (resource, Expr::Literal(attribute.into()))
        }
        Document::Array(items) => match items.as_slice() {
            [Document::String(resource), attribute] => (resource.as_str(), Expr::parse(attribute)?),
            [Document::String(resource), attributes @ ..] if !attributes.is_empty() => {
                let names: Option<Vec<&str>> = attributes.iter().map(Document::as_str).collect();
                (resource.as_str(), Expr::Literal(names.ok_or_else(wrong)?.join(".").into()))
            }
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    let named =
        matches!(&attribute, Expr::Ref(_)) || attribute.as_text().is_some_and(|name| !name.is_empty());
    if resource.is_empty() || !named {
        return Err(wrong());
    }
    Ok(Expr::GetAtt { resource: resource.to_owned(), attribute: Box::new(attribute) })
}

fn delimited(argument: &Document, wrong: &str) -> Result<(String, Box<Expr>), TemplateError> {
    match argument.as_array().map(Vec::as_slice) {
        Some([Document::String(delimiter), rest]) => Ok((delimiter.clone(), boxed(rest)?)),
        _ => Err(TemplateError::intrinsic(wrong)),
    }
}

fn substitution(argument: &Document) -> Result<Expr, TemplateError> {
    let wrong = || TemplateError::intrinsic(SUB);
    let none = Map::new();
    let (text, given) = match argument {
        Document::String(text) => (text, &none),
        Document::Array(items) => match items.as_slice() {
            [Document::String(text)] => (text, &none),
            [Document::String(text), Document::Object(given)] => (text, given),
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    let variable = |(name, value): (&String, &Document)| Ok((name.clone(), Expr::parse(value)?));
    let variables = given.iter().map(variable).collect::<Result<BTreeMap<_, _>, TemplateError>>()?;
    Ok(Expr::Sub { parts: sub::cut(text)?, variables })
}

fn import(argument: &Document) -> Result<Expr, TemplateError> {
    let name = boxed(argument)?;
    let mut refused = false;
    name.walk(&mut |inner| {
        refused |= matches!(inner, Expr::GetAtt { .. } | Expr::ImportValue(_) | Expr::GetAzs(_));
    });
    if refused {
        return Err(TemplateError::intrinsic(IMPORT));
    }
    Ok(Expr::ImportValue(name))
}

pub(super) const IMPORT: &str =
    "the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs";

fn cidr(argument: &Document) -> Result<Expr, TemplateError> {
    match argument.as_array().map(Vec::as_slice) {
        Some([block, count]) => Ok(Expr::Cidr(boxed(block)?, boxed(count)?, None)),
        Some([block, count, bits]) => Ok(Expr::Cidr(boxed(block)?, boxed(count)?, Some(boxed(bits)?))),
        _ => Err(TemplateError::intrinsic(CIDR)),
    }
}

fn conditional(argument: &Document) -> Result<Expr, TemplateError> {
    match argument.as_array().map(Vec::as_slice) {
        Some([Document::String(condition), then, otherwise]) => {
            let (then, otherwise) = (boxed(then)?, boxed(otherwise)?);
            Ok(Expr::If { condition: condition.clone(), then, otherwise })
        }
        _ => Err(TemplateError::intrinsic(IF)),
    }
}
