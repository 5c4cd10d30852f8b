//! What becomes of a store whose disk fails: nothing acknowledged is lost in silence.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use bytes::Bytes;
    use futures::FutureExt;
    use store::fault::{Fault, Faults};
    use store::{
        Commit, CommitError, EngineName, Location, OpenError, Options, SharedEngine, StoreError, open,
        open_with, verify,
    };

    const ENGINES: [EngineName; 2] = [EngineName::Fjall, EngineName::Redb];
    const ROWS: u32 = 400;

    fn at(engine: EngineName, path: &Path) -> Location {
        match engine {
            EngineName::Redb => Location::Redb(path.to_owned()),
            _ => Location::Fjall(path.to_owned()),
        }
    }

    fn value(i: u32) -> Bytes {
        (0..300u32)
            .map(|j| (i.wrapping_mul(31).wrapping_add(j).wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    }

    fn put(i: u32) -> Commit {
        Commit { puts: vec![(i.to_be_bytes().to_vec().into(), value(i))], ..Commit::default() }
    }

    async fn has(store: &SharedEngine, i: u32) -> bool {
        let snapshot = store.snapshot().await.unwrap();
        snapshot.get(&i.to_be_bytes()).await.unwrap().is_some_and(|row| row.value == value(i))
    }

    async fn filled(location: &Location) {
        let store = open(location).unwrap();
        for i in 0..ROWS {
            store.commit(put(i)).await.unwrap();
        }
        store.close().await.unwrap();
    }

    /// Whether a store says by itself that something is wrong: when it is opened, read, or verified.
    async fn complains(location: &Location) -> bool {
        match verify(location).await {
            Err(refused) => panic!("{location:?}: {refused}"),
            Ok(report) => !report.problems.is_empty(),
        }
    }

    async fn is_whole(location: &Location) -> bool {
        let Ok(store) = open(location) else { return false };
        let mut whole = true;
        for i in 0..ROWS {
            let snapshot = store.snapshot().await.unwrap();
            let row = snapshot.get(&i.to_be_bytes()).await;
            whole &= row.is_ok_and(|row| row.is_some_and(|row| row.value == value(i)));
        }
        store.close().await.unwrap();
        whole
    }

    fn files(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
        files.sort();
        files
    }

    fn copy(from: &Path, to: &Path) {
        for file in files(from) {
            let target = to.join(file.strip_prefix(from).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(&file, &target).unwrap();
        }
    }

    /// The bytes of a file that were ever written: journals and databases grow ahead of their content.
    fn used(bytes: &[u8]) -> usize {
        bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1)
    }

    #[tokio::test]
    async fn files_that_are_cut_flipped_or_gone_are_noticed() {
        for engine in ENGINES {
            let directory = tempfile::tempdir().unwrap();
            let original = directory.path().join("original");
            filled(&at(engine, &original)).await;
            assert!(!complains(&at(engine, &original)).await);
            let mut noticed = 0;
            for file in files(&original.join("data")) {
                let name = file.strip_prefix(&original).unwrap();
                let bytes = fs::read(&file).unwrap();
                let used = used(&bytes);
                for damage in
                    ["cut at 1/4", "cut at 3/4", "cut at the last byte", "flip at 1/2", "flip at 7/8", "gone"]
                {
                    let case = directory.path().join("case");
                    let _ = fs::remove_dir_all(&case);
                    copy(&original, &case);
                    let victim = case.join(name);
                    let flipped = |at: usize| {
                        let mut bytes = bytes.clone();
                        bytes[at] ^= 0x20;
                        bytes
                    };
                    match damage {
                        "gone" => fs::remove_file(&victim).unwrap(),
                        "cut at 1/4" => fs::write(&victim, &bytes[..used / 4]).unwrap(),
                        "cut at 3/4" => fs::write(&victim, &bytes[..used / 4 * 3]).unwrap(),
                        "cut at the last byte" => {
                            fs::write(&victim, &bytes[..used.saturating_sub(1)]).unwrap()
                        }
                        _ if used == 0 => continue,
                        "flip at 1/2" => fs::write(&victim, flipped(used / 2)).unwrap(),
                        _ => fs::write(&victim, flipped(used / 8 * 7)).unwrap(),
                    }
                    let location = at(engine, &case);
                    println!("{engine}: {}: {damage}", name.display());
                    let complaint = complains(&location).await;
                    noticed += u32::from(complaint);
                    assert!(complaint || is_whole(&location).await, "{engine}: {}: {damage}", name.display());
                }
            }
            assert!(noticed >= 4, "{engine}: only {noticed}");
        }
    }

    /// Enough that the tree leaves memory: its tables are checked when they are read.
    #[tokio::test]
    async fn tables_that_are_damaged_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let original = directory.path().join("original");
        let location = at(EngineName::Fjall, &original);
        let value = |i: u32| Bytes::from(value(i).repeat(250));
        let is_table = |file: &PathBuf| file.parent().is_some_and(|folder| folder.ends_with("tables"));
        let mut next = 0u32;
        loop {
            assert!(next < 4_000, "nothing was flushed");
            let store = open(&location).unwrap();
            for i in next..next + 200 {
                let puts = vec![(i.to_be_bytes().to_vec().into(), value(i))];
                store.commit(Commit { puts, ..Commit::default() }).await.unwrap();
            }
            next += 200;
            store.close().await.unwrap();
            if files(&original)
                .iter()
                .any(|file| is_table(file) && file.metadata().unwrap().len() > 1_000_000)
            {
                break;
            }
        }
        for file in files(&original).iter().filter(|file| is_table(file)) {
            let bytes = fs::read(file).unwrap();
            for at in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 20] {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                fs::write(file, &flipped).unwrap();
                let report = verify(&location).await.unwrap();
                assert!(!report.problems.is_empty(), "{}: byte {at} of {}", file.display(), bytes.len());
            }
            fs::write(file, &bytes).unwrap();
        }
        let report = verify(&location).await.unwrap();
        assert_eq!((report.rows, report.problems), (u64::from(next), Vec::new()));
    }

    #[tokio::test]
    async fn a_journal_cut_short_is_not_taken_for_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Fjall(directory.path().to_owned());
        filled(&location).await;
        let journal = directory.path().join("data/0.jnl");
        let bytes = fs::read(&journal).unwrap();
        fs::write(&journal, &bytes[..used(&bytes) - 200]).unwrap();
        let refused = open(&location).err().unwrap().to_string();
        let said = refused.strip_prefix(&format!("the store at {} is damaged: ", directory.path().display()));
        assert_eq!(
            said,
            Some(
                "the journal ends at batch 399 (version 399), but batch 400 (version 400) was acknowledged; \
                 restore a backup, or remove `high-water` to go on with what is left"
            )
        );
        fs::remove_file(directory.path().join("high-water")).unwrap();
        let store = open(&location).unwrap();
        assert!(has(&store, 398).await && !has(&store, 399).await);
        store.commit(put(399)).await.unwrap();
        store.close().await.unwrap();
        assert!(is_whole(&location).await);
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_there_again_and_versions_go_on() {
        for engine in ENGINES {
            let directory = tempfile::tempdir().unwrap();
            let location = at(engine, directory.path());
            let mut last = None;
            for round in 0..4 {
                let store = open(&location).unwrap();
                let version = store.commit(put(round)).await.unwrap();
                assert!(Some(version) > last, "{engine}");
                last = Some(version);
                for i in 0..=round {
                    assert!(has(&store, i).await, "{engine}");
                }
                if round % 2 == 0 {
                    store.close().await.unwrap();
                }
                if round % 2 == 1 {
                    let (second, pid) = (open(&location).map(|_| ()), std::process::id());
                    assert!(
                        matches!(second, Err(OpenError::InUse { holder, .. }) if holder.contains(&pid.to_string()))
                    );
                    store.close().await.unwrap();
                }
            }
        }
    }

    async fn faulty(location: &Location) -> (SharedEngine, Faults) {
        let faults = Faults::default();
        let options = Options { faults: Some(faults.clone()), ..Options::default() };
        (open_with(location, &options).unwrap(), faults)
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_recovers() {
        for engine in ENGINES {
            let directory = tempfile::tempdir().unwrap();
            let location = at(engine, directory.path());
            let (store, faults) = faulty(&location).await;
            store.commit(put(0)).await.unwrap();
            faults.set(Some(Fault::Full));
            for _ in 0..3 {
                assert_eq!(store.commit(put(1)).await, Err(CommitError::Store(StoreError::Full)));
            }
            assert!(has(&store, 0).await && !has(&store, 1).await);
            faults.set(None);
            store.commit(put(2)).await.unwrap();
            store.close().await.unwrap();
            let store = open(&location).unwrap();
            assert!(has(&store, 0).await && !has(&store, 1).await && has(&store, 2).await);
        }
    }

    #[tokio::test]
    async fn a_failed_sync_poisons() {
        for (engine, fault, is_there) in [
            (EngineName::Fjall, Fault::SyncFails, true),
            (EngineName::Fjall, Fault::WriteFails, false),
            (EngineName::Fjall, Fault::Panics, false),
            (EngineName::Redb, Fault::SyncFails, true),
            (EngineName::Redb, Fault::WriteFails, false),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let location = at(engine, directory.path());
            let (store, faults) = faulty(&location).await;
            store.commit(put(0)).await.unwrap();
            let mut watch = store.watch(&1u32.to_be_bytes());
            faults.set(Some(fault));
            let poisoned = |error: CommitError| matches!(error, CommitError::Store(StoreError::Poisoned(why)) if !why.is_empty());
            let both = futures::join!(store.commit(put(1)), store.commit(put(2)));
            assert!(poisoned(both.0.unwrap_err()) && poisoned(both.1.unwrap_err()));
            faults.set(None);
            assert!(poisoned(store.commit(put(3)).await.unwrap_err()), "poison does not wear off");
            assert!(fault == Fault::Panics || (&mut watch).now_or_never().is_none());
            if fault != Fault::Panics {
                assert!(
                    has(&store, 0).await && !has(&store, 1).await,
                    "what was not acknowledged is not shown"
                );
            }
            let closed = store.close().await;
            assert!(matches!(closed, Err(StoreError::Poisoned(_))), "{engine} {fault:?}: {closed:?}");
            let store = open(&location).unwrap();
            assert!(has(&store, 0).await && !has(&store, 3).await);
            assert_eq!(has(&store, 1).await, is_there, "{engine} {fault:?}");
            store.commit(put(4)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn damage_is_told_apart_from_absence() {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Fjall(directory.path().join("none"));
        let report = verify(&location).await.unwrap();
        assert!(report.problems[0].ends_with("is damaged: `FORMAT` is missing: this is no store of Buswork"));
        assert!(!directory.path().join("none").exists(), "verify makes nothing");
    }
}
