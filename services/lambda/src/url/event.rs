//! The event of payload format 2.0. Pure.

use base::schema::Blob;
use base::{Document, Timestamp};
use serde_json::{Map, json};

use super::UrlRequest;
use crate::api::FunctionUrlAuthType;
use crate::keys::{Url, UrlOwner};

/// The document that the function gets.
pub(super) fn document(
    request: &UrlRequest,
    url: &Url,
    owner: &UrlOwner,
    request_id: &str,
    now: Timestamp,
) -> Document {
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
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": clock_text(now),
        "timeEpoch": now.as_millis(),
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
        "headers": headers(request),
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

/// Lower-case names; several values of one name are joined by commas. Cookies stand apart.
fn headers(request: &UrlRequest) -> Map<String, Document> {
    let pairs = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    joined(pairs.filter(|(name, _)| name != "cookie"))
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
        document(request, &url, &owner, "r1", at)
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
            "headers": { "content-type": "application/json", "x-a": "1,2", "user-agent": "curl" },
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
    fn what_is_no_text_travels_in_base64() {
        let found = event(&request(&[("content-type", "application/x-www-form-urlencoded")], "a=1"));
        assert_eq!((&found["body"], &found["isBase64Encoded"]), (&json!("YT0x"), &json!(true)));
        assert_eq!(event(&request(&[], ""))["body"], Document::Null);
    }
}
