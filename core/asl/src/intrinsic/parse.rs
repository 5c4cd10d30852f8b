//! Reads intrinsic function calls.

use serde_json::{Number, Value};

use super::{Argument, Call, Function};
use crate::jsonpath::{Path, PathError};

/// Calls within calls: AWS's limit.
const DEPTH_MAX: usize = 10;

pub(super) fn call(text: &str) -> Result<Call, PathError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let call = parser.call()?;
    if parser.at < text.len() {
        return parser.fail("unexpected character");
    }
    Ok(call)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn fail<T>(&self, message: &'static str) -> Result<T, PathError> {
        Err(PathError { at: self.at, message })
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn call(&mut self) -> Result<Call, PathError> {
        let start = self.at;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail("calls too deeply nested");
        }
        if !self.eat("States.") {
            return self.fail("a call starts with 'States.'");
        }
        let name = &self.rest()[..self.rest().find('(').unwrap_or(0)];
        let Some(function) = Function::named(name) else {
            return self.fail("unknown intrinsic function");
        };
        self.at += name.len() + 1;
        let arguments = self.arguments()?;
        if !function.arguments().contains(&arguments.len()) {
            return self.fail("wrong number of arguments");
        }
        self.depth -= 1;
        Ok(Call { text: self.text[start..self.at].to_owned(), function, arguments })
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, PathError> {
        let mut arguments = Vec::new();
        self.blanks();
        if self.eat(")") {
            return Ok(arguments);
        }
        loop {
            self.blanks();
            arguments.push(self.argument()?);
            self.blanks();
            if self.eat(")") {
                return Ok(arguments);
            }
            if !self.eat(",") {
                return self.fail("expected ',' or ')'");
            }
        }
    }

    fn argument(&mut self) -> Result<Argument, PathError> {
        if self.rest().starts_with("States.") {
            return Ok(Argument::Call(self.call()?));
        }
        if self.rest().starts_with('$') {
            let (path, length) = Path::parse_prefix(self.rest())
                .map_err(|error| PathError { at: self.at + error.at, message: error.message })?;
            self.at += length;
            return Ok(Argument::Path(path));
        }
        if self.eat("'") {
            return self.quoted();
        }
        let rest = self.rest();
        let length = rest.find([',', ')']).unwrap_or(rest.len());
        let value = match self.rest()[..length].trim_end() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number => match number.parse::<Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => return self.fail("expected a path, a text in single quotes, a number or a call"),
            },
        };
        self.at += length;
        Ok(Argument::Value(value))
    }

    fn quoted(&mut self) -> Result<Argument, PathError> {
        let start = self.at;
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices() {
            if c == '\'' && !escaped {
                self.at = start + offset + 1;
                return Ok(Argument::Text(self.text[start..start + offset].to_owned()));
            }
            escaped = c == '\\' && !escaped;
        }
        self.fail("a text does not end")
    }
}
