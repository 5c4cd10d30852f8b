use futures::future::join_all;
use store::Position;

use super::*;

async fn increment(store: &SharedEngine, name: &str, with_version: bool) {
    loop {
        let snapshot = store.snapshot().await.unwrap();
        let row = snapshot.get(name.as_bytes()).await.unwrap();
        let (expect, count) = match &row {
            Some(row) => {
                (Expect::At(row.version), std::str::from_utf8(&row.value).unwrap().parse::<u32>().unwrap())
            }
            None => (Expect::Absent, 0),
        };
        let mut commit = provided(put(name, &(count + 1).to_string()), name, expect);
        commit.read_at = with_version.then(|| snapshot.version());
        drop(snapshot);
        match store.commit(commit).await {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Runs `count` tasks on the threads of the runtime.
async fn at_once<F: Future<Output = ()> + Send + 'static>(count: u64, task: impl Fn(u64) -> F) {
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..count {
        tasks.spawn(task(i));
    }
    tasks.join_all().await;
}

pub(crate) async fn increments_are_not_lost(store: SharedEngine) {
    let counting = store.clone();
    at_once(8, move |task| {
        let store = counting.clone();
        async move {
            let mut dice = dice(task + 1);
            for i in 0..24 {
                increment(&store, ["x", "y"][dice(2) as usize], i % 2 == 0).await;
            }
        }
    })
    .await;
    let count = async |name| now(&store, name).await.unwrap().parse::<u32>().unwrap();
    assert_eq!(count("x").await + count("y").await, 8 * 24);
}

pub(crate) async fn one_of_many_makes_a_row(store: SharedEngine) {
    for round in 0..6 {
        let name = format!("row/{round}");
        let makes =
            (0..12).map(|i| store.commit(provided(put(&name, &i.to_string()), &name, Expect::Absent)));
        let verdicts = join_all(makes).await;
        assert_eq!(verdicts.iter().filter(|v| v.is_ok()).count(), 1, "{verdicts:?}");
        assert_eq!(verdicts.iter().filter(|v| **v == conflict(&name)).count(), 11);
        let winner = verdicts.iter().position(Result::is_ok).unwrap();
        assert_eq!(now(&store, &name).await, Some(winner.to_string()));
    }
}

pub(crate) async fn blind_writes_of_one_key_all_hold(store: SharedEngine) {
    let writes = (0..40).map(|i| store.commit(put("hot", &i.to_string())));
    let versions: Vec<_> = join_all(writes).await.into_iter().map(Result::unwrap).collect();
    let newest = versions.iter().enumerate().max_by_key(|(_, v)| **v).unwrap();
    let row = store.snapshot().await.unwrap().get(b"hot").await.unwrap().unwrap();
    assert_eq!((row.version, &*row.value), (*newest.1, newest.0.to_string().as_bytes()));
    let mut distinct = versions.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), versions.len());
}

pub(crate) async fn positions_rise_in_commit_order(store: SharedEngine) {
    let appending = store.clone();
    at_once(6, move |task| {
        let store = appending.clone();
        async move {
            for i in 0..15 {
                let text = |part| format!("{task}/{i}/{part}");
                let before = store.snapshot().await.unwrap().version();
                let version = store.commit(append("log/", &[&text(0), &text(1)])).await.unwrap();
                assert!(version > before);
                let snapshot = store.snapshot().await.unwrap();
                for index in 0..2 {
                    let key = store::log::record_key(b"log/", Position { version, index });
                    let row = snapshot.get(&key).await.unwrap().unwrap();
                    assert_eq!((row.version, &*row.value), (version, text(index).as_bytes()));
                }
            }
        }
    })
    .await;
    let snapshot = store.snapshot().await.unwrap();
    let records = snapshot.scan(store::log::all(b"log/"), 1000, Direction::Forward).await.unwrap();
    assert_eq!(records.len(), 6 * 15 * 2);
    let mut seen = std::collections::HashMap::new();
    for (key, row) in &records {
        let position = store::log::position_of(b"log/", key).unwrap();
        assert_eq!(position.version, row.version);
        let text = std::str::from_utf8(&row.value).unwrap();
        let (task, count) = text.split_once('/').unwrap();
        let count: f32 = count.replace('/', ".").parse().unwrap();
        let before = seen.insert(task.to_owned(), count).unwrap_or(-1.0);
        assert!(before < count, "the records of one writer keep their order");
    }
}

/// Of two rows, at least one must stay: both removals check both rows, though each removes only one.
pub(crate) async fn guard_keys_prevent_write_skew(store: SharedEngine) {
    for _ in 0..10 {
        let puts = vec![(key("a"), key("on call")), (key("b"), key("on call"))];
        store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
        let snapshot = store.snapshot().await.unwrap();
        let at = snapshot.get(b"a").await.unwrap().unwrap().version;
        let leave = |name| {
            let commit = provided(provided(delete(name), "a", Expect::At(at)), "b", Expect::At(at));
            store.commit(Commit { read_at: Some(snapshot.version()), ..commit })
        };
        let (a, b) = futures::join!(leave("a"), leave("b"));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    }
}
