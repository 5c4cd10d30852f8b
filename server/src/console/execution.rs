//! An execution: how it stands, what went in and out, and how it went: as a graph, as a table of states, as events.

mod actions;
mod events;
mod found;
mod pane;
mod states;
mod trial;

pub(crate) use actions::{export, redrive, start, stop, update_machine};
pub(crate) use trial::try_state;

use ::states::api::{ExecutionRedriveStatus, ExecutionStatus};
use askama::Template;

use super::chart::{Flow, drawn};
use super::desk::{Desk, Frame};
use super::executions::status_pill;
use super::history::{self, History};
use super::html::{Html, duration_ms, json_text, maybe_time, time};
use super::link::Link;
use super::map_runs::{self, MapRunRow};
use super::pager::Pager;
use super::visits::{self, Visit};
use super::{Result, desk};
use events::{EventsView, Rows};
use found::{Found, RunsBy};
use pane::Pane;
use states::StateRow;

#[derive(Template)]
#[template(path = "execution.html")]
struct ExecutionPage {
    frame: Frame,
    execution: Shown,
    tab: &'static str,
    tabs: Vec<Choice>,
    view: &'static str,
    views: Vec<Choice>,
    links: Links,
    definition: Option<Html>,
    raw_definition: String,
    chart: Option<Html>,
    table: Option<(Vec<StateRow>, Pager)>,
    events: Option<EventsView>,
    pane: Option<Pane>,
    map_runs: Vec<MapRunRow>,
    /// Why there is no history, or not all of it.
    silence: Option<String>,
    transitions: String,
}

/// One of several things to look at.
pub(crate) struct Choice {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub href: Link,
    /// Whether it is looked at.
    pub current: bool,
}

/// Makes choices of names and what the address calls them; the first one is meant if the address names none.
pub(crate) fn choices(
    desk: &Desk<'_>,
    parameter: &str,
    page: &Link,
    all: &[(&'static str, &'static str)],
) -> (&'static str, Vec<Choice>) {
    let asked = desk.query.get(parameter);
    let known = all.iter().find(|(word, _)| *word == asked).or_else(|| all.first());
    let chosen = known.map_or("", |(word, _)| *word);
    let choice = |(at, (word, name)): (usize, &(&'static str, &'static str))| Choice {
        name,
        href: if at == 0 { page.clone() } else { page.clone().with(parameter, word) },
        current: *word == chosen,
    };
    (chosen, all.iter().enumerate().map(choice).collect())
}

struct Links {
    machine: Link,
    trace: Link,
    start: Link,
    stop: Link,
    redrive: Link,
    update: Link,
    trial: Link,
    export: Link,
    /// A redrive that is sent twice is done once.
    token: String,
}

struct Shown {
    arn: String,
    name: String,
    machine_arn: String,
    machine_name: String,
    kind: &'static str,
    status: Html,
    running: bool,
    redrivable: bool,
    started: Html,
    ended: Html,
    took: String,
    redrives: i32,
    redriven: Option<Html>,
    redrive_reason: Option<String>,
    version: Option<String>,
    alias: Option<String>,
    map_run: Option<(String, Link)>,
    input: Html,
    raw_input: String,
    output: Option<Html>,
    error: Option<String>,
    cause: Option<Html>,
}

const TABS: [(&str, &str); 3] =
    [("details", "Details"), ("io", "Input & output"), ("definition", "Definition")];
const VIEWS: [(&str, &str); 3] = [("graph", "Graph view"), ("table", "Table view"), ("events", "Event view")];

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let found = found::execution(desk, desk.query.get("arn")).await?;
    let by = found::runs_by(desk, &found).await;
    let here = desk.link("execution").with("arn", &found.arn);
    let (tab, tabs) = choices(desk, "tab", &here, &TABS);
    let (view, views) = choices(desk, "view", &here, &VIEWS);
    let (history, silence) = read(desk, &found, by.as_ref()).await?;
    let (visits, steps) = visits::visits(&history.events);
    let flow = by.as_ref().and_then(|by| Flow::parse(&by.definition));
    let rows = Rows { visits: &visits, steps: &steps, began: found.started, page: here.clone() };
    let viewed = if view == "graph" { here.clone() } else { here.clone().with("view", view) };
    let more = if history.next_token.is_some() { "+" } else { "" };
    desk.render(&ExecutionPage {
        frame: desk.frame("state-machines", found.name.clone()),
        tab,
        tabs,
        view,
        views,
        chart: flow.as_ref().filter(|_| view == "graph").map(|flow| chart(desk, flow, &visits, &viewed)),
        table: (view == "table").then(|| states::table(desk, &visits, &viewed)),
        events: (view == "events").then(|| events::view(desk, &history, &rows)),
        pane: (view != "events").then(|| pane::pane(desk, &history, &rows, flow.as_ref(), &viewed)).flatten(),
        map_runs: map_runs(desk, &found, &visits).await?,
        transitions: format!("{}{more}", visits.len()),
        links: links(desk, &found),
        definition: by.as_ref().map(|by| json_text(&by.definition)),
        raw_definition: by.map(|by| by.definition).unwrap_or_default(),
        execution: shown(desk, found),
        silence,
    })
}

/// The events, and why there are none or not all of them.
async fn read(desk: &Desk<'_>, found: &Found, by: Option<&RunsBy>) -> Result<(History, Option<String>)> {
    let token = desk.query.all("token").last().map(str::to_owned);
    if !found.is_express {
        let history = history::of(desk, &found.arn, token).await?;
        let more = history.next_token.is_some();
        let silence = more
            .then(|| format!("This is made of the first {} events of its history.", history.events.len()));
        return Ok((history, silence));
    }
    let Some(group) = history::group(by.and_then(|by| by.logging.as_ref())) else {
        let why = "EXPRESS executions have no history. Give the state machine a loggingConfiguration of level ALL, \
                   and its next executions are shown state by state.";
        return Ok((History::default(), Some(why.to_owned())));
    };
    match history::logged(desk, &group, &found.arn, found.started).await {
        Ok(history) if history.events.is_empty() => {
            Ok((history, Some(format!("Nothing of it is in the log group {group} yet."))))
        }
        Ok(history) => Ok((history, Some(format!("Read from the log group {group}.")))),
        Err(fault) => {
            Ok((History::default(), Some(format!("The log group {group} cannot be read: {fault}"))))
        }
    }
}

fn chart(desk: &Desk<'_>, flow: &Flow, visits: &[Visit], view: &Link) -> Html {
    let chosen = desk.query.get("state");
    let link = |state: &str| view.clone().with("state", state);
    drawn(flow, &states::looks(visits, chosen), &states::taken(visits), link)
}

/// The map runs that the execution began.
async fn map_runs(desk: &Desk<'_>, found: &Found, visits: &[Visit]) -> Result<Vec<MapRunRow>> {
    let any = visits.iter().any(|visit| visit.map_run.is_some());
    if any && !found.is_express { map_runs::of_execution(desk, &found.arn).await } else { Ok(Vec::new()) }
}

fn links(desk: &Desk<'_>, found: &Found) -> Links {
    Links {
        machine: desk.link("state-machine").with("arn", &found.machine_arn),
        trace: desk.link("event").with("id", &found.arn),
        start: desk.link("execution/start"),
        stop: desk.link("execution/stop"),
        redrive: desk.link("execution/redrive"),
        update: desk.link("state-machine/update"),
        trial: desk.link("execution/try"),
        export: desk.link("execution/export").with("arn", &found.arn),
        token: desk.kernel.new_id().to_string(),
    }
}

fn shown(desk: &Desk<'_>, found: Found) -> Shown {
    let took = found.ended.unwrap_or_else(|| desk.kernel.clock().now()).since(found.started);
    let running = found.status == ExecutionStatus::Running;
    Shown {
        machine_name: desk::last(&found.machine_arn).to_owned(),
        kind: if found.is_express { "EXPRESS" } else { "STANDARD" },
        status: status_pill(found.status),
        running,
        redrivable: found.redrive == Some(ExecutionRedriveStatus::Redrivable),
        started: time(found.started),
        ended: maybe_time(found.ended),
        took: duration_ms(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        redrives: found.redrives,
        redriven: found.redriven.map(time),
        // While it runs and where all went well, there is nothing to redrive.
        redrive_reason: found
            .redrive_reason
            .filter(|_| !running && found.status != ExecutionStatus::Succeeded),
        version: found.version.map(|arn| desk::last(&arn).to_owned()),
        alias: found.alias.map(|arn| desk::last(&arn).to_owned()),
        map_run: found.map_run.map(|arn| {
            let href = desk.link("map-run").with("arn", &arn);
            (desk::last(&arn).to_owned(), href)
        }),
        input: json_text(&found.input),
        raw_input: found.input,
        output: found.output.as_deref().map(json_text),
        error: found.error,
        cause: found.cause.as_deref().map(json_text),
        arn: found.arn,
        name: found.name,
        machine_arn: found.machine_arn,
    }
}
