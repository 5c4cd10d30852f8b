//! Reads states, type by type.

use serde_json::Value;

use super::fields::Fields;
use super::template::looks_dynamic;
use super::{Compiler, Targets};
use crate::diagnostic::Code;
use crate::intrinsic::Function;
use crate::machine::{DataFlow, FailText, Flow, Kind, MapState, Next, Quantity, State, Task, WaitTime};
use crate::resource::{BadResource, Resource};
use crate::template::Expression;

const TYPES: [&str; 8] = ["Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait"];

/// Members that every state may have.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage"];
const PATHS: &[&str] = &["InputPath", "OutputPath"];
const TRANSITION: &[&str] = &["Next", "End"];
const RESULT: &[&str] = &["Parameters", "ResultPath"];
const WORK: &[&str] = &["ResultSelector", "Retry", "Catch"];

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

/// The members of a type, group by group.
fn allowed(kind: &str) -> Vec<&'static str> {
    let groups: &[&[&str]] = match kind {
        "Pass" => &[COMMON, PATHS, TRANSITION, RESULT, &["Result"]],
        "Task" => &[
            COMMON,
            PATHS,
            TRANSITION,
            RESULT,
            WORK,
            &["Resource", "Credentials"],
            &["TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"],
        ],
        "Choice" => &[COMMON, PATHS, &["Choices", "Default"]],
        "Wait" => &[COMMON, PATHS, TRANSITION, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]],
        "Succeed" => &[COMMON, PATHS],
        "Fail" => &[COMMON, &["Error", "ErrorPath", "Cause", "CausePath"]],
        "Parallel" => &[COMMON, PATHS, TRANSITION, RESULT, WORK, &["Branches"]],
        _ => &[
            COMMON,
            PATHS,
            TRANSITION,
            RESULT,
            WORK,
            &[
                "ItemProcessor",
                "Iterator",
                "ItemsPath",
                "ItemSelector",
                "MaxConcurrency",
                "MaxConcurrencyPath",
            ],
        ],
    };
    groups.concat()
}

impl Compiler {
    pub(super) fn state(
        &mut self,
        name: &str,
        value: &Value,
        flow: &str,
        targets: &Targets<'_>,
    ) -> Option<State> {
        let location = format!("{flow}/States/{name}");
        let fields = Fields::new(self, value, &location)?;
        if !fields.require(self, &["Type"]) {
            return None;
        }
        let kind = fields.text(self, "Type")?;
        if !TYPES.contains(&kind) {
            self.invalid(format!("Value is not one of: [{}]", TYPES.join(", ")), &fields.at("Type"));
            return None;
        }
        fields.allow(self, &allowed(kind));
        fields.query_language(self);
        fields.text(self, "Comment");
        let next = if allowed(kind).contains(&"Next") { self.next(&fields, targets) } else { Next::End };
        let mut data = self.data(&fields);
        let retry = self.retriers(&fields);
        let catch = self.catchers(&fields, targets);
        let kind = match kind {
            "Pass" => self.pass(&fields),
            "Task" => self.task(&fields)?,
            "Choice" => self.choice(&fields, targets)?,
            "Wait" => self.wait(&fields)?,
            "Succeed" => Kind::Succeed,
            "Fail" => self.fail(&fields),
            "Parallel" => self.parallel(&fields)?,
            _ => {
                fields.one_of(self, &["ItemSelector", "Parameters"]);
                data.parameters = data.parameters.or_else(|| self.template(&fields, "ItemSelector"));
                self.map(&fields)?
            }
        };
        Some(State { name: name.into(), kind, data, next, retry, catch, location })
    }

    fn next(&mut self, fields: &Fields<'_>, targets: &Targets<'_>) -> Next {
        if !fields.one_of(self, TRANSITION) {
            self.invalid("One of the following fields is required: [Next, End]", &fields.location);
        }
        if fields.boolean(self, "End") == Some(false) && !fields.has("Next") {
            self.invalid("One of the following fields is required: [Next, End]", &fields.location);
        }
        match fields.text(self, "Next") {
            Some(name) => {
                self.target(name, targets, &fields.at("Next")).map_or(Next::State(u32::MAX), Next::State)
            }
            None => Next::End,
        }
    }

    fn data(&mut self, fields: &Fields<'_>) -> DataFlow {
        DataFlow {
            input: fields.selection(self, "InputPath"),
            parameters: self.template(fields, "Parameters"),
            selector: self.template(fields, "ResultSelector"),
            result: fields.placement(self, "ResultPath"),
            output: fields.selection(self, "OutputPath"),
        }
    }

    fn pass(&mut self, fields: &Fields<'_>) -> Kind {
        let result = fields.get("Result");
        if result.is_some_and(holds_expression) {
            let message = "The Result of a Pass state is static: paths and functions in it are not evaluated";
            self.report(Code::PassResultIsStatic, message, &fields.at("Result"));
        }
        Kind::Pass { result: result.cloned() }
    }

    fn task(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        fields.require(self, &["Resource"]);
        let timeout = fields.quantity(self, "TimeoutSeconds", 1, 99_999_999);
        let heartbeat = fields.quantity(self, "HeartbeatSeconds", 1, 99_999_999);
        if let (Some(Quantity::Fixed(timeout)), Some(Quantity::Fixed(heartbeat))) = (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            self.invalid("HeartbeatSeconds must be less than TimeoutSeconds", &fields.at("HeartbeatSeconds"));
        }
        if let Some(Value::Object(credentials)) = fields.get("Credentials") {
            if !(credentials.contains_key("RoleArn") || credentials.contains_key("RoleArn.$")) {
                self.invalid("These fields are required: [RoleArn]", &fields.at("Credentials"));
            }
        } else {
            fields.object(self, "Credentials");
        }
        let credentials = self.template(fields, "Credentials");
        let arn = fields.text(self, "Resource")?;
        let message = match Resource::parse(arn) {
            Ok(resource) => {
                return Some(Kind::Task(Box::new(Task { resource, timeout, heartbeat, credentials })));
            }
            Err(BadResource::Shape) => "Value is not a valid resource ARN".to_owned(),
            Err(BadResource::Unknown) => format!(
                "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the resource \
                 is not available in this region."
            ),
        };
        self.invalid(message, &fields.at("Resource"));
        None
    }

    fn choice(&mut self, fields: &Fields<'_>, targets: &Targets<'_>) -> Option<Kind> {
        fields.require(self, &["Choices"]);
        let default = fields.text(self, "Default");
        let default =
            default.map(|name| self.target(name, targets, &fields.at("Default")).unwrap_or(u32::MAX));
        let rules = self.choices(fields, targets)?;
        Some(Kind::Choice { rules, default })
    }

    fn wait(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        if !fields.one_of(self, &names) {
            let message = format!("One of the following fields is required: [{}]", names.join(", "));
            self.invalid(message, &fields.location);
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

    fn fail(&mut self, fields: &Fields<'_>) -> Kind {
        let error = self.fail_text(fields, "Error", "ErrorPath");
        let cause = self.fail_text(fields, "Cause", "CausePath");
        Kind::Fail { error, cause }
    }

    fn fail_text(&mut self, fields: &Fields<'_>, name: &str, path_name: &str) -> FailText {
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
        match self.expression(text) {
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

    fn parallel(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        fields.require(self, &["Branches"]);
        let list = fields.array(self, "Branches")?;
        if list.is_empty() {
            self.invalid("Branches must hold at least one branch", &fields.at("Branches"));
        }
        let mut branches = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let location = format!("{}[{index}]", fields.at("Branches"));
            if let Some(branch) = Fields::new(self, value, &location) {
                branch.allow(self, &["StartAt", "States", "Comment"]);
                branches.extend(self.flow(value, &location));
            }
        }
        (branches.len() == list.len()).then_some(Kind::Parallel { branches })
    }

    fn map(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        let max_concurrency = fields.quantity(self, "MaxConcurrency", 0, 99_999_999);
        let items = fields.path(self, "ItemsPath");
        let processor = self.processor(fields)?;
        let max_concurrency = max_concurrency.unwrap_or(Quantity::Fixed(0));
        Some(Kind::Map(Box::new(MapState { items, processor, max_concurrency })))
    }

    /// `ItemProcessor`, or `Iterator` as it was called.
    fn processor(&mut self, fields: &Fields<'_>) -> Option<Flow> {
        if !fields.one_of(self, &["ItemProcessor", "Iterator"]) {
            self.invalid("These fields are required: [ItemProcessor]", &fields.location);
        }
        let name = if fields.has("ItemProcessor") { "ItemProcessor" } else { "Iterator" };
        let value = fields.get(name)?;
        let location = fields.at(name);
        let processor = Fields::new(self, value, &location)?;
        let own: &[&str] = if name == "Iterator" { &[] } else { &["ProcessorConfig"] };
        processor.allow(self, &[&["StartAt", "States", "Comment"], own].concat());
        if let Some(config) = processor.get("ProcessorConfig") {
            let config = Fields::new(self, config, &processor.at("ProcessorConfig"))?;
            config.allow(self, &["Mode", "ExecutionType"]);
            match config.text(self, "Mode") {
                None | Some("INLINE") => {}
                Some("DISTRIBUTED") => {
                    let message =
                        "Mode 'DISTRIBUTED' is not implemented: only 'INLINE' maps are available yet";
                    self.invalid(message, &config.at("Mode"));
                }
                Some(_) => self.invalid("Value is not one of: [INLINE, DISTRIBUTED]", &config.at("Mode")),
            }
        }
        self.flow(value, &location)
    }
}

/// Does a static result hold something that looks as if it should be evaluated?
fn holds_expression(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, member)| name.ends_with(".$") || holds_expression(member))
        }
        Value::Array(items) => items.iter().any(holds_expression),
        Value::String(text) => looks_dynamic(text),
        _ => false,
    }
}
