//! Event buses, their rules and where the rules send events.

use askama::Template;
use events::api::{
    EventBus, ListEventBuses, ListEventBusesInput, ListRules, ListRulesInput, ListTargetsByRule,
    ListTargetsByRuleInput, Rule, RuleState,
};

use super::Result;
use super::desk::{Desk, Frame, all};
use super::html::{Html, Tone, json_text, pill};
use super::link::Link;

#[derive(Template)]
#[template(path = "buses.html")]
struct BusesPage {
    frame: Frame,
    buses: Vec<Bus>,
}

struct Bus {
    name: String,
    arn: String,
    description: String,
    policy: Option<Html>,
    rules: Result<Vec<ShownRule>>,
    more: bool,
}

struct ShownRule {
    name: String,
    state: Html,
    pattern: Option<Html>,
    schedule: Option<String>,
    description: String,
    targets: Result<Vec<Target>>,
}

struct Target {
    id: String,
    arn: String,
    href: Option<Link>,
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let found = desk.call::<ListEventBuses>(&ListEventBusesInput::default()).await?;
    let buses = all(found.event_buses.unwrap_or_default().into_iter().map(|found| bus(desk, found))).await;
    desk.render(&BusesPage { frame: desk.frame("event-buses", "Event buses"), buses })
}

async fn bus(desk: &Desk<'_>, found: EventBus) -> Bus {
    let name = found.name.unwrap_or_default();
    let input = ListRulesInput { event_bus_name: Some(name.clone()), limit: Some(100), ..Default::default() };
    let arn = found.arn.unwrap_or_default();
    let description = found.description.unwrap_or_default();
    let policy = found.policy.as_deref().map(json_text);
    match desk.call::<ListRules>(&input).await {
        Ok(listed) => {
            let rules = listed.rules.unwrap_or_default().into_iter().map(|found| rule(desk, &name, found));
            let rules = Ok(all(rules).await);
            Bus { name, arn, description, policy, rules, more: listed.next_token.is_some() }
        }
        Err(fault) => Bus { name, arn, description, policy, rules: Err(fault), more: false },
    }
}

async fn rule(desk: &Desk<'_>, bus: &str, found: Rule) -> ShownRule {
    let name = found.name.unwrap_or_default();
    let input = ListTargetsByRuleInput {
        rule: name.clone(),
        event_bus_name: Some(bus.to_owned()),
        ..Default::default()
    };
    let target = |target: events::api::Target| Target {
        href: desk.link_of(&target.arn),
        id: target.id,
        arn: target.arn,
    };
    let listed = desk.call::<ListTargetsByRule>(&input).await;
    let state = found.state.unwrap_or_default();
    let tone = if state == RuleState::Disabled { Tone::Quiet } else { Tone::Good };
    ShownRule {
        name,
        state: pill(tone, state.as_str()),
        pattern: found.event_pattern.as_deref().map(json_text),
        schedule: found.schedule_expression,
        description: found.description.unwrap_or_default(),
        targets: listed.map(|listed| listed.targets.unwrap_or_default().into_iter().map(target).collect()),
    }
}
