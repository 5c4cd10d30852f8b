//! Reads `Retry` and `Catch`.

use serde_json::Value;

use super::fields::Fields;
use super::jsonata::CAUGHT;
use super::{Compiler, Targets};
use crate::machine::{Catcher, Language, Placement, Retrier};

impl Compiler {
    pub(super) fn retriers(&mut self, fields: &Fields<'_>) -> Vec<Retrier> {
        self.handlers(fields, "Retry", |compiler, fields, errors| Some(compiler.retrier(fields, errors)))
    }

    pub(super) fn catchers(&mut self, fields: &Fields<'_>, targets: &Targets<'_>) -> Vec<Catcher> {
        self.handlers(fields, "Catch", |compiler, fields, errors| compiler.catcher(fields, errors, targets))
    }

    /// A list of retriers or catchers with what they have in common: `ErrorEquals`.
    fn handlers<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        read: impl Fn(&mut Self, &Fields<'_>, Vec<String>) -> Option<T>,
    ) -> Vec<T> {
        let list = fields.array(self, name).map_or(&[][..], Vec::as_slice);
        let mut handlers = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let location = format!("{}[{index}]", fields.at(name));
            let Some(fields) = Fields::new(self, value, &location) else { continue };
            let errors = self.error_equals(&fields, index + 1 == list.len());
            handlers.extend(read(self, &fields, errors));
        }
        handlers
    }

    fn error_equals(&mut self, fields: &Fields<'_>, last: bool) -> Vec<String> {
        fields.require(self, &["ErrorEquals"]);
        let location = fields.at("ErrorEquals");
        let Some(list) = fields.array(self, "ErrorEquals") else { return Vec::new() };
        if list.is_empty() {
            self.invalid("ErrorEquals must hold at least one error name", &location);
        }
        if !list.iter().all(Value::is_string) {
            self.invalid("Expected value of type String", &location);
        }
        let errors: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if errors.iter().any(|error| error == "States.ALL") && (errors.len() > 1 || !last) {
            self.invalid("States.ALL must stand alone in ErrorEquals, in the last of the list", &location);
        }
        errors
    }

    fn retrier(&mut self, fields: &Fields<'_>, errors: Vec<String>) -> Retrier {
        fields.allow(
            self,
            &[
                "ErrorEquals",
                "IntervalSeconds",
                "MaxAttempts",
                "BackoffRate",
                "MaxDelaySeconds",
                "JitterStrategy",
                "Comment",
            ],
        );
        let interval_seconds = fields.integer(self, "IntervalSeconds", 1, 99_999_999).unwrap_or(1);
        let max_attempts = fields.integer(self, "MaxAttempts", 0, 99_999_999).unwrap_or(3);
        let max_delay_seconds = fields.integer(self, "MaxDelaySeconds", 1, 31_622_400);
        if max_delay_seconds.is_some_and(|delay| delay <= interval_seconds) {
            self.invalid(
                "MaxDelaySeconds must be greater than IntervalSeconds",
                &fields.at("MaxDelaySeconds"),
            );
        }
        let backoff_rate = match fields.get("BackoffRate") {
            None => 2.0,
            Some(value) => value.as_f64().unwrap_or_else(|| {
                self.invalid("Expected value of type Double", &fields.at("BackoffRate"));
                1.0
            }),
        };
        if backoff_rate < 1.0 {
            self.invalid("Minimum value is 1.0", &fields.at("BackoffRate"));
        }
        let jitter = fields.text(self, "JitterStrategy");
        if jitter.is_some_and(|strategy| strategy != "FULL" && strategy != "NONE") {
            self.invalid("Value is not one of: [FULL, NONE]", &fields.at("JitterStrategy"));
        }
        Retrier {
            errors,
            interval_seconds,
            max_attempts: u32::try_from(max_attempts).unwrap_or_default(),
            backoff_rate,
            max_delay_seconds,
            jitter: jitter == Some("FULL"),
        }
    }

    fn catcher(
        &mut self,
        fields: &Fields<'_>,
        errors: Vec<String>,
        targets: &Targets<'_>,
    ) -> Option<Catcher> {
        let common = ["ErrorEquals", "Next", "Comment", "Assign"];
        let own = if self.language == Language::JsonPath { ["ResultPath"] } else { ["Output"] };
        let other = if self.language == Language::JsonPath { ["Output"] } else { ["ResultPath"] };
        fields.allow_in(self, &[&common[..], &own].concat(), &other);
        fields.require(self, &["Next"]);
        let (result, output) = match self.language {
            Language::JsonPath => (fields.placement(self, "ResultPath"), None),
            Language::Jsonata => (Placement::Replace, self.query_template(fields, "Output", CAUGHT)),
        };
        let assign = self.assign(fields, CAUGHT);
        let next = fields.text(self, "Next")?;
        let next = self.target(next, targets, &fields.at("Next")).unwrap_or(u32::MAX);
        Some(Catcher { errors, result, assign, output, next })
    }
}
