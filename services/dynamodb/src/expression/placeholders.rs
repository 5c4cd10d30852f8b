//! `ExpressionAttributeNames` and `ExpressionAttributeValues`, and which of them the expressions have used.

use std::cell::Cell;

use base::Fault;

use super::Kind;
use crate::value::{AttributeValue, Item};

/// The placeholders of one request. All its expressions share them.
pub struct Placeholders<'a> {
    names: Vec<(&'a str, &'a str, Cell<bool>)>,
    values: Vec<(&'a str, &'a AttributeValue, Cell<bool>)>,
}

impl<'a> Placeholders<'a> {
    /// From the parameters, `None` where they were not given. Refuses empty parameters and malformed placeholders.
    pub fn new<N>(names: Option<N>, values: Option<&'a Item>) -> Result<Placeholders<'a>, Fault>
    where
        N: IntoIterator<Item = (&'a String, &'a String)>,
    {
        let names_given = names.is_some();
        let names: Vec<_> = names
            .into_iter()
            .flatten()
            .map(|(placeholder, name)| (placeholder.as_str(), name.as_str(), Cell::new(false)))
            .collect();
        let values_given = values.is_some();
        let values: Vec<_> = values
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value, Cell::new(false)))
            .collect();
        check("ExpressionAttributeNames", '#', names_given, names.iter().map(|name| name.0))?;
        check("ExpressionAttributeValues", ':', values_given, values.iter().map(|value| value.0))?;
        for (placeholder, name, _) in &names {
            if name.is_empty() || name.len() > 65_535 {
                let text = format!(
                    "ExpressionAttributeNames contains invalid value: Attribute name must be between 1 and 65535 \
                     bytes; key: \"{placeholder}\""
                );
                return Err(Fault::validation(text));
            }
        }
        Ok(Placeholders { names, values })
    }

    /// No placeholders at all.
    pub fn none() -> Placeholders<'a> {
        Placeholders { names: Vec::new(), values: Vec::new() }
    }

    pub(super) fn name(&self, kind: Kind, placeholder: &str) -> Result<&'a str, Fault> {
        let found = self.names.iter().find(|name| name.0 == placeholder).ok_or_else(|| {
            kind.fault(format_args!(
                "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            ))
        })?;
        found.2.set(true);
        Ok(found.1)
    }

    pub(super) fn value(&self, kind: Kind, placeholder: &str) -> Result<&'a AttributeValue, Fault> {
        let found = self.values.iter().find(|value| value.0 == placeholder).ok_or_else(|| {
            kind.fault(format_args!(
                "An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            ))
        })?;
        found.2.set(true);
        Ok(found.1)
    }

    /// Refuses placeholders that no expression has used. To be asked when all expressions are parsed.
    pub fn check_all_used(&self) -> Result<(), Fault> {
        let unused = |used: Vec<&str>, parameter: &str| match used.as_slice() {
            [] => Ok(()),
            keys => Err(Fault::validation(format!(
                "Value provided in {parameter} unused in expressions: keys: {{{}}}",
                keys.join(", ")
            ))),
        };
        let names = self.names.iter().filter(|name| !name.2.get()).map(|name| name.0).collect();
        unused(names, "ExpressionAttributeNames")?;
        let values = self.values.iter().filter(|value| !value.2.get()).map(|value| value.0).collect();
        unused(values, "ExpressionAttributeValues")
    }
}

fn check<'k>(
    parameter: &str,
    sign: char,
    given: bool,
    keys: impl Iterator<Item = &'k str>,
) -> Result<(), Fault> {
    let mut empty = true;
    for key in keys {
        empty = false;
        let word = key.strip_prefix(sign).unwrap_or("");
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let text = format!("{parameter} contains invalid key: Syntax error; key: \"{key}\"");
            return Err(Fault::validation(text));
        }
    }
    if given && empty {
        return Err(Fault::validation(format!("{parameter} must not be empty")));
    }
    Ok(())
}
