//! Load: many connections that each send the next request when they have the answer to the last one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;

use super::api::{Address, Connection, Head, Service};
use super::process;

/// What is measured: a server, and how hard.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Where it is.
    pub(crate) address: Address,
    /// Its process, if it is on this machine and known.
    pub(crate) pid: Option<u32>,
    /// How long one load lasts.
    pub(crate) lasting: Duration,
    /// How many connections send at once.
    pub(crate) connections: usize,
    /// What the names of everything made here begin with.
    pub(crate) prefix: String,
}

/// Which request of which connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// The connection, from 0.
    pub(crate) connection: usize,
    /// How many requests it has sent before.
    pub(crate) number: usize,
}

/// What was found out. What does not apply, or cannot be known, is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub(crate) struct Figures {
    /// Things done per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_second: Option<f64>,
    /// The server's CPU time for one thing, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_micros: Option<f64>,
    /// The median and the 99th percentile of a request's time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) millis: Option<[f64; 2]>,
    /// How much more of the server's time a thing costs than the simpler thing it is compared to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// Memory in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mib: Option<f64>,
    /// Bytes on disk, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_mib: Option<f64>,
}

/// Requests that were answered.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// How long each took.
    pub(crate) times: Vec<Duration>,
}

/// The clock and the server's CPU time, since a moment.
pub(crate) struct Meter {
    since: Instant,
    pid: Option<u32>,
    cpu_before: Option<u64>,
}

impl Figures {
    /// What one undisturbed core can do in a second.
    pub(crate) fn per_core(&self) -> Option<f64> {
        self.cpu_micros.filter(|micros| *micros > 0.0).map(|micros| 1e6 / micros)
    }

    /// These figures, and how long a request took.
    pub(crate) fn with_times(mut self, times: &mut [Duration]) -> Figures {
        self.millis = percentiles(times);
        self
    }
}

impl Meter {
    /// Starts to measure.
    pub(crate) fn start(subject: &Subject) -> Meter {
        let cpu_before = subject.pid.and_then(|pid| process::cpu_micros(pid).ok());
        Meter { since: Instant::now(), pid: subject.pid, cpu_before }
    }

    /// The figures of `count` things done since the start.
    pub(crate) fn stop(&self, count: usize) -> Figures {
        let seconds = self.since.elapsed().as_secs_f64();
        let cpu_after = self.pid.and_then(|pid| process::cpu_micros(pid).ok());
        let cpu = self.cpu_before.zip(cpu_after).map(|(before, after)| after.saturating_sub(before) as f64);
        let count = count as f64;
        Figures {
            per_second: Some(count / seconds),
            cpu_micros: cpu.map(|cpu| cpu / count.max(1.0)),
            ..Figures::default()
        }
    }
}

impl Subject {
    /// The connections of a load.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) async fn connect_all(&self) -> anyhow::Result<Vec<Connection>> {
        let mut connections = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            connections.push(self.address.connect().await?);
        }
        Ok(connections)
    }

    /// Sends one operation's requests from every connection for as long as a load lasts.
    ///
    /// # Errors
    /// One of them failed.
    pub(crate) async fn load(
        &self,
        connections: &mut [Connection],
        head: &Head,
        body: impl Fn(Turn) -> Bytes,
    ) -> anyhow::Result<Answered> {
        let until = Instant::now() + self.lasting;
        each(connections, head, body, |_| Instant::now() < until).await
    }

    /// Sends `count` requests, spread over the connections.
    ///
    /// # Errors
    /// One of them failed.
    pub(crate) async fn fill(
        &self,
        service: &Service,
        operation: &str,
        count: usize,
        body: impl Fn(usize) -> Bytes,
    ) -> anyhow::Result<()> {
        let mut connections = self.connect_all().await?;
        let width = connections.len();
        let head = self.address.head(service, operation)?;
        let index = |turn: Turn| turn.number * width + turn.connection;
        each(&mut connections, &head, |turn| body(index(turn)), |turn| index(turn) < count).await?;
        Ok(())
    }

    /// Measures one operation whose answer is all that is waited for.
    ///
    /// # Errors
    /// A request failed.
    pub(crate) async fn measure(
        &self,
        service: &Service,
        operation: &str,
        body: impl Fn(Turn) -> Bytes,
    ) -> anyhow::Result<Figures> {
        let head = self.address.head(service, operation)?;
        let mut connections = self.connect_all().await?;
        let meter = Meter::start(self);
        let mut answered = self.load(&mut connections, &head, body).await?;
        Ok(meter.stop(answered.times.len()).with_times(&mut answered.times))
    }
}

async fn each(
    connections: &mut [Connection],
    head: &Head,
    body: impl Fn(Turn) -> Bytes,
    go_on: impl Fn(Turn) -> bool,
) -> anyhow::Result<Answered> {
    let (body, go_on) = (&body, &go_on);
    let workers = connections.iter_mut().enumerate().map(|(index, connection)| async move {
        let mut times = Vec::new();
        let mut turn = Turn { connection: index, number: 0 };
        while go_on(turn) {
            let body = body(turn);
            let start = Instant::now();
            connection.send(head, body).await?;
            times.push(start.elapsed());
            turn.number += 1;
        }
        anyhow::Ok(times)
    });
    let workers: FuturesUnordered<_> = workers.collect();
    Ok(Answered { times: workers.try_concat().await? })
}

/// The median and the 99th percentile in milliseconds; of nothing, nothing.
pub(crate) fn percentiles(times: &mut [Duration]) -> Option<[f64; 2]> {
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(index).map(|time| time.as_secs_f64() * 1e3)
    };
    Some([at(50)?, at(99)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_smallest_that_covers_the_share() {
        let mut times: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(&mut times), Some([100.0, 198.0]));
        assert_eq!(percentiles(&mut [Duration::from_millis(7)]), Some([7.0, 7.0]));
        assert_eq!(percentiles(&mut []), None);
    }
}
