//! Health, readiness and what the command line asks the server.

use std::collections::BTreeMap;

use base::{AccountId, Document, Region};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use kernel::{Result, Tx, trace};
use serde::Serialize;

use crate::assemble::House;
use crate::front::{Body, full, plain};

/// Below this path, nothing belongs to AWS's API: no bucket and no function has such a name.
pub(crate) const OWN: &str = "/_buswork/";

/// Where documents go to an operation of a service.
pub(crate) const CALL: &str = "/_buswork/call/";

/// The answer to a request for one of the server's own pages; `None` if it is for another.
pub(crate) async fn answer(house: &House, path: &str) -> Option<http::Response<Body>> {
    let page = path.strip_prefix(OWN)?;
    match page.split_once('/') {
        None if page == "health" => Some(health(house)),
        None if page == "ready" => Some(ready(house).await),
        Some(("trace", id)) => Some(find_trace(house, id).await),
        _ => None,
    }
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'a str,
    version: &'a str,
    engine: &'a str,
    services: Vec<&'a str>,
}

/// The process lives.
fn health(house: &House) -> http::Response<Body> {
    let mut services: Vec<_> = house.kernel.schemas().map(|schema| schema.signing_name).collect();
    services.sort_unstable();
    let engine = house.kernel.engine_name();
    json(StatusCode::OK, &Health { status: "ok", version: env!("CARGO_PKG_VERSION"), engine, services })
}

/// The store answers.
async fn ready(house: &House) -> http::Response<Body> {
    match house.kernel.ready().await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, &format!("{error}\n")),
    }
}

async fn find_trace(house: &House, id: &str) -> http::Response<Body> {
    let id = percent_decoded(id);
    match chains(house, id).await {
        Ok(chains) if chains.is_empty() => plain(StatusCode::NOT_FOUND, "nothing on the trace has this id\n"),
        Ok(chains) => {
            let events = explanations(house, &chains).await;
            json(StatusCode::OK, &Found { chains, events })
        }
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &house.kernel.to_fault(error).to_string()),
    }
}

/// What the trace knows of an id.
#[derive(Serialize)]
pub(crate) struct Found {
    /// The chains that it belongs to, newest first.
    chains: Vec<trace::Chain>,
    /// Every event in them, by its id, with what each rule made of it.
    events: BTreeMap<String, Document>,
}

/// Explains every event of the chains by the rules as they stood. An event that is no longer kept is left out.
pub(crate) async fn explanations(house: &House, chains: &[trace::Chain]) -> BTreeMap<String, Document> {
    let mut events = BTreeMap::new();
    let notes = chains.iter().flat_map(|chain| &chain.spans).flat_map(|span| &span.notes);
    for note in notes.filter(|note| note.kind == "event") {
        let detail = note.detail.clone().unwrap_or_default();
        let text = |name: &str| detail[name].as_str().unwrap_or_default();
        let mut caller = house.kernel.house_caller();
        caller.account = AccountId::parse(text("account")).unwrap_or_default();
        caller.region = Region::parse(text("region")).unwrap_or_default();
        let input = serde_json::json!({ "id": note.subject, "bus": detail["bus"] });
        let explained = house.kernel.ask(caller, "events", events::EXPLAIN, &input).await;
        if let Ok(explained @ Document::Object(_)) = explained {
            events.insert(note.subject.clone(), explained);
        }
    }
    events
}

/// The chains of causes that `id` belongs to, newest first.
pub(crate) async fn chains(house: &House, id: String) -> Result<Vec<trace::Chain>> {
    async fn find(tx: &mut Tx, id: String) -> Result<Vec<trace::Chain>> {
        trace::find(tx, &id).await
    }
    house.kernel.transact("kernel", house.kernel.house_caller(), "FindTrace", find, id).await
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex =
            (*first == b'%').then(|| tail.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> http::Response<Body> {
    json_text(status, serde_json::to_vec(value).unwrap_or_default().into())
}

pub(crate) fn json_text(status: StatusCode, body: Bytes) -> http::Response<Body> {
    let mut response = http::Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
