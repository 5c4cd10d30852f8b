use store::{CommitError, StoreError};

use super::*;

pub(crate) async fn rows_are_read_as_written(store: SharedEngine) {
    let everything: String = (0..=127u8).map(char::from).collect();
    for (name, value) in [("a", "1"), ("b", ""), ("c\0d", &everything), ("\u{1}", "low")] {
        let version = store.commit(put(name, value)).await.unwrap();
        let snapshot = store.snapshot().await.unwrap();
        assert!(snapshot.version() >= version);
        let row = snapshot.get(name.as_bytes()).await.unwrap().unwrap();
        assert_eq!((row.version, &*row.value), (version, value.as_bytes()));
    }
    assert_eq!(now(&store, "absent").await, None);
    let bytes = Bytes::from_static(b"\xFE\x00\xFF\x80");
    store.commit(Commit { puts: vec![(bytes.clone(), bytes.clone())], ..Commit::default() }).await.unwrap();
    assert_eq!(store.snapshot().await.unwrap().get(&bytes).await.unwrap().unwrap().value, bytes);
}

pub(crate) async fn ranges_end_where_they_say(store: SharedEngine) {
    let names = ["a", "b", "b\0", "ba", "bb", "c", "d"];
    let puts = names.iter().map(|name| (key(name), key("-"))).collect();
    store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let between = |start: &str, end: &str| KeyRange { start: key(start), end: key(end) };
    use Direction::{Backward, Forward};
    for (range, limit, direction, expected) in [
        (between("a", "c"), 9, Forward, r"a=- b=- b\x00=- ba=- bb=-"),
        (between("a", "c"), 9, Backward, r"bb=- ba=- b\x00=- b=- a=-"),
        (between("a", "c"), 2, Forward, "a=- b=-"),
        (between("a", "c"), 2, Backward, "bb=- ba=-"),
        (between("a", "c"), 0, Forward, ""),
        (between("a", "c"), 0, Backward, ""),
        (between("bab", "c"), 9, Forward, "bb=-"),
        (between("c", ""), 9, Forward, "c=- d=-"),
        (between("c", ""), 1, Backward, "d=-"),
        (between("", ""), 1, Forward, "a=-"),
        (between("", ""), 1, Backward, "d=-"),
        (between("c", "c"), 9, Forward, ""),
        (between("d", "a"), 9, Forward, ""),
        (KeyRange::prefix("b"), 9, Forward, r"b=- b\x00=- ba=- bb=-"),
        (KeyRange::prefix("b"), 3, Backward, r"bb=- ba=- b\x00=-"),
        (KeyRange::prefix("x"), 9, Forward, ""),
        (KeyRange::prefix(""), 99, Forward, r"a=- b=- b\x00=- ba=- bb=- c=- d=-"),
        (KeyRange::prefix(vec![0xFF]), 9, Forward, ""),
    ] {
        let shown = format!("{range:?} {limit} {direction:?}");
        assert_eq!(rows(&*snapshot, range, limit, direction).await, expected, "{shown}");
    }
}

pub(crate) async fn a_snapshot_stays(store: SharedEngine) {
    store.commit(put("a", "old")).await.unwrap();
    store.commit(put("b", "old")).await.unwrap();
    let before = store.snapshot().await.unwrap();
    let version = before.version();
    store.commit(put("a", "new")).await.unwrap();
    store.commit(delete("b")).await.unwrap();
    store.commit(put("c", "new")).await.unwrap();
    assert_eq!(rows(&*before, KeyRange::prefix(""), 9, Direction::Forward).await, "a=old b=old");
    assert_eq!(read(&*before, "a").await.as_deref(), Some("old"));
    assert_eq!(read(&*before, "c").await, None);
    assert_eq!(before.version(), version);
    let after = store.snapshot().await.unwrap();
    assert_eq!(rows(&*after, KeyRange::prefix(""), 9, Direction::Forward).await, "a=new c=new");
    assert!(after.version() > version);
}

pub(crate) async fn removed_rows_are_gone(store: SharedEngine) {
    store.commit(put("a", "1")).await.unwrap();
    store.commit(delete("a")).await.unwrap();
    store.commit(delete("never")).await.unwrap();
    assert_eq!(now(&store, "a").await, None);
    store.commit(put("a", "2")).await.unwrap();
    assert_eq!(now(&store, "a").await.as_deref(), Some("2"));
    let moved = Commit { puts: vec![(key("b"), key("2"))], deletes: vec![key("a")], ..Commit::default() };
    store.commit(moved).await.unwrap();
    let all = store.snapshot().await.unwrap();
    assert_eq!(rows(&*all, KeyRange::prefix(""), 9, Direction::Forward).await, "b=2");
}

pub(crate) async fn versions_rise(store: SharedEngine) {
    let mut last = store.snapshot().await.unwrap().version();
    for i in 0..5 {
        let version = store.commit(put("a", &i.to_string())).await.unwrap();
        assert!(version > last);
        last = version;
    }
    let empty = store.commit(Commit::default()).await.unwrap();
    assert!(empty > last, "a commit of nothing is a commit");
}

pub(crate) async fn a_closed_store_says_so(store: SharedEngine) {
    let waiting = store.watch(b"a");
    store.commit(put("b", "1")).await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    waiting.await;
    let refused = store.commit(put("a", "1")).await.unwrap_err();
    assert!(matches!(refused, CommitError::Store(StoreError::Unavailable(_))), "{refused}");
    assert!(matches!(store.snapshot().await.err(), Some(StoreError::Unavailable(_))));
}
