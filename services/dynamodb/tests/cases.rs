//! Conversations with the service, as data: every file in `tests/cases` is one, on a store in memory and a virtual clock.
//!
//! `> Operation {input}` calls (further lines of the input are indented), `> advance <seconds>` moves the clock and lets
//! all tasks run. The line behind a call is its answer, `! Code: message` for a fault (with its members, if it has any).
//! `BLESS=1 cargo test -p buswork-dynamodb` writes the answers anew.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use base::{AccountId, Region, Timestamp};
use kernel::{Caller, Chance, Clock, Kernel};
use store::Location;

struct World {
    kernel: Kernel,
}

impl World {
    async fn new() -> World {
        let engine = store::open(&Location::Memory).unwrap();
        let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
        let kernel = Kernel::new(engine, clock, Chance::seeded(1), vec![dynamodb::service()]);
        kernel.start().await.unwrap();
        World { kernel }
    }

    /// The answer to one step, as it stands in the file.
    async fn step(&self, step: &str) -> String {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, "{}"));
        if verb == "advance" {
            self.kernel.advance(Duration::from_secs(rest.trim().parse().unwrap())).await;
            return String::new();
        }
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.kernel.new_id());
        let input = rest.trim().to_owned();
        match self.kernel.call(caller, "dynamodb", verb, input.into()).await {
            Ok(output) => without_ids(String::from_utf8(output.to_vec()).unwrap()),
            Err(fault) => {
                let members = fault.members.map(|members| format!(" {members}")).unwrap_or_default();
                format!("! {}: {}{members}", fault.code, fault.message)
            }
        }
    }
}

/// Ids come of chance, whose course is the kernel's own matter.
fn without_ids(mut output: String) -> String {
    const MEMBER: &str = r#""TableId":""#;
    if let Some(at) = output.find(MEMBER) {
        let start = at + MEMBER.len();
        output.replace_range(start..start + 36, "<id>");
    }
    output
}

/// Runs a file's steps and gives the file as it should be.
async fn run(text: &str) -> String {
    let world = World::new().await;
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(step) = line.strip_prefix("> ") else {
            if line.is_empty() || line.starts_with('#') {
                writeln!(out, "{line}").unwrap();
            }
            continue;
        };
        let mut step = step.to_owned();
        writeln!(out, "{line}").unwrap();
        while let Some(more) = lines.next_if(|next| next.starts_with("  ")) {
            step.push_str(more);
            writeln!(out, "{more}").unwrap();
        }
        let answer = world.step(&step).await;
        if !answer.is_empty() {
            writeln!(out, "{answer}").unwrap();
        }
    }
    out
}

#[tokio::test]
async fn conversations() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = String::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let actual = run(&text).await;
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, &actual).unwrap();
            continue;
        }
        for (number, (expected, actual)) in text.lines().zip(actual.lines()).enumerate() {
            if expected != actual {
                let name = file.file_name().unwrap().to_string_lossy();
                writeln!(wrong, "{name}:{}\n  expected {expected}\n  actual   {actual}", number + 1).unwrap();
            }
        }
        if text.lines().count() != actual.lines().count() {
            writeln!(wrong, "{}: other number of lines", file.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
