//! A state machine and its executions: searched, filtered, sorted, started and stopped.

use askama::Template;
use base::Fault;
use states::api::{
    DescribeStateMachine, DescribeStateMachineInput, DescribeStateMachineOutput, ExecutionListItem,
    ExecutionStatus, ListExecutions, ListExecutionsInput, StartExecution, StartExecutionInput, StopExecution,
    StopExecutionInput,
};

use super::desk::{Desk, Frame, LISTED_MAX};
use super::form::Form;
use super::html::{Html, Tone, json_text, maybe_time, pill, time};
use super::link::Link;
use super::{Answer, Result, pager};

#[derive(Template)]
#[template(path = "machine.html")]
struct MachinePage {
    frame: Frame,
    machine: Machine,
    filter: Filter,
    statuses: Vec<(&'static str, bool)>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: pager::Pager,
    start: Link,
    stop: Link,
    refresh: Link,
}

struct Machine {
    arn: String,
    name: String,
    kind: &'static str,
    role: String,
    created: Html,
    definition: Html,
}

/// What the address asks for.
struct Filter {
    name: String,
    status: String,
    sort: String,
    order: &'static str,
}

struct Column {
    name: &'static str,
    href: Link,
    sorted: &'static str,
}

struct Row {
    arn: String,
    name: String,
    href: Link,
    status: Html,
    started: Html,
    ended: Html,
}

/// The columns: what the address calls them, and how they are headed.
const COLUMNS: [(&str, &str); 4] =
    [("name", "Name"), ("status", "Status"), ("started", "Started"), ("ended", "End time")];

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let arn = desk.query.get("arn");
    let described = DescribeStateMachineInput { state_machine_arn: arn.to_owned(), ..Default::default() };
    let described = desk.call::<DescribeStateMachine>(&described).await?;
    let filter = Filter::of(&desk.query);
    let input = ListExecutionsInput {
        state_machine_arn: Some(arn.to_owned()),
        status_filter: status_named(&filter.status),
        max_results: i32::try_from(LISTED_MAX).ok(),
        next_token: pager::token(&desk.query),
        ..Default::default()
    };
    let listed = desk.call::<ListExecutions>(&input).await?;
    let found = filter.apply(listed.executions);
    let list = filter.link(desk, arn);
    let (found, pager) = pager::cut(found, &desk.query, listed.next_token.as_deref(), &list);
    let statuses = ExecutionStatus::VALUES.iter().map(|status| (*status, filter.status == *status)).collect();
    desk.render(&MachinePage {
        frame: desk.frame("state-machines", described.name.as_str()),
        machine: Machine::of(described),
        statuses,
        columns: filter.columns(desk, arn),
        rows: found.into_iter().map(|execution| row(desk, execution)).collect(),
        filter,
        pager,
        start: desk.link("execution/start"),
        stop: desk.link("execution/stop"),
        refresh: list,
    })
}

/// Starts an execution and shows it.
pub(crate) async fn start(desk: &Desk<'_>) -> Result {
    let input = StartExecutionInput {
        state_machine_arn: desk.form.get("arn").to_owned(),
        name: desk.form.given("name").map(str::to_owned),
        input: desk.form.given("input").map(str::to_owned),
        ..Default::default()
    };
    let started = desk.call::<StartExecution>(&input).await?;
    Ok(Answer::Goto(desk.link("execution").with("arn", &started.execution_arn).to_string()))
}

/// Stops an execution and shows the page from which it was stopped.
pub(crate) async fn stop(desk: &Desk<'_>) -> Result {
    let Some(arn) = desk.form.given("arn") else {
        return Err(Fault::validation("No execution is selected."));
    };
    let given = |name: &str| desk.form.given(name).map(str::to_owned);
    let input =
        StopExecutionInput { execution_arn: arn.to_owned(), error: given("error"), cause: given("cause") };
    desk.call::<StopExecution>(&input).await?;
    let back = match desk.form.given("machine") {
        Some(machine) => desk.link("state-machine").with("arn", machine),
        None => desk.link("execution").with("arn", arn),
    };
    Ok(Answer::Goto(back.to_string()))
}

/// A status in its colour.
pub(crate) fn status_pill(status: ExecutionStatus) -> Html {
    let tone = match status {
        ExecutionStatus::Succeeded => Tone::Good,
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Tone::Busy,
        ExecutionStatus::Failed | ExecutionStatus::TimedOut => Tone::Bad,
        ExecutionStatus::Aborted => Tone::Warn,
    };
    pill(tone, status.as_str())
}

fn status_named(name: &str) -> Option<ExecutionStatus> {
    serde_json::from_value(name.into()).ok()
}

fn row(desk: &Desk<'_>, execution: ExecutionListItem) -> Row {
    Row {
        href: desk.link("execution").with("arn", &execution.execution_arn),
        arn: execution.execution_arn,
        name: execution.name,
        status: status_pill(execution.status),
        started: time(execution.start_date),
        ended: maybe_time(execution.stop_date),
    }
}

impl Machine {
    fn of(described: DescribeStateMachineOutput) -> Machine {
        Machine {
            arn: described.state_machine_arn,
            name: described.name,
            kind: described.r#type.as_str(),
            role: described.role_arn,
            created: time(described.creation_date),
            definition: json_text(&described.definition),
        }
    }
}

impl Filter {
    /// Newest first if the address says nothing.
    fn of(query: &Form) -> Filter {
        let known = COLUMNS.iter().find(|(column, _)| *column == query.get("sort"));
        let sort = known.map_or("started", |(column, _)| *column).to_owned();
        let order = match query.get("order") {
            "up" => "up",
            "down" => "down",
            _ if sort == "started" || sort == "ended" => "down",
            _ => "up",
        };
        Filter { name: query.get("name").to_owned(), status: query.get("status").to_owned(), sort, order }
    }

    fn apply(&self, mut executions: Vec<ExecutionListItem>) -> Vec<ExecutionListItem> {
        let wanted = self.name.to_lowercase();
        executions.retain(|execution| execution.name.to_lowercase().contains(&wanted));
        match self.sort.as_str() {
            "name" => executions.sort_by(|a, b| a.name.cmp(&b.name)),
            "status" => executions.sort_by_key(|execution| execution.status.as_str()),
            "ended" => executions.sort_by_key(|execution| execution.stop_date),
            // The service's own order, turned round, also for those that started in the same millisecond.
            _ => executions.reverse(),
        }
        if self.order == "down" {
            executions.reverse();
        }
        executions
    }

    fn link(&self, desk: &Desk<'_>, arn: &str) -> Link {
        self.link_sorted(desk, arn, &self.sort, self.order)
    }

    fn link_sorted(&self, desk: &Desk<'_>, arn: &str, sort: &str, order: &str) -> Link {
        let link =
            desk.link("state-machine").with("arn", arn).with("name", &self.name).with("status", &self.status);
        if (sort, order) == ("started", "down") { link } else { link.with("sort", sort).with("order", order) }
    }

    fn columns(&self, desk: &Desk<'_>, arn: &str) -> Vec<Column> {
        let column = |(column, name): &(&'static str, &'static str)| {
            let sorted = if self.sort == *column { self.order } else { "" };
            let turned = if sorted == "down" { "up" } else { "down" };
            Column { name, href: self.link_sorted(desk, arn, column, turned), sorted }
        };
        COLUMNS.iter().map(column).collect()
    }
}
