use futures::FutureExt;
use store::chunk;

use super::*;

pub(crate) async fn chunked_values_come_back(store: SharedEngine) {
    let value: Bytes = (0..250_000u32).map(|i| (i % 241) as u8).collect();
    let split = chunk::split(&value);
    let mut puts = vec![(key("big"), split.row)];
    puts.extend(split.chunks.into_iter().zip(0..).map(|(bytes, i)| (chunk::key(b"big", i), bytes)));
    store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let row = snapshot.get(b"big").await.unwrap().unwrap();
    let header = chunk::header(&row.value).unwrap().unwrap();
    let mut chunks = Vec::new();
    for key in chunk::keys(b"big", header) {
        chunks.push(snapshot.get(&key).await.unwrap().unwrap().value);
    }
    assert_eq!(chunk::join(header, &chunks), Ok(value));
}

pub(crate) async fn a_watch_wakes_below_its_prefix(store: SharedEngine) {
    for (commit, name) in
        [(put("q/1/x", ""), "a put"), (append("q/1/", &[""]), "an append"), (delete("q/1/x"), "a removal")]
    {
        let mut near = store.watch(b"q/1/");
        let mut all = store.watch(b"");
        let mut far = store.watch(b"q/2/");
        store.commit(put("q/0", "")).await.unwrap();
        assert_eq!((&mut near).now_or_never(), None, "{name}");
        assert_eq!((&mut all).now_or_never(), Some(()));
        store.commit(commit).await.unwrap();
        near.await;
        assert_eq!((&mut far).now_or_never(), None, "{name}");
        let conflict = provided(put("q/2/y", ""), "absent", Expect::At(Version(1)));
        assert!(store.commit(conflict).await.is_err());
        assert_eq!((&mut far).now_or_never(), None, "what was not committed wakes nobody");
    }
}

/// Takes and puts at random places of a queue: a scan from the floor finds what a scan from the prefix finds.
pub(crate) async fn a_floor_never_hides_a_row(store: SharedEngine) {
    let mut dice = dice(7);
    let mut held: Vec<Box<dyn Snapshot>> = Vec::new();
    let mut raised = 0;
    for _ in 0..150 {
        let name = format!("q/{:02}", dice(40));
        let commit = if dice(3) == 0 { put(&name, "m") } else { delete(&name) };
        store.commit(commit).await.unwrap();
        held.push(store.snapshot().await.unwrap());
        if held.len() > 4 {
            held.remove(dice(4) as usize);
        }
        let snapshot = &held[dice(held.len() as u64) as usize];
        let start = store.floor().start(b"q/", snapshot.version());
        raised += u32::from(*start != *b"q/");
        let from = KeyRange { start, ..KeyRange::prefix("q/") };
        let first = rows(&**snapshot, from, 1, Direction::Forward).await;
        assert_eq!(first, rows(&**snapshot, KeyRange::prefix("q/"), 1, Direction::Forward).await);
        match first.strip_suffix("=m") {
            Some(key) => store.floor().saw_first_live(b"q/", key.as_bytes(), snapshot.version()),
            None => store.floor().saw_empty(b"q/", snapshot.version()),
        }
    }
    assert!(raised > 20, "the floor rose {raised} times only");
}

pub(crate) async fn a_large_commit_is_one_commit(store: SharedEngine) {
    let value = Bytes::from(vec![7; 90_000]);
    let puts = (0..100).map(|i| (key(&format!("big/{i:03}")), value.clone())).collect();
    let version = store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let rows = snapshot.scan(KeyRange::prefix("big/"), 1000, Direction::Backward).await.unwrap();
    assert_eq!(rows.len(), 100);
    assert!(rows.iter().all(|(_, row)| row.version == version && row.value == value));
}
