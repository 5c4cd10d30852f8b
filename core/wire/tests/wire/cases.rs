//! Every protocol, case by case: `tests/cases/*.txt` holds requests with the documents that they stand for, and documents
//! with the answers that carry them. `UPDATE_CASES=1` writes what is found instead of comparing.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::{Given, registry};
use base::Fault;
use wire::sigv4::verify;
use wire::{Call, Response, Signature, decode, encode, identify, refuse};

/// Whose signatures are verified.
const SIGNER: (&str, &str) = ("AKIDCASES", "secret");

const REQUEST_ID: &str = "00000000-1111-2222-3333-444444444444";

#[test]
fn all_cases_hold() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut found = String::new();
        for case in text.split("\n# ").map(|case| case.trim_start_matches("# ")) {
            let (title, steps) = case.split_once('\n').unwrap();
            let _ = write!(found, "{}# {title}\n{}", if found.is_empty() { "" } else { "\n" }, run(steps));
            count += 1;
        }
        if std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&path, found).unwrap();
        } else {
            assert_eq!(found, text, "{}", path.display());
        }
    }
    assert!(count > 40, "only {count} cases");
}

/// The case as it should stand in the file: its request and answer, each followed by what comes of it.
fn run(steps: &str) -> String {
    let mut sections =
        steps.split("\n>>> ").map(|section| section.trim_start_matches(">>> ").split_once('\n').unwrap());
    let (kind, request) = sections.next().unwrap();
    assert_eq!(kind, "request");
    let request = request.trim_end();
    let given = Given::parse(request);
    let registry = registry();
    let mut out = format!(">>> request\n{request}\n>>> input\n");
    let call = match identify(&given.request(), &registry) {
        Ok(call) => call,
        Err(refusal) => {
            let _ = write!(out, "{:?}\n>>> response\n{}", refusal.kind, show(&refuse(&refusal, REQUEST_ID)));
            return out;
        }
    };
    out.push_str(&input(&call, &given));
    for (kind, text) in sections.filter(|(kind, _)| matches!(*kind, "output" | "fault")) {
        let text = text.trim_end();
        let response = match kind {
            "output" => encode(&call, Ok(text.as_bytes()), REQUEST_ID),
            _ => encode(&call, Err(&serde_json::from_str::<Fault>(text).unwrap()), REQUEST_ID),
        };
        let _ = write!(out, ">>> {kind}\n{text}\n>>> response\n{}", show(&response));
    }
    out
}

fn input(call: &Call, given: &Given) -> String {
    let mut out =
        format!("{}:{} {:?} {}", call.service.signing_name, call.operation.name, call.protocol, call.region);
    for (name, value) in [
        ("key", call.access_key.as_deref()),
        ("account", call.account.as_ref().map(|account| account.as_str())),
        ("token", call.session_token.as_deref()),
        ("trace", call.trace.as_deref()),
    ] {
        if let Some(value) = value {
            let _ = write!(out, " {name}={value}");
        }
    }
    out.push('\n');
    if let Ok(Some(signature)) = Signature::parse(&given.request())
        && signature.access_key == SIGNER.0
    {
        let now = signature.signed_at().unwrap();
        verify(&signature, &given.request(), SIGNER.1, now).unwrap();
        out.push_str("the signature is good\n");
    }
    match decode(call, &given.request()) {
        Err(fault) => {
            let _ = writeln!(
                out,
                "{fault}\n>>> response\n{}",
                show(&encode(call, Err(&fault), REQUEST_ID)).trim_end()
            );
        }
        Ok(document) => {
            let _ = writeln!(out, "{}", String::from_utf8_lossy(&document));
            if let Err(fault) = call.operation.check(&document) {
                let _ = writeln!(out, "{fault}");
            }
        }
    }
    out
}

fn show(response: &Response) -> String {
    let mut out = format!("{}\n", response.status);
    for (name, value) in &response.headers {
        let _ = writeln!(out, "{name}: {}", value.to_str().unwrap());
    }
    let body = String::from_utf8_lossy(&response.body);
    if body.is_empty() { out } else { format!("{out}\n{}\n", body.trim_end()) }
}
