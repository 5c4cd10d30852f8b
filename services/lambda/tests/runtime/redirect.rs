//! Requests to AWS's hosts reach the platform, whichever client sends them.

use std::sync::Arc;

use crate::support::{House, answer, has, node, python};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers every request with its first line and its Host header.
async fn platform(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 8192];
        let read = stream.read(&mut request).await.unwrap();
        let text = String::from_utf8_lossy(&request[..read]).into_owned();
        let line = text.lines().next().unwrap_or_default();
        let host = text.lines().find(|line| line.to_lowercase().starts_with("host:")).unwrap_or_default();
        let body = format!("{line}|{}", host.to_lowercase());
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    }
}

const SOURCE: &str = "
const https = require('https');
const read = (send) => new Promise((resolve, reject) => {
    const sent = send((answer) => { let text = ''; answer.on('data', (d) => text += d).on('end', () => resolve(text)) });
    sent.on('error', reject); sent.end();
});
exports.handler = async (e) => [
    await read((cb) => https.request({ hostname: 'events.eu-central-1.amazonaws.com', path: '/a', method: 'POST' }, cb)),
    await read((cb) => https.get('https://s3.eu-central-1.amazonaws.com/b?x=1', cb)),
    await read((cb) => https.request({ hostname: '127.0.0.1', path: '/response', method: 'PUT' }, cb)),
    await (await fetch('https://abc.appsync-api.eu-central-1.amazonaws.com/graphql', { method: 'POST', body: '{}' })).text(),
    await (await import('https')).request.name,
];";

#[tokio::test]
async fn requests_for_aws_go_to_the_platform() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(platform(listener));
    let house = House::new();
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let mut spec = node(&[("index.js", SOURCE)]);
    spec.endpoint_url = format!("http://{address}");
    let invoked = house.invoke(&Arc::new(spec), Value::Null).await;
    let expected = json!([
        "POST /a HTTP/1.1|host: events.eu-central-1.amazonaws.com",
        "GET /b?x=1 HTTP/1.1|host: s3.eu-central-1.amazonaws.com",
        "PUT /response HTTP/1.1|host: 127.0.0.1",
        "POST /graphql HTTP/1.1|host: abc.appsync-api.eu-central-1.amazonaws.com",
        "request",
    ]);
    assert_eq!(answer(&invoked), expected, "{}", invoked.log_tail);
}

const PYTHON: &str = "
import http.client, socket, urllib.request
def handler(e, c):
    def get(url):
        with urllib.request.urlopen(url) as answer:
            return answer.read().decode()
    connection = http.client.HTTPConnection('sqs.eu-central-1.amazonaws.com')
    connection.request('POST', '/b', body=b'')
    answers = [connection.getresponse().read().decode(), get('http://s3.eu-central-1.amazonaws.com/a?x=1')]
    # TLS asks for a certificate of the name that it knows: where the connection leads is what is seen here.
    for host in ['s3.eu-central-1.amazonaws.com', '127.0.0.1']:
        with socket.create_connection((host, 443)) as secure:
            answers.append(secure.getpeername()[1])
    return answers
";

#[tokio::test]
async fn connections_of_python_to_aws_go_to_the_platform() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(platform(listener));
    let house = House::new();
    if !has(&house, "python3.11").await {
        return;
    }
    let mut spec = python(&[("app.py", PYTHON)]);
    spec.endpoint_url = format!("http://{address}");
    let invoked = house.invoke(&Arc::new(spec), Value::Null).await;
    let expected = json!([
        "POST /b HTTP/1.1|host: sqs.eu-central-1.amazonaws.com",
        "GET /a?x=1 HTTP/1.1|host: s3.eu-central-1.amazonaws.com",
        address.port(),
        address.port(),
    ]);
    assert_eq!(answer(&invoked), expected, "{}", invoked.log_tail);
}

const SDKS: &str = "
import AWS from 'aws-sdk';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { createRequire } from 'module';
createRequire(import.meta.url)('@smithy/types');
const told = async (send) => { try { return await send() } catch (e) { return e.message } };
export const handler = async () => {
    const entry = { Source: 's', DetailType: 'd', Detail: '{}' };
    await told(() => new AWS.EventBridge({ maxRetries: 0 }).putEvents({ Entries: [entry] }).promise());
    await told(() => new EventBridgeClient({ maxAttempts: 1 }).send(new PutEventsCommand({ Entries: [entry] })));
};";

/// The SDKs themselves, from a directory that the runner of the test names: they are too large to come along.
#[tokio::test]
#[ignore = "needs BUSWORK_TEST_NODE_MODULES with aws-sdk and @aws-sdk/client-eventbridge"]
async fn both_sdks_reach_the_platform() {
    let modules = std::path::PathBuf::from(std::env::var_os("BUSWORK_TEST_NODE_MODULES").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut servers = tokio::task::JoinSet::new();
    let seen = heads.clone();
    servers.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap();
            seen.lock().unwrap().push(String::from_utf8_lossy(&request[..read]).to_lowercase());
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
                .await
                .unwrap();
        }
    });
    let house = House::with(|config| config.node_modules = Some(modules));
    let mut spec = node(&[("index.mjs", SDKS)]);
    spec.endpoint_url = format!("http://{address}");
    let invoked = house.invoke(&Arc::new(spec), Value::Null).await;
    assert_eq!(invoked.function_error, None, "{}", invoked.log_tail);
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 2, "{}", invoked.log_tail);
    assert!(heads[0].contains("host: events.eu-central-1.amazonaws.com"), "{}", heads[0]);
    assert!(heads.iter().all(|head| head.contains("x-amz-target: awsevents.putevents")), "{heads:?}");
    assert!(heads.iter().all(|head| head.contains("x-amzn-trace-id: root=1-2-3")), "{heads:?}");
}
