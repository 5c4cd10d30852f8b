//! Functions and what they printed last.

use askama::Template;
use base::Timestamp;
use lambda::api::{
    FunctionConfiguration, GetFunctionConfiguration, GetFunctionConfigurationInput, ListFunctions,
    ListFunctionsInput,
};
use logs::api::{
    DescribeLogStreams, DescribeLogStreamsInput, GetLogEvents, GetLogEventsInput, OrderBy, OutputLogEvent,
};

use super::desk::{Desk, Frame, all};
use super::html::{Html, Tone, pill, time};
use super::link::Link;
use super::{Result, pager};

/// The streams whose lines are shown, and the lines.
const STREAMS: i32 = 5;
const LINES: usize = 200;

#[derive(Template)]
#[template(path = "functions.html")]
struct FunctionsPage {
    frame: Frame,
    rows: Vec<Shown>,
    next: Option<Link>,
}

#[derive(Template)]
#[template(path = "function.html")]
struct FunctionPage {
    frame: Frame,
    function: Shown,
    group: String,
    lines: Result<Vec<Line>>,
}

struct Shown {
    name: String,
    href: Link,
    arn: String,
    runtime: String,
    handler: String,
    memory_mb: i32,
    timeout_s: i32,
    modified: Html,
    state: Html,
    environment: usize,
    description: String,
}

struct Line {
    at: Html,
    class: &'static str,
    text: String,
}

/// The list of functions.
pub(crate) async fn list(desk: &Desk<'_>) -> Result {
    let input = ListFunctionsInput { marker: pager::token(&desk.query), ..Default::default() };
    let found = desk.call::<ListFunctions>(&input).await?;
    let rows =
        found.functions.unwrap_or_default().into_iter().map(|function| shown(desk, function)).collect();
    let next = found.next_marker.filter(|marker| !marker.is_empty());
    let next = next.map(|marker| desk.link("functions").with("token", &marker));
    desk.render(&FunctionsPage { frame: desk.frame("functions", "Functions"), rows, next })
}

/// A function and its last lines.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let name = desk.query.get("name");
    let input = GetFunctionConfigurationInput { function_name: name.to_owned(), ..Default::default() };
    let function = desk.call::<GetFunctionConfiguration>(&input).await?;
    let group = function.logging_config.as_ref().and_then(|logging| logging.log_group.clone());
    let group = group
        .unwrap_or_else(|| format!("/aws/lambda/{}", function.function_name.clone().unwrap_or_default()));
    let lines = match lines(desk, &group).await {
        // The group is made when the function prints for the first time.
        Err(fault) if fault.code == "ResourceNotFoundException" => Ok(Vec::new()),
        lines => lines,
    };
    let frame = desk.frame("functions", name);
    desk.render(&FunctionPage { frame, function: shown(desk, function), group, lines })
}

fn shown(desk: &Desk<'_>, function: FunctionConfiguration) -> Shown {
    let name = function.function_name.unwrap_or_default();
    let state = function.state.unwrap_or_default().as_str();
    let tone = match state {
        "Active" => Tone::Good,
        "Failed" => Tone::Bad,
        _ => Tone::Busy,
    };
    // Lambda writes `2026-11-22T10:20:19.500+0000`, which lacks the colon of ISO 8601.
    let modified = function.last_modified.unwrap_or_default().replace("+0000", "Z");
    Shown {
        href: desk.link("function").with("name", &name),
        name,
        arn: function.function_arn.unwrap_or_default(),
        runtime: function.runtime.map_or("container", |runtime| runtime.as_str()).to_owned(),
        handler: function.handler.unwrap_or_default(),
        memory_mb: function.memory_size.unwrap_or_default(),
        timeout_s: function.timeout.unwrap_or_default(),
        modified: time(Timestamp::from_iso(&modified).unwrap_or_default()),
        state: pill(tone, state),
        environment: function
            .environment
            .and_then(|found| found.variables)
            .map_or(0, |variables| variables.len()),
        description: function.description.unwrap_or_default(),
    }
}

/// The last lines of the streams that were written to last, oldest first.
async fn lines(desk: &Desk<'_>, group: &str) -> Result<Vec<Line>> {
    let input = DescribeLogStreamsInput {
        log_group_name: Some(group.to_owned()),
        order_by: Some(OrderBy::LastEventTime),
        descending: Some(true),
        limit: Some(STREAMS),
        ..Default::default()
    };
    let streams = desk.call::<DescribeLogStreams>(&input).await?.log_streams.unwrap_or_default();
    let pages =
        all(streams.into_iter().filter_map(|stream| stream.log_stream_name).map(|stream| async move {
            let input = GetLogEventsInput {
                log_group_name: Some(group.to_owned()),
                log_stream_name: stream,
                limit: i32::try_from(LINES).ok(),
                ..Default::default()
            };
            Ok(desk.call::<GetLogEvents>(&input).await?.events.unwrap_or_default())
        }));
    let pages: Vec<Vec<OutputLogEvent>> = pages.await.into_iter().collect::<Result<_>>()?;
    let mut events: Vec<_> = pages.into_iter().flatten().collect();
    events.sort_by_key(|event| event.timestamp);
    let skipped = events.len().saturating_sub(LINES);
    Ok(events.into_iter().skip(skipped).map(line).collect())
}

fn line(event: OutputLogEvent) -> Line {
    let text = event.message.unwrap_or_default().trim_end().to_owned();
    let class = if ["START ", "END ", "REPORT ", "INIT_START "].iter().any(|own| text.starts_with(own)) {
        "quiet"
    } else if text.contains("ERROR") || text.contains("Error:") {
        "bad"
    } else {
        ""
    };
    Line { at: time(Timestamp::from_millis(event.timestamp.unwrap_or_default())), class, text }
}
