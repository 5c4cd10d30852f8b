//! What functions log while they are followed.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use base::Timestamp;
use kernel::Clock;
use serde_json::{Value, json};

use super::functions::Clients;
use crate::cli::{complain, say};
use crate::client::Client;

/// Between two looks at the groups.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// A line may come to its group a little later than its time says.
const LATE: Duration = Duration::from_secs(5);

/// What the platform logs around each invocation.
const FRAME: [&str; 4] = ["START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START "];

/// Where a function logs.
pub(super) struct Group {
    pub function: String,
    pub name: String,
    pub region: Option<String>,
}

/// Prints new lines of the groups as they come; nothing at all unless it is wanted.
pub(super) async fn follow(clients: &Clients, groups: Vec<Group>, wanted: bool) -> Infallible {
    let clock = Clock::real();
    let mut tails = Vec::new();
    for group in groups.into_iter().filter(|_| wanted) {
        match clients.of(group.region.as_deref()) {
            Ok(client) => {
                tails.push(Tail { client, group, from: clock.now(), seen: BTreeSet::new(), lost: false })
            }
            Err(error) => complain(&format!("{}: its log cannot be followed: {error:#}", group.function)),
        }
    }
    loop {
        for tail in &mut tails {
            tail.look().await;
        }
        clock.sleep_until(clock.now() + LOOK_EVERY).await;
    }
}

struct Tail {
    client: Client,
    group: Group,
    /// Lines before are not looked at.
    from: Timestamp,
    /// The ids of those behind `from` that were printed.
    seen: BTreeSet<(i64, String)>,
    /// It was said that the log cannot be read.
    lost: bool,
}

impl Tail {
    async fn look(&mut self) {
        let input = json!({ "logGroupName": self.group.name, "startTime": self.from.as_millis() });
        match self.client.call("logs", "FilterLogEvents", &input).await {
            Ok(page) => {
                self.lost = false;
                for event in page["events"].as_array().into_iter().flatten() {
                    self.print(event);
                }
            }
            // There is no group before the first line.
            Err(error) if error.to_string().starts_with("ResourceNotFoundException") => {}
            Err(error) if !self.lost => {
                self.lost = true;
                complain(&format!("{}: its log cannot be read: {error:#}", self.group.function));
            }
            Err(_) => {}
        }
        let newest = self.seen.last().map(|(at, _)| *at).unwrap_or_default();
        let late = i64::try_from(LATE.as_millis()).unwrap_or_default();
        self.from = self.from.max(Timestamp::from_millis(newest - late));
        let from = self.from.as_millis();
        self.seen.retain(|(at, _)| *at >= from);
    }

    fn print(&mut self, event: &Value) {
        let id = event["eventId"].as_str().unwrap_or_default().to_owned();
        let message = event["message"].as_str().unwrap_or_default();
        if !self.seen.insert((event["timestamp"].as_i64().unwrap_or_default(), id)) {
            return;
        }
        if !FRAME.iter().any(|frame| message.starts_with(frame)) {
            for line in message.trim_end().lines() {
                say(&format!("{} | {line}", self.group.function));
            }
        }
    }
}
