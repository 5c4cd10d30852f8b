//! AWS's protocols: which operation a request asks for, its input as a document, and the answer's bytes.
//!
//! Knows HTTP's parts and the schemas of `base::schema`. Knows no socket, no async, no store, no clock and no service:
//! the services' tables come in through a [`Registry`], the time through an argument.
//!
//! # For the author of the server
//!
//! One request takes five steps, all of them plain functions:
//!
//! ```text
//! let registry = Registry::new(&[&sqs::api::SERVICE, &events::api::SERVICE, …]);      // once
//!
//! if let Some(answer) = cors::preflight(&request) { return answer }                  // OPTIONS from browsers
//! let answer = match identify(&request, &registry) {                                 // service, operation, protocol
//!     Err(refusal) => refuse(&refusal, request_id),    // look at `refusal.kind` first: S3 and the console are not ours
//!     Ok(call) => {
//!         if let Some(signature) = Signature::parse(&request)? {                     // if signatures are checked
//!             sigv4::verify(&signature, &request, secret, now)?
//!         }
//!         let result = match decode(&call, &request) {                               // the canonical document
//!             Ok(document) => kernel.call(caller, call.service.signing_name, call.operation.name, document).await,
//!             Err(fault) => Err(fault),
//!         };
//!         encode(&call, result.as_deref(), request_id)
//!     }
//! };
//! cors::dress(&mut answer.headers);
//! ```
//!
//! - [`Request::path`] and [`Request::query`] are raw, as they came (`%2F` stays); the `host` header must be present, so a
//!   server that speaks HTTP/2 copies `:authority` there. Nothing is unpacked before: gzip and `aws-chunked` are ours.
//! - [`decode`] yields UTF-8 JSON *not yet held against the schema*: `OperationSchema::check` does that, and the kernel
//!   calls it. For awsJson the document is the body itself, shared and not copied.
//! - [`encode`] takes the output document or the fault. Statuses, error codes and header names are the protocol's.
//! - [`Call::account`] is set if the access key is twelve digits, which names the account directly.
//! - [`body_bytes_max`] says how much of a body to read from the socket at all.
//!
//! Source of the protocols: <https://smithy.io/2.0/aws/protocols/index.html>

mod address;
mod cbor;
pub mod cors;
mod decode;
mod encode;
mod fault;
mod identify;
mod query;
mod registry;
mod rest;
pub mod sigv4;
mod text;
mod xml;

use base::schema::{OperationSchema, Protocol, ServiceSchema};
use base::{AccountId, Fault, Region};
use bytes::Bytes;
use http::HeaderMap;

pub use decode::{body_bytes_max, decode};
pub use encode::{encode, refuse};
pub use identify::identify;
pub use registry::Registry;
pub use sigv4::Signature;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path, still percent-encoded.
    pub path: &'a str,
    /// What follows `?`, still percent-encoded; empty if there is none.
    pub query: &'a str,
    /// The headers, `host` among them.
    pub headers: &'a HeaderMap,
    /// The body, still packed.
    pub body: Bytes,
}

impl<'a> Request<'a> {
    /// A header's text; `None` if it is absent or no visible ASCII.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without `content-length`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What a request asks for, and of whom.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service.
    pub service: &'static ServiceSchema,
    /// The operation.
    pub operation: &'static OperationSchema,
    /// How it is written, and so how the answer is.
    pub protocol: Protocol,
    /// From the credential scope, else from the host, else the default.
    pub region: Region,
    /// Who signs; absent if nobody does.
    pub access_key: Option<String>,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
    /// The account, if the access key is one.
    pub account: Option<AccountId>,
    /// `X-Amzn-Trace-Id`, as the caller sent it.
    pub trace: Option<String>,
    /// The path's labels by their name on the wire, decoded.
    pub labels: Vec<(&'static str, String)>,
}

/// Why a request names no operation that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// Nothing in it names a service: no scope, no target, no action, no known host or path. Perhaps a browser.
    Unaddressed,
    /// It names a service that is not in the registry, by signing name, target prefix or host label, e.g. `s3`.
    ForeignService(String),
    /// The service has no such operation.
    UnknownOperation,
    /// AWS has the operation and Buswork does not.
    NotImplemented(String),
}

/// A request that names no operation that is served. [`refuse`] makes the answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// The service, if it is a known one.
    pub service: Option<&'static ServiceSchema>,
    /// How the answer is written.
    pub protocol: Protocol,
    /// What the answer says.
    pub fault: Fault,
    /// As in [`Call::region`].
    pub region: Region,
    /// As in [`Call::access_key`].
    pub access_key: Option<String>,
}
