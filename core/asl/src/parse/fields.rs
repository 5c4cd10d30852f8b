//! The members of one object of a definition, read by type.

use serde_json::{Map, Value};

use super::Compiler;
use crate::jsonpath::{Path, Root};
use crate::machine::{Language, Placement, Quantity, Selection};

/// One object with its place.
pub(super) struct Fields<'v> {
    object: &'v Map<String, Value>,
    pub(super) location: String,
}

impl<'v> Fields<'v> {
    pub(super) fn new(compiler: &mut Compiler, value: &'v Value, location: &str) -> Option<Self> {
        let object = value.as_object();
        if object.is_none() {
            compiler.invalid("Expected value of type Object", location);
        }
        Some(Self { object: object?, location: location.to_owned() })
    }

    /// The place of a member.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.location)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.object.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        self.object.keys().map(String::as_str)
    }

    /// Refuses members that are not in the list.
    pub(super) fn allow(&self, compiler: &mut Compiler, allowed: &[&str]) {
        self.allow_in(compiler, allowed, &[]);
    }

    /// Refuses members that are not in the first list, naming the language of those in the second.
    pub(super) fn allow_in(&self, compiler: &mut Compiler, allowed: &[&str], elsewhere: &[&str]) {
        let (own, other) = match compiler.language {
            Language::JsonPath => ("JSONPath", "JSONata"),
            Language::Jsonata => ("JSONata", "JSONPath"),
        };
        for name in self.names().filter(|name| !allowed.contains(name)) {
            let message = if elsewhere.contains(&name) {
                format!(
                    "The QueryLanguage is set to '{own}', but field '{name}' is only supported for the '{other}' \
                     QueryLanguage"
                )
            } else {
                format!("Field '{name}' is not supported")
            };
            compiler.invalid(message, &self.location);
        }
    }

    /// Asks for members that must be there.
    pub(super) fn require(&self, compiler: &mut Compiler, names: &[&str]) -> bool {
        let missing: Vec<&str> = names.iter().filter(|name| !self.has(name)).copied().collect();
        if !missing.is_empty() {
            compiler.invalid(format!("These fields are required: [{}]", missing.join(", ")), &self.location);
        }
        missing.is_empty()
    }

    /// Asks for at most one of several members; says whether there is one.
    pub(super) fn one_of(&self, compiler: &mut Compiler, names: &[&str]) -> bool {
        let given: Vec<&str> = names.iter().filter(|name| self.has(name)).copied().collect();
        if given.len() > 1 {
            let message = format!("There should only be one of the following fields: [{}]", given.join(", "));
            compiler.invalid(message, &self.location);
        }
        !given.is_empty()
    }

    /// `QueryLanguage`; what is no language is JSONata to AWS, besides being refused.
    pub(super) fn query_language(&self, compiler: &mut Compiler) -> Option<Language> {
        match self.get("QueryLanguage")? {
            Value::String(name) if name == "JSONPath" => return Some(Language::JsonPath),
            Value::String(name) if name == "JSONata" => {}
            Value::String(_) => {
                let message = "Value should be one of the following: [JSONPath, JSONata]";
                compiler.invalid(message, &self.at("QueryLanguage"));
            }
            _ => compiler.invalid("Expected value of type [STRING]", &self.at("QueryLanguage")),
        }
        Some(Language::Jsonata)
    }

    pub(super) fn text(&self, compiler: &mut Compiler, name: &str) -> Option<&'v str> {
        let value = self.get(name)?;
        if !value.is_string() {
            compiler.invalid("Expected value of type String", &self.at(name));
        }
        value.as_str()
    }

    pub(super) fn boolean(&self, compiler: &mut Compiler, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        if !value.is_boolean() {
            compiler.invalid("Expected value of type Boolean", &self.at(name));
        }
        value.as_bool()
    }

    pub(super) fn array(&self, compiler: &mut Compiler, name: &str) -> Option<&'v Vec<Value>> {
        let value = self.get(name)?;
        if !value.is_array() {
            compiler.invalid("Expected value of type Array", &self.at(name));
        }
        value.as_array()
    }

    pub(super) fn object(&self, compiler: &mut Compiler, name: &str) -> Option<&'v Map<String, Value>> {
        let value = self.get(name)?;
        if !value.is_object() {
            compiler.invalid("Expected value of type Object", &self.at(name));
        }
        value.as_object()
    }

    pub(super) fn integer(&self, compiler: &mut Compiler, name: &str, least: i64, most: i64) -> Option<i64> {
        let Some(number) = self.get(name)?.as_i64() else {
            compiler.invalid("Expected value of type Integer", &self.at(name));
            return None;
        };
        if number < least {
            compiler.invalid(format!("Minimum value is {least}"), &self.at(name));
        } else if number > most {
            compiler.invalid(format!("Maximum value is {most}"), &self.at(name));
        }
        Some(number)
    }

    /// Any path into the input or the context object.
    pub(super) fn path(&self, compiler: &mut Compiler, name: &str) -> Option<Path> {
        let text = self.text(compiler, name)?;
        match Path::parse(text) {
            Ok(path) => {
                compiler.note(&path, &self.at(name));
                Some(path)
            }
            Err(_) => {
                compiler.invalid("Value is not a valid JSONPath", &self.at(name));
                None
            }
        }
    }

    /// A path that names one place in the input or in a variable.
    pub(super) fn reference(&self, compiler: &mut Compiler, name: &str) -> Option<Path> {
        let path = self.path(compiler, name)?;
        if !path.is_singular() || path.root() == Root::Context {
            compiler.invalid("Value is not a Reference Path", &self.at(name));
        }
        Some(path)
    }

    /// `InputPath`, `OutputPath`.
    pub(super) fn selection(&self, compiler: &mut Compiler, name: &str) -> Selection {
        if self.get(name).is_some_and(Value::is_null) {
            return Selection::Nothing;
        }
        match self.path(compiler, name) {
            Some(path) if !(path.is_root() && path.root() == Root::Input) => Selection::Path(path),
            _ => Selection::Everything,
        }
    }

    /// `ResultPath`.
    pub(super) fn placement(&self, compiler: &mut Compiler, name: &str) -> Placement {
        if self.get(name).is_some_and(Value::is_null) {
            return Placement::Discard;
        }
        let path = self.path(compiler, name);
        if path.as_ref().is_some_and(|path| !path.is_reference()) {
            compiler.invalid("Value is not a Reference Path", &self.at(name));
        }
        match path {
            Some(path) if !path.is_root() => Placement::Path(path),
            _ => Placement::Replace,
        }
    }

    /// A number, or the path to one under the same name with `Path` at its end; in JSONata, an expression.
    pub(super) fn quantity(
        &self,
        compiler: &mut Compiler,
        name: &str,
        least: i64,
        most: i64,
    ) -> Option<Quantity> {
        if compiler.language == Language::Jsonata {
            return compiler.query_quantity(self, name, least, most);
        }
        let path_name = format!("{name}Path");
        self.one_of(compiler, &[name, &path_name]);
        if let Some(number) = self.integer(compiler, name, least, most) {
            return Some(Quantity::Fixed(number));
        }
        self.reference(compiler, &path_name).map(Quantity::Path)
    }

    /// One of several words.
    pub(super) fn word(
        &self,
        compiler: &mut Compiler,
        name: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(compiler, name)?;
        let word = words.iter().copied().find(|word| *word == text);
        if word.is_none() {
            compiler.invalid(format!("Value is not one of: [{}]", words.join(", ")), &self.at(name));
        }
        word
    }
}
