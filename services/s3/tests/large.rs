//! Bodies that no transaction holds.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use store::fault::Faults;
use store::{Location, Options, SharedEngine};
use world::World;

const LENGTH: usize = 30_000_000;

fn pattern(length: usize) -> Bytes {
    (0..length as u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Every row below the service's own, by what its value weighs.
async fn stored(engine: &SharedEngine) -> usize {
    let snapshot = engine.snapshot().await.unwrap();
    let all = store::engine::KeyRange::prefix(Bytes::new());
    let rows = snapshot.scan(all, usize::MAX, store::engine::Direction::Forward).await.unwrap();
    rows.iter().map(|(_, row)| row.value.len()).sum()
}

#[tokio::test]
async fn thirty_megabytes_come_back_whole_and_in_parts() {
    let engine = store::open(&Location::Memory).unwrap();
    let world = World::over(engine.clone(), "2026-01-01T00:00:00Z").await;
    world.send("PUT /box", &[], "").await;
    let body = pattern(LENGTH);
    let put = world.answer("PUT /box/large", &[], body.clone()).await;
    assert_eq!(put.status().as_u16(), 200);
    let got = world.answer("GET /box/large", &[], Bytes::new()).await;
    assert_eq!(got.headers()["content-length"], LENGTH.to_string());
    let (mut stream, mut longest, mut found) = (got.into_body(), 0, Vec::new());
    while let Some(frame) = stream.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        longest = longest.max(piece.len());
        found.extend_from_slice(&piece);
    }
    assert!(found == body);
    assert!(longest <= 1 << 20, "a body comes in pieces: {longest}");
    for (range, from, to) in [
        ("bytes=1048570-1048580", 1_048_570, 1_048_581),
        ("bytes=0-2999999", 0, 3_000_000),
        ("bytes=-1000000", LENGTH - 1_000_000, LENGTH),
    ] {
        let got = world.answer("GET /box/large", &[("range", range)], Bytes::new()).await;
        assert!(got.into_body().collect().await.unwrap().to_bytes() == body.slice(from..to), "{range}");
    }
    let copied = world.send("PUT /box/copy", &[("x-amz-copy-source", "box/large")], "").await;
    assert!(copied.text().contains("CopyObjectResult"), "{}", copied.text());
    world.send("DELETE /box/large", &[], "").await;
    let copy = world.answer("GET /box/copy", &[], Bytes::new()).await;
    assert!(copy.into_body().collect().await.unwrap().to_bytes() == body);
    world.send("DELETE /box/copy", &[], "").await;
    assert!(stored(&engine).await > 2 * LENGTH, "whoever reads may go on");
    world.kernel.advance(Duration::from_secs(3_600)).await;
    assert!(stored(&engine).await < 100_000);
}

#[tokio::test]
async fn who_reads_an_object_that_is_replaced_gets_the_old_one() {
    let world = World::with_bucket("box").await;
    let old = pattern(3_000_000);
    world.answer("PUT /box/a", &[], old.clone()).await;
    let reading = world.answer("GET /box/a", &[], Bytes::new()).await;
    world.put("/box/a", "new").await;
    assert!(reading.into_body().collect().await.unwrap().to_bytes() == old);
    assert_eq!(world.send("GET /box/a", &[], "").await.text(), "new");
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    // On disk, where a commit takes a while.
    let directory = tempfile::tempdir().unwrap();
    let engine = store::open(&Location::Fjall(directory.path().join("store"))).unwrap();
    let world = World::over(engine.clone(), "2026-01-01T00:00:00Z").await;
    world.send("PUT /box", &[], "").await;
    let empty = stored(&engine).await;
    // The upload is dropped as soon as some of it is on disk.
    let mut upload = Box::pin(world.answer("PUT /box/large", &[], pattern(LENGTH)));
    while stored(&engine).await < 5_000_000 {
        assert!(upload.as_mut().now_or_never().is_none(), "the upload was done too early");
        tokio::task::yield_now().await;
    }
    drop(upload);
    world.kernel.halt().await;

    let world = World::over(engine.clone(), "2026-01-01T00:30:00Z").await;
    assert_eq!(world.send("GET /box/large", &[], "").await.code(), "NoSuchKey");
    assert!(stored(&engine).await > 5_000_000, "it is not given up yet");
    world.kernel.advance(Duration::from_secs(3_600)).await;
    assert_eq!(world.send("GET /box/large", &[], "").await.code(), "NoSuchKey");
    let left = stored(&engine).await - empty;
    assert!(left < 10_000, "{left} bytes are left");
    assert_eq!(world.send("DELETE /box", &[], "").await.status.as_u16(), 204);
}

#[tokio::test]
async fn a_full_disk_fails_the_upload_and_not_the_object() {
    let faults = Faults::default();
    let options = Options { faults: Some(faults.clone()), ..Options::default() };
    let engine = store::open_with(&Location::Memory, &options).unwrap();
    let world = World::over(engine.clone(), "2026-01-01T00:00:00Z").await;
    world.send("PUT /box", &[], "").await;
    world.put("/box/a", "before").await;
    faults.set(Some(store::fault::Fault::Full));
    let refused = world.answer("PUT /box/a", &[], pattern(LENGTH)).await;
    assert_eq!(refused.status().as_u16(), 503);
    faults.set(None);
    assert_eq!(world.send("GET /box/a", &[], "").await.text(), "before");
}
