//! Large bodies that come in frames and in pieces: the object is there when all of it holds, and not before.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use world::World;

/// Three megabytes.
const LENGTH: usize = 3_000_000;
/// The CRC32 of so many letters `a`, in base64.
const CRC32: &str = "3LJ36g==";

/// `aws-chunked`, with a trailer.
fn framed(checksum: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in vec![b'a'; LENGTH].chunks(65_536 * 3) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n").as_bytes());
    body
}

/// Sends a body in pieces of odd lengths.
async fn send(world: &World, target: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, String) {
    let pieces: Vec<_> = body
        .chunks(100_003)
        .map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let request = http::Request::builder().method("PUT").uri(target).header("host", "127.0.0.1:4566");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(StreamBody::new(futures::stream::iter(pieces))).unwrap();
    let (parts, body) = world.http.answer(request).await.into_parts();
    let text = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), String::from_utf8_lossy(&text).into_owned())
}

const FRAMED: [(&str, &str); 4] = [
    ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ("content-encoding", "aws-chunked"),
    ("x-amz-decoded-content-length", "3000000"),
    ("x-amz-trailer", "x-amz-checksum-crc32"),
];

#[tokio::test]
async fn a_framed_body_is_taken_in_with_its_trailing_checksum() {
    let world = World::with_bucket("box").await;
    let (status, text) = send(&world, "/box/a", &FRAMED, framed(CRC32)).await;
    assert_eq!(status, 200, "{text}");
    let head = world.send("HEAD /box/a", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!((head.header("content-length"), head.header("x-amz-checksum-crc32")), ("3000000", CRC32));
    assert_eq!(head.header("content-encoding"), "");
}

#[tokio::test]
async fn a_body_that_does_not_hold_leaves_no_object() {
    let world = World::with_bucket("box").await;
    world.put("/box/a", "before").await;
    let mut longer = FRAMED;
    longer[2].1 = "3000001";
    let mut cut = framed(CRC32);
    cut.truncate(2_000_000);
    let mut broken = framed(CRC32);
    broken[65_536 * 3 + 10] = b'x';
    for (headers, body, expected) in [
        (FRAMED, framed("AAAAAA=="), "BadDigest"),
        (longer, framed(CRC32), "IncompleteBody"),
        (FRAMED, cut, "IncompleteBody"),
        (FRAMED, broken, "IncompleteBody"),
    ] {
        let (status, text) = send(&world, "/box/a", &headers, body).await;
        assert!(status == 400 && text.contains(expected), "{expected}: {status} {text}");
        assert_eq!(world.send("GET /box/a", &[], "").await.text(), "before");
    }
}

#[tokio::test]
async fn a_body_longer_than_the_bound_is_refused() {
    let world = World::with_bucket("box").await;
    let small = World { http: s3::http(world.kernel.clone(), 2_000_000), kernel: world.kernel.clone() };
    let (status, text) = send(&small, "/box/a", &[], vec![b'a'; LENGTH]).await;
    assert!(status == 400 && text.contains("EntityTooLarge"), "{status} {text}");
    let (status, text) = send(&world, "/box/a", &[], vec![b'a'; LENGTH]).await;
    assert_eq!(status, 200, "{text}");
}
