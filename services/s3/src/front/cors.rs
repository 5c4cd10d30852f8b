//! What browsers may do with a bucket from pages of other origins.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>. A bucket without rules allows nothing.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kernel::Kernel;

use super::{Body, bucket_named, empty, error, host, to_error};
use crate::api::CORSRule;

/// Who asks, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    bucket: String,
    origin: String,
    method: String,
    /// In lower case; only known before the request itself.
    headers: Vec<String>,
}

impl Asked {
    /// None if no browser asks, or of no bucket.
    pub(super) fn of<B>(request: &http::Request<B>) -> Option<Asked> {
        let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let origin = text(ORIGIN)?.to_owned();
        let bucket = host::bucket_of_request(request)?;
        let method = match text(ACCESS_CONTROL_REQUEST_METHOD) {
            Some(method) if request.method() == Method::OPTIONS => method.to_owned(),
            _ => request.method().to_string(),
        };
        let headers = text(ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default().split(',');
        let headers = headers.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
        Some(Asked { bucket, origin, method, headers: headers.collect() })
    }

    /// The first rule that allows it.
    fn rule<'r>(&self, rules: &'r [CORSRule]) -> Option<&'r CORSRule> {
        rules.iter().find(|rule| {
            let headers = rule.allowed_headers.as_deref().unwrap_or_default();
            let allowed =
                |name: &String| headers.iter().any(|allowed| covers(&allowed.to_ascii_lowercase(), name));
            rule.allowed_methods.contains(&self.method)
                && rule.allowed_origins.iter().any(|allowed| covers(allowed, &self.origin))
                && self.headers.iter().all(allowed)
        })
    }
}

/// Whether a text with at most one `*` covers another.
fn covers(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

/// The answer to a preflight of a bucket that is here.
pub(super) async fn preflight<B>(
    kernel: &Kernel,
    request: &http::Request<B>,
) -> Option<http::Response<Body>> {
    if request.method() != Method::OPTIONS || !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let asked = Asked::of(request)?;
    let request_id = kernel.new_id();
    let rules = match bucket_named(kernel, asked.bucket.clone()).await {
        Ok(bucket) => bucket?.cors.unwrap_or_default(),
        Err(fault) => return Some(error(to_error(fault, request_id))),
    };
    let Some(rule) = asked.rule(&rules) else {
        let message = if rules.is_empty() {
            "CORSResponse: CORS is not enabled for this bucket."
        } else {
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
             method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
             resource's CORS spec."
        };
        let fault = base::Fault::new("AccessForbidden", message).with_status(403);
        return Some(error(to_error(fault, request_id)));
    };
    let mut response = http::Response::new(empty());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    allow(headers, &asked, rule);
    insert(headers, ACCESS_CONTROL_ALLOW_HEADERS, &asked.headers.join(", "));
    if let Some(seconds) = rule.max_age_seconds {
        insert(headers, ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    Some(response)
}

/// Adds to an answer what lets the page that asked see it.
pub(super) async fn dress(kernel: &Kernel, asked: &Asked, headers: &mut HeaderMap) {
    let bucket = bucket_named(kernel, asked.bucket.clone()).await.ok().flatten();
    let rules = bucket.and_then(|bucket| bucket.cors).unwrap_or_default();
    if let Some(rule) = asked.rule(&rules) {
        allow(headers, asked, rule);
    }
}

fn allow(headers: &mut HeaderMap, asked: &Asked, rule: &CORSRule) {
    if rule.allowed_origins.iter().any(|origin| origin == "*") {
        insert(headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    } else {
        insert(headers, ACCESS_CONTROL_ALLOW_ORIGIN, &asked.origin);
        insert(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    insert(headers, ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
    insert(
        headers,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        &rule.expose_headers.clone().unwrap_or_default().join(", "),
    );
    insert(headers, VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "http://a", true),
            ("http://*.example.com", "http://a.example.com", true),
            ("http://*.example.com", "http://example.com", false),
            ("http://a", "http://a", true),
            ("aba*aba", "aba", false),
            ("x-amz-*", "x-amz-meta-a", true),
        ] {
            assert_eq!(covers(pattern, text), expected, "{pattern} {text}");
        }
    }
}
