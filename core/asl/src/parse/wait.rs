//! Reads Wait and Fail states.

use super::Compiler;
use super::fields::Fields;
use super::template::looks_dynamic;
use crate::diagnostic::Code;
use crate::intrinsic::Function;
use crate::machine::{FailText, Kind, Language, Quantity, WaitTime};
use crate::template::Expression;

/// The functions that `ErrorPath` and `CausePath` may call: those that give a string.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html>
const TEXT_FUNCTIONS: [Function; 7] = [
    Function::Format,
    Function::JsonToString,
    Function::ArrayGetItem,
    Function::Base64Encode,
    Function::Base64Decode,
    Function::Hash,
    Function::UUID,
];

impl Compiler {
    pub(super) fn wait(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        let all = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let names = match self.language {
            Language::JsonPath => &all[..],
            Language::Jsonata => &["Seconds", "Timestamp"],
        };
        if !fields.one_of(self, names) {
            let message = format!("One of the following fields is required: [{}]", names.join(", "));
            self.invalid(message, &fields.location);
        }
        if self.language == Language::Jsonata {
            if fields.has("Seconds") {
                let seconds = self.query_quantity(fields, "Seconds", 0, 99_999_999);
                return seconds.map(|seconds| Kind::Wait(WaitTime::Seconds(seconds)));
            }
            if let (query, true) = self.query(fields, "Timestamp") {
                return query.map(|query| Kind::Wait(WaitTime::TimestampQuery(query)));
            }
        }
        if let Some(seconds) = fields.integer(self, "Seconds", 0, 99_999_999) {
            return Some(Kind::Wait(WaitTime::Seconds(Quantity::Fixed(seconds))));
        }
        if let Some(path) = fields.reference(self, "SecondsPath") {
            return Some(Kind::Wait(WaitTime::Seconds(Quantity::Path(path))));
        }
        if let Some(path) = fields.reference(self, "TimestampPath") {
            return Some(Kind::Wait(WaitTime::TimestampPath(path)));
        }
        let time = crate::timestamp::parse(fields.text(self, "Timestamp")?);
        if time.is_none() {
            self.invalid("Value is not a valid ISO-8601 timestamp", &fields.at("Timestamp"));
        }
        time.map(|ms| Kind::Wait(WaitTime::Timestamp(ms)))
    }

    pub(super) fn fail(&mut self, fields: &Fields<'_>) -> Kind {
        let error = self.fail_text(fields, "Error", "ErrorPath");
        let cause = self.fail_text(fields, "Cause", "CausePath");
        Kind::Fail { error, cause }
    }

    fn fail_text(&mut self, fields: &Fields<'_>, name: &str, path_name: &str) -> FailText {
        if self.language == Language::Jsonata {
            return match self.query(fields, name) {
                (Some(query), _) => FailText::Computed(Expression::Jsonata(query.jsonata)),
                (None, true) => FailText::None,
                (None, false) => {
                    fields.text(self, name).map_or(FailText::None, |text| FailText::Fixed(text.to_owned()))
                }
            };
        }
        fields.one_of(self, &[name, path_name]);
        if let Some(text) = fields.text(self, name) {
            if looks_dynamic(text) {
                let message = format!(
                    "The value of the field '{name}' looks like a path; '{path_name}' would evaluate it"
                );
                self.report(Code::NoPath, message, &fields.at(name));
            }
            return FailText::Fixed(text.to_owned());
        }
        let Some(text) = fields.text(self, path_name) else { return FailText::None };
        match self.expression(text, &fields.at(path_name)) {
            Some(Expression::Path(path)) if !path.is_definite() => {
                self.invalid("Value is not a Reference Path", &fields.at(path_name));
                FailText::None
            }
            Some(Expression::Call(call)) if !TEXT_FUNCTIONS.contains(&call.function) => {
                let message = format!("The function States.{} is not supported here", call.function.name());
                self.invalid(message, &fields.at(path_name));
                FailText::None
            }
            Some(expression) => FailText::Computed(expression),
            None => {
                let message = format!(
                    "The value for the field '{path_name}' must be a valid JSONPath or a valid intrinsic function call"
                );
                self.invalid(message, &fields.at(path_name));
                FailText::None
            }
        }
    }
}
