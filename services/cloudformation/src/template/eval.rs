//! Evaluation: a tree and what is known about the stack give a document.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use std::collections::{BTreeMap, BTreeSet};

use base::Document;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use serde_json::Map;

use super::error::TemplateError;
use super::expr::Expr;
use super::parameter::{ParameterValues, scalar_text};
use super::predicate::Predicate;
use super::sub::Part;
use super::text::URL_BYTES_MAX;
use super::{Mapping, Template, cidr, graph};

/// What the world outside the template answers.
pub trait Environment {
    /// What `Ref` of a resource yields, if it exists by now.
    fn reference(&self, logical_id: &str) -> Option<Document>;

    /// What `Fn::GetAtt` yields.
    ///
    /// # Errors
    /// The resource does not exist by now, or has no such attribute.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Document, TemplateError>;

    /// The value exported under `name` in this account and region.
    fn import(&self, name: &str) -> Option<String>;
}

/// A world without resources and exports: conditions and rules are judged in it.
pub(super) struct Nothing;

impl Environment for Nothing {
    fn reference(&self, _: &str) -> Option<Document> {
        None
    }

    fn attribute(&self, logical_id: &str, _: &str) -> Result<Document, TemplateError> {
        Err(unresolved(logical_id))
    }

    fn import(&self, _: &str) -> Option<String> {
        None
    }
}

/// The pseudo parameters' values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pseudo {
    /// `AWS::AccountId`.
    pub account_id: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// `AWS::StackId`.
    pub stack_id: String,
    /// `AWS::NotificationARNs`.
    pub notification_arns: Vec<String>,
}

impl Pseudo {
    /// The names that `Ref` and `Fn::Sub` take besides parameters and resources.
    pub(super) const NAMES: [&str; 8] = [
        "AWS::AccountId",
        "AWS::NotificationARNs",
        "AWS::NoValue",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    ];

    fn get(&self, name: &str) -> Option<Document> {
        Some(match name {
            "AWS::AccountId" => self.account_id.as_str().into(),
            "AWS::NotificationARNs" => self.notification_arns.clone().into(),
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => self.region.as_str().into(),
            "AWS::StackId" => self.stack_id.as_str().into(),
            "AWS::StackName" => self.stack_name.as_str().into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            _ => return None,
        })
    }
}

/// All that an expression may ask for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// `Mappings` of the template.
    pub mappings: &'a IndexMap<String, Mapping>,
    /// The parameters' values.
    pub parameters: &'a ParameterValues,
    /// The pseudo parameters' values.
    pub pseudo: &'a Pseudo,
    /// Which conditions hold.
    pub conditions: &'a BTreeMap<String, bool>,
    /// Resources and exports.
    pub environment: &'a dyn Environment,
}

fn unresolved(name: &str) -> TemplateError {
    let message = format!("Unresolved resource dependencies [{name}] in the Resources block of the template");
    TemplateError::format(message)
}

impl Scope<'_> {
    /// The value; `None` is `AWS::NoValue`: the property or item is as if it had not been written.
    ///
    /// # Errors
    /// What is asked for does not exist, or is of the wrong kind.
    pub fn value(&self, expr: &Expr) -> Result<Option<Document>, TemplateError> {
        Ok(Some(match expr {
            Expr::Literal(document) => document.clone(),
            Expr::List(items) => self.list(items)?,
            Expr::Map(members) => self.map(members)?,
            Expr::Ref(name) if name == "AWS::NoValue" => return Ok(None),
            Expr::Ref(name) => self.reference(name)?,
            Expr::GetAtt { resource, attribute } => {
                self.environment.attribute(resource, &self.text(attribute, "Fn::GetAtt")?)?
            }
            Expr::Join { delimiter, items } => self.texts(items, "Fn::Join")?.join(delimiter).into(),
            Expr::Split { delimiter, text } => self.split(delimiter, text)?,
            Expr::Select { index, from } => self.select(index, from)?,
            Expr::Sub { parts, variables } => self.substitute(parts, variables)?.into(),
            Expr::Base64(text) => STANDARD.encode(self.text(text, "Fn::Base64")?).into(),
            Expr::Cidr(block, count, bits) => self.cidr(block, count, bits.as_deref())?,
            Expr::GetAzs(region) => self.zones(region)?,
            Expr::ImportValue(name) => {
                let name = self.text(name, "Fn::ImportValue")?;
                let value = self.environment.import(&name);
                value.ok_or_else(|| TemplateError::new(format!("No export named {name} found.")))?.into()
            }
            Expr::FindInMap { map, top, second, default } => match (self.find(map, top, second), default) {
                (Err(_), Some(default)) => return self.value(default),
                (found, _) => found?,
            },
            Expr::Length(list) => match self.value(list)? {
                Some(Document::Array(items)) => items.len().into(),
                _ => return Err(TemplateError::intrinsic("Fn::Length needs a list.")),
            },
            Expr::ToJsonString(value) => match self.value(value)? {
                Some(value @ (Document::Object(_) | Document::Array(_))) => value.to_string().into(),
                _ => return Err(TemplateError::intrinsic("Fn::ToJsonString needs an object or a list.")),
            },
            Expr::If { condition, then, otherwise } => {
                return self.value(if self.holds(condition)? { then } else { otherwise });
            }
        }))
    }

    /// The value as text; numbers and booleans are written out.
    ///
    /// # Errors
    /// As [`Scope::value`], or the value is a list, an object or `AWS::NoValue`. `user` names the function that asks.
    pub fn text(&self, expr: &Expr, user: &str) -> Result<String, TemplateError> {
        let value = self.value(expr)?;
        value.as_ref().and_then(scalar_text).ok_or_else(|| {
            TemplateError::intrinsic(format!("{user} needs a string or a function that returns a string."))
        })
    }

    fn list(&self, items: &[Expr]) -> Result<Document, TemplateError> {
        let values: Vec<Option<Document>> =
            items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
        Ok(Document::Array(values.into_iter().flatten().collect()))
    }

    fn map(&self, members: &[(String, Expr)]) -> Result<Document, TemplateError> {
        let mut object = Map::new();
        for (name, member) in members {
            if let Some(value) = self.value(member)? {
                object.insert(name.clone(), value);
            }
        }
        Ok(Document::Object(object))
    }

    fn reference(&self, name: &str) -> Result<Document, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.document());
        }
        let value = self.pseudo.get(name).or_else(|| self.environment.reference(name));
        value.ok_or_else(|| unresolved(name))
    }

    fn texts(&self, expr: &Expr, user: &str) -> Result<Vec<String>, TemplateError> {
        let wrong = || TemplateError::intrinsic(format!("{user} needs a list of strings."));
        match self.value(expr)? {
            Some(Document::Array(items)) => {
                items.iter().map(|item| scalar_text(item).ok_or_else(wrong)).collect()
            }
            _ => Err(wrong()),
        }
    }

    fn split(&self, delimiter: &str, text: &Expr) -> Result<Document, TemplateError> {
        if delimiter.is_empty() {
            return Err(TemplateError::intrinsic("Fn::Split delimiter must not be empty."));
        }
        Ok(self.text(text, "Fn::Split")?.split(delimiter).map(Document::from).collect())
    }

    fn select(&self, index: &Expr, from: &Expr) -> Result<Document, TemplateError> {
        let index = self.text(index, "Fn::Select")?;
        let wrong = || {
            TemplateError::intrinsic(
                "Fn::Select requires a list argument with two elements: an integer index and a list",
            )
        };
        let position: usize = index.trim().parse().map_err(|_| wrong())?;
        let Some(Document::Array(mut items)) = self.value(from)? else { return Err(wrong()) };
        if position >= items.len() {
            let message = format!("Fn::Select cannot select nonexistent value at index {position}");
            return Err(TemplateError::intrinsic(message));
        }
        Ok(items.swap_remove(position))
    }

    /// Each variable is evaluated once, however often the text names it, and the text is bounded: nested texts that
    /// double at each level end in an error, not in a lost process.
    fn substitute(
        &self,
        parts: &[Part],
        variables: &BTreeMap<String, Expr>,
    ) -> Result<String, TemplateError> {
        let given = |(name, expr): (&String, &Expr)| Ok((name.clone(), self.text(expr, "Fn::Sub")?));
        let given = variables.iter().map(given).collect::<Result<BTreeMap<_, _>, TemplateError>>()?;
        let mut out = String::new();
        for part in parts {
            let value = part.variable().and_then(|name| given.get(&name));
            match (part, value) {
                (Part::Text(text), _) | (_, Some(text)) => out.push_str(text),
                (Part::Name(name), None) => out.push_str(&sub_text(&self.reference(name)?)?),
                (Part::Attribute(resource, attribute), None) => {
                    out.push_str(&sub_text(&self.environment.attribute(resource, attribute)?)?);
                }
            }
            if out.len() > URL_BYTES_MAX {
                return Err(TemplateError::intrinsic(
                    "Fn::Sub expression resolves to more than 1000000 bytes",
                ));
            }
        }
        Ok(out)
    }

    fn cidr(&self, block: &Expr, count: &Expr, bits: Option<&Expr>) -> Result<Document, TemplateError> {
        let block = self.text(block, "Fn::Cidr")?;
        let count = self.text(count, "Fn::Cidr")?;
        let bits = bits.map(|bits| self.text(bits, "Fn::Cidr")).transpose()?;
        cidr::blocks(&block, &count, bits.as_deref())
    }

    /// Three zones, named as every region of AWS names its first three.
    fn zones(&self, region: &Expr) -> Result<Document, TemplateError> {
        let region = self.text(region, "Fn::GetAZs")?;
        let region = if region.is_empty() { self.pseudo.region.as_str() } else { region.as_str() };
        Ok(["a", "b", "c"].iter().map(|zone| Document::from(format!("{region}{zone}"))).collect())
    }

    fn find(&self, map: &Expr, top: &Expr, second: &Expr) -> Result<Document, TemplateError> {
        let [map, top, second] = [
            self.text(map, "Fn::FindInMap")?,
            self.text(top, "Fn::FindInMap")?,
            self.text(second, "Fn::FindInMap")?,
        ];
        let found = self.mappings.get(&map).and_then(|m| m.get(&top)).and_then(|keys| keys.get(&second));
        found.cloned().ok_or_else(|| {
            TemplateError::intrinsic(format!("Unable to get mapping for {map}::{top}::{second}"))
        })
    }

    /// Whether the named condition holds.
    ///
    /// # Errors
    /// There is no such condition.
    pub fn holds(&self, condition: &str) -> Result<bool, TemplateError> {
        self.conditions.get(condition).copied().ok_or_else(|| {
            let message = format!(
                "Unresolved condition dependency {condition} in the Conditions block of the template"
            );
            TemplateError::format(message)
        })
    }

    fn is_true(&self, predicate: &Predicate) -> Result<bool, TemplateError> {
        Ok(match predicate {
            Predicate::Named(name) => self.holds(name)?,
            Predicate::Equals(left, right) => same(self.value(left)?, self.value(right)?),
            Predicate::And(terms) => self.each(terms)?.into_iter().all(|truth| truth),
            Predicate::Or(terms) => self.each(terms)?.into_iter().any(|truth| truth),
            Predicate::Not(term) => !self.is_true(term)?,
            Predicate::Contains(list, text) => {
                self.texts(list, "Fn::Contains")?.contains(&self.text(text, "Fn::Contains")?)
            }
            Predicate::EachMemberEquals(list, text) => {
                let text = self.text(text, "Fn::EachMemberEquals")?;
                self.texts(list, "Fn::EachMemberEquals")?.iter().all(|item| *item == text)
            }
            Predicate::EachMemberIn(list, of) => {
                let of = self.texts(of, "Fn::EachMemberIn")?;
                self.texts(list, "Fn::EachMemberIn")?.iter().all(|item| of.contains(item))
            }
        })
    }

    /// All terms are judged: a wrong one is an error even where the others decide.
    fn each(&self, terms: &[Predicate]) -> Result<Vec<bool>, TemplateError> {
        terms.iter().map(|term| self.is_true(term)).collect()
    }
}

fn sub_text(value: &Document) -> Result<String, TemplateError> {
    scalar_text(value)
        .ok_or_else(|| TemplateError::intrinsic("Fn::Sub expression does not resolve to a string"))
}

/// Scalars are equal when their texts are: `true` and `"true"` are.
fn same(left: Option<Document>, right: Option<Document>) -> bool {
    match (&left, &right) {
        (Some(a), Some(b)) => match (scalar_text(a), scalar_text(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
        _ => left == right,
    }
}

impl Template {
    /// Which conditions hold under these parameters.
    ///
    /// # Errors
    /// An operand that cannot be evaluated. Circles were refused when the template was parsed.
    pub fn judge(
        &self,
        parameters: &ParameterValues,
        pseudo: &Pseudo,
    ) -> Result<BTreeMap<String, bool>, TemplateError> {
        let mut conditions = BTreeMap::new();
        for name in graph::order(&self.condition_needs()).map_err(|cycle| cycle.of_conditions())? {
            let Some(predicate) = self.conditions.get(&name) else { continue };
            let scope = Scope {
                mappings: &self.mappings,
                parameters,
                pseudo,
                conditions: &conditions,
                environment: &Nothing,
            };
            let truth = scope.is_true(predicate)?;
            conditions.insert(name, truth);
        }
        Ok(conditions)
    }

    /// Which conditions each condition names.
    pub(super) fn condition_needs(&self) -> BTreeMap<String, BTreeSet<String>> {
        let needs = |predicate: &Predicate| {
            let mut names = BTreeSet::new();
            predicate.walk(&mut |inner| {
                if let Predicate::Named(name) = inner {
                    names.insert(name.clone());
                }
                for operand in inner.operands() {
                    operand.walk(&mut |expr| {
                        if let Expr::If { condition, .. } = expr {
                            names.insert(condition.clone());
                        }
                    });
                }
            });
            names
        };
        self.conditions.iter().map(|(name, predicate)| (name.clone(), needs(predicate))).collect()
    }

    /// Checks `Rules`.
    ///
    /// # Errors
    /// The first assertion that does not hold, with its description.
    pub fn assert_rules(&self, parameters: &ParameterValues, pseudo: &Pseudo) -> Result<(), TemplateError> {
        let conditions = BTreeMap::new();
        let environment = &Nothing;
        let scope =
            Scope { mappings: &self.mappings, parameters, pseudo, conditions: &conditions, environment };
        for (name, rule) in &self.rules {
            let counts = rule.condition.as_ref().map_or(Ok(true), |condition| scope.is_true(condition))?;
            for assertion in rule.assertions.iter().filter(|_| counts) {
                if !scope.is_true(&assertion.assert)? {
                    let text = assertion.description.as_deref().unwrap_or("the assertion does not hold");
                    return Err(TemplateError::validation(format!("Rule {name} failed: {text}")));
                }
            }
        }
        Ok(())
    }
}
