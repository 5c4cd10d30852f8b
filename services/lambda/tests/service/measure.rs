//! What `Invoke` costs through the router on a store in memory and on disk. Run by hand:
//! `cargo test --release -p buswork-lambda --test service -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use serde_json::json;
use store::Location;

use crate::support::House;

const CALLS: usize = 500;

async fn warm(house: &House) -> String {
    house.create(json!({})).await;
    house.invoke("f", json!({})).await;
    let mut times = Vec::new();
    for n in 0..CALLS {
        let start = Instant::now();
        house.invoke("f", json!({ "n": n })).await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let ms = |at: usize| Duration::as_secs_f64(&times[at]) * 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms", ms(CALLS / 2), ms(CALLS * 99 / 100))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn calls() {
    println!("memory: {}", warm(&House::new().await).await);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let location = Location::Fjall(directory.path().join("store"));
    println!("fjall: {}", warm(&House::over(store::open(&location).unwrap()).await).await);
}
