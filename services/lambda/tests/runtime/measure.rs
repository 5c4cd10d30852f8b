//! What a call costs beside the handler. Run by hand: `cargo test --release -p buswork-lambda --test runtime -- --ignored --nocapture`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lambda::runtime::FunctionSpec;
use serde_json::json;

use crate::support::{House, answer, has, invocation, node, provided, python};

const WARM_CALLS: usize = 1000;
const COLD_CALLS: usize = 12;

fn shown(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let ms = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms", ms(times.len() / 2), ms(times.len() * 99 / 100))
}

async fn warm(spec: FunctionSpec) -> String {
    let (house, spec) = (House::new(), Arc::new(spec));
    house.invoke(&spec, json!({})).await;
    let mut times = Vec::new();
    for n in 0..WARM_CALLS {
        let start = Instant::now();
        let invoked = house.invoke(&spec, json!({ "n": n })).await;
        times.push(start.elapsed());
        assert_eq!((invoked.function_error, invoked.init_ms), (None, None));
    }
    shown(times)
}

/// Fresh processes of a function that is unpacked and whose interpreter is known.
async fn cold(mut spec: FunctionSpec) -> String {
    let house = House::new();
    house.invoke(&Arc::new(spec.clone()), json!({})).await;
    let mut times = Vec::new();
    for n in 0..COLD_CALLS {
        spec.revision = format!("cold {n}");
        let spec = Arc::new(spec.clone());
        let start = Instant::now();
        let invoked = house.invoke(&spec, json!({})).await;
        times.push(start.elapsed());
        assert!(invoked.init_ms.is_some() && invoked.function_error.is_none());
    }
    shown(times)
}

/// Two hundred calls by twenty callers from a cold start: how long they take together, and how many processes they needed.
async fn burst(spec: FunctionSpec) -> String {
    let (house, spec) = (House::new(), Arc::new(spec));
    let start = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..20 {
        let (supervisor, spec) = (house.supervisor.clone(), spec.clone());
        callers.spawn(async move {
            for n in 0..10 {
                let invoked = supervisor.invoke(&spec, invocation(json!([caller, n]))).await.unwrap();
                assert_eq!(answer(&invoked), json!([caller, n]));
            }
        });
    }
    callers.join_all().await;
    format!("{:.2} s with {} processes", start.elapsed().as_secs_f64(), house.supervisor.processes())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn calls() {
    let house = House::new();
    let mut functions = vec![("provided", provided())];
    if has(&house, "nodejs20.x").await {
        functions.push(("node", node(&[("index.js", "exports.handler = async (e) => e")])));
    }
    if has(&house, "python3.11").await {
        functions.push(("python", python(&[("app.py", "def handler(e, c): return e")])));
    }
    for (name, spec) in functions {
        let (warm, cold) = (warm(spec.clone()).await, cold(spec.clone()).await);
        println!("{name}: warm {warm}; cold {cold}; 200 calls by 20 callers {}", burst(spec).await);
    }
}
