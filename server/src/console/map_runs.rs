//! Map runs: what a distributed Map state does with many items, and the executions that do it.

use askama::Template;
use states::api::{
    DescribeMapRun, DescribeMapRunInput, DescribeMapRunOutput, ExecutionListItem, ExecutionStatus,
    ListExecutions, ListExecutionsInput, ListMapRuns, ListMapRunsInput, MapRunStatus, UpdateMapRun,
    UpdateMapRunInput,
};

use super::desk::{Desk, Frame, LISTED_MAX, last};
use super::executions::{status_named, status_pill};
use super::html::{Html, Tone, duration_ms, maybe_time, pill, time};
use super::link::Link;
use super::{Answer, Result, pager};

/// The map runs of an execution that are shown.
const SHOWN: i32 = 20;

/// A map run in a list.
pub(crate) struct MapRunRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: Link,
    /// How it stands.
    pub status: Html,
    /// When it began.
    pub started: Html,
    /// When it ended.
    pub ended: Html,
    /// Items that went well, of all.
    pub items: String,
}

#[derive(Template)]
#[template(path = "map_run.html")]
struct MapRunPage {
    frame: Frame,
    arn: String,
    name: String,
    status: Html,
    running: bool,
    execution: (String, Link),
    started: Html,
    ended: Html,
    took: String,
    max_concurrency: i32,
    tolerated_percentage: f64,
    tolerated_count: i64,
    redrives: i32,
    counts: Vec<Count>,
    shares: Vec<Share>,
    update: Link,
    status_filter: String,
    statuses: Vec<(&'static str, bool)>,
    rows: Vec<Child>,
    pager: pager::Pager,
}

/// How many items and executions are in a state.
struct Count {
    name: &'static str,
    class: &'static str,
    items: i64,
    executions: i64,
}

/// A part of the bar.
struct Share {
    class: &'static str,
    from: String,
    width: String,
}

struct Child {
    name: String,
    href: Link,
    status: Html,
    items: String,
    started: Html,
    ended: Html,
}

/// The map runs that an execution began, the newest first.
pub(crate) async fn of_execution(desk: &Desk<'_>, arn: &str) -> Result<Vec<MapRunRow>> {
    let input =
        ListMapRunsInput { execution_arn: arn.to_owned(), max_results: Some(SHOWN), ..Default::default() };
    let mut rows = Vec::new();
    for run in desk.call::<ListMapRuns>(&input).await?.map_runs {
        let found = describe(desk, &run.map_run_arn).await?;
        rows.push(MapRunRow {
            name: last(&run.map_run_arn).to_owned(),
            href: desk.link("map-run").with("arn", &run.map_run_arn),
            status: map_run_pill(found.status),
            started: time(found.start_date),
            ended: maybe_time(found.stop_date),
            items: format!("{} of {}", found.item_counts.succeeded, found.item_counts.total),
        });
    }
    Ok(rows)
}

async fn describe(desk: &Desk<'_>, arn: &str) -> Result<DescribeMapRunOutput> {
    desk.call::<DescribeMapRun>(&DescribeMapRunInput { map_run_arn: arn.to_owned() }).await
}

fn map_run_pill(status: MapRunStatus) -> Html {
    let tone = match status {
        MapRunStatus::Running => Tone::Busy,
        MapRunStatus::Succeeded => Tone::Good,
        MapRunStatus::Failed => Tone::Bad,
        MapRunStatus::Aborted => Tone::Warn,
    };
    pill(tone, status.as_str())
}

/// The page of a map run with its children.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let arn = desk.query.get("arn");
    let run = describe(desk, arn).await?;
    let status_filter = desk.query.get("status").to_owned();
    let input = ListExecutionsInput {
        map_run_arn: Some(arn.to_owned()),
        status_filter: status_named(&status_filter),
        max_results: i32::try_from(LISTED_MAX).ok(),
        next_token: pager::token(&desk.query),
        ..Default::default()
    };
    let listed = desk.call::<ListExecutions>(&input).await?;
    let list = desk.link("map-run").with("arn", arn).with("status", &status_filter);
    let (children, pager) = pager::cut(listed.executions, &desk.query, listed.next_token.as_deref(), &list);
    let took = run.stop_date.unwrap_or_else(|| desk.kernel.clock().now()).since(run.start_date);
    desk.render(&MapRunPage {
        frame: desk.frame("state-machines", format!("Map run {}", last(arn))),
        arn: arn.to_owned(),
        name: last(arn).to_owned(),
        status: map_run_pill(run.status),
        running: run.status == MapRunStatus::Running,
        execution: (
            last(&run.execution_arn).to_owned(),
            desk.link("execution").with("arn", &run.execution_arn),
        ),
        started: time(run.start_date),
        ended: maybe_time(run.stop_date),
        took: duration_ms(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        max_concurrency: run.max_concurrency,
        tolerated_percentage: run.tolerated_failure_percentage,
        tolerated_count: run.tolerated_failure_count,
        redrives: run.redrive_count.unwrap_or_default(),
        shares: shares(&counts(&run)),
        counts: counts(&run),
        update: desk.link("map-run/update"),
        statuses: ExecutionStatus::VALUES.iter().map(|known| (*known, status_filter == *known)).collect(),
        status_filter,
        rows: children.into_iter().map(|child| row(desk, child)).collect(),
        pager,
    })
}

fn counts(run: &DescribeMapRunOutput) -> Vec<Count> {
    let (items, executions) = (&run.item_counts, &run.execution_counts);
    let count = |name, class, items, executions| Count { name, class, items, executions };
    vec![
        count("Succeeded", "good", items.succeeded, executions.succeeded),
        count("Failed", "bad", items.failed, executions.failed),
        count("Timed out", "bad", items.timed_out, executions.timed_out),
        count("Aborted", "warn", items.aborted, executions.aborted),
        count("Running", "busy", items.running, executions.running),
        count("Pending", "quiet", items.pending, executions.pending),
    ]
}

/// The parts of a bar that is a hundred wide.
fn shares(counts: &[Count]) -> Vec<Share> {
    let total: i64 = counts.iter().map(|count| count.items).sum();
    let mut from = 0.0;
    let mut shares = Vec::new();
    for count in counts.iter().filter(|count| count.items > 0) {
        let width = count.items as f64 * 100.0 / total.max(1) as f64;
        shares.push(Share { class: count.class, from: format!("{from:.2}"), width: format!("{width:.2}") });
        from += width;
    }
    shares
}

fn row(desk: &Desk<'_>, child: ExecutionListItem) -> Child {
    Child {
        href: desk.link("execution").with("arn", &child.execution_arn),
        name: child.name,
        status: status_pill(child.status),
        items: child.item_count.map_or_else(|| "–".to_owned(), |count| count.to_string()),
        started: time(child.start_date),
        ended: maybe_time(child.stop_date),
    }
}

/// Changes how many children run at once, and how many may fail, while the run goes on.
pub(crate) async fn update(desk: &Desk<'_>) -> Result {
    let arn = desk.form.get("arn");
    let number = |name: &str| {
        let text = desk.form.given(name)?;
        Some(text.parse::<f64>().map_err(|_| base::Fault::validation(format!("{name} is no number."))))
    };
    let concurrency = number("maxConcurrency").transpose()?;
    let input = UpdateMapRunInput {
        map_run_arn: arn.to_owned(),
        max_concurrency: concurrency.map(|number| number as i32),
        tolerated_failure_percentage: number("toleratedFailurePercentage").transpose()?,
        tolerated_failure_count: number("toleratedFailureCount").transpose()?.map(|number| number as i64),
    };
    desk.call::<UpdateMapRun>(&input).await?;
    Ok(Answer::Goto(desk.link("map-run").with("arn", arn).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full() {
        let count = |class, items| Count { name: "", class, items, executions: 0 };
        let shown: Vec<String> = shares(&[count("good", 3), count("bad", 0), count("busy", 1)])
            .into_iter()
            .map(|share| format!("{} {}+{}", share.class, share.from, share.width))
            .collect();
        assert_eq!(shown, ["good 0.00+75.00", "busy 75.00+25.00"]);
        assert!(shares(&[]).is_empty());
    }
}
