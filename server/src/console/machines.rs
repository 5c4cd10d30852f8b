//! The list of state machines.

use askama::Template;
use states::api::{ListStateMachines, ListStateMachinesInput, StateMachineListItem};

use super::desk::{Desk, Frame, LISTED_MAX};
use super::html::{Html, time};
use super::link::Link;
use super::{Result, pager};

#[derive(Template)]
#[template(path = "machines.html")]
struct MachinesPage {
    frame: Frame,
    rows: Vec<Row>,
    pager: pager::Pager,
}

struct Row {
    name: String,
    href: Link,
    kind: &'static str,
    created: Html,
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let input = ListStateMachinesInput {
        max_results: i32::try_from(LISTED_MAX).ok(),
        next_token: pager::token(&desk.query),
    };
    let found = desk.call::<ListStateMachines>(&input).await?;
    let link = desk.link("state-machines");
    let (machines, pager) = pager::cut(found.state_machines, &desk.query, found.next_token.as_deref(), &link);
    let row = |machine: StateMachineListItem| Row {
        href: desk.link("state-machine").with("arn", &machine.state_machine_arn),
        name: machine.name,
        kind: machine.r#type.as_str(),
        created: time(machine.creation_date),
    };
    let rows = machines.into_iter().map(row).collect();
    desk.render(&MachinesPage { frame: desk.frame("state-machines", "State machines"), rows, pager })
}
