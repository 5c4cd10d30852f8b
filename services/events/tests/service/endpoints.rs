//! Connections and API destinations, against a server on the loopback interface.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{DAY, DEAD, MINUTE, World, attribute};

/// A request as the server got it.
#[derive(Clone, Debug)]
struct Got {
    method: String,
    path: String,
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let is_named = |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(is_named)?;
        Some(line.split_once(':')?.1.trim())
    }
}

/// A server that answers with the replies that it is given, one after the other, and with 200 when they are used up.
#[derive(Clone, Default)]
struct Server {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
    replies: Arc<Mutex<Vec<String>>>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the server is the world outside, beside the kernel")]
    async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server { port: listener.local_addr().unwrap().port(), ..Server::default() };
        let own = server.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let own = own.clone();
                tokio::spawn(async move { while own.serve(&mut stream).await.is_some() {} });
            }
        });
        server
    }

    async fn serve(&self, stream: &mut tokio::net::TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        let (head, body_at) = loop {
            let mut chunk = [0; 4096];
            let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
            bytes.extend_from_slice(&chunk[..n]);
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break (String::from_utf8(bytes[..at].to_vec()).unwrap(), at + 4);
            }
        };
        let mut words = head.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut got = Got { method, path, head, body: String::new() };
        let length: usize = got.header("content-length").map_or(0, |length| length.parse().unwrap());
        while bytes.len() < body_at + length {
            let mut chunk = [0; 4096];
            let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
            bytes.extend_from_slice(&chunk[..n]);
        }
        got.body = String::from_utf8(bytes[body_at..].to_vec()).unwrap();
        self.got.lock().unwrap().push(got);
        let reply = {
            let mut replies = self.replies.lock().unwrap();
            if replies.is_empty() { reply(200, "", "{\"ok\":true}") } else { replies.remove(0) }
        };
        if reply == "hang" {
            std::future::pending::<()>().await;
        }
        stream.write_all(reply.as_bytes()).await.ok()
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn reply(&self, with: &[String]) {
        *self.replies.lock().unwrap() = with.to_vec();
    }

    fn take(&self) -> Vec<Got> {
        std::mem::take(&mut self.got.lock().unwrap())
    }
}

fn reply(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

fn basic() -> Value {
    json!({
        "AuthorizationType": "BASIC",
        "AuthParameters": { "BasicAuthParameters": { "Username": "me", "Password": "hidden" } },
    })
}

async fn connection(world: &World, name: &str, of: Value) -> String {
    let mut input = json!({ "Name": name });
    input.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
    let made = world.ok("CreateConnection", input).await;
    world.world.idle().await;
    made["ConnectionArn"].as_str().unwrap().to_owned()
}

async fn destination(world: &World, connection: &str, endpoint: &str, more: Value) -> String {
    let mut input = json!({ "Name": "d", "ConnectionArn": connection, "InvocationEndpoint": endpoint, "HttpMethod": "POST" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = world.ok("CreateApiDestination", input).await;
    assert_eq!(made["ApiDestinationState"], "ACTIVE");
    made["ApiDestinationArn"].as_str().unwrap().to_owned()
}

/// A world with a rule for events of `a` to an endpoint of the server.
async fn world_to(server: &Server, path: &str, target: Value) -> World {
    let world = World::new().await;
    let connection = connection(&world, "c", basic()).await;
    let arn = destination(&world, &connection, &server.url(path), json!({})).await;
    let mut all = json!({ "Arn": arn, "DeadLetterConfig": { "Arn": DEAD } });
    all.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
    world.rule("r", json!({ "source": ["a"] }), all).await;
    world
}

#[tokio::test]
async fn an_event_becomes_a_request_with_the_connections_credentials() {
    let server = Server::start().await;
    let parameters = json!({
        "PathParameterValues": ["$.detail.id"], "HeaderParameters": { "X-One": "$.source", "X-Two": "two" },
        "QueryStringParameters": { "q": "a b" },
    });
    let world = world_to(&server, "/orders/*?x=1", json!({ "HttpParameters": parameters })).await;
    world.put("a", json!({ "id": 7 })).await;
    world.world.idle().await;
    let got = server.take().remove(0);
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/orders/7?x=1&q=a%20b"));
    assert_eq!(got.header("authorization"), Some("Basic bWU6aGlkZGVu"));
    assert_eq!((got.header("x-one"), got.header("x-two")), (Some("a"), Some("two")));
    assert_eq!(got.header("user-agent"), Some("Amazon/EventBridge/ApiDestinations"));
    assert_eq!(got.header("content-type"), Some("application/json; charset=utf-8"));
    let body: Value = serde_json::from_str(&got.body).unwrap();
    assert_eq!(body["detail"], json!({ "id": 7 }));
    assert!(world.messages("dead").await.is_empty());
}

#[tokio::test]
async fn what_a_connection_adds_goes_with_every_request() {
    let server = Server::start().await;
    let world = World::new().await;
    let of = json!({
        "AuthorizationType": "API_KEY",
        "AuthParameters": {
            "ApiKeyAuthParameters": { "ApiKeyName": "X-Key", "ApiKeyValue": "hidden" },
            "InvocationHttpParameters": {
                "HeaderParameters": [{ "Key": "X-More", "Value": "h", "IsValueSecret": false }],
                "QueryStringParameters": [{ "Key": "q", "Value": "theirs", "IsValueSecret": true }],
                "BodyParameters": [{ "Key": "tenant", "Value": "t1" }],
            },
        },
    });
    let arn = connection(&world, "c", of).await;
    let target = destination(&world, &arn, &server.url("/in"), json!({ "HttpMethod": "PUT" })).await;
    let http = json!({ "QueryStringParameters": { "q": "ours", "p": "1" } });
    world
        .rule(
            "r",
            json!({ "source": ["a"] }),
            json!({ "Arn": target, "InputPath": "$.detail", "HttpParameters": http }),
        )
        .await;
    world.put("a", json!({ "n": 1 })).await;
    world.world.idle().await;
    let got = server.take().remove(0);
    assert_eq!((got.method.as_str(), got.path.as_str()), ("PUT", "/in?p=1&q=theirs"));
    assert_eq!((got.header("x-key"), got.header("x-more")), (Some("hidden"), Some("h")));
    assert_eq!(serde_json::from_str::<Value>(&got.body).unwrap(), json!({ "n": 1, "tenant": "t1" }));
    world.ok("UpdateApiDestination", json!({ "Name": "d", "HttpMethod": "GET", "InvocationEndpoint": server.url("/out"), "Description": "x", "InvocationRateLimitPerSecond": 5 })).await;
    world.put("a", json!({ "n": 1 })).await;
    world.world.idle().await;
    let got = server.take().remove(0);
    assert_eq!((got.method.as_str(), got.body.as_str()), ("GET", ""));
    assert!(got.path.starts_with("/out?"));
    let shown = world.ok("DescribeApiDestination", json!({ "Name": "d" })).await;
    assert_eq!((&shown["Description"], &shown["InvocationRateLimitPerSecond"]), (&json!("x"), &json!(5)));
}

#[tokio::test]
async fn errors_that_pass_are_tried_again_when_the_endpoint_wants() {
    let server = Server::start().await;
    let world = world_to(&server, "/", json!({})).await;
    server.reply(&[reply(503, "Retry-After: 600\r\n", ""), reply(429, "", ""), reply(409, "", "")]);
    world.put("a", json!({})).await;
    world.advance(9 * MINUTE).await;
    assert_eq!(server.take().len(), 1, "not before ten minutes");
    world.advance(5 * MINUTE).await;
    assert_eq!(server.take().len(), 3);
    assert!(world.messages("dead").await.is_empty());
}

#[tokio::test]
async fn other_errors_are_for_good() {
    for (status, headers) in [(400, ""), (404, ""), (401, ""), (301, "Location: /elsewhere\r\n")] {
        let server = Server::start().await;
        let world = world_to(&server, "/", json!({})).await;
        server.reply(&[reply(status, headers, "")]);
        world.put("a", json!({})).await;
        world.advance(DAY).await;
        assert_eq!(server.take().len(), 1, "{status} is not followed and not tried again");
        let dead = world.messages("dead").await;
        assert_eq!(attribute(&dead[0], "ERROR_CODE"), "SDK_CLIENT_ERROR");
        assert!(attribute(&dead[0], "ERROR_MESSAGE").as_str().unwrap().contains(&status.to_string()));
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_or_is_not_there_is_tried_again() {
    let server = Server::start().await;
    let world = world_to(&server, "/", json!({ "RetryPolicy": { "MaximumRetryAttempts": 1 } })).await;
    server.reply(&["hang".to_owned()]);
    world.put("a", json!({})).await;
    while server.got.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    world.world.clock().set(world.now() + std::time::Duration::from_secs(5));
    world.advance(MINUTE).await;
    assert_eq!(server.take().len(), 2, "given up after five seconds, then tried again");
    assert!(world.messages("dead").await.is_empty());

    let nobody = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port() };
    let gone = Server { port: nobody, ..Server::default() };
    let world = world_to(&gone, "/", json!({ "RetryPolicy": { "MaximumRetryAttempts": 1 } })).await;
    world.put("a", json!({})).await;
    world.advance(MINUTE).await;
    let dead = world.messages("dead").await;
    assert_eq!(attribute(&dead[0], "ERROR_CODE"), "CONNECTION_FAILURE");
    assert_eq!(attribute(&dead[0], "RETRY_ATTEMPTS"), "1");
}

#[tokio::test]
async fn the_invocation_rate_is_kept_to_and_nothing_is_lost() {
    let server = Server::start().await;
    let world = world_to(&server, "/", json!({})).await;
    world.ok("UpdateApiDestination", json!({ "Name": "d", "InvocationRateLimitPerSecond": 2 })).await;
    for n in 0..20 {
        world.put("a", json!({ "n": n })).await;
    }
    world.world.idle().await;
    let at_once = server.take().len();
    assert!((1..=3).contains(&at_once), "{at_once}");
    world.advance(std::time::Duration::from_secs(5)).await;
    let meanwhile = server.take().len();
    assert!((8..=12).contains(&meanwhile), "{meanwhile}");
    world.advance(MINUTE).await;
    assert_eq!(at_once + meanwhile + server.take().len(), 20);
    assert!(world.messages("dead").await.is_empty());
}

fn o_auth(server: &Server, method: &str) -> Value {
    json!({
        "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS",
        "AuthParameters": { "OAuthParameters": {
            "ClientParameters": { "ClientID": "id", "ClientSecret": "hidden" },
            "AuthorizationEndpoint": server.url("/token"), "HttpMethod": method,
            "OAuthHttpParameters": { "BodyParameters": [{ "Key": "scope", "Value": "all", "IsValueSecret": true }] },
        } },
    })
}

#[tokio::test]
async fn a_token_is_asked_for_kept_and_renewed() {
    let server = Server::start().await;
    let world = World::new().await;
    let token = |text: &str| {
        reply(
            200,
            "",
            &json!({ "access_token": text, "token_type": "bearer", "expires_in": 3600 }).to_string(),
        )
    };
    server.reply(&[token("one")]);
    let made = world
        .ok("CreateConnection", {
            let mut input = o_auth(&server, "POST");
            input["Name"] = json!("c");
            input
        })
        .await;
    assert_eq!(made["ConnectionState"], "AUTHORIZING");
    world.world.idle().await;
    let asked = server.take().remove(0);
    assert_eq!(asked.body, "grant_type=client_credentials&client_id=id&client_secret=hidden&scope=all");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
    assert_eq!(shown["ConnectionState"], "AUTHORIZED");
    let target =
        destination(&world, made["ConnectionArn"].as_str().unwrap(), &server.url("/in"), json!({})).await;
    world.rule("r", json!({ "source": ["a"] }), json!({ "Arn": target })).await;
    world.put("a", json!({})).await;
    world.put("a", json!({})).await;
    world.world.idle().await;
    let got = server.take();
    assert_eq!(got.len(), 2, "the token is asked for once");
    assert!(got.iter().all(|got| got.header("authorization") == Some("Bearer one")));
    world.advance(61 * MINUTE).await;
    server.reply(&[token("two")]);
    world.put("a", json!({})).await;
    world.world.idle().await;
    let got = server.take();
    assert_eq!((got[0].path.as_str(), got[1].header("authorization")), ("/token", Some("Bearer two")));
    server.reply(&[reply(401, "", ""), token("three")]);
    world.put("a", json!({})).await;
    world.advance(MINUTE).await;
    let got = server.take();
    assert_eq!(
        got.last().unwrap().header("authorization"),
        Some("Bearer three"),
        "a refused token is renewed"
    );
}

/// Parameters of every kind, all of them secret.
fn own(kind: &str) -> Value {
    json!({
        "HeaderParameters": [{ "Key": format!("X-{kind}"), "Value": "h", "IsValueSecret": true }],
        "QueryStringParameters": [{ "Key": kind, "Value": "q", "IsValueSecret": true }],
        "BodyParameters": [{ "Key": kind, "Value": "b", "IsValueSecret": true }],
    })
}

#[tokio::test]
async fn a_connection_sends_what_it_was_given_last() {
    let server = Server::start().await;
    let world = World::new().await;
    for (n, operation, method) in [(1, "CreateConnection", "POST"), (2, "UpdateConnection", "PUT")] {
        let parameters = json!({
            "OAuthParameters": {
                "ClientParameters": { "ClientID": format!("id{n}"), "ClientSecret": format!("hidden{n}") },
                "AuthorizationEndpoint": server.url(&format!("/token{n}")), "HttpMethod": method,
                "OAuthHttpParameters": own(&format!("token{n}")),
            },
            "InvocationHttpParameters": own(&format!("call{n}")),
        });
        server.reply(&[reply(200, "", r#"{"access_token":"good","token_type":"bearer"}"#)]);
        let input = json!({
            "Name": "c", "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": parameters,
            "Description": format!("d{n}"),
        });
        let made = world.ok(operation, input).await;
        world.world.idle().await;
        let asked = server.take().remove(0);
        assert_eq!((asked.method.as_str(), asked.path), (method, format!("/token{n}?token{n}=q")));
        assert!(asked.head.to_lowercase().contains(&format!("x-token{n}: h")), "{}", asked.head);
        let form = format!("client_id=id{n}&client_secret=hidden{n}&token{n}=b");
        assert_eq!(asked.body, format!("grant_type=client_credentials&{form}"));
        if n == 1 {
            let connection = made["ConnectionArn"].as_str().unwrap();
            let target = destination(&world, connection, &server.url("/in"), json!({})).await;
            world.rule("r", json!({ "source": ["a"] }), json!({ "Arn": target })).await;
        }
        world.put("a", json!({})).await;
        world.world.idle().await;
        let got = server.take().remove(0);
        assert_eq!(
            (got.header("authorization"), got.header(&format!("x-call{n}"))),
            (Some("Bearer good"), Some("h"))
        );
        assert_eq!(got.path, format!("/in?call{n}=q"));
        assert!(got.body.contains(&format!(r#""call{n}":"b""#)), "{}", got.body);
        let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
        assert_eq!(shown["Description"], format!("d{n}"));
        let shown = &shown["AuthParameters"];
        for place in [&shown["OAuthParameters"]["OAuthHttpParameters"], &shown["InvocationHttpParameters"]] {
            for kind in ["HeaderParameters", "QueryStringParameters", "BodyParameters"] {
                assert!(place[kind][0]["Key"].is_string() && place[kind][0]["Value"].is_null(), "{place}");
            }
        }
    }
    let basic = json!({ "BasicAuthParameters": { "Username": "new", "Password": "word" } });
    for (kind, parameters, name, sent) in [
        ("BASIC", basic, "authorization", "Basic bmV3OndvcmQ="),
        (
            "API_KEY",
            json!({ "ApiKeyAuthParameters": { "ApiKeyName": "X-Key", "ApiKeyValue": "v" } }),
            "x-key",
            "v",
        ),
    ] {
        let update = json!({ "Name": "c", "AuthorizationType": kind, "AuthParameters": parameters });
        world.ok("UpdateConnection", update).await;
        world.put("a", json!({})).await;
        world.world.idle().await;
        assert_eq!(server.take().remove(0).header(name), Some(sent));
    }
}

#[tokio::test]
async fn a_connection_that_is_not_authorized_says_why_and_sends_nothing() {
    let server = Server::start().await;
    let world = World::new().await;
    server.reply(&[reply(403, "", "")]);
    let arn = connection(&world, "c", o_auth(&server, "GET")).await;
    let asked = server.take().remove(0);
    assert_eq!(
        asked.path,
        "/token?grant_type=client_credentials&client_id=id&client_secret=hidden&scope=all"
    );
    let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
    assert_eq!(
        (&shown["ConnectionState"], &shown["StateReason"]),
        (&json!("DEAUTHORIZED"), &json!("The authorization endpoint answered with status 403."))
    );
    let input = json!({ "Name": "d", "ConnectionArn": arn, "InvocationEndpoint": server.url("/"), "HttpMethod": "POST" });
    let made = world.ok("CreateApiDestination", input).await;
    assert_eq!(made["ApiDestinationState"], "INACTIVE");
    world
        .rule(
            "r",
            json!({ "source": ["a"] }),
            json!({ "Arn": made["ApiDestinationArn"], "DeadLetterConfig": { "Arn": DEAD } }),
        )
        .await;
    world.put("a", json!({})).await;
    world.world.idle().await;
    assert!(server.take().is_empty());
    assert_eq!(attribute(&world.messages("dead").await[0], "ERROR_CODE"), "NO_PERMISSIONS");
}

#[tokio::test]
async fn secrets_are_never_shown_and_may_be_taken_away() {
    let world = World::new().await;
    let of = json!({
        "AuthorizationType": "API_KEY", "Description": "d",
        "AuthParameters": {
            "ApiKeyAuthParameters": { "ApiKeyName": "X-Key", "ApiKeyValue": "hidden" },
            "InvocationHttpParameters": { "HeaderParameters": [{ "Key": "a", "Value": "hidden", "IsValueSecret": true }, { "Key": "b", "Value": "seen" }] },
        },
    });
    let arn = connection(&world, "c", of).await;
    let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
    assert!(!shown.to_string().contains("hidden"), "{shown}");
    assert_eq!(shown["AuthParameters"]["InvocationHttpParameters"]["HeaderParameters"][1]["Value"], "seen");
    assert_eq!((&shown["Description"], &shown["ConnectionArn"]), (&json!("d"), &json!(arn)));
    assert!(shown["SecretArn"].as_str().unwrap().contains(":secret:events!connection/c/"));
    world.ok("UpdateConnection", json!({ "Name": "c", "AuthParameters": { "ApiKeyAuthParameters": { "ApiKeyValue": "hidden2" } }, "Description": "e" })).await;
    let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
    assert_eq!(
        (&shown["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyName"], &shown["Description"]),
        (&json!("X-Key"), &json!("e"))
    );
    world
        .ok("UpdateConnection", {
            let mut input = basic();
            input["Name"] = json!("c");
            input
        })
        .await;
    let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
    assert_eq!(
        (&shown["AuthorizationType"], &shown["ConnectionState"]),
        (&json!("BASIC"), &json!("AUTHORIZED"))
    );
    let gone = world.ok("DeauthorizeConnection", json!({ "Name": "c" })).await;
    assert_eq!(gone["ConnectionState"], "DEAUTHORIZED");
    let shown = world.ok("DescribeConnection", json!({ "Name": "c" })).await;
    assert!(shown.get("AuthParameters").is_none() && shown.get("SecretArn").is_none());
    let listed =
        world.ok("ListConnections", json!({ "NamePrefix": "c", "ConnectionState": "DEAUTHORIZED" })).await;
    assert_eq!(listed["Connections"][0]["Name"], "c");
    assert_eq!(
        world.ok("ListConnections", json!({ "ConnectionState": "AUTHORIZED" })).await["Connections"],
        json!([])
    );
    world.ok("DeleteConnection", json!({ "Name": "c" })).await;
    assert_eq!(
        world.refused("DescribeConnection", json!({ "Name": "c" })).await.0,
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn a_workflow_calls_any_endpoint_through_a_connection() {
    let server = Server::start().await;
    let world = World::new().await;
    let arn = connection(&world, "c", basic()).await;
    server.reply(&[reply(418, "X-Tea: yes\r\n", "short and stout")]);
    let input = json!({
        "ConnectionArn": arn, "Method": "POST", "ApiEndpoint": server.url("/pot"), "Headers": { "X-A": "b" },
        "QueryParameters": { "q": "1" }, "RequestBody": "{\"n\":1}",
    });
    let answer = world.ask(events::INVOKE_HTTP_ENDPOINT, input).await;
    assert_eq!((&answer["StatusCode"], &answer["StatusText"]), (&json!(418), &json!("I'm a teapot")));
    assert_eq!(
        (&answer["Headers"]["x-tea"], &answer["ResponseBody"]),
        (&json!(["yes"]), &json!("short and stout"))
    );
    let got = server.take().remove(0);
    assert_eq!((got.path.as_str(), got.body.as_str()), ("/pot?q=1", "{\"n\":1}"));
    assert_eq!((got.header("x-a"), got.header("authorization")), (Some("b"), Some("Basic bWU6aGlkZGVu")));
}

#[tokio::test]
async fn what_cannot_be_a_connection_or_a_destination_is_refused() {
    let world = World::new().await;
    let arn = connection(&world, "c", basic()).await;
    let make = |more: Value| {
        let mut input = basic();
        input["Name"] = json!("x");
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let private = json!({ "ResourceParameters": { "ResourceConfigurationArn": "arn:aws:vpc-lattice:eu-central-1:000000000000:resourceconfiguration/rcfg-1234567890abcdef0" } });
    let host = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" }, "InvocationHttpParameters": { "HeaderParameters": [{ "Key": "Host", "Value": "x" }] } });
    let to = |connection: &str, endpoint: &str| json!({ "Name": "d", "ConnectionArn": connection, "InvocationEndpoint": endpoint, "HttpMethod": "POST" });
    let none =
        "arn:aws:events:eu-central-1:000000000000:connection/none/01a2030b-33e1-7cc6-8726-fe8aff0a9428";
    for (operation, input, code, part) in [
        ("CreateConnection", make(json!({ "Name": "c" })), "ResourceAlreadyExistsException", "c"),
        (
            "CreateConnection",
            make(json!({ "AuthorizationType": "API_KEY" })),
            "ValidationException",
            "ApiKeyAuthParameters",
        ),
        (
            "CreateConnection",
            make(json!({ "KmsKeyIdentifier": "k" })),
            "ValidationException",
            "KmsKeyIdentifier",
        ),
        (
            "CreateConnection",
            make(json!({ "InvocationConnectivityParameters": private })),
            "ValidationException",
            "InvocationConnectivityParameters",
        ),
        ("CreateConnection", make(json!({ "AuthParameters": host })), "ValidationException", "Host"),
        ("UpdateConnection", json!({ "Name": "none" }), "ResourceNotFoundException", "none"),
        (
            "UpdateConnection",
            json!({ "Name": "c", "AuthorizationType": "API_KEY" }),
            "ValidationException",
            "ApiKeyName",
        ),
        ("CreateApiDestination", to(none, "https://example.com"), "ResourceNotFoundException", "none"),
        ("CreateApiDestination", to(&arn, "ftp://example.com"), "ValidationException", "InvocationEndpoint"),
        (
            "CreateApiDestination",
            to(&arn, "https://*.example.com"),
            "ValidationException",
            "InvocationEndpoint",
        ),
        ("DeleteApiDestination", json!({ "Name": "none" }), "ResourceNotFoundException", "none"),
    ] {
        let (found, message) = world.refused(operation, input.clone()).await;
        assert!(found == code && message.contains(part), "{operation} {input}: {found}: {message}");
    }
    world.ok("CreateApiDestination", to(&arn, "https://example.com/*")).await;
    assert_eq!(
        world.ok("ListApiDestinations", json!({ "ConnectionArn": arn })).await["ApiDestinations"][0]["Name"],
        "d"
    );
    assert_eq!(
        world.ok("ListApiDestinations", json!({ "NamePrefix": "x" })).await["ApiDestinations"],
        json!([])
    );
    world.ok("DeleteConnection", json!({ "Name": "c" })).await;
    let shown = world.ok("DescribeApiDestination", json!({ "Name": "d" })).await;
    assert_eq!(shown["ApiDestinationState"], "INACTIVE");
    world.ok("DeleteApiDestination", json!({ "Name": "d" })).await;
}

#[tokio::test]
async fn headers_that_the_request_is_made_of_are_refused_everywhere() {
    let server = Server::start().await;
    let world = World::new().await;
    let key = json!({ "ApiKeyAuthParameters": { "ApiKeyName": "Host", "ApiKeyValue": "v" } });
    let input = json!({ "Name": "k", "AuthorizationType": "API_KEY", "AuthParameters": key });
    let expected = ("ValidationException", "The header Host cannot be set: EventBridge sets it.");
    let (code, message) = world.refused("CreateConnection", input).await;
    assert_eq!((code.as_str(), message.as_str()), expected);
    let connection = connection(&world, "c", basic()).await;
    let arn = destination(&world, &connection, &server.url("/"), json!({})).await;
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": r#"{"source":["a"]}"# })).await;
    for (parameters, part) in [
        (json!({ "HeaderParameters": { "Content-Length": "5" } }), "Content-Length"),
        (json!({ "QueryStringParameters": { "q": "$.a[" } }), "has an invalid JSON path: $.a["),
    ] {
        let target = json!({ "Id": "t", "Arn": arn, "HttpParameters": parameters });
        let (code, message) = world.refused("PutTargets", json!({ "Rule": "r", "Targets": [target] })).await;
        assert_eq!(code, "ValidationException");
        assert!(message.contains(part), "{message}");
    }
}
