//! What only a server can do to a store: other users, other formats, broken connections.

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use store::{
        Commit, CommitError, Location, OpenError, Options, SharedEngine, StoreError, open, open_with, verify,
    };
    use tokio_postgres::{Client, NoTls};

    /// A schema of its own; `None` where the environment names no server.
    async fn schema(name: &str) -> Option<(Location, Client)> {
        let Ok(url) = std::env::var("BUSWORK_TEST_POSTGRES") else {
            println!("skipped: set BUSWORK_TEST_POSTGRES to a URL, as `scripts/postgres.sh` prints it");
            return None;
        };
        let and = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{and}options=-csearch_path%3D{name}{}", std::process::id());
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        let mut carried = tokio::task::JoinSet::new();
        carried.spawn(connection);
        carried.detach_all();
        Some((Location::Postgres(url), client))
    }

    fn put(key: &'static str) -> Commit {
        Commit { puts: vec![(key.into(), Bytes::from_static(b"1"))], ..Commit::default() }
    }

    async fn has(store: &SharedEngine, key: &str) -> bool {
        store.snapshot().await.unwrap().get(key.as_bytes()).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn a_second_writer_is_refused() {
        let Some((location, _client)) = schema("second").await else { return };
        let store = open(&location).unwrap();
        let Err(OpenError::InUse { place, holder }) = open(&location) else { panic!("it was opened twice") };
        assert!(place.starts_with("postgres://127.0.0.1/postgres"), "{place}");
        assert!(holder.starts_with(&format!("buswork with pid {} ", std::process::id())), "{holder}");
        store.close().await.unwrap();
        open(&location).unwrap().close().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_store_of_ours_is_refused() {
        let Some((location, client)) = schema("format").await else { return };
        let reopen = || open_with(&location, &Options { make: false, ..Options::default() }).err();
        let missing = reopen().unwrap().to_string();
        assert!(missing.ends_with("is damaged: its schema is missing"), "{missing}");
        open(&location).unwrap().close().await.unwrap();
        assert_eq!(reopen(), None);
        client.batch_execute("UPDATE buswork_store SET format = 2").await.unwrap();
        let newer = reopen().unwrap().to_string();
        assert!(newer.ends_with("has format 2; this Buswork reads up to 1"), "{newer}");
        client.batch_execute("DELETE FROM buswork_store").await.unwrap();
        let report = verify(&location).await.unwrap();
        assert!(report.problems[0].ends_with("is damaged: `buswork_store` has no row"), "{report:?}");
        assert!(matches!(
            open(&Location::Postgres("postgres://nobody@127.0.0.1:1/x".into())),
            Err(OpenError::Unavailable { .. })
        ));
    }

    #[tokio::test]
    async fn broken_connections_are_made_again() {
        let Some((location, client)) = schema("broken").await else { return };
        let store = open(&location).unwrap();
        for key in ["a", "b", "c"] {
            store.commit(put(key)).await.unwrap();
            assert!(has(&store, key).await);
            let ours = format!("buswork with pid {}", std::process::id());
            // The writer of this schema, and whoever reads: readers of other tests connect again, too.
            let breaking = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity a \
                            WHERE application_name = $1 AND (query = 'ROLLBACK' OR EXISTS ( \
                                SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND \
                                l.objid::bigint = hashtext(current_schema())::bigint & 4294967295))";
            let broken = client.query(breaking, &[&ours]).await.unwrap();
            assert!(!broken.is_empty());
        }
        store.commit(put("d")).await.unwrap();
        for key in ["a", "b", "c", "d"] {
            assert!(has(&store, key).await, "{key}");
        }
        store.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_writer_that_was_overtaken_stops() {
        let Some((location, client)) = schema("overtaken").await else { return };
        let store = open(&location).unwrap();
        store.commit(put("a")).await.unwrap();
        client.batch_execute("UPDATE buswork_store SET batch = batch + 1, ver = ver + 1").await.unwrap();
        for _ in 0..2 {
            let stopped = store.commit(put("b")).await.unwrap_err();
            let CommitError::Store(StoreError::Poisoned(why)) = &stopped else { panic!("{stopped}") };
            assert!(why.contains("batch 2 is written already: another process took the store over"), "{why}");
        }
        assert!(matches!(store.snapshot().await.err(), Some(StoreError::Poisoned(_))));
        assert!(matches!(store.close().await, Err(StoreError::Poisoned(_))));
        let store = open(&location).unwrap();
        assert!(has(&store, "a").await && !has(&store, "b").await);
        store.close().await.unwrap();
    }
}
