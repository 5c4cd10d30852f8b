//! The strict profile: signatures over HTTP, in every dress.

use std::path::Path;

use base::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use kernel::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::sigv4::{Signer, Unsigned, sign};

use crate::server::{Answer, REGION, Server, command, refusal};

const KEY: &str = "AKIAOPERATOR00000001";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "an-operator-token-of-tests";

fn strict() -> Server {
    let keys = format!("{KEY}:{SECRET}:111122223333");
    let arguments = ["--in-memory", "--profile", "strict", "--access-keys", &keys, "--operator-token", TOKEN];
    Server::start(&arguments)
}

/// Who signs, and how.
#[derive(Clone, Copy)]
struct By<'a> {
    key: &'a str,
    secret: &'a str,
    token: Option<&'a str>,
    late_s: i64,
}

const RIGHT: By<'static> = By { key: KEY, secret: SECRET, token: None, late_s: 0 };

/// A request as an SDK sends it: method, path with query, service, headers, body.
struct Sent<'a> {
    method: &'a str,
    target: &'a str,
    service: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: &'a str,
}

/// Signs with the right body and sends `sent_body`.
async fn send(server: &Server, by: By<'_>, sent: Sent<'_>, sent_body: &str) -> Answer {
    let mut headers = HeaderMap::new();
    let host = server.address.strip_prefix("http://").unwrap();
    headers.insert("host", HeaderValue::from_str(host).unwrap());
    for (name, value) in sent.headers {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let (path, query) = sent.target.split_once('?').unwrap_or((sent.target, ""));
    let now = Timestamp::from_millis(Clock::real().now().as_millis() - by.late_s * 1_000);
    let signer = Signer {
        access_key: by.key,
        secret: by.secret,
        session_token: by.token,
        region: REGION,
        service: sent.service,
    };
    let body = Bytes::copy_from_slice(sent.body.as_bytes());
    let unsigned = Unsigned { method: sent.method, path, query, headers: &mut headers, body: &body };
    sign(unsigned, &signer, now).unwrap();
    let mut request =
        Request::builder().method(sent.method).uri(format!("{}{}", server.address, sent.target));
    *request.headers_mut().unwrap() = headers;
    server.send(request, sent_body.to_owned()).await
}

const SQS: [(&str, &str); 2] =
    [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.ListQueues")];
const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];
const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn sqs() -> Sent<'static> {
    Sent { method: "POST", target: "/", service: "sqs", headers: &SQS, body: "{}" }
}

fn sts(body: &str) -> Sent<'_> {
    Sent { method: "POST", target: "/", service: "sts", headers: &FORM, body }
}

/// The text of an XML element.
fn element(text: &str, name: &str) -> String {
    let inside = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once("</"));
    inside.unwrap_or_else(|| panic!("no {name} in {text}")).0.to_owned()
}

fn code(answer: &Answer) -> String {
    if answer.text.starts_with('{') {
        let kind = answer.json()["__type"].as_str().unwrap_or_default().to_owned();
        return kind.rsplit('#').next().unwrap_or_default().to_owned();
    }
    element(&answer.text, "Code")
}

#[tokio::test]
async fn a_known_key_acts_in_its_account() {
    let server = strict();
    let answer = send(&server, RIGHT, sts(WHO), WHO).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(element(&answer.text, "Arn"), "arn:aws:iam::111122223333:root");
    assert_eq!(send(&server, RIGHT, sqs(), "{}").await.status, StatusCode::OK);
}

#[tokio::test]
async fn others_are_refused_in_the_words_of_the_protocol() {
    let server = strict();
    let stranger = By { key: "AKIASTRANGER00000001", ..RIGHT };
    let wrong = By { secret: "another secret", ..RIGHT };
    let late = By { late_s: 600, ..RIGHT };
    let early = By { late_s: -600, ..RIGHT };
    let account = By { key: "111122223333", secret: "buswork", token: Some("buswork"), ..RIGHT };
    let cases = [
        (stranger, "UnrecognizedClientException", "InvalidClientTokenId"),
        (account, "UnrecognizedClientException", "InvalidClientTokenId"),
        (wrong, "InvalidSignatureException", "SignatureDoesNotMatch"),
        (late, "InvalidSignatureException", "SignatureDoesNotMatch"),
        (early, "InvalidSignatureException", "SignatureDoesNotMatch"),
    ];
    for (by, json_code, query_code) in cases {
        let answer = send(&server, by, sqs(), "{}").await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (StatusCode::BAD_REQUEST, json_code),
            "{answer:?}"
        );
        let answer = send(&server, by, sts(WHO), WHO).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (StatusCode::FORBIDDEN, query_code),
            "{answer:?}"
        );
    }
    assert!(send(&server, late, sqs(), "{}").await.text.contains("Signature expired"));
    assert!(send(&server, early, sqs(), "{}").await.text.contains("Signature not yet current"));
    // The body is part of what was signed, and the scope names the service.
    assert_eq!(code(&send(&server, RIGHT, sqs(), "{ }").await), "InvalidSignatureException");
    let other = Sent { service: "events", ..sqs() };
    let answer = send(&server, RIGHT, other, "{}").await;
    assert!(answer.text.contains("Credential should be scoped to correct service: 'sqs'"), "{answer:?}");

    let headers = Request::post(&server.address).header("content-type", SQS[0].1).header(SQS[1].0, SQS[1].1);
    let unsigned = server.send(headers, "{}").await;
    assert_eq!(code(&unsigned), "MissingAuthenticationTokenException", "{unsigned:?}");
    let unsigned = server.send(Request::post(&server.address).header(FORM[0].0, FORM[0].1), WHO).await;
    assert_eq!(
        (unsigned.status, code(&unsigned).as_str()),
        (StatusCode::FORBIDDEN, "MissingAuthenticationToken")
    );
    let half = Request::post(&server.address)
        .header(SQS[1].0, SQS[1].1)
        .header(SQS[0].0, SQS[0].1)
        .header("authorization", "AWS4-HMAC-SHA256 Credential=x");
    assert_eq!(code(&server.send(half, "{}").await), "IncompleteSignatureException");
}

#[tokio::test]
async fn s3_refuses_in_its_own_words() {
    let server = strict();
    let bucket = |method| Sent { method, target: "/bucket", service: "s3", headers: &[], body: "" };
    let object =
        Sent { method: "PUT", target: "/bucket/a%20b", service: "s3", headers: &[], body: "content" };
    assert_eq!(send(&server, RIGHT, bucket("PUT"), "").await.status, StatusCode::OK);
    let put = send(&server, RIGHT, object, "content").await;
    assert_eq!(put.status, StatusCode::OK, "{put:?}");
    let cases = [
        (By { key: "AKIASTRANGER00000001", ..RIGHT }, "InvalidAccessKeyId"),
        (By { secret: "another secret", ..RIGHT }, "SignatureDoesNotMatch"),
        (By { late_s: 16 * 60, ..RIGHT }, "RequestTimeTooSkewed"),
        (By { late_s: -16 * 60, ..RIGHT }, "RequestTimeTooSkewed"),
    ];
    for (by, wanted) in cases {
        let answer = send(&server, by, bucket("GET"), "").await;
        assert_eq!((answer.status, code(&answer).as_str()), (StatusCode::FORBIDDEN, wanted), "{answer:?}");
    }
    let object = Sent { method: "PUT", target: "/bucket/b", service: "s3", headers: &[], body: "content" };
    let tampered = send(&server, RIGHT, object, "c0ntent").await;
    assert_eq!(code(&tampered), "XAmzContentSHA256Mismatch", "{tampered:?}");
    let anonymous = server.get("/bucket/a%20b").await;
    assert_eq!((anonymous.status, code(&anonymous).as_str()), (StatusCode::FORBIDDEN, "AccessDenied"));
    let marked = Sent { method: "GET", target: "/bucket/b", service: "s3", headers: &[], body: "" };
    assert_eq!(send(&server, RIGHT, marked, "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn temporary_credentials_need_their_token() {
    let server = strict();
    let assume = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3A\
                  role%2Fdeploy";
    let assumed = send(&server, RIGHT, sts(assume), assume).await;
    assert_eq!(assumed.status, StatusCode::OK, "{assumed:?}");
    let of = |name: &str| element(&assumed.text, name);
    let (key, secret, token) = (of("AccessKeyId"), of("SecretAccessKey"), of("SessionToken"));
    let session = By { key: &key, secret: &secret, token: Some(&token), late_s: 0 };
    let answer = send(&server, session, sts(WHO), WHO).await;
    assert_eq!(element(&answer.text, "Arn"), "arn:aws:sts::444455556666:assumed-role/deploy/me");
    for token in [None, Some("another")] {
        let answer = send(&server, By { token, ..session }, sts(WHO), WHO).await;
        assert_eq!(code(&answer), "InvalidClientTokenId", "{answer:?}");
    }
    let wrong = By { secret: SECRET, ..session };
    assert_eq!(code(&send(&server, wrong, sts(WHO), WHO).await), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn what_belongs_to_no_account_is_for_operators() {
    let server = strict();
    assert_eq!(server.get("/_buswork/health").await.json(), json!({ "status": "ok" }));
    assert_eq!(server.get("/_buswork/ready").await.text, "ready\n");
    let id = "0193a000-0000-7000-8000-000000000000";
    let trace = format!("/_buswork/trace/{id}");
    for path in [&trace, &format!("/_buswork/explain/{id}")] {
        assert_eq!(server.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let request = |token: &str| {
            Request::get(format!("{}{path}", server.address))
                .header("authorization", format!("Bearer {token}"))
        };
        assert_eq!(server.send(request("wrong"), "").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.send(request(TOKEN), "").await.status, StatusCode::NOT_FOUND);
    }
    let ask = Request::post(format!("{}/_buswork/ask/events/SearchEvents", server.address));
    assert_eq!(server.send(ask, "{}").await.status, StatusCode::UNAUTHORIZED);
    let call = Request::post(format!("{}/_buswork/call/sqs/ListQueues", server.address));
    let refused = server.send(call, "{}").await;
    assert_eq!(refused.json()["code"], "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn the_console_asks_for_the_token_once() {
    let server = strict();
    let page = "/_buswork/console/queues?region=eu-central-1";
    let away = server.get(page).await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    let login = away.headers["location"].to_str().unwrap().to_owned();
    assert!(login.starts_with("/_buswork/console/login?to="), "{login}");
    assert!(server.get(&login).await.text.contains("Operator token"));
    let post = |token: &str, origin: &str| {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("token", token), ("to", page)])
            .finish();
        let request = Request::post(format!("{}/_buswork/console/login", server.address))
            .header("origin", origin.to_owned())
            .header("content-type", FORM[0].1);
        (request, form)
    };
    let (request, form) = post("wrong", &server.address);
    assert_eq!(server.send(request, form).await.status, StatusCode::UNAUTHORIZED);
    let (request, form) = post(TOKEN, "http://elsewhere.example");
    assert_eq!(server.send(request, form).await.status, StatusCode::FORBIDDEN);
    let (request, form) = post(TOKEN, &server.address);
    let entered = server.send(request, form).await;
    assert_eq!(
        (entered.status, entered.headers["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, page)
    );
    let cookie = entered.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = Request::get(format!("{}{page}", server.address)).header("cookie", cookie);
    assert!(server.send(request, "").await.text.contains("Queues"));
}

#[tokio::test]
async fn the_command_line_signs() {
    let server = strict();
    let call = |secret: &str| {
        let mut command = command(&["call", "sqs", "CreateQueue", r#"{"QueueName":"q"}"#]);
        command.env("AWS_ENDPOINT_URL", &server.address).env("AWS_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", secret).output().unwrap()
    };
    let made = call(SECRET);
    assert!(made.status.success(), "{made:?}");
    let answer: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(answer["QueueUrl"].as_str().unwrap().contains("111122223333"), "{answer}");
    let refused = call("another");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("InvalidSignatureException"), "{refused:?}");
}

#[tokio::test]
async fn the_development_profile_reads_signatures_all_the_same() {
    let server = Server::start(&["--in-memory"]);
    let call = |authorization: &str| {
        Request::post(format!("{}/_buswork/call/sqs/ListQueues", server.address))
            .header("authorization", authorization.to_owned())
    };
    let refused = server.send(call("AWS4-HMAC-SHA256 Credential=x"), "{}").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    assert_eq!(refused.json()["code"], "IncompleteSignatureException");
    for path in ["call/sqs/ListQueues", "ask/events/SearchEvents"] {
        let page =
            Request::post(format!("{}/_buswork/{path}", server.address)).header("origin", "http://elsewhere");
        assert_eq!(server.send(page, "{}").await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn names_that_only_resolve_to_this_machine_read_nothing() {
    let server = Server::start(&["--in-memory"]);
    let id = "0193a000-0000-7000-8000-000000000000";
    let from = |method: &str, host: &str, path: &str| {
        let uri = format!("{}{path}", server.address);
        Request::builder().method(method).uri(uri).header("host", host.to_owned())
    };
    let port = server.port();
    let paths = [
        ("GET", "/_buswork/console/queues?region=eu-central-1".to_owned()),
        ("GET", format!("/_buswork/trace/{id}")),
        ("GET", format!("/_buswork/explain/{id}")),
        ("POST", "/_buswork/ask/events/SearchEvents".to_owned()),
        ("POST", "/_buswork/call/sqs/ListQueues".to_owned()),
    ];
    for (method, path) in &paths {
        for host in ["rebound.example", "localhost.rebound.example", "0.0.0.0"] {
            let answer = server.send(from(method, &format!("{host}:{port}"), path), "{}").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} at {host}: {answer:?}");
        }
        for host in ["localhost", "127.0.0.1", "[::1]", "shop.localhost"] {
            let answer = server.send(from(method, &format!("{host}:{port}"), path), "{}").await;
            assert_ne!(answer.status, StatusCode::FORBIDDEN, "{path} at {host}: {answer:?}");
        }
    }
    let told = server.send(from("GET", "rebound.example", "/_buswork/health"), "").await;
    assert_eq!(told.json(), json!({ "status": "ok" }), "strangers are told no more");
    // AWS's clients behind proxies name AWS's hosts.
    let listed = from("POST", "sqs.eu-central-1.amazonaws.com", "/");
    let listed = listed.header("content-type", SQS[0].1).header(SQS[1].0, SQS[1].1);
    assert_eq!(server.send(listed, "{}").await.status, StatusCode::OK);
}

/// The bodies of the requests that an endpoint gets; each is answered with 200.
#[expect(clippy::disallowed_methods, reason = "the endpoint is a server of its own beside the test")]
async fn endpoint() -> (String, tokio::sync::mpsc::UnboundedReceiver<Value>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = tokio::sync::mpsc::unbounded_channel();
    tokio::task::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            let body = loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..read]);
                let whole = String::from_utf8_lossy(&text).into_owned();
                let body = whole.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                match serde_json::from_str::<Value>(body) {
                    Ok(body) => break body,
                    Err(_) => assert!(read > 0, "the request was cut off: {whole}"),
                }
            };
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            sender.send(body).unwrap();
        }
    });
    (address, received)
}

#[tokio::test]
async fn links_of_sns_need_no_signature() {
    let server = strict();
    let (address, mut received) = endpoint().await;
    let signed = async |body: &str| {
        let sent = Sent { method: "POST", target: "/", service: "sns", headers: &FORM, body };
        send(&server, RIGHT, sent, body).await
    };
    let unsigned = async |body: &str| {
        server.send(Request::post(&server.address).header(FORM[0].0, FORM[0].1), body.to_owned()).await
    };
    let form = |pairs: &[(&str, &str)]| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs([&[("Version", "2010-03-31")], pairs].concat())
            .finish()
    };
    let topic = element(&signed(&form(&[("Action", "CreateTopic"), ("Name", "t")])).await.text, "TopicArn");
    let subscribe =
        [("Action", "Subscribe"), ("TopicArn", &topic), ("Protocol", "http"), ("Endpoint", &address)];
    assert_eq!(signed(&form(&subscribe)).await.status, StatusCode::OK);
    let asked = received.recv().await.unwrap();
    let link = |message: &Value, name: &str| {
        let link = message[name].as_str().unwrap_or_else(|| panic!("no {name} in {message}"));
        link.strip_prefix(&server.address).unwrap_or_else(|| panic!("{link} leads elsewhere")).to_owned()
    };
    // A token that was made up proves nothing.
    let wrong = [("Action", "ConfirmSubscription"), ("TopicArn", &topic), ("Token", "made-up")];
    assert_ne!(unsigned(&form(&wrong)).await.status, StatusCode::OK);
    let confirmed = server.get(&link(&asked, "SubscribeURL")).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{confirmed:?}");
    let publish = form(&[("Action", "Publish"), ("TopicArn", &topic), ("Message", "hello")]);
    let refused = unsigned(&publish).await;
    assert_eq!(code(&refused), "MissingAuthenticationToken", "{refused:?}");
    assert_eq!(signed(&publish).await.status, StatusCode::OK);
    let message = received.recv().await.unwrap();
    assert_eq!(message["Message"], "hello");
    let left = server.get(&link(&message, "UnsubscribeURL")).await;
    assert_eq!(left.status, StatusCode::OK, "{left:?}");
    let subscriptions = form(&[("Action", "ListSubscriptionsByTopic"), ("TopicArn", &topic)]);
    let listed = signed(&subscriptions).await;
    assert!(!listed.text.contains("<SubscriptionArn>arn:"), "{listed:?}");
}

#[test]
fn other_addresses_need_the_strict_profile() {
    let said = refusal(&["start", "--in-memory", "--host", "0.0.0.0", "--port", "0"]);
    assert!(said.contains("listens on loopback only") && said.contains("--profile strict"), "{said}");
    let said = refusal(&["start", "--in-memory", "--profile", "strict"]);
    assert!(said.contains("at least one access key"), "{said}");
}

#[tokio::test]
async fn a_file_names_the_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("buswork.toml");
    let text = format!(
        "profile = \"strict\"\nhost = \"0.0.0.0\"\n[[access_keys]]\nid = \"{KEY}\"\nsecret = \"{SECRET}\"\n\
         account = \"111122223333\"\nuser = \"alice\"\n"
    );
    std::fs::write(&path, text).unwrap();
    let server = Server::start(&["--in-memory", "--config", path_text(&path)]);
    let answer = send(&server, RIGHT, sts(WHO), WHO).await;
    assert_eq!(element(&answer.text, "Arn"), "arn:aws:iam::111122223333:user/alice");
    let closed = server.get("/_buswork/console/queues").await;
    assert!(closed.status == StatusCode::FORBIDDEN && closed.text.contains("operator_token"), "{closed:?}");
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
