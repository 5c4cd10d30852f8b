//! The Runtime API of one process: a loopback listener that hands out invocations and takes answers.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> (version 2018-06-01). The restore operations
//! belong to SnapStart, which is not offered: they answer 404.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::failure::{Failure, RESPONSE_LIMIT, STREAM_LIMIT, too_large};
use super::logs::Output;
use super::spec::Invocation;
use super::timer;

/// How far a process has come.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// It has not asked for work yet.
    Starting,
    /// It has asked for work at least once.
    Ready,
    /// It has reported that it cannot start.
    InitFailed(Failure),
}

/// What the code answered.
#[derive(Debug)]
pub(super) enum Answer {
    Response { payload: Bytes, content_type: Option<String>, streamed: bool },
    Error(Failure),
}

/// One invocation on its way through a process.
pub(super) struct Ticket {
    invocation: Invocation,
    version: String,
    timeout: Duration,
    delivered: OnceLock<Instant>,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
}

impl Ticket {
    pub(super) fn new(
        invocation: Invocation,
        version: String,
        timeout: Duration,
    ) -> (Arc<Ticket>, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let answer = Mutex::new(Some(sender));
        (Arc::new(Ticket { invocation, version, timeout, delivered: OnceLock::new(), answer }), receiver)
    }

    /// When the process took it.
    pub(super) fn delivered(&self) -> Option<Instant> {
        self.delivered.get().copied()
    }

    fn settle(&self, answer: Answer) {
        let sender = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // Nobody waits any more after a timeout.
            let _ = sender.send(answer);
        }
    }
}

/// What the supervisor and the listener of one process share.
pub(super) struct Port {
    output: Arc<Output>,
    phase: watch::Sender<Phase>,
    queue: mpsc::UnboundedSender<Arc<Ticket>>,
    work: tokio::sync::Mutex<mpsc::UnboundedReceiver<Arc<Ticket>>>,
    running: Mutex<HashMap<String, Arc<Ticket>>>,
}

impl Port {
    pub(super) fn new(output: Arc<Output>) -> Port {
        let (queue, work) = mpsc::unbounded_channel();
        let (phase, _) = watch::channel(Phase::Starting);
        Port { output, phase, queue, work: tokio::sync::Mutex::new(work), running: Mutex::default() }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(super) fn is_starting(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Starting)
    }

    /// Gives the process work; it takes it when it asks for some.
    pub(super) fn give(&self, ticket: Arc<Ticket>) {
        // The receiver lives as long as the port.
        let _ = self.queue.send(ticket);
    }

    /// Serves connections until dropped.
    pub(super) async fn listen(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            // Answers are small and awaited: never hold one back.
            let _ = stream.set_nodelay(true);
            let port = Arc::clone(&self);
            let serve = service_fn(move |request| {
                let port = Arc::clone(&port);
                async move { Ok::<_, Infallible>(port.route(request).await) }
            });
            timer::background(async move {
                let connection = hyper::server::conn::http1::Builder::new();
                if let Err(error) = connection.serve_connection(TokioIo::new(stream), serve).await {
                    tracing::debug!(%error, "runtime connection ended");
                }
            });
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else { return not_found() };
        let method = request.method().clone();
        match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
            (Method::GET, ["invocation", "next"]) => self.next().await,
            (Method::POST, ["invocation", id, "response"]) => self.response(id, request).await,
            (Method::POST, ["invocation", id, "error"]) => self.error(id, request).await,
            (Method::POST, ["init", "error"]) => self.init_error(request).await,
            _ => not_found(),
        }
    }

    /// Waits for work, for as long as it takes. Several may wait at once: each invocation goes to one of them.
    async fn next(&self) -> Response<Full<Bytes>> {
        self.phase.send_if_modified(|phase| {
            let first = matches!(phase, Phase::Starting);
            if first {
                *phase = Phase::Ready;
            }
            first
        });
        let Some(ticket) = self.work.lock().await.recv().await else { return not_found() };
        let invocation = &ticket.invocation;
        self.output.begin();
        self.output.invocation_starts(&invocation.request_id, &ticket.version);
        let _ = ticket.delivered.set(timer::instant());
        let mut response = Response::new(Full::new(invocation.payload.clone()));
        *response.headers_mut() = headers_of(invocation, ticket.timeout);
        self.running().insert(invocation.request_id.clone(), Arc::clone(&ticket));
        response
    }

    async fn response(&self, id: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let text =
            |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let streamed = text("lambda-runtime-function-response-mode").is_some_and(|mode| mode == "streaming");
        let limit = if streamed { STREAM_LIMIT } else { RESPONSE_LIMIT };
        let Some(ticket) = self.running().remove(id) else { return unknown_id() };
        let (answer, status) = match read(body, limit).await {
            Ok((_, trailers)) if trailers.contains_key("lambda-runtime-function-error-type") => {
                (Answer::Error(trailing_error(&trailers)), StatusCode::ACCEPTED)
            }
            Ok((payload, _)) => {
                let content_type = text("content-type");
                (Answer::Response { payload, content_type, streamed }, StatusCode::ACCEPTED)
            }
            Err(ReadError::TooLarge(size)) => {
                (Answer::Error(too_large(size, limit)), StatusCode::PAYLOAD_TOO_LARGE)
            }
            // The process broke off: its end, or the timeout, says why.
            Err(ReadError::Broken) => {
                self.running().insert(id.to_owned(), ticket);
                return fault(StatusCode::BAD_REQUEST, "InvalidRequest", "The request body is incomplete");
            }
        };
        ticket.settle(answer);
        if status == StatusCode::ACCEPTED {
            return accepted();
        }
        let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
        fault(status, "RequestEntityTooLarge", &message)
    }

    async fn error(&self, id: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Some(ticket) = self.running().remove(id) else { return unknown_id() };
        ticket.settle(Answer::Error(posted_error(request).await));
        accepted()
    }

    async fn init_error(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let failure = posted_error(request).await;
        self.phase.send_replace(Phase::InitFailed(failure));
        accepted()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Ticket>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn headers_of(invocation: &Invocation, timeout: Duration) -> HeaderMap {
    let deadline = (timer::now() + timeout).as_millis().to_string();
    let mut headers = HeaderMap::with_capacity(6);
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("content-type", "application/json");
    put("lambda-runtime-aws-request-id", &invocation.request_id);
    put("lambda-runtime-deadline-ms", &deadline);
    put("lambda-runtime-invoked-function-arn", &invocation.invoked_arn);
    if let Some(trace) = &invocation.trace_header {
        put("lambda-runtime-trace-id", trace);
    }
    if let Some(context) = &invocation.client_context {
        put("lambda-runtime-client-context", context);
    }
    headers
}

enum ReadError {
    TooLarge(usize),
    Broken,
}

/// The whole body, and its trailers. A body over the limit is read to its end, so that its size can be told, but not kept.
async fn read(mut body: Incoming, limit: usize) -> Result<(Bytes, HeaderMap), ReadError> {
    let (mut kept, mut size, mut trailers) = (Vec::new(), 0, HeaderMap::new());
    let mut only = None;
    while let Some(frame) = body.frame().await {
        match frame.map_err(|_| ReadError::Broken)?.into_data() {
            Ok(data) => {
                size += data.len();
                match (size <= limit, only.take()) {
                    // One frame is the rule: it is passed on as it is.
                    (true, None) if kept.is_empty() => only = Some(data),
                    (true, first) => {
                        kept.extend_from_slice(&first.unwrap_or_default());
                        kept.extend_from_slice(&data);
                    }
                    (false, _) => kept = Vec::new(),
                }
            }
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    if size > limit {
        return Err(ReadError::TooLarge(size));
    }
    Ok((only.unwrap_or_else(|| kept.into()), trailers))
}

const UNKNOWN_ERROR: &str = "Runtime.Unknown";

async fn posted_error(request: Request<Incoming>) -> Failure {
    let header = request.headers().get("lambda-runtime-function-error-type");
    let error_type = header.and_then(|value| value.to_str().ok()).unwrap_or(UNKNOWN_ERROR).to_owned();
    let payload = match read(request.into_body(), RESPONSE_LIMIT).await {
        Ok((payload, _)) if !payload.is_empty() => payload,
        _ => serde_json::json!({ "errorType": error_type }).to_string().into(),
    };
    Failure { error_type, payload }
}

/// An error in the midst of a stream: the trailers carry its type and, in base64, its document.
fn trailing_error(trailers: &HeaderMap) -> Failure {
    use base64::Engine;
    let text = |name: &str| trailers.get(name).and_then(|value| value.to_str().ok());
    let error_type = text("lambda-runtime-function-error-type").unwrap_or(UNKNOWN_ERROR).to_owned();
    let body = text("lambda-runtime-function-error-body").unwrap_or_default();
    let payload = match base64::engine::general_purpose::STANDARD.decode(body) {
        Ok(bytes) if !bytes.is_empty() => bytes.into(),
        _ => serde_json::json!({ "errorType": error_type }).to_string().into(),
    };
    Failure { error_type, payload }
}

fn answer(status: StatusCode, document: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(document.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn accepted() -> Response<Full<Bytes>> {
    answer(StatusCode::ACCEPTED, &serde_json::json!({ "status": "OK" }))
}

fn fault(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    answer(status, &serde_json::json!({ "errorMessage": message, "errorType": error_type }))
}

fn unknown_id() -> Response<Full<Bytes>> {
    fault(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn not_found() -> Response<Full<Bytes>> {
    fault(StatusCode::NOT_FOUND, "InvalidPath", "No such operation of the Runtime API")
}
