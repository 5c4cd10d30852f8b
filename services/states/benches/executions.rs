//! What an execution costs behind the router's door, in CPU time of the whole process (the figure to trust): three Pass
//! states to their end with both status events taken, the same in an EXPRESS machine that is waited for, and a start that
//! waits. Sixteen callers at once, on a store in
//! memory and on the durable one.
//!
//! `cargo bench -p buswork-states`.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::time::Duration;

use base::{AccountId, Region};
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion};
use futures::future::join_all;
use kernel::{Caller, Chance, Clock, Kernel, Result, Service, ServiceEvent, Tx};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use store::Location;
use tokio::runtime::Runtime;

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

/// A bus that takes every event and has no rules.
async fn publish(_: &mut Tx, _: ServiceEvent) -> Result<()> {
    Ok(())
}

struct World {
    runtime: Runtime,
    kernel: Kernel,
    _directory: tempfile::TempDir,
}

const CALLERS: u64 = 16;

impl World {
    fn new(durable: bool) -> World {
        let directory = tempfile::tempdir().unwrap();
        let location =
            if durable { Location::Fjall(directory.path().join("store")) } else { Location::Memory };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let kernel = runtime.block_on(async {
            let engine = store::open(&location).unwrap();
            let events = Service::internal_only("events").internal(kernel::PUBLISH, publish);
            let services = vec![states::service(), events];
            let kernel = Kernel::new(engine, Clock::real(), Chance::from_os(), services);
            kernel.start().await.unwrap();
            kernel
        });
        World { runtime, kernel, _directory: directory }
    }

    async fn call(&self, operation: &str, input: &Value) {
        let caller = Caller::root_user(AccountId::default(), Region::default(), self.kernel.new_id());
        let input = serde_json::to_vec(input).unwrap();
        self.kernel.call(caller, "states", operation, input.into()).await.unwrap();
    }

    fn create(&self, name: &str, kind: &str, definition: &Value) {
        let input = json!({ "name": name, "type": kind, "definition": definition.to_string(),
            "roleArn": "arn:aws:iam::000000000000:role/r" });
        self.runtime.block_on(self.call("CreateStateMachine", &input));
    }

    /// Starts so many executions, and waits until nothing is left to do.
    fn start(&self, operation: &str, machine: &str, executions: u64) {
        let input = json!({
            "stateMachineArn": format!("arn:aws:states:us-east-1:000000000000:stateMachine:{machine}"),
            "input": r#"{"amount": 50, "accountNumber": "179", "clientId": "90876"}"#,
        });
        let caller = async |caller: u64| {
            for _ in (caller..executions).step_by(CALLERS as usize) {
                self.call(operation, &input).await;
            }
        };
        self.runtime.block_on(async {
            join_all((0..CALLERS).map(caller)).await;
            self.kernel.idle().await;
        });
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(Cpu)
        .sample_size(10)
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut group = criterion.benchmark_group("cpu per execution");
    let pass = |next: Value| {
        let mut state = json!({ "Type": "Pass" });
        state.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        state
    };
    let passes = json!({ "StartAt": "A", "States": { "A": pass(json!({ "Next": "B" })),
        "B": pass(json!({ "Next": "C" })), "C": pass(json!({ "End": true })) } });
    let wait =
        json!({ "StartAt": "A", "States": { "A": { "Type": "Wait", "Seconds": 100_000, "End": true } } });
    for (engine, durable) in [("memory", false), ("fjall", true)] {
        let world = World::new(durable);
        world.create("passes", "STANDARD", &passes);
        world.create("express", "EXPRESS", &passes);
        world.create("wait", "STANDARD", &wait);
        let rows =
            [("passes", "StartExecution"), ("express", "StartSyncExecution"), ("wait", "StartExecution")];
        for (machine, operation) in rows {
            group.bench_function(BenchmarkId::new(machine, engine), |bench| {
                bench.iter_custom(|executions| {
                    let start = Cpu.start();
                    world.start(operation, machine, executions);
                    Cpu.end(start)
                });
            });
        }
    }
    group.finish();
    criterion.final_summary();
}
