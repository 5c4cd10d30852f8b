//! Reads payload templates.

use serde_json::Value;

use super::Compiler;
use super::fields::Fields;
use super::jsonata::BEFORE;
use crate::diagnostic::Code;
use crate::intrinsic::Call;
use crate::jsonata::Place;
use crate::jsonpath::Path;
use crate::machine::Language;
use crate::template::{Expression, Template};

impl Compiler {
    /// The template under this name, if there is one.
    pub(super) fn template(&mut self, fields: &Fields<'_>, name: &str) -> Option<Template> {
        let value = fields.get(name)?;
        Some(self.template_value(value, &fields.at(name)))
    }

    /// `Assign`, in the language of its state.
    pub(super) fn assign(&mut self, fields: &Fields<'_>, place: Place) -> Option<Template> {
        fields.object(self, "Assign")?;
        match self.language {
            Language::JsonPath => self.template(fields, "Assign"),
            Language::Jsonata => self.query_template(fields, "Assign", place),
        }
    }

    /// `Parameters`, or `Arguments` in JSONata.
    pub(super) fn arguments(&mut self, fields: &Fields<'_>) -> Option<Template> {
        match self.language {
            Language::JsonPath => self.template(fields, "Parameters"),
            Language::Jsonata => self.query_template(fields, "Arguments", BEFORE),
        }
    }

    /// A template under the same name in both languages.
    pub(super) fn either(&mut self, fields: &Fields<'_>, name: &str) -> Option<Template> {
        match self.language {
            Language::JsonPath => self.template(fields, name),
            Language::Jsonata => self.query_template(fields, name, BEFORE),
        }
    }

    fn template_value(&mut self, value: &Value, location: &str) -> Template {
        match value {
            Value::Object(members) => {
                let mut parts = Vec::with_capacity(members.len());
                for (name, member) in members {
                    parts.extend(self.template_member(name, member, location));
                }
                let constant = parts.iter().all(|(_, part)| matches!(part, Template::Constant(_)));
                if constant { Template::Constant(value.clone()) } else { Template::Object(parts) }
            }
            Value::Array(items) => {
                let place = |index: usize| format!("{location}[{index}]");
                let parts: Vec<Template> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.template_value(item, &place(index)))
                    .collect();
                let constant = parts.iter().all(|part| matches!(part, Template::Constant(_)));
                if constant { Template::Constant(value.clone()) } else { Template::Array(parts) }
            }
            scalar => Template::Constant(scalar.clone()),
        }
    }

    fn template_member(&mut self, name: &str, member: &Value, location: &str) -> Option<(String, Template)> {
        let Some(bare) = name.strip_suffix(".$") else {
            if member.as_str().is_some_and(looks_dynamic) {
                let message = format!(
                    "The value of the field '{name}' looks like a path, but its name does not end with '.$'"
                );
                self.report(Code::NoDollar, message, &format!("{location}/{name}"));
            }
            return Some((name.to_owned(), self.template_value(member, &format!("{location}/{name}"))));
        };
        let expression =
            member.as_str().and_then(|text| self.expression(text, &format!("{location}/{name}")));
        if expression.is_none() {
            let message = format!(
                "The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"
            );
            self.invalid(message, location);
        }
        Some((bare.to_owned(), Template::Dynamic { field: name.to_owned(), expression: expression? }))
    }

    /// A path or a call; `None` if the text is neither.
    pub(super) fn expression(&mut self, text: &str, location: &str) -> Option<Expression> {
        if text.starts_with('$') {
            let path = Path::parse(text).ok()?;
            self.note(&path, location);
            return Some(Expression::Path(path));
        }
        let call = Call::parse(text).ok()?;
        for path in call.paths() {
            self.note(path, location);
        }
        Some(Expression::Call(call))
    }
}

/// Does a text look as if it were meant to be evaluated?
pub(super) fn looks_dynamic(text: &str) -> bool {
    (text.starts_with('$') && Path::parse(text).is_ok()) || Call::parse(text).is_ok()
}
