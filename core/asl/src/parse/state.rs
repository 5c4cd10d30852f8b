//! Reads states, type by type.

use serde_json::Value;

use super::fields::Fields;
use super::jsonata::{AFTER, BEFORE};
use super::template::looks_dynamic;
use super::{Compiler, Targets};
use crate::diagnostic::Code;
use crate::machine::{DataFlow, Kind, Language, Next, Quantity, State, Task};
use crate::resource::{BadResource, Resource};

const TYPES: [&str; 8] = ["Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait"];

/// Members that every state may have.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage"];
const PATHS: &[&str] = &["InputPath", "OutputPath"];
const OUTPUT: &[&str] = &["Output"];
const ASSIGN: &[&str] = &["Assign"];
const TRANSITION: &[&str] = &["Next", "End"];
const RESULT: &[&str] = &["Parameters", "ResultPath"];
const SELECTOR: &[&str] = &["ResultSelector"];
const ARGUMENTS: &[&str] = &["Arguments"];
const ERRORS: &[&str] = &["Retry", "Catch"];
const TASK: &[&str] = &["Resource", "Credentials", "TimeoutSeconds", "HeartbeatSeconds"];
const MAP: &[&str] = &[
    "ItemProcessor",
    "Iterator",
    "ItemSelector",
    "MaxConcurrency",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
];
const MAP_PATHS: &[&str] =
    &["ItemsPath", "MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"];

/// The members of a type in a language, group by group.
fn allowed(kind: &str, language: Language) -> Vec<&'static str> {
    let groups: &[&[&str]] = match (kind, language) {
        ("Pass", Language::JsonPath) => &[COMMON, PATHS, TRANSITION, RESULT, ASSIGN, &["Result"]],
        ("Pass", Language::Jsonata) => &[COMMON, OUTPUT, TRANSITION, ASSIGN],
        ("Task", Language::JsonPath) => &[
            COMMON,
            PATHS,
            TRANSITION,
            RESULT,
            SELECTOR,
            ERRORS,
            ASSIGN,
            TASK,
            &["TimeoutSecondsPath", "HeartbeatSecondsPath"],
        ],
        ("Task", Language::Jsonata) => &[COMMON, OUTPUT, TRANSITION, ARGUMENTS, ERRORS, ASSIGN, TASK],
        ("Choice", Language::JsonPath) => &[COMMON, PATHS, ASSIGN, &["Choices", "Default"]],
        ("Choice", Language::Jsonata) => &[COMMON, OUTPUT, ASSIGN, &["Choices", "Default"]],
        ("Wait", Language::JsonPath) => {
            &[COMMON, PATHS, TRANSITION, ASSIGN, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]]
        }
        ("Wait", Language::Jsonata) => &[COMMON, OUTPUT, TRANSITION, ASSIGN, &["Seconds", "Timestamp"]],
        ("Succeed", Language::JsonPath) => &[COMMON, PATHS],
        ("Succeed", Language::Jsonata) => &[COMMON, OUTPUT],
        ("Fail", Language::JsonPath) => &[COMMON, &["Error", "ErrorPath", "Cause", "CausePath"]],
        ("Fail", Language::Jsonata) => &[COMMON, &["Error", "Cause"]],
        ("Parallel", Language::JsonPath) => {
            &[COMMON, PATHS, TRANSITION, RESULT, SELECTOR, ERRORS, ASSIGN, &["Branches"]]
        }
        ("Parallel", Language::Jsonata) => {
            &[COMMON, OUTPUT, TRANSITION, ARGUMENTS, ERRORS, ASSIGN, &["Branches"]]
        }
        (_, Language::JsonPath) => {
            &[COMMON, PATHS, TRANSITION, RESULT, SELECTOR, ERRORS, ASSIGN, MAP, MAP_PATHS]
        }
        (_, Language::Jsonata) => &[COMMON, OUTPUT, TRANSITION, ERRORS, ASSIGN, MAP, &["Items"]],
    };
    groups.concat()
}

impl Compiler {
    /// A state. What is known of the state around it is kept meanwhile.
    pub(super) fn state(
        &mut self,
        name: &str,
        value: &Value,
        flow: &str,
        targets: &Targets<'_>,
    ) -> Option<State> {
        let location = format!("{flow}/States/{name}");
        let fields = Fields::new(self, value, &location)?;
        let language = value.as_object().map_or(self.machine_language, |object| self.language_of(object));
        let around = (
            std::mem::replace(&mut self.language, language),
            std::mem::replace(&mut self.state_location, location.clone()),
            std::mem::take(&mut self.reads),
        );
        let kind = self.kind(&fields);
        let state = kind.and_then(|kind| self.typed(name, kind, &fields, targets));
        if !self.reads.is_empty() {
            let reads = std::mem::take(&mut self.reads).into_iter().collect();
            self.variable_references.insert(name.to_owned(), reads);
        }
        (self.language, self.state_location, self.reads) = around;
        state
    }

    /// `Type`, if the state may be read further.
    fn kind<'v>(&mut self, fields: &Fields<'v>) -> Option<&'v str> {
        if !fields.require(self, &["Type"]) {
            return None;
        }
        let kind = fields.text(self, "Type")?;
        if !TYPES.contains(&kind) {
            self.invalid(format!("Value is not one of: [{}]", TYPES.join(", ")), &fields.at("Type"));
            return None;
        }
        let given = fields.query_language(self);
        if given == Some(Language::JsonPath) && self.machine_language == Language::Jsonata {
            let message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
            self.invalid(message, &fields.location);
            return None;
        }
        Some(kind)
    }

    fn typed(&mut self, name: &str, kind: &str, fields: &Fields<'_>, targets: &Targets<'_>) -> Option<State> {
        let language = self.language;
        let other = if language == Language::JsonPath { Language::Jsonata } else { Language::JsonPath };
        let own = allowed(kind, language);
        fields.allow_in(self, &own, &allowed(kind, other));
        fields.text(self, "Comment");
        let next = if own.contains(&"Next") { self.next(fields, targets) } else { Next::End };
        let mut data = self.data(fields, kind);
        let place = if matches!(kind, "Task" | "Parallel" | "Map") { AFTER } else { BEFORE };
        let assign = if own.contains(&"Assign") { self.assign(fields, place) } else { None };
        let retry = self.retriers(fields);
        let catch = self.catchers(fields, targets);
        let kind = match kind {
            "Pass" => self.pass(fields),
            "Task" => self.task(fields)?,
            "Choice" => self.choice(fields, targets)?,
            "Wait" => self.wait(fields)?,
            "Succeed" => Kind::Succeed,
            "Fail" => self.fail(fields),
            "Parallel" => self.parallel(fields)?,
            _ => {
                fields.one_of(self, &["ItemSelector", "Parameters"]);
                if fields.has("ItemSelector") {
                    data.parameters = self.either(fields, "ItemSelector");
                }
                self.map(fields)?
            }
        };
        let location = fields.location.clone();
        Some(State { name: name.into(), language, kind, data, assign, next, retry, catch, location })
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

    fn data(&mut self, fields: &Fields<'_>, kind: &str) -> DataFlow {
        if self.language == Language::Jsonata {
            let place = if matches!(kind, "Task" | "Parallel" | "Map") { AFTER } else { BEFORE };
            return DataFlow {
                parameters: self.arguments(fields),
                query_output: self.query_template(fields, "Output", place),
                ..DataFlow::default()
            };
        }
        DataFlow {
            input: fields.selection(self, "InputPath"),
            parameters: self.arguments(fields),
            selector: self.template(fields, "ResultSelector"),
            result: fields.placement(self, "ResultPath"),
            output: fields.selection(self, "OutputPath"),
            query_output: None,
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
        let credentials = self.either(fields, "Credentials");
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
                branches.extend(self.flow(value, &location, false));
            }
        }
        (branches.len() == list.len()).then_some(Kind::Parallel { branches })
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
