//! A writer is killed at random moments: every commit that it acknowledged is there, whole, when the store is opened
//! again. The writer is this test binary, run again with the store to write in its environment.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use bytes::Bytes;
    use store::{
        Append, Check, Commit, Direction, Expect, KeyRange, Location, SharedEngine, StoreError, open, verify,
    };

    const STORE: &str = "BUSWORK_TEST_KILL";
    const WRITERS: u32 = 4;
    const KILLS: u32 = 20;

    fn parse(text: &str) -> Location {
        match text.split_once(' ') {
            Some(("fjall", path)) => Location::Fjall(path.into()),
            Some(("redb", path)) => Location::Redb(path.into()),
            Some(("postgres", url)) => Location::Postgres(url.into()),
            _ => panic!("{text}"),
        }
    }

    fn rows_of(writer: u32) -> String {
        format!("w/{writer}/")
    }

    fn row(writer: u32, n: u32) -> Bytes {
        format!("{}{n:08}", rows_of(writer)).into()
    }

    fn counter(writer: u32) -> Bytes {
        format!("c/{writer}").into()
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    /// The next count of a writer, as a commit: a counter, a row per count and a record in a log that all share.
    async fn next(store: &SharedEngine, writer: u32) -> Result<(u32, Commit), StoreError> {
        let snapshot = store.snapshot().await?;
        let count = snapshot.get(&counter(writer)).await?;
        let n = count.as_ref().map_or(0, |row| text(&row.value).parse().unwrap()) + 1;
        let expect = count.map_or(Expect::Absent, |row| Expect::At(row.version));
        let commit = Commit {
            checks: vec![Check { key: counter(writer), expect }],
            puts: vec![(counter(writer), n.to_string().into()), (row(writer, n), vec![b'x'; 700].into())],
            deletes: Vec::new(),
            appends: vec![Append { prefix: "log/".into(), value: format!("{writer} {n}").into() }],
            read_at: Some(snapshot.version()),
        };
        Ok((n, commit))
    }

    async fn write(store: SharedEngine, writer: u32) {
        loop {
            match next(&store, writer).await {
                Ok((n, commit)) => {
                    let version = store.commit(commit).await.unwrap();
                    println!("ack {writer} {n} {}", version.0);
                }
                // A server that restarts cannot be read meanwhile.
                Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// The writing process; nothing in a run of the tests.
    #[test]
    fn writer() {
        let Ok(location) = std::env::var(STORE) else { return };
        let store = open(&parse(&location)).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut writers = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                writers.spawn(write(store.clone(), writer));
            }
            writers.join_all().await;
        });
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "only another process can be killed without harm to the test"
    )]
    fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
        Command::new(program)
    }

    fn start(location: &str) -> Child {
        let mut writer = command(std::env::current_exe().unwrap());
        writer.args(["--exact", "tests::writer", "--nocapture"]).env(STORE, location);
        writer.stdout(Stdio::piped()).spawn().unwrap()
    }

    /// What was acknowledged: writer and count to version.
    type Acknowledged = BTreeMap<(u32, u32), u64>;

    fn note(line: &str, acknowledged: &mut Acknowledged) -> bool {
        // The first acknowledgement stands behind what the test harness says of itself.
        let Some((_, ack)) = line.split_once("ack ") else { return false };
        let mut numbers = ack.split(' ').map(|n| n.parse::<u64>().unwrap());
        let mut next = || numbers.next().unwrap();
        let (writer, n) = (next() as u32, next() as u32);
        acknowledged.insert((writer, n), next());
        true
    }

    /// Reads `count` acknowledgements, then runs `blow`, then reads what had been written before it.
    fn strike(mut child: Child, count: u64, acknowledged: &mut Acknowledged, blow: impl FnOnce(&mut Child)) {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n').map(Result::unwrap);
        let mut seen = 0;
        while seen < count {
            let line = lines.next().expect("the writer ended by itself");
            seen += u64::from(note(text(&line), acknowledged));
        }
        blow(&mut child);
        child.kill().unwrap();
        // A line that the kill cut off has no end and was read by nobody in time: only whole ones count.
        let rest: Vec<_> = lines.collect();
        for line in rest.iter().take(rest.len().saturating_sub(1)) {
            note(text(line), acknowledged);
        }
        child.wait().unwrap();
    }

    async fn examine(location: &Location, acknowledged: &Acknowledged) {
        let store = open(location).unwrap();
        let snapshot = store.snapshot().await.unwrap();
        for (&(writer, n), &version) in acknowledged {
            let found = snapshot.get(&row(writer, n)).await.unwrap();
            assert_eq!(found.map(|row| row.version.0), Some(version), "{writer} {n} was acknowledged");
        }
        let records =
            snapshot.scan(KeyRange::prefix("log/"), usize::MAX >> 1, Direction::Forward).await.unwrap();
        let mut recorded: BTreeMap<u32, u32> = BTreeMap::new();
        for (_, record) in &records {
            let (writer, n) = text(&record.value).split_once(' ').unwrap();
            let before = recorded.insert(writer.parse().unwrap(), n.parse().unwrap()).unwrap_or(0);
            assert_eq!(before + 1, n.parse::<u32>().unwrap(), "the log of one writer has no hole");
        }
        for (writer, last) in recorded {
            let count = snapshot.get(&counter(writer)).await.unwrap().unwrap();
            assert_eq!(text(&count.value), last.to_string(), "a commit is whole or not there");
            let rows =
                snapshot.scan(KeyRange::prefix(rows_of(writer)), usize::MAX >> 1, Direction::Forward).await;
            assert_eq!(rows.unwrap().len() as u32, last);
        }
        drop(snapshot);
        store.close().await.unwrap();
    }

    /// Kills `KILLS` writers of one store, one after the other.
    async fn kill(location: &str) {
        let mut acknowledged = Acknowledged::new();
        let mut state = 88_172_645_463_325_252_u64;
        for _ in 0..KILLS {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            strike(start(location), 1 + state % 150, &mut acknowledged, |_| {});
            examine(&parse(location), &acknowledged).await;
        }
        let report = verify(&parse(location)).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        println!("{location}: {} acknowledged, none lost in {KILLS} kills", acknowledged.len());
    }

    #[tokio::test]
    async fn fjall() {
        let directory = tempfile::tempdir().unwrap();
        kill(&format!("fjall {}", directory.path().display())).await;
    }

    #[tokio::test]
    async fn redb() {
        let directory = tempfile::tempdir().unwrap();
        kill(&format!("redb {}", directory.path().display())).await;
    }

    #[tokio::test]
    async fn postgres_client() {
        let Ok(url) = std::env::var("BUSWORK_TEST_POSTGRES") else {
            println!("skipped: set BUSWORK_TEST_POSTGRES to a URL, as `scripts/postgres.sh` prints it");
            return;
        };
        let and = if url.contains('?') { '&' } else { '?' };
        kill(&format!("postgres {url}{and}options=-csearch_path%3Dkill{}", std::process::id())).await;
    }

    /// A server of one test, by the directory that it lives in.
    struct Server(String);

    impl Server {
        fn run(&self, what: &str) -> String {
            let mut script = command(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh"));
            let output = script.arg(what).env("BUSWORK_POSTGRES_STATE", &self.0).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            self.run("stop");
        }
    }

    /// Its own server, since it is stopped as by a power cut while a writer writes. The writer goes on afterwards.
    #[tokio::test]
    async fn postgres_server() {
        if std::env::var("BUSWORK_TEST_POSTGRES").is_err() {
            println!("skipped: set BUSWORK_TEST_POSTGRES to a URL, as `scripts/postgres.sh` prints it");
            return;
        }
        let server = Server(format!("/tmp/buswork-postgres-{}", std::process::id()));
        let location = format!("postgres {}", server.run("start"));
        let mut acknowledged = Acknowledged::new();
        for round in 0..4 {
            let mut after = Acknowledged::new();
            let mut child = start(&location);
            let output = BufReader::new(child.stdout.take().unwrap());
            let mut lines = output.split(b'\n').map(Result::unwrap);
            let mut read = |count: u32, into: &mut Acknowledged| {
                let mut seen = 0;
                while seen < count {
                    seen += u32::from(note(text(&lines.next().expect("the writer ended by itself")), into));
                }
            };
            read(20 + 7 * round, &mut acknowledged);
            server.run("crash");
            server.run("start");
            // Far more than can have been on the way before the crash.
            read(300, &mut after);
            child.kill().unwrap();
            child.wait().unwrap();
            acknowledged.append(&mut after);
            examine(&parse(&location), &acknowledged).await;
        }
        println!("{} acknowledged, none lost in 4 crashes of the server", acknowledged.len());
    }
}
