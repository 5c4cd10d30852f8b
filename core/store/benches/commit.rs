//! What a commit, a get and a scan cost per engine: wall time, and CPU time of the whole process (the figure to trust).
//!
//! `cargo bench -p buswork-store` runs memory, fjall and redb; PostgreSQL, too, if `BUSWORK_TEST_POSTGRES` names one.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to report")]

use std::time::Duration;

use bytes::Bytes;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion};
use rustix::time::{ClockId, clock_gettime};
use store::{
    Append, Check, Commit, CommitError, Direction, Expect, KeyRange, Location, SharedEngine, Version,
};
use tokio::runtime::Runtime;

/// CPU time of this process, user and system, all threads.
struct Cpu;

impl Measurement for Cpu {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap())
    }

    fn end(&self, start: Duration) -> Duration {
        self.start() - start
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

struct Opened {
    store: SharedEngine,
    runtime: Runtime,
    _directory: tempfile::TempDir,
}

const ENGINES: [&str; 4] = ["memory", "fjall", "redb", "postgres"];

fn open(engine: &str) -> Option<Opened> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let location = match engine {
        "memory" => Location::Memory,
        "fjall" => Location::Fjall(path),
        "redb" => Location::Redb(path),
        _ => {
            let url = std::env::var("BUSWORK_TEST_POSTGRES").ok()?;
            let name = directory.path().file_name()?.to_string_lossy().replace('.', "bench").to_lowercase();
            Location::Postgres(format!("{url}&options=-csearch_path%3D{name}"))
        }
    };
    let store = store::open(&location).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    Some(Opened { store, runtime, _directory: directory })
}

/// A kibibyte that does not compress.
fn record(seed: u64) -> Bytes {
    let mut state = seed | 1;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..128).flat_map(|_| word()).collect::<Vec<_>>().into()
}

/// An event as it is accepted: a record of 1 KiB, an index row and a task, under a guard.
fn event(id: u64, record: &Bytes, read_at: Option<Version>) -> Commit {
    let key = |space: &str| Bytes::from(format!("000000000000/us-east-1/{space}/{id:020}"));
    Commit {
        checks: vec![Check { key: key("id"), expect: Expect::Absent }],
        puts: vec![(key("id"), record.slice(..64)), (key("task"), record.slice(64..128))],
        deletes: Vec::new(),
        appends: vec![Append { prefix: key("log").slice(..26), value: record.clone() }],
        read_at,
    }
}

async fn client(store: SharedEngine, from: u64, count: u64, record: Bytes) {
    for id in from..from + count {
        let read_at = Some(store.snapshot().await.unwrap().version());
        match store.commit(event(id, &record, read_at)).await {
            Ok(_) => {}
            Err(CommitError::Conflict { key }) => panic!("{key:?}"),
            Err(other) => panic!("{other}"),
        }
    }
}

fn commits<M: Measurement<Value = Duration> + 'static>(c: &mut Criterion<M>, measure: &M, what: &str) {
    let mut group = c.benchmark_group(format!("append/{what}"));
    for engine in ENGINES {
        let Some(opened) = open(engine) else { continue };
        let mut next = 0;
        let record = record(7);
        for clients in [1, 16, 64] {
            group.bench_function(BenchmarkId::new(engine, clients), |bench| {
                bench.iter_custom(|iterations| {
                    let each = iterations.div_ceil(clients);
                    let start = measure.start();
                    opened.runtime.block_on(async {
                        let mut tasks = tokio::task::JoinSet::new();
                        for _ in 0..clients {
                            tasks.spawn(client(opened.store.clone(), next, each, record.clone()));
                            next += each;
                        }
                        tasks.join_all().await;
                    });
                    let spent = measure.end(start);
                    spent.mul_f64(iterations as f64 / (each * clients) as f64)
                });
            });
        }
        opened.runtime.block_on(opened.store.close()).unwrap();
    }
}

fn reads<M: Measurement<Value = Duration> + 'static>(c: &mut Criterion<M>, what: &str) {
    let mut group = c.benchmark_group(format!("read/{what}"));
    for engine in ENGINES {
        let Some(opened) = open(engine) else { continue };
        let record = record(7);
        let key = |i: u64| Bytes::from(format!("000000000000/us-east-1/item/{i:020}"));
        opened.runtime.block_on(async {
            for batch in 0..20 {
                let puts = (0..1000).map(|i| (key(batch * 1000 + i), record.clone())).collect();
                opened.store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
            }
        });
        let mut at = 0;
        let mut next = || {
            at = (at + 7919) % 19_900;
            key(at)
        };
        group.bench_function(BenchmarkId::new(engine, "get"), |bench| {
            bench.iter(|| {
                opened.runtime.block_on(async {
                    let snapshot = opened.store.snapshot().await.unwrap();
                    snapshot.get(&next()).await.unwrap().unwrap()
                })
            });
        });
        group.bench_function(BenchmarkId::new(engine, "scan of 100"), |bench| {
            bench.iter(|| {
                let range = KeyRange { start: next(), end: Bytes::new() };
                opened.runtime.block_on(async {
                    let snapshot = opened.store.snapshot().await.unwrap();
                    snapshot.scan(range, 100, Direction::Forward).await.unwrap()
                })
            });
        });
        opened.runtime.block_on(opened.store.close()).unwrap();
    }
}

/// Until a store that was not there can be used.
fn opens(c: &mut Criterion<WallTime>) {
    let mut group = c.benchmark_group("open an empty directory");
    for engine in ["fjall", "redb"] {
        group.bench_function(engine, |bench| {
            bench.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    let start = WallTime.start();
                    let opened = open(engine).unwrap();
                    spent += WallTime.end(start);
                    opened.runtime.block_on(opened.store.close()).unwrap();
                }
                spent
            });
        });
    }
}

fn short<M: Measurement>(criterion: Criterion<M>) -> Criterion<M> {
    let (warm_up, measured) = (Duration::from_millis(200), Duration::from_millis(800));
    criterion.sample_size(10).warm_up_time(warm_up).measurement_time(measured).configure_from_args()
}

fn main() {
    let mut wall = short(Criterion::default());
    commits(&mut wall, &WallTime, "wall");
    reads(&mut wall, "wall");
    opens(&mut wall);
    wall.final_summary();
    let mut cpu = short(Criterion::default().with_measurement(Cpu));
    commits(&mut cpu, &Cpu, "cpu");
    reads(&mut cpu, "cpu");
    cpu.final_summary();
}
