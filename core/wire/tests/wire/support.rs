//! What the protocol tests share: the registry of test tables and requests from text.

#[path = "../schemas/cloudformation.rs"]
mod cloudformation;
#[path = "../schemas/dynamodb.rs"]
mod dynamodb;
#[path = "../schemas/events.rs"]
mod events;
#[path = "../schemas/iam.rs"]
mod iam;
#[path = "../schemas/lambda.rs"]
mod lambda;
#[path = "../schemas/route53.rs"]
mod route53;
#[path = "../schemas/sqs.rs"]
mod sqs;
#[path = "../schemas/sts.rs"]
mod sts;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use wire::{Registry, Request};

/// All test tables.
pub(crate) fn registry() -> Registry {
    Registry::new(&[
        &cloudformation::SERVICE,
        &dynamodb::SERVICE,
        &events::SERVICE,
        &iam::SERVICE,
        &lambda::SERVICE,
        &route53::SERVICE,
        &sqs::SERVICE,
        &sts::SERVICE,
    ])
}

/// A request as HTTP/1.1 writes it.
pub(crate) struct Given {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Given {
    /// Reads a request line, headers, an empty line and the body.
    pub(crate) fn parse(text: &str) -> Given {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            headers.append(
                HeaderName::from_bytes(name.trim().as_bytes()).unwrap(),
                HeaderValue::from_str(value.trim()).unwrap(),
            );
        }
        let body = Bytes::from(body.trim_end_matches('\n').to_owned());
        Given { method, path: path.to_owned(), query: query.to_owned(), headers, body }
    }

    /// The same request with these bytes as its body.
    pub(crate) fn with_body(mut self, body: impl Into<Bytes>) -> Given {
        self.body = body.into();
        self
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.clone(),
        }
    }
}
