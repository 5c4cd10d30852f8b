//! The hot path: from bytes to the operation and its document, and back to bytes.
//!
//! Measures `SendMessage` with a body of 1 KiB over awsJson 1.0, step by step and together, and a small query call.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::HeaderMap;
use wire::{Registry, Request, decode, encode, identify};

#[path = "../tests/schemas/sqs.rs"]
mod sqs;
#[path = "../tests/schemas/sts.rs"]
mod sts;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/eu-central-1/sqs/aws4_request, \
     SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
     Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn send_message(c: &mut Criterion) {
    let registry = Registry::new(&[&sts::SERVICE, &sqs::SERVICE]);
    let headers = headers(&[
        ("host", "127.0.0.1:4566"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "AmazonSQS.SendMessage"),
        ("x-amz-date", "20261122T102019Z"),
        ("authorization", AUTHORIZATION),
    ]);
    let message = "x".repeat(1024);
    let json = format!(
        r#"{{"QueueUrl":"http://127.0.0.1:4566/000000000000/queue","MessageBody":"{message}","DelaySeconds":0}}"#
    );
    let body = Bytes::from(json);
    let request = Request { method: "POST", path: "/", query: "", headers: &headers, body: body.clone() };
    let output = br#"{"MD5OfMessageBody":"0bee89b07a248e27c83fc3d5951213c1","MessageId":"b2f6b4a1-6f4c-4c7e-9d1e-1f2a3b4c5d6e"}"#;
    let id = "5d9f0e2a-1c3b-4f5a-8e7d-6c5b4a392817";
    let operation = identify(&request, &registry).unwrap().operation;
    c.bench_function("send_message/identify", |b| {
        b.iter(|| identify(black_box(&request), &registry).unwrap())
    });
    c.bench_function("send_message/check", |b| b.iter(|| operation.check(black_box(&body)).unwrap()));
    c.bench_function("send_message/identify+decode+encode", |b| {
        b.iter(|| {
            let call = identify(black_box(&request), &registry).unwrap();
            let document = decode(&call, &request).unwrap();
            black_box(document);
            encode(&call, Ok(output), id)
        });
    });
}

fn get_caller_identity(c: &mut Criterion) {
    let registry = Registry::new(&[&sqs::SERVICE, &sts::SERVICE]);
    let headers = headers(&[
        ("host", "127.0.0.1:4566"),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
    ]);
    let body = Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15");
    let request = Request { method: "POST", path: "/", query: "", headers: &headers, body };
    let output =
        br#"{"Account":"000000000000","Arn":"arn:aws:iam::000000000000:root","UserId":"000000000000"}"#;
    c.bench_function("get_caller_identity/query", |b| {
        b.iter(|| {
            let call = identify(black_box(&request), &registry).unwrap();
            black_box(decode(&call, &request).unwrap());
            encode(&call, Ok(output), "id")
        });
    });
}

criterion_group!(benches, send_message, get_caller_identity);
criterion_main!(benches);
