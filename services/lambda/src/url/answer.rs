//! A function's answer as an HTTP response. Pure.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload>

use base::schema::Blob;
use base::{Document, Fault};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::UrlResponse;
use crate::runtime::Invoked;

/// The content type of a streamed answer that begins with its status and headers.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

/// What separates them from the body.
const PRELUDE_END: [u8; 8] = [0; 8];

/// The members of an answer that says more than its body.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    status_code: Option<Document>,
    headers: std::collections::BTreeMap<String, Document>,
    body: Option<Document>,
    is_base64_encoded: bool,
    cookies: Vec<String>,
}

/// The response of an invocation that was answered.
pub(super) fn response(invoked: Invoked) -> UrlResponse {
    if invoked.function_error.is_some() {
        return message(502, "Internal Server Error");
    }
    if invoked.streamed {
        return streamed(invoked.content_type.as_deref(), invoked.payload);
    }
    let told =
        serde_json::from_slice::<Told>(&invoked.payload).ok().filter(|told| told.status_code.is_some());
    match told {
        Some(told) => {
            let body = body_of(told.body.as_ref(), told.is_base64_encoded);
            dressed(&told, body)
        }
        None => UrlResponse {
            status: 200,
            headers: vec![pair("content-type", "application/json")],
            body: plain(invoked.payload),
        },
    }
}

/// A JSON string is sent as its text.
fn plain(payload: Bytes) -> Bytes {
    match serde_json::from_slice::<String>(&payload) {
        Ok(text) => text.into(),
        Err(_) => payload,
    }
}

fn streamed(content_type: Option<&str>, payload: Bytes) -> UrlResponse {
    let end = payload.windows(PRELUDE_END.len()).position(|window| window == PRELUDE_END);
    match (content_type, end) {
        (Some(WITH_PRELUDE), Some(end)) => {
            let told: Told = serde_json::from_slice(&payload[..end]).unwrap_or_default();
            dressed(&told, payload.slice(end + PRELUDE_END.len()..))
        }
        (content_type, _) => {
            let content_type = content_type.unwrap_or("application/octet-stream");
            UrlResponse { status: 200, headers: vec![pair("content-type", content_type)], body: payload }
        }
    }
}

fn dressed(told: &Told, body: Bytes) -> UrlResponse {
    let status = match &told.status_code {
        Some(Document::String(text)) => text.parse().ok(),
        Some(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        None => Some(200),
    };
    let Some(status) = status.filter(|status| (100..600).contains(status)) else {
        return message(502, "Internal Server Error");
    };
    let text = |value: &Document| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut headers: Vec<(String, String)> =
        told.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect();
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(pair("content-type", "application/json"));
    }
    headers.extend(told.cookies.iter().map(|cookie| pair("set-cookie", cookie)));
    UrlResponse { status, headers, body }
}

fn body_of(body: Option<&Document>, is_base64: bool) -> Bytes {
    let text = match body {
        None | Some(Document::Null) => return Bytes::new(),
        Some(Document::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match Blob::from_base64(&text).filter(|_| is_base64) {
        Some(blob) => blob.0,
        None => text.into(),
    }
}

/// A fault as URLs tell it: nothing of what went wrong, but who may mend it.
pub(super) fn fault(fault: &Fault) -> UrlResponse {
    match fault.status {
        429 => message(429, "Rate Exceeded."),
        404 => message(403, "Forbidden"),
        _ => message(502, "Internal Server Error"),
    }
}

/// A status with a message of our own.
pub(super) fn message(status: u16, text: &str) -> UrlResponse {
    UrlResponse {
        status,
        headers: vec![pair("content-type", "application/json")],
        body: json!({ "Message": text }).to_string().into(),
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::ErrorKind;

    fn invoked(payload: &str) -> Invoked {
        Invoked {
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            function_error: None,
            log_tail: String::new(),
            executed_version: "$LATEST".into(),
            log_stream: String::new(),
            init_ms: None,
            duration_ms: 1.0,
            billed_ms: 1,
            max_memory_mb: 1,
            content_type: None,
            streamed: false,
        }
    }

    fn check(found: &UrlResponse, status: u16, headers: &[(&str, &str)], body: &str) {
        let shown: Vec<(&str, &str)> =
            found.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((found.status, shown.as_slice(), &found.body[..]), (status, headers, body.as_bytes()));
    }

    #[test]
    fn answers_are_inferred_or_told() {
        let json = ("content-type", "application/json");
        check(&response(invoked(r#"{"a":1}"#)), 200, &[json], r#"{"a":1}"#);
        check(&response(invoked(r#""hi""#)), 200, &[json], "hi");
        let told = r#"{"statusCode":201,"headers":{"X-A":1},"body":"aGk=","isBase64Encoded":true,"cookies":["a=1"]}"#;
        check(&response(invoked(told)), 201, &[("x-a", "1"), json, ("set-cookie", "a=1")], "hi");
        check(
            &response(invoked(r#"{"statusCode":"nope"}"#)),
            502,
            &[json],
            r#"{"Message":"Internal Server Error"}"#,
        );
        let failed = Invoked { function_error: Some(ErrorKind::Unhandled), ..invoked("{}") };
        check(&response(failed), 502, &[json], r#"{"Message":"Internal Server Error"}"#);
    }

    #[test]
    fn a_stream_may_begin_with_its_head() {
        let streamed = |kind: Option<&str>, payload: &str| {
            response(Invoked { streamed: true, content_type: kind.map(str::to_owned), ..invoked(payload) })
        };
        let payload = "{\"statusCode\":204,\"headers\":{\"content-type\":\"a/b\"}}\0\0\0\0\0\0\0\0body";
        check(&streamed(Some(WITH_PRELUDE), payload), 204, &[("content-type", "a/b")], "body");
        check(&streamed(Some("text/plain"), "x"), 200, &[("content-type", "text/plain")], "x");
    }
}
