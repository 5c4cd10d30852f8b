//! The server's own paths for those who run it: health, readiness, the trace, explanations, and what the command line asks.
//!
//! Health and readiness are for everybody and tell strangers no more than that. The rest belongs to no account, and so is
//! for operators only.

use std::collections::BTreeMap;

use base::{AccountId, Document, Region};
use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::{HeaderValue, Method, StatusCode};
use kernel::{Caller, Kernel, Result, Tx, trace};
use serde::Serialize;
use store::fault::{Fault as DiskFault, Faults};

use crate::assemble::House;
use crate::console::guard;
use crate::explain;
use crate::front::{Body, full, plain};

/// Below this path, nothing belongs to AWS's API: no bucket and no function has such a name.
pub(crate) const OWN: &str = "/_buswork/";

/// Where documents go to an operation of a service.
pub(crate) const CALL: &str = "/_buswork/call/";

/// The internal operations that the command line may ask: the service and the operation.
pub(crate) const ASKED: [(&str, &str); 13] = [
    ("events", events::EXPLAIN),
    ("events", events::SEARCH),
    ("events", events::TAIL),
    ("events", events::REDELIVER),
    ("events", events::PUT_VALIDATION_POLICY),
    ("events", events::DELETE_VALIDATION_POLICY),
    ("events", events::LIST_VALIDATION_POLICIES),
    ("events", events::LIST_QUARANTINED_EVENTS),
    ("events", events::RELEASE_QUARANTINED_EVENT),
    ("events", events::DISCARD_QUARANTINED_EVENT),
    ("schemas", schemas::CHECK_COMPATIBILITY),
    ("states", states::LIST_EXPRESS),
    ("states", states::DESCRIBE_EXPRESS),
];

/// The answer to a request for one of the server's own paths; `None` if it is for another.
pub(crate) async fn answer(
    house: &House,
    parts: &http::request::Parts,
    body: &Bytes,
) -> Option<http::Response<Body>> {
    let page = parts.uri.path().strip_prefix(OWN)?;
    let operators = house.access.operators();
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A page of another site that resolves its own name to this machine is a stranger here.
    let rebound = operators.are_everybody() && !guard::is_ours(host, house.kernel.endpoint());
    let allowed = !rebound && operators.allow(&parts.headers);
    match page.split_once('/') {
        None if page == "health" => return Some(health(house, allowed)),
        None if page == "ready" => return Some(ready(house, allowed).await),
        _ if rebound => return Some(plain(StatusCode::FORBIDDEN, guard::ELSEWHERE)),
        Some(("trace" | "explain" | "ask" | "test", _)) if !allowed => return Some(closed()),
        Some(("ask" | "call" | "test", _)) if parts.headers.contains_key(ORIGIN) => {
            // Only browsers say where a page comes from, and none of ours asks here: another site does in the person's name.
            return Some(plain(
                StatusCode::FORBIDDEN,
                "these paths are for the command line, not for pages\n",
            ));
        }
        _ => {}
    }
    match page.split_once('/')? {
        ("trace", id) => Some(find_trace(house, id).await),
        ("explain", id) => Some(explained(house, id, parts).await),
        ("ask", named) if parts.method == Method::POST => Some(ask(house, named, parts, body).await),
        ("lambda", address) if parts.method == Method::GET => Some(package(house, address).await),
        ("cloudformation", named) if parts.method == Method::PUT => {
            Some(custom_resource(house, named, body).await)
        }
        ("test", "disk-fault") if parts.method == Method::POST => {
            house.disk_faults.as_ref().map(|faults| disk_fault(faults, body))
        }
        _ => None,
    }
}

/// `PUT /_buswork/cloudformation/<account>/<region>/<token>`: the answer of a custom resource. Whoever knows the token may
/// answer, as with AWS's signed URLs.
async fn custom_resource(house: &House, named: &str, body: &Bytes) -> http::Response<Body> {
    let mut parts = named.split('/');
    let mut next = || parts.next().unwrap_or_default();
    let (account, region, token) = (AccountId::parse(next()), Region::parse(next()), next());
    let (Some(account), Some(region)) = (account, region) else {
        return plain(StatusCode::NOT_FOUND, "nobody waits for this answer\n");
    };
    let caller = Caller::root_user(account, region, house.kernel.new_id());
    let input = serde_json::json!({ "token": token, "body": String::from_utf8_lossy(body) });
    match house.kernel.ask(caller, "cloudformation", cloudformation::ANSWER_CUSTOM_RESOURCE, &input).await {
        Ok(_) => plain(StatusCode::OK, ""),
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(status, &format!("{}\n", fault.message))
        }
    }
}

/// `GET /_buswork/lambda/…`: the package of a function or a layer. The address itself says that it may be downloaded, as
/// AWS's signed URLs do.
async fn package(house: &House, address: &str) -> http::Response<Body> {
    match lambda::download::fetch(&house.kernel, &house.functions, address).await {
        Ok(zip) => {
            let mut response = http::Response::new(full(zip));
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/zip"));
            response
        }
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(status, &format!("{}\n", fault.message))
        }
    }
}

/// What strangers get in the strict profile.
fn closed() -> http::Response<Body> {
    let mut answer = plain(
        StatusCode::UNAUTHORIZED,
        "this path is for operators: send `Authorization: Bearer <operator token>` (BUSWORK_OPERATOR_TOKEN)\n",
    );
    answer.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
    answer
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'a str,
    version: &'a str,
    engine: &'a str,
    services: Vec<&'a str>,
}

/// The process lives.
fn health(house: &House, allowed: bool) -> http::Response<Body> {
    if !allowed {
        return json(StatusCode::OK, &serde_json::json!({ "status": "ok" }));
    }
    // S3 has a door of its own and no schema.
    let named = house.kernel.schemas().map(|schema| schema.signing_name).chain(["s3"]);
    let mut services: Vec<_> = named.collect();
    services.sort_unstable();
    services.dedup();
    let engine = house.kernel.engine_name();
    json(StatusCode::OK, &Health { status: "ok", version: env!("CARGO_PKG_VERSION"), engine, services })
}

/// The store answers and takes commits.
async fn ready(house: &House, allowed: bool) -> http::Response<Body> {
    match house.kernel.ready().await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(_) if !allowed => plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, &format!("{error}\n")),
    }
}

/// Everything that is known of an event.
async fn explained(house: &House, id: &str, parts: &http::request::Parts) -> http::Response<Body> {
    match explain::event(&house.kernel, &percent_decoded(id), place(parts)).await {
        Ok(Some(explained)) => json(StatusCode::OK, &explained),
        Ok(None) => plain(StatusCode::NOT_FOUND, "no event that is kept has this id\n"),
        Err(fault) => refusal(&fault),
    }
}

/// Asks an internal operation: `POST /_buswork/ask/<service>/<operation>?region=…&account=…`.
async fn ask(house: &House, named: &str, parts: &http::request::Parts, body: &Bytes) -> http::Response<Body> {
    let known = ASKED.iter().find(|(service, operation)| named.split_once('/') == Some((service, operation)));
    let Some((service, operation)) = known else {
        return plain(StatusCode::NOT_FOUND, "no operation that can be asked has this name\n");
    };
    let (account, region) = place(parts);
    let input = match serde_json::from_slice::<Document>(body) {
        Ok(input) => input,
        Err(error) => return plain(StatusCode::BAD_REQUEST, &format!("the input is no JSON: {error}\n")),
    };
    let caller = Caller::root_user(account, region, house.kernel.new_id());
    match house.kernel.ask(caller, service, operation, &input).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(fault) => refusal(&fault),
    }
}

/// The account and the region that the query names.
fn place(parts: &http::request::Parts) -> (AccountId, Region) {
    let query = parts.uri.query().unwrap_or_default();
    let given = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let account = given("account").and_then(|account| AccountId::parse(&account)).unwrap_or_default();
    (account, given("region").and_then(|region| Region::parse(&region)).unwrap_or_default())
}

fn refusal(fault: &base::Fault) -> http::Response<Body> {
    json(StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), fault)
}

/// Lets the disk fail from now on, or work again. Only in servers that were started for it.
fn disk_fault(faults: &Faults, body: &Bytes) -> http::Response<Body> {
    let fault = match body.as_ref() {
        b"none" => None,
        b"full" => Some(DiskFault::Full),
        b"write-fails" => Some(DiskFault::WriteFails),
        b"sync-fails" => Some(DiskFault::SyncFails),
        _ => return plain(StatusCode::BAD_REQUEST, "none, full, write-fails or sync-fails\n"),
    };
    faults.set(fault);
    plain(StatusCode::OK, "done\n")
}

async fn find_trace(house: &House, id: &str) -> http::Response<Body> {
    let id = percent_decoded(id);
    match chains(&house.kernel, id).await {
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
pub(crate) async fn chains(kernel: &Kernel, id: String) -> Result<Vec<trace::Chain>> {
    async fn find(tx: &mut Tx, id: String) -> Result<Vec<trace::Chain>> {
        trace::find(tx, &id).await
    }
    kernel.transact("kernel", kernel.house_caller(), "FindTrace", find, id).await
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
