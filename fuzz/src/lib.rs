//! What the protocols' targets share: the test tables, and one way through the whole of `wire`.

#[path = "../../core/wire/tests/schemas/cloudformation.rs"]
mod cloudformation;
#[path = "../../core/wire/tests/schemas/dynamodb.rs"]
mod dynamodb;
#[path = "../../core/wire/tests/schemas/events.rs"]
mod events;
#[path = "../../core/wire/tests/schemas/iam.rs"]
mod iam;
#[path = "../../core/wire/tests/schemas/lambda.rs"]
mod lambda;
#[path = "../../core/wire/tests/schemas/route53.rs"]
mod route53;
#[path = "../../core/wire/tests/schemas/sqs.rs"]
mod sqs;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use wire::{Registry, Request, decode, encode, identify, refuse};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    Registry::new(&[
        &cloudformation::SERVICE,
        &dynamodb::SERVICE,
        &events::SERVICE,
        &iam::SERVICE,
        &lambda::SERVICE,
        &route53::SERVICE,
        &sqs::SERVICE,
    ])
});

/// Headers; what HTTP does not allow is left out.
pub fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    };
    pairs.iter().filter_map(pair).collect()
}

/// Sends a request all the way, and its body as an output all the way back. Errors are the caller's, never ours.
pub fn swallow(method: &str, path: &str, query: &str, pairs: &[(&str, &str)], body: &[u8]) {
    let headers = headers(pairs);
    let request = Request { method, path, query, headers: &headers, body: Bytes::copy_from_slice(body) };
    let call = match identify(&request, &REGISTRY) {
        Ok(call) => call,
        Err(refusal) => {
            assert!(refuse(&refusal, "id").status >= 400);
            return;
        }
    };
    match decode(&call, &request) {
        Err(fault) => assert!((400..500).contains(&encode(&call, Err(&fault), "id").status)),
        Ok(document) => {
            let parsed = serde_json::from_slice::<serde_json::Value>(&document);
            let checked = call.operation.check(&document);
            assert!(parsed.is_ok() || checked.is_err());
            if let Ok(parsed) = parsed {
                assert!(checked.is_err() || call.operation.check_document(&parsed).is_ok());
            }
        }
    }
    encode(&call, Ok(body), "id");
}
