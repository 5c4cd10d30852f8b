//! What is measured, and what it should be.

use clap::ValueEnum;
use futures::future::LocalBoxFuture;

use super::load::{Figures, Subject};
use super::own::Keeping;
use super::{events, functions, machines, queues, tables};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// From the start of the process to its first answer.
    Start,
    /// Memory of an idle server.
    Idle,
    /// PutEvents of one entry with one rule to SQS.
    PutEvents,
    /// PutEvents of ten entries.
    #[value(name = "put-events-10")]
    PutEvents10,
    /// PutEvents with 100 rules.
    #[value(name = "rules-100")]
    Rules100,
    /// PutEvents with 5,000 rules.
    #[value(name = "rules-5000")]
    Rules5000,
    /// PutEvents on a bus that holds events to a schema.
    Validation,
    /// PutEvents to a message in a long poll.
    LongPoll,
    /// Standard executions of three Pass states.
    ThreePasses,
    /// StartExecution alone.
    StartExecution,
    /// Synchronous Express executions.
    ExpressSync,
    /// Standard executions that stand in a Wait state, and a restart over them. Only if it is named.
    Waiting,
    /// SendMessage.
    SendMessage,
    /// Receive(10) and DeleteMessageBatch.
    Receive,
    /// PutItem.
    PutItem,
    /// GetItem.
    GetItem,
    /// Query.
    Query,
    /// UpdateItem with a condition.
    UpdateItem,
    /// Warm calls of a function.
    Invoke,
}

/// What a row should reach: in memory, then durable.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// At least so many a second of one core's time.
    PerCore([f64; 2]),
    /// At most so many times the cost of the simpler thing.
    Ratio([f64; 2]),
    /// At most so many milliseconds: the median and the 99th percentile.
    Latency([[f64; 2]; 2]),
    /// At most so many milliseconds.
    Millis([f64; 2]),
    /// At most so many MiB.
    Mib([f64; 2]),
    /// No figure was set.
    Open,
}

/// What a row is.
pub(crate) struct Described {
    /// What is measured and in what unit.
    pub(crate) what: &'static str,
    /// What the best peer reaches, which keeps everything in memory.
    pub(crate) peer: &'static str,
    /// What we want to reach.
    pub(crate) goal: Goal,
}

impl Row {
    /// What the row is.
    pub(crate) fn described(self) -> Described {
        let row = |what, peer, goal| Described { what, peer, goal };
        let per_core = |in_memory, durable| Goal::PerCore([in_memory, durable]);
        match self {
            Row::Start => row("start to first answer, best of 5", "40 ms", Goal::Millis([30.0, 50.0])),
            Row::Idle => row("idle memory, 5 s after the start", "53 MiB", Goal::Mib([25.0, 30.0])),
            Row::PutEvents => {
                row("PutEvents, 1 entry, 1 rule to SQS: events delivered", "11,160/core", per_core(15e3, 8e3))
            }
            Row::PutEvents10 => {
                row("PutEvents, 10 entries: events delivered", "26,600/core", per_core(35e3, 25e3))
            }
            Row::Rules100 => {
                row("PutEvents, 100 rules of which 1 matches", "538/core", per_core(14e3, 7_500.0))
            }
            Row::Rules5000 => {
                row("PutEvents, 5,000 rules: cost against 1 rule", "–", Goal::Ratio([1.5, 1.5]))
            }
            Row::Validation => row(
                "PutEvents, one validation policy that warns: cost against none",
                "–",
                Goal::Ratio([1.2, 1.2]),
            ),
            Row::LongPoll => row(
                "PutEvents to message in a long poll, of 200",
                "15 / 99 ms",
                Goal::Latency([[0.7, 2.0], [3.0, 15.0]]),
            ),
            Row::ThreePasses => {
                row("Standard execution, three Pass states: SUCCEEDED", "2,380/core", per_core(5e3, 2_500.0))
            }
            Row::StartExecution => row("StartExecution alone", "6,700/core", per_core(9e3, 5e3)),
            Row::ExpressSync => row("Express sync, three Pass states", "7,720/core", per_core(10e3, 8e3)),
            Row::Waiting => row(
                "executions in a Wait state: started, memory, on disk, restart to first answer",
                "–",
                Goal::Open,
            ),
            Row::SendMessage => row("SendMessage", "14,600/core", per_core(18e3, 12e3)),
            Row::Receive => {
                row("Receive(10) + DeleteMessageBatch: messages", "6,670/core", per_core(40e3, 25e3))
            }
            Row::PutItem => row("PutItem 1 KiB", "10,900/core", per_core(15e3, 10e3)),
            Row::GetItem => row("GetItem 1 KiB", "13,700/core", per_core(25e3, 22e3)),
            Row::Query => row("Query, 10 items of 1 KiB", "2,480/core", per_core(9e3, 8e3)),
            Row::UpdateItem => row(
                "UpdateItem with condition, 2,000 hot items, no lost update",
                "7,640/core",
                per_core(12e3, 8e3),
            ),
            Row::Invoke => row(
                "warm function call (node), of 200",
                "56 / 64 ms",
                Goal::Latency([[1.0, 4.0], [2.0, 8.0]]),
            ),
        }
    }

    /// Whether only a server that we start ourselves can be measured.
    pub(crate) fn needs_own_server(self) -> bool {
        matches!(self, Row::Start | Row::Idle | Row::Waiting)
    }

    /// Whether it is measured only if it is named, because it takes long.
    pub(crate) fn must_be_named(self) -> bool {
        self == Row::Waiting
    }

    /// Measures the row; those that need a server of their own have nothing to measure here.
    pub(crate) fn measure(self, subject: &Subject) -> LocalBoxFuture<'_, anyhow::Result<Figures>> {
        match self {
            Row::Start | Row::Idle | Row::Waiting => Box::pin(async { Ok(Figures::default()) }),
            Row::PutEvents => Box::pin(events::put_events(subject, 1, 1)),
            Row::PutEvents10 => Box::pin(events::put_events(subject, 10, 1)),
            Row::Rules100 => Box::pin(events::put_events(subject, 1, 100)),
            Row::Rules5000 => Box::pin(events::put_events_ratio(subject, 5_000)),
            Row::Validation => Box::pin(events::validation_ratio(subject)),
            Row::LongPoll => Box::pin(events::long_poll(subject)),
            Row::ThreePasses => Box::pin(machines::three_passes(subject)),
            Row::StartExecution => Box::pin(machines::start_execution(subject)),
            Row::ExpressSync => Box::pin(machines::express_sync(subject)),
            Row::SendMessage => Box::pin(queues::send_message(subject)),
            Row::Receive => Box::pin(queues::receive_and_delete(subject)),
            Row::PutItem => Box::pin(tables::put_item(subject)),
            Row::GetItem => Box::pin(tables::get_item(subject)),
            Row::Query => Box::pin(tables::query(subject)),
            Row::UpdateItem => Box::pin(tables::update_item(subject)),
            Row::Invoke => Box::pin(functions::invoke(subject)),
        }
    }
}

impl Goal {
    /// The goal in words.
    pub(crate) fn text(self, keeping: Keeping) -> String {
        let at = index(keeping);
        match self {
            Goal::PerCore(goals) => format!("{}/core", super::report::grouped(goals[at])),
            Goal::Ratio(goals) => format!("≤ {}x", goals[at]),
            Goal::Latency(goals) => format!("{} / {} ms", goals[at][0], goals[at][1]),
            Goal::Millis(goals) => format!("{} ms", goals[at]),
            Goal::Mib(goals) => format!("{} MiB", goals[at]),
            Goal::Open => "–".to_owned(),
        }
    }

    /// Whether it is met; unknown if the figure is not.
    pub(crate) fn met(self, keeping: Keeping, figures: &Figures) -> Option<bool> {
        let at = index(keeping);
        Some(match self {
            Goal::PerCore(goals) => figures.per_core()? >= goals[at],
            Goal::Ratio(goals) => figures.ratio? <= goals[at],
            Goal::Latency(goals) => {
                let [median, high] = figures.millis?;
                median <= goals[at][0] && high <= goals[at][1]
            }
            Goal::Millis(goals) => figures.millis?[0] <= goals[at],
            Goal::Mib(goals) => figures.mib? <= goals[at],
            Goal::Open => return None,
        })
    }
}

fn index(keeping: Keeping) -> usize {
    match keeping {
        Keeping::InMemory => 0,
        Keeping::Durable => 1,
    }
}
