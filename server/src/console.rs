//! The console: the server's own pages, for people.
//!
//! Knows the router and the trace, and asks them like every other caller; holds nothing between two requests. Pages are
//! whole without scripts; the script of ours refreshes them in place. Nothing is fetched from elsewhere.

pub(crate) mod activity;
mod archives;
mod assets;
mod buses;
mod chart;
mod desk;
mod entrance;
mod event;
mod execution;
mod executions;
pub(crate) mod explained;
mod express;
mod form;
mod found;
mod functions;
pub(crate) mod guard;
mod history;
mod html;
mod link;
mod machines;
mod map_runs;
mod missing;
mod overview;
mod pager;
mod quarantine;
mod queues;
mod schema;
mod schemas;
mod tables;
mod tree;
mod visits;

use base::Fault;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use kernel::Kernel;

use crate::access::Operators;
use crate::front::{Body, full, plain};
use desk::Desk;
use form::Form;

/// Where the console is.
pub const PATH: &str = "/_buswork/console";

/// What a page's function answers.
pub(crate) enum Answer {
    /// The text of a page.
    Page(String),
    /// Another page, after something was done.
    Goto(String),
    /// A file to keep.
    File {
        /// Its name.
        name: String,
        /// Its content type.
        kind: &'static str,
        /// Its content.
        bytes: Bytes,
    },
}

/// What a page's function returns; a fault is shown in the service's words.
pub(crate) type Result<T = Answer, E = Fault> = std::result::Result<T, E>;

/// On every page: nothing but our own style and script runs, and no other site frames it.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Whether a request is for the console: one for its paths, or a browser's for the root of the server.
pub fn is_for(parts: &http::request::Parts) -> bool {
    page_of(parts.uri.path()).is_some() || is_browser_at_root(parts)
}

/// Answers a request for which [`is_for`] holds.
pub async fn answer(kernel: &Kernel, operators: &Operators, request: &Request<Bytes>) -> Response<Body> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let Some(page) = page_of(request.uri().path()) else { return goto(&format!("{PATH}/")) };
    if let Some(name) = page.strip_prefix("assets/") {
        return match assets::find(name) {
            Some((kind, bytes)) => dressed(StatusCode::OK, kind, Bytes::from_static(bytes)),
            None => plain(StatusCode::NOT_FOUND, "no such file\n"),
        };
    }
    let posted = *request.method() == Method::POST;
    if let Some(elsewhere) = entrance::pass(operators, request, page, host, kernel.endpoint()) {
        return elsewhere;
    }
    if posted && let Err(why) = guard::same_origin(request.headers(), host) {
        return plain(StatusCode::FORBIDDEN, why);
    }
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let form = if posted { Form::parse(request.body()) } else { Form::default() };
    let desk = Desk::open(kernel, query, form).await;
    if !posted && !desk.is_placed() {
        // The address names the place from here on, so that a refresh does not look for it again.
        return goto(&desk.placed(page));
    }
    let result = match *request.method() {
        Method::GET | Method::HEAD => get(&desk, page).await,
        Method::POST => post(&desk, page).await,
        _ => Err(Fault::new("MethodNotAllowed", "the console takes GET and POST").with_status(405)),
    };
    match result {
        Ok(Answer::Page(text)) => html_page(StatusCode::OK, text),
        Ok(Answer::Goto(place)) => goto(&place),
        Ok(Answer::File { name, kind, bytes }) => file(&name, kind, bytes),
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            html_page(status, desk.fault_page(&fault))
        }
    }
}

async fn get(desk: &Desk<'_>, page: &str) -> Result {
    match page {
        "" => overview::page(desk).await,
        "state-machines" => machines::page(desk).await,
        "state-machine" => Box::pin(executions::page(desk)).await,
        "execution" => Box::pin(execution::page(desk)).await,
        "execution/export" => Box::pin(execution::export(desk)).await,
        "map-run" => Box::pin(map_runs::page(desk)).await,
        "event-buses" => buses::page(desk).await,
        "event" => Box::pin(event::page(desk)).await,
        "events" => Box::pin(found::page(desk)).await,
        "archives" => Box::pin(archives::page(desk)).await,
        "validation" => Box::pin(quarantine::page(desk)).await,
        "schemas" => Box::pin(schemas::page(desk)).await,
        "schema" => Box::pin(schema::page(desk)).await,
        "functions" => functions::list(desk).await,
        "function" => functions::page(desk).await,
        "tables" => tables::list(desk).await,
        "table" => Box::pin(tables::page(desk)).await,
        "queues" => queues::list(desk).await,
        "queue" => queues::page(desk).await,
        _ => Err(unknown(page)),
    }
}

async fn post(desk: &Desk<'_>, page: &str) -> Result {
    match page {
        "execution/start" => execution::start(desk).await,
        "execution/stop" => execution::stop(desk).await,
        "execution/redrive" => execution::redrive(desk).await,
        "execution/try" => Box::pin(execution::try_state(desk)).await,
        "state-machine/update" => execution::update_machine(desk).await,
        "map-run/update" => map_runs::update(desk).await,
        "event/redeliver" => event::redeliver(desk).await,
        "replay/start" => archives::start(desk).await,
        "replay/cancel" => archives::cancel(desk).await,
        "validation/release" => quarantine::release(desk).await,
        "validation/discard" => quarantine::discard(desk).await,
        "validation/put" => quarantine::put(desk).await,
        "validation/delete" => quarantine::delete(desk).await,
        "schema/code" => schema::code(desk).await,
        _ => Err(unknown(page)),
    }
}

fn unknown(page: &str) -> Fault {
    Fault::new("PageNotFound", format!("the console has no page `{page}`")).with_status(404)
}

/// The part of a path below the console's: `` for its front page.
fn page_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(PATH)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// `GET /` is ListBuckets; a browser that a person pointed at the server shows by what it accepts that it is none of
/// S3's clients.
fn is_browser_at_root(parts: &http::request::Parts) -> bool {
    let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    parts.method == Method::GET
        && parts.uri.path() == "/"
        && parts.uri.query().is_none()
        && !parts.headers.contains_key(AUTHORIZATION)
        && header(ACCEPT).is_some_and(|accept| accept.contains("text/html"))
        && header(HOST).is_some_and(guard::is_local)
}

fn goto(place: &str) -> Response<Body> {
    let mut response = dressed(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new());
    match HeaderValue::from_str(place) {
        Ok(place) => {
            response.headers_mut().insert(LOCATION, place);
            response
        }
        Err(_) => plain(StatusCode::BAD_REQUEST, "the address holds what no address may hold\n"),
    }
}

/// A file that the browser keeps instead of showing it.
fn file(name: &str, kind: &'static str, bytes: Bytes) -> Response<Body> {
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || "-_.@".contains(letter) { letter } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let mut response = dressed(StatusCode::OK, kind, bytes);
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert("content-disposition", disposition);
    }
    response
}

fn html_page(status: StatusCode, text: String) -> Response<Body> {
    dressed(status, "text/html; charset=utf-8", text.into())
}

fn dressed(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
