//! A kernel with S3 and its HTTP front, on the virtual clock.
#![expect(dead_code, reason = "each test file uses some of it")]

use base::{AccountId, Fault, Region, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use kernel::{Caller, Chance, Clock, Kernel};
use s3::S3Http;
use serde_json::Value;
use store::{Location, SharedEngine};

pub(crate) struct World {
    pub kernel: Kernel,
    pub http: S3Http,
}

pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// Empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The texts of all XML elements of that name.
    pub(crate) fn all(&self, element: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let found = text.split(&open).skip(1).filter_map(|rest| rest.split_once(&close));
        found.map(|(inside, _)| inside.trim_start_matches("<Prefix>").to_owned()).collect()
    }

    pub(crate) fn code(&self) -> String {
        self.all("Code").first().cloned().unwrap_or_default()
    }
}

/// A header as a client with this access key signs.
pub(crate) fn signed(key: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/s3/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={}",
        "0".repeat(64)
    )
}

impl World {
    pub(crate) async fn new() -> World {
        World::over(store::open(&Location::Memory).unwrap(), "2026-01-01T00:00:00Z").await
    }

    /// A world over a store that may have been used before.
    pub(crate) async fn over(engine: SharedEngine, time: &str) -> World {
        let clock = Clock::virtual_at(Timestamp::from_iso(time).unwrap());
        let kernel = Kernel::new(engine, clock, Chance::seeded(1), vec![s3::service()]);
        kernel.start().await.unwrap();
        World { http: s3::http(kernel.clone(), 5 << 30), kernel }
    }

    pub(crate) async fn with_bucket(name: &str) -> World {
        let world = World::new().await;
        let made = world.send(&format!("PUT /{name}"), &[], "").await;
        assert_eq!(made.status, StatusCode::OK);
        world
    }

    /// `line` is method and target.
    pub(crate) async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let authorization = signed("000000000000", "eu-central-1");
        let mut all = vec![
            ("authorization", authorization.as_str()),
            ("x-amz-date", "20260101T000000Z"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        all.extend(headers);
        self.send_unsigned(line, &all, body).await
    }

    pub(crate) async fn send_unsigned(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.answer(line, headers, Bytes::copy_from_slice(body.as_bytes())).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn answer(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> http::Response<s3::Body> {
        let mut line = line.split(' ');
        let (method, target) = (line.next().unwrap(), line.next().unwrap());
        let length = body.len();
        let body = http_body_util::Full::new(body);
        let mut request = http::Request::builder().method(method).uri(target).body(body).unwrap();
        request.headers_mut().insert("host", "127.0.0.1:4566".parse().unwrap());
        request.headers_mut().insert("content-length", length.into());
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        self.http.answer(request).await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) {
        let put = self.send(&format!("PUT {path}"), &[], body).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    }

    /// Through the router.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.kernel.new_id());
        self.kernel.run_document(caller, "s3", operation, &input).await
    }
}
