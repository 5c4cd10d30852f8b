//! How an execution went, state by state: every visit of a state, put together from the events of its history.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::html::Tone;

/// An event of an execution, from its history or from its log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its number.
    pub id: i64,
    /// The number of the one that led to it; 0 for the first ones.
    pub previous: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened, as AWS names it.
    pub kind: String,
    /// What is said of it: the one member of details that it has.
    pub details: Value,
}

/// How a visit ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Went {
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed, and a catcher took over.
    Caught,
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It was ended from outside.
    Aborted,
}

impl Went {
    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Went::Running => "running",
            Went::Succeeded => "succeeded",
            Went::Caught => "caught error",
            Went::Failed => "failed",
            Went::TimedOut => "timed out",
            Went::Aborted => "aborted",
        }
    }

    /// In a colour.
    pub(crate) const fn tone(self) -> Tone {
        match self {
            Went::Running => Tone::Busy,
            Went::Succeeded => Tone::Good,
            Went::Caught | Went::Aborted => Tone::Warn,
            Went::Failed | Went::TimedOut => Tone::Bad,
        }
    }
}

/// Variables and their values as JSON texts.
pub(crate) type Variables = BTreeMap<String, String>;

/// A state that was entered.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The state's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The visit of the Parallel or Map state around it.
    pub parent: Option<usize>,
    /// The item of the Map state around it.
    pub iteration: Option<i64>,
    /// The visit that led to it on the same level.
    pub from: Option<usize>,
    /// How it went.
    pub went: Went,
    /// When it was entered.
    pub entered: Timestamp,
    /// When it was left.
    pub exited: Option<Timestamp>,
    /// What came in, as JSON text.
    pub input: Option<String>,
    /// What went out, as JSON text.
    pub output: Option<String>,
    /// The variables that it could see.
    pub variables: Arc<Variables>,
    /// Those that it assigned.
    pub assigned: Variables,
    /// How often its work began.
    pub attempts: u32,
    /// What it called.
    pub resource: Option<String>,
    /// The map run that it began.
    pub map_run: Option<String>,
    /// What went wrong last.
    pub error: Option<String>,
    /// Why.
    pub cause: Option<String>,
    /// The numbers of its events.
    pub events: Vec<i64>,
}

impl Visit {
    /// How often it was tried again.
    pub(crate) fn retries(&self) -> u32 {
        self.attempts.saturating_sub(1)
    }

    fn is_open(&self) -> bool {
        self.went == Went::Running
    }
}

/// What the details of events say; each kind has a few of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    name: Option<String>,
    input: Option<String>,
    output: Option<String>,
    error: Option<String>,
    cause: Option<String>,
    resource: Option<String>,
    resource_type: Option<String>,
    map_run_arn: Option<String>,
    index: Option<i64>,
    assigned_variables: Option<Variables>,
}

/// Where an event happened.
#[derive(Clone, Default)]
struct Place {
    visit: Option<usize>,
    iteration: Option<i64>,
    from: Option<usize>,
    variables: Arc<Variables>,
}

/// The visits, in the order in which they began, and for each event the state in which it happened.
pub(crate) fn visits(events: &[Event]) -> (Vec<Visit>, HashMap<i64, usize>) {
    let mut walk = Walk::default();
    for event in events {
        walk.take(event);
    }
    let steps = walk.places.into_iter().filter_map(|(id, place)| Some((id, place.1?))).collect();
    (walk.visits, steps)
}

#[derive(Default)]
struct Walk {
    visits: Vec<Visit>,
    /// Behind each event: the place, and the visit that the event belongs to.
    places: HashMap<i64, (Place, Option<usize>)>,
}

impl Walk {
    fn take(&mut self, event: &Event) {
        let mut place = self.places.get(&event.previous).map(|known| known.0.clone()).unwrap_or_default();
        let told: Told = serde_json::from_value(event.details.clone()).unwrap_or_default();
        let kind = event.kind.as_str();
        let mut of = place.visit;
        if let Some(state) = kind.strip_suffix("StateEntered") {
            self.enter(event, state, told, &mut place);
            of = place.visit;
        } else if kind.ends_with("StateExited") {
            of = self.exit(event, told, &mut place);
        } else if kind.starts_with("Execution") {
            of = None;
            self.execution(event, &told, place.visit);
        } else if kind == "MapIterationStarted" {
            place.iteration = told.index;
        } else if matches!(kind, "ParallelStateFailed" | "MapStateFailed") {
            place.visit = self.fail_container(place.visit, event.at);
            of = place.visit;
        } else if let Some(visit) = place.visit {
            self.within(visit, kind, told);
        }
        if let Some(visit) = of {
            self.visits[visit].events.push(event.id);
        }
        self.places.insert(event.id, (place, of));
    }

    fn enter(&mut self, event: &Event, state: &str, told: Told, place: &mut Place) {
        self.reopen(place.visit);
        self.visits.push(Visit {
            name: told.name.unwrap_or_default(),
            kind: state.to_owned(),
            parent: place.visit,
            iteration: place.iteration,
            from: place.from.take(),
            went: Went::Running,
            entered: event.at,
            exited: None,
            input: told.input,
            output: None,
            variables: Arc::clone(&place.variables),
            assigned: Variables::new(),
            attempts: 0,
            resource: None,
            map_run: None,
            error: None,
            cause: None,
            events: Vec::new(),
        });
        place.visit = Some(self.visits.len() - 1);
    }

    /// Leaves the state of that name around the place.
    fn exit(&mut self, event: &Event, told: Told, place: &mut Place) -> Option<usize> {
        let name = told.name.unwrap_or_default();
        let left = self.around(place.visit).find(|visit| self.visits[*visit].name == name)?;
        self.settle_below(left, event.at);
        let visit = &mut self.visits[left];
        visit.exited = Some(event.at);
        visit.output = told.output;
        visit.assigned = told.assigned_variables.unwrap_or_default();
        visit.went = if visit.error.is_some() { Went::Caught } else { Went::Succeeded };
        place.visit = visit.parent;
        place.iteration = visit.iteration;
        place.from = Some(left);
        place.variables = if visit.assigned.is_empty() {
            Arc::clone(&visit.variables)
        } else {
            let mut variables = (*visit.variables).clone();
            variables.extend(visit.assigned.clone());
            Arc::new(variables)
        };
        Some(left)
    }

    /// What happens while a state works.
    fn within(&mut self, at: usize, kind: &str, told: Told) {
        let begins =
            kind.ends_with("Scheduled") || matches!(kind, "ParallelStateStarted" | "MapStateStarted");
        if begins {
            self.reopen(Some(at));
        }
        let visit = &mut self.visits[at];
        if begins {
            visit.attempts += 1;
            (visit.error, visit.cause) = (None, None);
            let resource = match (told.resource_type, told.resource) {
                (Some(kind), Some(resource)) if kind != resource => Some(format!("{kind}:{resource}")),
                (_, resource) => resource,
            };
            visit.resource = resource.or_else(|| visit.resource.take());
        } else if kind == "MapRunStarted" {
            visit.map_run = told.map_run_arn;
        } else if kind.ends_with("Failed") || kind.ends_with("TimedOut") {
            let timeout = || kind.ends_with("TimedOut").then(|| "States.Timeout".to_owned());
            let error = told.error.or_else(timeout).unwrap_or_else(|| "States.TaskFailed".to_owned());
            // An iteration's or a map run's end has the reason of what failed in it.
            if visit.error.is_none() || told.cause.is_some() {
                visit.error = Some(error);
                visit.cause = told.cause;
            }
        }
    }

    /// A Parallel or Map state fails with what failed in it; the rest of it is aborted.
    fn fail_container(&mut self, at: Option<usize>, when: Timestamp) -> Option<usize> {
        let is_container = |visit: &usize| matches!(self.visits[*visit].kind.as_str(), "Parallel" | "Map");
        let container = self.around(at).find(is_container)?;
        let reason = at.map(|at| (self.visits[at].error.clone(), self.visits[at].cause.clone()));
        self.settle_below(container, when);
        let visit = &mut self.visits[container];
        if let (None, Some((error, cause))) = (&visit.error, reason) {
            visit.error = error.or_else(|| Some("States.BranchFailed".to_owned()));
            visit.cause = cause;
        }
        Some(container)
    }

    /// The end of the whole.
    fn execution(&mut self, event: &Event, told: &Told, at: Option<usize>) {
        let went = match event.kind.as_str() {
            "ExecutionFailed" => Went::Failed,
            "ExecutionTimedOut" => Went::TimedOut,
            "ExecutionAborted" => Went::Aborted,
            "ExecutionRedriven" => return self.wait_again(),
            _ => return,
        };
        let guilty: Vec<usize> = self.around(at).collect();
        for index in 0..self.visits.len() {
            if !self.visits[index].is_open() {
                continue;
            }
            let is_guilty = guilty.contains(&index);
            let visit = &mut self.visits[index];
            visit.exited = Some(event.at);
            visit.went = match went {
                Went::Failed if is_guilty => Went::Failed,
                Went::Failed if visit.error.is_some() => Went::Failed,
                Went::Failed => Went::Aborted,
                other => other,
            };
            if is_guilty && visit.error.is_none() {
                visit.error.clone_from(&told.error);
                visit.cause.clone_from(&told.cause);
            }
        }
    }

    /// What a Parallel or Map state leaves behind when it ends.
    fn settle_below(&mut self, container: usize, when: Timestamp) {
        let below: Vec<usize> = (container + 1..self.visits.len())
            .filter(|visit| self.visits[*visit].is_open())
            .filter(|visit| self.around(Some(*visit)).skip(1).any(|around| around == container))
            .collect();
        for index in below {
            let visit = &mut self.visits[index];
            visit.exited = Some(when);
            visit.went = if visit.error.is_some() { Went::Failed } else { Went::Aborted };
        }
    }

    /// Waits that were cut short begin again with a redrive, and no event says so.
    fn wait_again(&mut self) {
        let passed = |visit: usize| matches!(self.visits[visit].went, Went::Succeeded | Went::Caught);
        let cut: Vec<usize> = (0..self.visits.len())
            .filter(|visit| self.visits[*visit].kind == "Wait" && !self.around(Some(*visit)).any(passed))
            .collect();
        for visit in cut {
            self.reopen(Some(visit));
        }
    }

    /// A redriven execution goes on in states that had failed.
    fn reopen(&mut self, at: Option<usize>) {
        let around: Vec<usize> = self.around(at).collect();
        for index in around {
            let visit = &mut self.visits[index];
            if !visit.is_open() {
                visit.went = Went::Running;
                visit.exited = None;
            }
        }
    }

    /// The visit and those around it, the innermost first.
    fn around(&self, at: Option<usize>) -> impl Iterator<Item = usize> {
        std::iter::successors(at, |visit| self.visits[*visit].parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `number previous Kind {details}`, one event a line.
    fn events(text: &str) -> Vec<Event> {
        let event = |line: &str| {
            let mut words = line.trim().splitn(4, ' ');
            let mut word = || words.next().unwrap_or_default();
            Event {
                id: word().parse().unwrap(),
                previous: word().parse().unwrap(),
                at: Timestamp::from_millis(0),
                kind: word().to_owned(),
                details: serde_json::from_str(word()).unwrap_or(Value::Null),
            }
        };
        text.lines().filter(|line| !line.trim().is_empty()).map(event).collect()
    }

    /// `name[item] in parent: how (attempts) error`, for each visit.
    fn check(history: &str, expected: &[&str]) -> Vec<Visit> {
        let (visits, _) = visits(&events(history));
        let shown: Vec<String> = visits
            .iter()
            .map(|visit| {
                let item = visit.iteration.map_or_else(String::new, |item| format!("[{item}]"));
                let parent = visit.parent.map_or_else(String::new, |at| format!(" in {}", visits[at].name));
                let error = visit.error.as_ref().map_or_else(String::new, |error| format!(" {error}"));
                format!("{}{item}{parent}: {} {}{error}", visit.name, visit.went.words(), visit.attempts)
            })
            .collect();
        assert_eq!(shown, expected);
        visits
    }

    #[test]
    fn a_state_is_tried_again_and_its_error_caught() {
        let visits = check(
            r#"1 0 ExecutionStarted {}
            2 0 TaskStateEntered {"name":"S","input":"{\"i\":1}"}
            3 2 LambdaFunctionScheduled {"resource":"arn:f"}
            4 3 LambdaFunctionStarted
            5 4 LambdaFunctionFailed {"error":"A","cause":"x"}
            6 5 LambdaFunctionScheduled {"resource":"arn:f"}
            7 6 LambdaFunctionFailed {"error":"B","cause":"y"}
            8 7 TaskStateExited {"name":"S","output":"{}","assignedVariables":{"v":"7"}}
            9 8 PassStateEntered {"name":"P","input":"{}"}
            10 9 PassStateExited {"name":"P","output":"{}"}
            11 10 ExecutionSucceeded {"output":"{}"}"#,
            &["S: caught error 2 B", "P: succeeded 0"],
        );
        assert_eq!(visits[0].events, [2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(visits[0].retries(), 1);
        assert_eq!(visits[0].resource.as_deref(), Some("arn:f"));
        assert_eq!(visits[1].variables.get("v").map(String::as_str), Some("7"));
        assert_eq!(visits[1].from, Some(0));
    }

    #[test]
    fn a_branch_that_fails_ends_the_others() {
        check(
            r#"1 0 ExecutionStarted {}
            2 0 ParallelStateEntered {"name":"P"}
            3 2 ParallelStateStarted
            4 3 PassStateEntered {"name":"A1"}
            5 4 PassStateExited {"name":"A1"}
            6 3 TaskStateEntered {"name":"B1"}
            7 6 LambdaFunctionScheduled {"resource":"arn:f"}
            8 3 WaitStateEntered {"name":"C1"}
            12 7 LambdaFunctionFailed {"error":"E","cause":"C"}
            13 12 TaskStateAborted
            14 12 WaitStateAborted
            15 12 ParallelStateFailed
            16 15 ExecutionFailed {"error":"E","cause":"C"}"#,
            &["P: failed 1 E", "A1 in P: succeeded 0", "B1 in P: failed 1 E", "C1 in P: aborted 0"],
        );
    }

    #[test]
    fn items_keep_their_variables_apart() {
        let visits = check(
            r#"1 0 ExecutionStarted {}
            4 1 MapStateEntered {"name":"M"}
            5 4 MapStateStarted {"length":2}
            6 5 MapIterationStarted {"name":"M","index":0}
            7 5 MapIterationStarted {"name":"M","index":1}
            8 6 PassStateEntered {"name":"I"}
            9 8 PassStateExited {"name":"I","assignedVariables":{"own":"11"}}
            10 7 PassStateEntered {"name":"I"}
            12 9 PassStateEntered {"name":"J"}
            13 12 PassStateExited {"name":"J"}
            14 13 MapIterationSucceeded {"name":"M","index":0}"#,
            &["M: running 1", "I[0] in M: succeeded 0", "I[1] in M: running 0", "J[0] in M: succeeded 0"],
        );
        assert_eq!(*visits[3].variables, Variables::from([("own".into(), "11".into())]));
        assert!(visits[2].variables.is_empty());
        check(
            r#"1 0 ExecutionStarted {}
            2 1 MapStateEntered {"name":"M"}
            3 2 MapStateStarted {"length":1}
            4 3 MapIterationStarted {"name":"M","index":0}
            5 4 TaskStateEntered {"name":"I"}
            8 5 LambdaFunctionFailed {"error":"E","cause":"C"}
            9 8 MapIterationFailed {"name":"M","index":0}
            11 8 MapStateFailed
            12 11 MapStateExited {"name":"M","output":"{}"}
            13 12 PassStateEntered {"name":"Caught"}"#,
            &["M: caught error 1 E", "I[0] in M: failed 0 E", "Caught: running 0"],
        );
    }

    #[test]
    fn a_redriven_execution_goes_on_where_it_failed() {
        check(
            r#"1 0 ExecutionStarted {}
            2 1 TaskStateEntered {"name":"S"}
            3 2 TaskScheduled {"resourceType":"sqs","resource":"sendMessage"}
            4 3 TaskFailed {"error":"E"}
            5 4 ExecutionFailed {"error":"E"}
            6 5 ExecutionRedriven {"redriveCount":1}
            7 4 TaskScheduled {"resourceType":"sqs","resource":"sendMessage"}
            8 7 TaskSucceeded {}
            9 8 TaskStateExited {"name":"S"}"#,
            &["S: succeeded 2"],
        );
        check(
            r#"1 0 ExecutionStarted {}
            2 1 WaitStateEntered {"name":"W"}
            3 0 ExecutionAborted {"error":"Teller"}"#,
            &["W: aborted 0"],
        );
        check(
            r#"1 0 ExecutionStarted {}
            2 1 WaitStateEntered {"name":"Before"}
            3 2 WaitStateExited {"name":"Before"}
            4 3 WaitStateEntered {"name":"W"}
            5 0 ExecutionAborted {}
            6 5 ExecutionRedriven {"redriveCount":1}"#,
            &["Before: succeeded 0", "W: running 0"],
        );
    }
}
