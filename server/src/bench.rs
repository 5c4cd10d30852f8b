//! A load client for any endpoint that speaks AWS's protocols, which prints its figures beside our targets.
//!
//! Knows the services by their public API alone, over HTTP. Must not know the server's inside: a rival is measured by the
//! same requests. The requests' bodies are made before the clock starts and one thread sends them, so that the client
//! takes as little as it can of a machine that it shares with the server.

mod api;
mod events;
mod functions;
mod load;
mod machines;
mod own;
mod process;
mod queues;
mod report;
mod rows;
mod tables;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

pub use self::rows::Row;

use self::api::{Address, NotServed};
use self::load::{Figures, Subject};
use self::own::{Keeping, OwnServer};
use self::report::{Column, Line, Outcome};

/// What to measure, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's URL; without one, servers of our own are started.
    pub endpoint: Option<String>,
    /// The server's process, if it is known.
    pub pid: Option<u32>,
    /// The rows; all if empty.
    pub rows: Vec<Row>,
    /// How long one load lasts.
    pub lasting: Duration,
    /// How many connections send at once.
    pub connections: usize,
    /// How many executions stand in a Wait state.
    pub waiting: usize,
    /// Below which directory our own server keeps its data.
    pub below: PathBuf,
}

/// What was measured.
pub struct Report {
    columns: Vec<Column>,
    lines: Vec<Line>,
}

impl Report {
    /// A markdown table.
    pub fn markdown(&self) -> String {
        report::markdown(&self.columns, &self.lines)
    }

    /// A document: a list of rows, with results and targets each.
    pub fn json(&self) -> Value {
        report::json(&self.columns, &self.lines)
    }

    /// Whether every row was measured, or is one that the server does not have.
    pub fn is_complete(&self) -> bool {
        self.lines.iter().all(|(_, outcomes)| !outcomes.iter().any(|it| matches!(it, Outcome::Failed(_))))
    }
}

/// Measures. What fails is told in its row; the others are measured all the same.
///
/// # Errors
/// A server of our own does not start, or the endpoint is no URL.
pub async fn run(settings: &Settings, progress: impl Fn(&str)) -> anyhow::Result<Report> {
    let all: Vec<Row> = Row::value_variants().iter().copied().filter(|row| !row.must_be_named()).collect();
    let rows = match settings.rows.as_slice() {
        [] => &all,
        rows => rows,
    };
    match &settings.endpoint {
        Some(url) => one_endpoint(settings, url, rows, progress).await,
        None => own_servers(settings, rows, progress).await,
    }
}

async fn one_endpoint(
    settings: &Settings,
    url: &str,
    rows: &[Row],
    progress: impl Fn(&str),
) -> anyhow::Result<Report> {
    let subject = subject(settings, Address::of(url).await?, settings.pid);
    let mut lines = Vec::new();
    for row in rows.iter().filter(|row| !row.needs_own_server()) {
        progress(row.described().what);
        lines.push((*row, vec![outcome(row.measure(&subject).await)]));
    }
    Ok(Report { columns: vec![Column::Endpoint], lines })
}

/// Both kinds of server by turns, so that what the machine does meanwhile meets both alike.
async fn own_servers(settings: &Settings, rows: &[Row], progress: impl Fn(&str)) -> anyhow::Result<Report> {
    const KEEPINGS: [Keeping; 2] = [Keeping::InMemory, Keeping::Durable];
    let mut lines = Vec::new();
    for row in rows.iter().filter(|row| row.needs_own_server()) {
        progress(row.described().what);
        let mut outcomes = Vec::new();
        for keeping in KEEPINGS {
            outcomes.push(outcome(of_start(*row, keeping, settings).await));
        }
        lines.push((*row, outcomes));
    }
    let columns = KEEPINGS.map(Column::Own).to_vec();
    if rows.iter().all(|row| row.needs_own_server()) {
        return Ok(Report { columns, lines });
    }
    let mut servers = Vec::new();
    for keeping in KEEPINGS {
        servers.push(OwnServer::start(keeping, &settings.below, 0).await?);
    }
    for row in rows.iter().filter(|row| !row.needs_own_server()) {
        progress(row.described().what);
        let mut outcomes = Vec::new();
        for server in &servers {
            let subject = subject(settings, server.address.clone(), server.pid());
            outcomes.push(outcome(row.measure(&subject).await));
        }
        lines.push((*row, outcomes));
    }
    for server in servers {
        server.stop().await?;
    }
    Ok(Report { columns, lines })
}

async fn of_start(row: Row, keeping: Keeping, settings: &Settings) -> anyhow::Result<Figures> {
    if row == Row::Idle {
        let mib = own::idle_mib(keeping, &settings.below).await?;
        return Ok(Figures { mib: Some(mib), ..Figures::default() });
    }
    if row == Row::Waiting {
        return waiting(keeping, settings).await;
    }
    let millis = own::start_to_first_answer(keeping, &settings.below).await?;
    Ok(Figures { millis: Some([millis, millis]), ..Figures::default() })
}

/// Executions that stand in a Wait state: what they take in memory and on disk, and how long a process that starts over
/// them takes to its first answer.
async fn waiting(keeping: Keeping, settings: &Settings) -> anyhow::Result<Figures> {
    let server = OwnServer::start(keeping, &settings.below, 0).await?;
    let load = subject(settings, server.address.clone(), server.pid());
    let machine = machines::start_waiting(&load, settings.waiting).await?;
    let mut figures = Figures { mib: server.resident_mib().ok(), ..machine.figures };
    if keeping == Keeping::Durable {
        figures.disk_mib = Some(server.disk_mib()?);
        let begin = std::time::Instant::now();
        let server = server.restart().await?;
        let again = subject(settings, server.address.clone(), server.pid());
        machines::some_wait(&again, &machine.arn).await?;
        let millis = begin.elapsed().as_secs_f64() * 1e3;
        figures.millis = Some([millis, millis]);
        server.stop().await?;
    } else {
        server.stop().await?;
    }
    Ok(figures)
}

fn subject(settings: &Settings, address: Address, pid: Option<u32>) -> Subject {
    Subject {
        address,
        pid,
        lasting: settings.lasting,
        connections: settings.connections,
        prefix: format!("bench-{}", std::process::id()),
    }
}

fn outcome(result: anyhow::Result<Figures>) -> Outcome {
    match result {
        Ok(figures) => Outcome::Measured(figures),
        Err(error) if error.is::<NotServed>() => Outcome::NotServed,
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}
