//! `buswork events search` and `buswork tail`

use base::Timestamp;
use events::{FoundEvent, SearchInput, SearchOutput, TailInput, TailOutput};

use crate::cli::{SearchArgs, TailArgs, say};
use crate::client::{Client, block_on};

/// How long one question of a tail waits for events.
const WAIT_SECONDS: u64 = 20;

/// Prints the events that are kept and match, newest first.
///
/// # Errors
/// A time or a pattern cannot be read, there is no such bus, or no server answers.
pub fn search(args: &SearchArgs) -> anyhow::Result<()> {
    let mut input = SearchInput {
        event_bus_name: args.bus.clone(),
        source: args.source.clone(),
        detail_type: args.detail_type.clone(),
        text: args.text.clone(),
        event_pattern: args.pattern.clone(),
        from: args.from.as_deref().map(moment).transpose()?,
        to: args.to.as_deref().map(moment).transpose()?,
        limit: Some(args.limit),
        next_token: None,
    };
    block_on(async {
        let client = Client::new(&args.endpoint)?;
        let mut shown = 0;
        loop {
            let answer = client.ask("events", events::SEARCH, &serde_json::to_value(&input)?).await?;
            let page: SearchOutput = serde_json::from_value(answer)?;
            for event in page.events.iter().take(args.limit - shown) {
                print(event, args.json)?;
            }
            shown = args.limit.min(shown + page.events.len());
            match page.next_token {
                Some(token) if shown < args.limit => input.next_token = Some(token),
                _ => return Ok(()),
            }
        }
    })
}

/// Prints events as they come, until it is interrupted or has printed as many as were asked for.
///
/// # Errors
/// The pattern cannot be read, there is no such bus, or no server answers.
pub fn tail(args: &TailArgs) -> anyhow::Result<()> {
    let mut input = TailInput {
        event_bus_name: args.bus.clone(),
        event_pattern: args.pattern.clone(),
        wait_seconds: Some(WAIT_SECONDS),
        ..TailInput::default()
    };
    block_on(async {
        let client = Client::new(&args.endpoint)?;
        let mut left = args.count.unwrap_or(u64::MAX);
        while left > 0 {
            let answer = client.ask("events", events::TAIL, &serde_json::to_value(&input)?).await?;
            let page: TailOutput = serde_json::from_value(answer)?;
            for event in &page.events {
                if left > 0 {
                    print(event, args.json)?;
                    left -= 1;
                }
            }
            input.cursor = Some(page.cursor);
        }
        Ok(())
    })
}

fn print(event: &FoundEvent, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say(&serde_json::to_string(event)?);
        return Ok(());
    }
    let document: serde_json::Value = serde_json::from_str(&event.event)?;
    let FoundEvent { event_id, ingested_at, source, detail_type, .. } = event;
    let at = ingested_at.to_iso_millis();
    say(&format!("{at}  {event_id}  {source}  {detail_type}  {}", document["detail"]));
    Ok(())
}

/// A time in ISO 8601.
pub(crate) fn moment(text: &str) -> anyhow::Result<Timestamp> {
    Timestamp::from_iso(text)
        .ok_or_else(|| anyhow::anyhow!("`{text}` is no time: use ISO 8601, e.g. 2026-11-22T10:20:19Z"))
}
