//! The front page: what is here, and what happened last.

use askama::Template;
use base::Fault;

use super::activity::{self, OfLate};
use super::desk::{Desk, Frame, LISTED_MAX};
use super::link::Link;
use super::{Answer, Result};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    counts: Vec<Count>,
    late: OfLate,
}

/// How many there are of a kind.
struct Count {
    name: &'static str,
    href: Link,
    count: Result<String>,
}

/// The page; or the event's page, if the address names one.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    if let Some(id) = desk.query.given("id") {
        return Ok(Answer::Goto(desk.link("event").with("id", id).to_string()));
    }
    let most = i32::try_from(LISTED_MAX).ok();
    let machines = states::api::ListStateMachinesInput { max_results: most, ..Default::default() };
    let machines = desk.call::<states::api::ListStateMachines>(&machines).await;
    let queues = sqs::api::ListQueuesInput { max_results: most, ..Default::default() };
    let queues = desk.call::<sqs::api::ListQueues>(&queues).await;
    let functions =
        desk.call::<lambda::api::ListFunctions>(&lambda::api::ListFunctionsInput::default()).await;
    let tables = desk.call::<dynamodb::api::ListTables>(&dynamodb::api::ListTablesInput::default()).await;
    let count = |name, page, count| Count { name, href: desk.link(page), count };
    let counts = vec![
        count(
            "State machines",
            "state-machines",
            machines.map(|found| number(found.state_machines.len(), found.next_token.is_some())),
        ),
        count("Rules", "event-buses", rules(desk).await),
        count(
            "Functions",
            "functions",
            functions.map(|found| {
                number(found.functions.map_or(0, |found| found.len()), found.next_marker.is_some())
            }),
        ),
        count(
            "Tables",
            "tables",
            tables.map(|found| {
                number(
                    found.table_names.map_or(0, |found| found.len()),
                    found.last_evaluated_table_name.is_some(),
                )
            }),
        ),
        count(
            "Queues",
            "queues",
            queues.map(|found| {
                number(found.queue_urls.map_or(0, |found| found.len()), found.next_token.is_some())
            }),
        ),
    ];
    let late = activity::of_late(desk).await?;
    desk.render(&Overview { frame: desk.frame("", "Overview"), counts, late })
}

async fn rules(desk: &Desk<'_>) -> Result<String, Fault> {
    let buses =
        desk.call::<events::api::ListEventBuses>(&events::api::ListEventBusesInput::default()).await?;
    let mut rules = 0;
    let mut more = buses.next_token.is_some();
    for bus in buses.event_buses.unwrap_or_default() {
        let input =
            events::api::ListRulesInput { event_bus_name: bus.name, limit: Some(100), ..Default::default() };
        let found = desk.call::<events::api::ListRules>(&input).await?;
        rules += found.rules.map_or(0, |found| found.len());
        more |= found.next_token.is_some();
    }
    Ok(number(rules, more))
}

fn number(count: usize, more: bool) -> String {
    format!("{count}{}", if more { "+" } else { "" })
}
