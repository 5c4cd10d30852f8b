use store::limits::{COMMIT_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};

use super::*;

pub(crate) async fn checks_hold_or_conflict(store: SharedEngine) {
    let first = store.commit(put("a", "1")).await.unwrap();
    let second = store.commit(put("a", "2")).await.unwrap();
    for (name, expect, holds) in [
        ("a", Expect::At(second), true),
        ("a", Expect::At(first), false),
        ("a", Expect::Absent, false),
        ("b", Expect::Absent, true),
        ("b", Expect::At(first), false),
    ] {
        let verdict = store.commit(provided(put("c", "1"), name, expect)).await;
        assert_eq!(verdict.is_ok(), holds, "{name} {expect:?}");
        if !holds {
            assert_eq!(verdict, conflict(name));
        }
    }
    let both = provided(provided(put("d", "1"), "a", Expect::At(second)), "b", Expect::At(first));
    assert_eq!(store.commit(both).await, conflict("b"), "all checks must hold");
    assert_eq!(now(&store, "d").await, None);
}

pub(crate) async fn a_removed_and_remade_row_is_another(store: SharedEngine) {
    let first = store.commit(put("a", "1")).await.unwrap();
    store.commit(delete("a")).await.unwrap();
    assert_eq!(store.commit(provided(put("a", "2"), "a", Expect::At(first))).await, conflict("a"));
    store.commit(provided(put("a", "1"), "a", Expect::Absent)).await.unwrap();
    assert_eq!(store.commit(provided(put("a", "2"), "a", Expect::At(first))).await, conflict("a"));
    assert_eq!(now(&store, "a").await.as_deref(), Some("1"));
}

pub(crate) async fn a_refused_commit_leaves_nothing(store: SharedEngine) {
    store.commit(put("old", "1")).await.unwrap();
    let mut commit = append("log/", &["1", "2"]);
    commit.puts.push((key("new"), key("1")));
    commit.deletes.push(key("old"));
    assert_eq!(store.commit(provided(commit, "old", Expect::Absent)).await, conflict("old"));
    let all = store.snapshot().await.unwrap();
    assert_eq!(rows(&*all, KeyRange::prefix(""), 9, Direction::Forward).await, "old=1");
}

pub(crate) async fn old_snapshots_are_judged_rightly(store: SharedEngine) {
    let a = store.commit(put("a", "1")).await.unwrap();
    let read_at = Some(store.snapshot().await.unwrap().version());
    for i in 0..40 {
        store.commit(put(&format!("noise/{i}"), "1")).await.unwrap();
    }
    let checked = Commit { read_at, ..provided(put("c", "1"), "a", Expect::At(a)) };
    let checked = provided(checked, "b", Expect::Absent);
    store.commit(checked.clone()).await.unwrap();
    store.commit(put("b", "1")).await.unwrap();
    assert_eq!(store.commit(checked.clone()).await, conflict("b"), "b was made since the snapshot");
    store.commit(delete("b")).await.unwrap();
    store.commit(checked.clone()).await.unwrap();
    store.commit(put("a", "1")).await.unwrap();
    assert_eq!(store.commit(checked).await, conflict("a"), "a was written since the snapshot");
}

pub(crate) async fn limits_are_refused(store: SharedEngine) {
    let raw = |key: Vec<u8>, bytes: usize| Commit {
        puts: vec![(key.into(), Bytes::from(vec![b'v'; bytes]))],
        ..Commit::default()
    };
    let twice = Commit { deletes: vec![key("a")], ..put("a", "1") };
    let many = Commit {
        puts: (0..=COMMIT_BYTES_MAX / VALUE_BYTES_MAX)
            .map(|i| (key(&i.to_string()), Bytes::from(vec![0; VALUE_BYTES_MAX])))
            .collect(),
        ..Commit::default()
    };
    let long_log = Commit {
        appends: vec![Append { prefix: vec![b'l'; KEY_BYTES_MAX - 9].into(), value: key("") }],
        ..Commit::default()
    };
    for (commit, said) in [
        (raw(vec![b'k'; KEY_BYTES_MAX + 1], 1), "refused: a key of 10001 bytes is longer than 10000: `kk"),
        (
            raw(vec![b'k'], VALUE_BYTES_MAX + 1),
            "refused: a value of 100001 bytes is larger than 100000, under `k`",
        ),
        (raw(Vec::new(), 1), "refused: a key is empty"),
        (raw(vec![0xFF, 1], 1), "refused: keys that start with 0xff belong to the store itself"),
        (twice, "refused: a key is written twice in one commit: `a`"),
        (many, "refused: a commit of 10100"),
        (long_log, "refused: a key of 10001 bytes"),
    ] {
        let refused = store.commit(commit).await.unwrap_err().to_string();
        assert!(refused.starts_with(said), "{refused}");
    }
    // PostgreSQL orders no longer keys, and says so.
    let longest = if store.name() == "postgres" { 2_600 } else { KEY_BYTES_MAX };
    let key: Vec<u8> = (0..longest).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 1).collect();
    let key = [b"k", &key[1..]].concat();
    store.commit(raw(key.clone(), VALUE_BYTES_MAX)).await.unwrap();
    let row = store.snapshot().await.unwrap().get(&key).await.unwrap().unwrap();
    assert_eq!(row.value.len(), VALUE_BYTES_MAX);
    if longest < KEY_BYTES_MAX {
        let refused = store.commit(raw([key, vec![1]].concat(), 1)).await.unwrap_err().to_string();
        assert!(refused.starts_with("refused: a key of 2601 bytes is longer than 2600"), "{refused}");
    }
}
