//! A state machine and its executions: searched, filtered, sorted, started and stopped; its definition, versions and
//! aliases.

use std::collections::{HashMap, HashSet};

use askama::Template;
use base::Timestamp;
use states::api::{
    DescribeStateMachine, DescribeStateMachineAlias, DescribeStateMachineAliasInput,
    DescribeStateMachineInput, DescribeStateMachineOutput, ExecutionListItem, ExecutionStatus,
    ListExecutions, ListExecutionsInput, ListStateMachineAliases, ListStateMachineAliasesInput,
    ListStateMachineVersions, ListStateMachineVersionsInput, StateMachineType,
};

use super::chart::{Flow, drawn};
use super::desk::{Desk, Frame, LISTED_MAX, all, last};
use super::execution::{Choice, choices};
use super::express::{self, ExpressExecution};
use super::form::Form;
use super::html::{Html, Tone, json_text, maybe_time, pill, time};
use super::link::Link;
use super::{Result, history, pager};

#[derive(Template)]
#[template(path = "machine.html")]
struct MachinePage {
    frame: Frame,
    machine: Machine,
    tab: &'static str,
    tabs: Vec<Choice>,
    executions: Option<Executions>,
    chart: Option<Html>,
    versions: Vec<Version>,
    aliases: Vec<Alias>,
    start: Link,
    update: Link,
}

/// The list of executions.
struct Executions {
    filter: Filter,
    statuses: Vec<(&'static str, bool)>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: pager::Pager,
    stop: Link,
    refresh: Link,
}

struct Machine {
    arn: String,
    name: String,
    kind: &'static str,
    role: String,
    created: Html,
    description: Option<String>,
    log_group: Option<String>,
    definition: Html,
    raw_definition: String,
}

struct Version {
    number: String,
    href: Link,
    created: Html,
}

struct Alias {
    name: String,
    href: Link,
    created: Html,
    description: String,
    routes: Result<Vec<(String, i32)>>,
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

const TABS: [(&str, &str); 4] = [
    ("executions", "Executions"),
    ("definition", "Definition"),
    ("versions", "Versions"),
    ("aliases", "Aliases"),
];

/// An execution of either type.
struct Item {
    arn: String,
    name: String,
    status: ExecutionStatus,
    started: Timestamp,
    ended: Option<Timestamp>,
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let arn = desk.query.get("arn");
    let described = DescribeStateMachineInput { state_machine_arn: arn.to_owned(), ..Default::default() };
    let described = desk.call::<DescribeStateMachine>(&described).await?;
    let here = desk.link("state-machine").with("arn", arn);
    let (tab, tabs) = choices(desk, "tab", &here, &TABS);
    let mut page = MachinePage {
        frame: desk.frame("state-machines", described.name.as_str()),
        tab,
        tabs,
        executions: None,
        chart: None,
        versions: Vec::new(),
        aliases: Vec::new(),
        start: desk.link("execution/start"),
        update: desk.link("state-machine/update"),
        machine: Machine::of(&described),
    };
    match tab {
        "definition" => page.chart = Flow::parse(&described.definition).map(|flow| chart(&flow, &here)),
        "versions" => page.versions = versions(desk, &described.state_machine_arn).await?,
        "aliases" => page.aliases = aliases(desk, &described.state_machine_arn).await?,
        _ => page.executions = Some(executions(desk, &described, arn).await?),
    }
    desk.render(&page)
}

/// A picture without executions: nothing was entered.
fn chart(flow: &Flow, here: &Link) -> Html {
    drawn(flow, &HashMap::new(), &HashSet::new(), |_| here.clone().with("tab", "definition"))
}

async fn executions(
    desk: &Desk<'_>,
    described: &DescribeStateMachineOutput,
    arn: &str,
) -> Result<Executions> {
    let filter = Filter::of(&desk.query);
    let (found, next_token) = if described.r#type == StateMachineType::Express {
        let (found, next) = express::list(desk, arn, pager::token(&desk.query)).await?;
        (found.into_iter().map(Item::of_express).collect(), next)
    } else {
        let input = ListExecutionsInput {
            state_machine_arn: Some(arn.to_owned()),
            status_filter: status_named(&filter.status),
            max_results: i32::try_from(LISTED_MAX).ok(),
            next_token: pager::token(&desk.query),
            ..Default::default()
        };
        let listed = desk.call::<ListExecutions>(&input).await?;
        (listed.executions.into_iter().map(Item::of_standard).collect(), listed.next_token)
    };
    let refresh = filter.link(desk, arn);
    let (found, pager) = pager::cut(filter.apply(found), &desk.query, next_token.as_deref(), &refresh);
    Ok(Executions {
        // Only children of a map run wait for their redrive.
        statuses: ExecutionStatus::VALUES
            .iter()
            .filter(|status| **status != "PENDING_REDRIVE")
            .map(|status| (*status, filter.status == *status))
            .collect(),
        columns: filter.columns(desk, arn),
        rows: found.into_iter().map(|item| row(desk, item)).collect(),
        filter,
        pager,
        stop: desk.link("execution/stop"),
        refresh,
    })
}

async fn versions(desk: &Desk<'_>, arn: &str) -> Result<Vec<Version>> {
    let input = ListStateMachineVersionsInput {
        state_machine_arn: unqualified(arn),
        max_results: i32::try_from(LISTED_MAX).ok(),
        ..Default::default()
    };
    let listed = desk.call::<ListStateMachineVersions>(&input).await?;
    let version = |version: states::api::StateMachineVersionListItem| Version {
        number: last(&version.state_machine_version_arn).to_owned(),
        href: desk.link("state-machine").with("arn", &version.state_machine_version_arn),
        created: time(version.creation_date),
    };
    Ok(listed.state_machine_versions.into_iter().map(version).collect())
}

async fn aliases(desk: &Desk<'_>, arn: &str) -> Result<Vec<Alias>> {
    let input = ListStateMachineAliasesInput {
        state_machine_arn: unqualified(arn),
        max_results: i32::try_from(LISTED_MAX).ok(),
        ..Default::default()
    };
    let listed = desk.call::<ListStateMachineAliases>(&input).await?.state_machine_aliases;
    Ok(all(listed.into_iter().map(|found| async move {
        let arn = found.state_machine_alias_arn;
        let input = DescribeStateMachineAliasInput { state_machine_alias_arn: arn.clone() };
        let described = desk.call::<DescribeStateMachineAlias>(&input).await;
        let description = described.as_ref().ok().and_then(|alias| alias.description.clone());
        let routes = described.map(|alias| {
            let routes = alias.routing_configuration.unwrap_or_default().into_iter();
            routes.map(|route| (last(&route.state_machine_version_arn).to_owned(), route.weight)).collect()
        });
        Alias {
            name: last(&arn).to_owned(),
            href: desk.link("state-machine").with("arn", &arn),
            created: time(found.creation_date),
            description: description.unwrap_or_default(),
            routes,
        }
    }))
    .await)
}

/// The machine's ARN without a version or an alias.
fn unqualified(arn: &str) -> String {
    arn.split(':').take(7).collect::<Vec<_>>().join(":")
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

/// The status of that name.
pub(crate) fn status_named(name: &str) -> Option<ExecutionStatus> {
    serde_json::from_value(name.into()).ok()
}

fn row(desk: &Desk<'_>, item: Item) -> Row {
    Row {
        href: desk.link("execution").with("arn", &item.arn),
        arn: item.arn,
        name: item.name,
        status: status_pill(item.status),
        started: time(item.started),
        ended: maybe_time(item.ended),
    }
}

impl Item {
    fn of_standard(found: ExecutionListItem) -> Item {
        Item {
            arn: found.execution_arn,
            name: found.name,
            status: found.status,
            started: found.start_date,
            ended: found.stop_date,
        }
    }

    fn of_express(found: ExpressExecution) -> Item {
        Item {
            arn: found.execution_arn,
            name: found.name,
            status: found.status,
            started: found.start_date,
            ended: found.stop_date,
        }
    }
}

impl Machine {
    fn of(described: &DescribeStateMachineOutput) -> Machine {
        Machine {
            arn: described.state_machine_arn.clone(),
            name: described.name.clone(),
            kind: described.r#type.as_str(),
            role: described.role_arn.clone(),
            created: time(described.creation_date),
            description: described.description.clone(),
            log_group: history::group(described.logging_configuration.as_ref()),
            definition: json_text(&described.definition),
            raw_definition: described.definition.clone(),
        }
    }
}

/// Times are wanted newest first, words by the alphabet.
fn first_order(column: &str) -> &'static str {
    if matches!(column, "started" | "ended") { "down" } else { "up" }
}

impl Filter {
    /// Newest first if the address says nothing.
    fn of(query: &Form) -> Filter {
        let known = COLUMNS.iter().find(|(column, _)| *column == query.get("sort"));
        let sort = known.map_or("started", |(column, _)| *column).to_owned();
        let order = match query.get("order") {
            "up" => "up",
            "down" => "down",
            _ => first_order(&sort),
        };
        Filter { name: query.get("name").to_owned(), status: query.get("status").to_owned(), sort, order }
    }

    fn apply(&self, mut items: Vec<Item>) -> Vec<Item> {
        let wanted = self.name.to_lowercase();
        items.retain(|item| item.name.to_lowercase().contains(&wanted));
        if !self.status.is_empty() {
            items.retain(|item| item.status.as_str() == self.status);
        }
        match self.sort.as_str() {
            "name" => items.sort_by(|a, b| a.name.cmp(&b.name)),
            "status" => items.sort_by_key(|item| item.status.as_str()),
            "ended" => items.sort_by_key(|item| item.ended),
            // The service's own order, turned round, also for those that started in the same millisecond.
            _ => items.reverse(),
        }
        if self.order == "down" {
            items.reverse();
        }
        items
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
            let turned = match sorted {
                "down" => "up",
                "up" => "down",
                _ => first_order(column),
            };
            Column { name, href: self.link_sorted(desk, arn, column, turned), sorted }
        };
        COLUMNS.iter().map(column).collect()
    }
}
