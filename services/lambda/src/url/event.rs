//! The event of payload format 2.0. Pure.

use base::schema::Blob;
use base::{Document, Timestamp};
use serde_json::{Map, json};

use super::UrlRequest;
use crate::api::FunctionUrlAuthType;
use crate::keys::{Url, UrlOwner};

/// How a request came in.
pub(super) struct Arrival<'a> {
    pub(super) request_id: &'a str,
    pub(super) at: Timestamp,
    /// The server's own address: its scheme is the request's.
    pub(super) endpoint: &'a str,
    /// The `X-Amzn-Trace-Id` of a request that brings none.
    pub(super) trace: &'a str,
}

/// The document that the function gets.
pub(super) fn document(request: &UrlRequest, url: &Url, owner: &UrlOwner, arrival: &Arrival<'_>) -> Document {
    let signed = url.auth_type == FunctionUrlAuthType::AwsIam;
    let account = if signed { owner.account.as_str() } else { "anonymous" };
    let domain = request.host.split(':').next().unwrap_or_default();
    let mut context = json!({
        "accountId": account,
        "apiId": url.id,
        "domainName": domain,
        "domainPrefix": url.id,
        "http": {
            "method": request.method,
            "path": decoded(&request.path),
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": header(request, "user-agent").unwrap_or_default(),
        },
        "requestId": arrival.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": clock_text(arrival.at),
        "timeEpoch": arrival.at.as_millis(),
    });
    if let Some(signer) = request.signer.as_ref().filter(|_| signed) {
        context["authorizer"] = json!({ "iam": {
            "accountId": signer.account.as_str(),
            "callerId": signer.principal,
            "userArn": signer.principal,
        } });
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers(request, arrival),
        "requestContext": context,
        "isBase64Encoded": false,
    });
    let cookies: Vec<&str> = header_values(request, "cookie").flat_map(|text| text.split("; ")).collect();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !request.query.is_empty() {
        event["queryStringParameters"] = parameters(&request.query).into();
    }
    add_body(&mut event, request);
    event
}

/// `22/Nov/2026:10:20:19 +0000`.
fn clock_text(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

fn add_body(event: &mut Document, request: &UrlRequest) {
    if request.body.is_empty() {
        return;
    }
    let text = std::str::from_utf8(&request.body)
        .ok()
        .filter(|_| is_text(header(request, "content-type").unwrap_or("")));
    event["isBase64Encoded"] = text.is_none().into();
    event["body"] = text.map_or_else(|| Blob(request.body.clone()).to_base64(), str::to_owned).into();
}

/// Content types whose bodies travel as they are.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = ["application/json", "application/javascript", "application/xml"];
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || known.contains(&kind.as_str())
}

/// Lower-case names; several values of one name are joined by commas. Cookies stand apart. What a front of AWS's adds is added.
fn headers(request: &UrlRequest, arrival: &Arrival<'_>) -> Map<String, Document> {
    let pairs = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let scheme = arrival.endpoint.split_once("://").map_or("http", |(scheme, _)| scheme);
    let default_port = if scheme == "https" { "443" } else { "80" };
    let port = request.host.rsplit_once(':').map_or(default_port, |(_, port)| port);
    let added = [
        ("x-forwarded-for", request.source_ip.as_str()),
        ("x-forwarded-proto", scheme),
        ("x-forwarded-port", port),
        ("x-amzn-trace-id", arrival.trace),
    ];
    let mut headers = joined(pairs.filter(|(name, _)| name != "cookie"));
    for (name, value) in added {
        let present = headers.get(name).and_then(Document::as_str);
        let value = match (name, present) {
            // Each front appends whom it was called by.
            ("x-forwarded-for", Some(present)) => format!("{present}, {value}"),
            ("x-amzn-trace-id", Some(present)) => present.to_owned(),
            _ => value.to_owned(),
        };
        headers.insert(name.to_owned(), value.into());
    }
    headers
}

fn parameters(query: &str) -> Map<String, Document> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
    };
    joined(query.split('&').filter(|pair| !pair.is_empty()).map(pair))
}

fn joined(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Document> {
    let mut map = Map::new();
    for (name, value) in pairs {
        match map.get(&name).and_then(Document::as_str) {
            Some(present) => map.insert(name, format!("{present},{value}").into()),
            None => map.insert(name, value.into()),
        };
    }
    map
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The first value of a header.
pub(super) fn header<'r>(request: &'r UrlRequest, name: &'r str) -> Option<&'r str> {
    header_values(request, name).next()
}

fn header_values<'r>(request: &'r UrlRequest, name: &'r str) -> impl Iterator<Item = &'r str> {
    request
        .headers
        .iter()
        .filter(move |(present, _)| present.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use base::AccountId;
    use bytes::Bytes;

    use super::*;

    fn request(headers: &[(&str, &str)], body: &'static str) -> UrlRequest {
        UrlRequest {
            method: "POST".into(),
            host: "abc.lambda-url.eu-central-1.localhost:4566".into(),
            path: "/a%20b".into(),
            query: "x=1&y=a+b&x=2".into(),
            protocol: "HTTP/1.1".into(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Bytes::from_static(body.as_bytes()),
            source_ip: "127.0.0.1".into(),
            signer: None,
        }
    }

    fn event(request: &UrlRequest) -> Document {
        let at = Timestamp::from_iso("2026-11-22T10:20:19.500Z").unwrap();
        let url = Url {
            id: "abc".into(),
            auth_type: FunctionUrlAuthType::None,
            cors: None,
            invoke_mode: crate::api::InvokeMode::default(),
            created: at,
            last_modified: at,
        };
        let owner = UrlOwner { account: AccountId::default(), name: "f".into(), qualifier: String::new() };
        let arrival = Arrival {
            request_id: "r1",
            at,
            endpoint: "http://127.0.0.1:4566",
            trace: "Root=1-2-3;Sampled=1",
        };
        document(request, &url, &owner, &arrival)
    }

    #[test]
    fn a_request_becomes_payload_format_2() {
        let found = event(&request(
            &[
                ("Content-Type", "application/json"),
                ("Cookie", "a=1; b=2"),
                ("X-A", "1"),
                ("x-a", "2"),
                ("User-Agent", "curl"),
            ],
            "{}",
        ));
        let expected = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/a%20b",
            "rawQueryString": "x=1&y=a+b&x=2",
            "headers": {
                "content-type": "application/json",
                "x-a": "1,2",
                "user-agent": "curl",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-proto": "http",
                "x-forwarded-port": "4566",
                "x-amzn-trace-id": "Root=1-2-3;Sampled=1",
            },
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "abc",
                "domainName": "abc.lambda-url.eu-central-1.localhost",
                "domainPrefix": "abc",
                "http": { "method": "POST", "path": "/a b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl" },
                "requestId": "r1",
                "routeKey": "$default",
                "stage": "$default",
                "time": "22/Nov/2026:10:20:19 +0000",
                "timeEpoch": 1_795_342_819_500_i64,
            },
            "isBase64Encoded": false,
            "cookies": ["a=1", "b=2"],
            "queryStringParameters": { "x": "1,2", "y": "a b" },
            "body": "{}",
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn a_front_before_this_one_is_kept() {
        let found = event(&request(
            &[
                ("X-Forwarded-For", "10.0.0.1"),
                ("x-forwarded-proto", "https"),
                ("X-Amzn-Trace-Id", "Root=1-9-9"),
            ],
            "",
        ));
        let headers = &found["headers"];
        assert_eq!(headers["x-forwarded-for"], "10.0.0.1, 127.0.0.1");
        assert_eq!(
            (&headers["x-forwarded-proto"], &headers["x-amzn-trace-id"]),
            (&json!("http"), &json!("Root=1-9-9"))
        );
    }

    #[test]
    fn what_is_no_text_travels_in_base64() {
        let found = event(&request(&[("content-type", "application/x-www-form-urlencoded")], "a=1"));
        assert_eq!((&found["body"], &found["isBase64Encoded"]), (&json!("YT0x"), &json!(true)));
        assert_eq!(event(&request(&[], ""))["body"], Document::Null);
    }
}
