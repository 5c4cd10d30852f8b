//! Uploads in parts, as the AWS CLI and the CDK make them.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use world::{Answer, World};

const FIVE: usize = 5 << 20;

fn pattern(length: usize, seed: u64) -> Bytes {
    (0..length as u64).map(|i| ((i + seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

async fn start(world: &World, path: &str, headers: &[(&str, &str)]) -> String {
    let started = world.send(&format!("POST {path}?uploads"), headers, "").await;
    assert_eq!(started.status.as_u16(), 200, "{}", started.text());
    started.all("UploadId").remove(0)
}

/// The part's entity tag.
async fn part(world: &World, path: &str, upload: &str, number: u32, body: Bytes) -> String {
    let line = format!("PUT {path}?partNumber={number}&uploadId={upload}&x-id=UploadPart");
    let put = world.answer(&line, &[], body).await;
    assert_eq!(put.status().as_u16(), 200);
    put.headers()["etag"].to_str().unwrap().to_owned()
}

async fn complete(
    world: &World,
    path: &str,
    upload: &str,
    parts: &[(u32, &str)],
    headers: &[(&str, &str)],
) -> Answer {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><ETag>{etag}</ETag><PartNumber>{number}</PartNumber></Part>"))
        .collect();
    let xml = "http://s3.amazonaws.com/doc/2006-03-01/";
    let body = format!("<CompleteMultipartUpload xmlns=\"{xml}\">{parts}</CompleteMultipartUpload>");
    world.send(&format!("POST {path}?uploadId={upload}"), headers, &body).await
}

#[tokio::test]
async fn parts_become_an_object() {
    let world = World::with_bucket("box").await;
    let headers =
        [("content-type", "application/zip"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "team=blue")];
    let upload = start(&world, "/box/large", &headers).await;
    let (one, two) = (pattern(FIVE + 7, 1), pattern(3_000_001, 2));
    let second = part(&world, "/box/large", &upload, 2, two.clone()).await;
    let first = part(&world, "/box/large", &upload, 1, one.clone()).await;
    part(&world, "/box/large", &upload, 9, pattern(10, 3)).await;
    assert_eq!(world.send("HEAD /box/large", &[], "").await.status.as_u16(), 404);
    let listed = world.send(&format!("GET /box/large?uploadId={upload}&max-parts=2"), &[], "").await;
    assert_eq!(listed.all("PartNumber"), ["1", "2"]);
    assert_eq!(listed.all("NextPartNumberMarker"), ["2"]);
    let uploads = world.send("GET /box?uploads&prefix=la", &[], "").await;
    assert_eq!(uploads.all("UploadId"), [upload.as_str()]);
    let made = complete(&world, "/box/large", &upload, &[(1, &first), (2, &second)], &[]).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text());
    assert!(made.all("ETag")[0].ends_with("-2\""), "{}", made.text());
    assert_eq!(made.all("ChecksumType"), ["FULL_OBJECT"]);

    let head = world.send("HEAD /box/large", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(head.header("content-length"), (one.len() + two.len()).to_string());
    assert_eq!((head.header("content-type"), head.header("x-amz-meta-a")), ("application/zip", "b"));
    let whole = [one.clone(), two.clone()].concat();
    let got = world.answer("GET /box/large", &[], Bytes::new()).await;
    assert!(got.into_body().collect().await.unwrap().to_bytes() == whole);
    let range = format!("bytes={}-{}", FIVE - 5, FIVE + 20);
    let got = world.answer("GET /box/large", &[("range", &range)], Bytes::new()).await;
    assert!(got.into_body().collect().await.unwrap().to_bytes() == whole[FIVE - 5..=FIVE + 20]);
    let got = world.answer("GET /box/large?partNumber=2", &[], Bytes::new()).await;
    assert_eq!((got.status().as_u16(), &got.headers()["x-amz-mp-parts-count"]), (206, &"2".parse().unwrap()));
    assert!(got.into_body().collect().await.unwrap().to_bytes() == two);
    assert_eq!(world.send("GET /box/large?partNumber=3", &[], "").await.code(), "InvalidPartNumber");
    // The same bytes put at once have the same checksum.
    world.answer("PUT /box/once", &[], whole.clone().into()).await;
    let once = world.send("HEAD /box/once", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    let checksum = head.header("x-amz-checksum-crc64nvme");
    assert_eq!(once.header("x-amz-checksum-crc64nvme"), checksum);
    assert!(!checksum.is_empty());

    assert_eq!(world.send("GET /box?uploads", &[], "").await.all("UploadId"), Vec::<String>::new());
    let again = complete(&world, "/box/large", &upload, &[(1, &first)], &[]).await;
    assert_eq!(again.code(), "NoSuchUpload");
    let copied = world.send("PUT /box/copy", &[("x-amz-copy-source", "box/large")], "").await;
    assert_eq!(copied.status.as_u16(), 200, "{}", copied.text());
    world.send("DELETE /box/large", &[], "").await;
    world.kernel.advance(Duration::from_secs(3600)).await;
    let copy = world.answer("GET /box/copy", &[], Bytes::new()).await;
    assert!(copy.into_body().collect().await.unwrap().to_bytes() == whole);
}

#[tokio::test]
async fn checksums_of_parts_are_held_against_what_is_claimed() {
    let world = World::with_bucket("box").await;
    let wants = [("x-amz-checksum-algorithm", "SHA256")];
    let upload = start(&world, "/box/a", &wants).await;
    let line = format!("PUT /box/a?partNumber=1&uploadId={upload}");
    let hello = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    let wrong = world.send(&line, &[("x-amz-checksum-sha256", hello)], "hullo").await;
    assert_eq!(wrong.code(), "BadDigest");
    let other = world.send(&line, &[("x-amz-checksum-crc32", "NhCmhg==")], "hello").await;
    assert_eq!(other.code(), "InvalidRequest");
    let put = world.send(&line, &[("x-amz-checksum-sha256", hello)], "hello").await;
    assert_eq!((put.status.as_u16(), put.header("x-amz-checksum-sha256")), (200, hello));
    let etag = put.header("etag").to_owned();
    let bare = complete(&world, "/box/a", &upload, &[(1, &etag)], &[]).await;
    assert_eq!(bare.code(), "InvalidRequest");
    let part = format!(
        "<Part><ETag>{etag}</ETag><ChecksumSHA256>{hello}</ChecksumSHA256><PartNumber>1</PartNumber></Part>"
    );
    let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
    let line = format!("POST /box/a?uploadId={upload}");
    assert_eq!(world.send(&line, &[("x-amz-mp-object-size", "6")], &body).await.code(), "InvalidRequest");
    let made = world.send(&line, &[("x-amz-mp-object-size", "5")], &body).await;
    assert_eq!(made.all("ChecksumType"), ["COMPOSITE"], "{}", made.text());
    assert_eq!(made.all("ChecksumSHA256"), ["lZXJ35AHUUjrBoYDZd8zWEt1v/eCpRDGzUiDpBmDPVA=-1"]);
    let wanted = [("x-amz-object-attributes", "ETag,Checksum,ObjectParts,ObjectSize,StorageClass")];
    let told = world.send("GET /box/a?attributes", &wanted, "").await;
    assert_eq!(
        (told.all("ObjectSize"), told.all("PartsCount")),
        (vec!["5".to_owned()], vec!["1".to_owned()]),
        "{}",
        told.text()
    );
}

#[tokio::test]
async fn uploads_end_without_an_object() {
    let world = World::with_bucket("box").await;
    let upload = start(&world, "/box/a/b", &[]).await;
    let other = start(&world, "/box/c", &[]).await;
    part(&world, "/box/a/b", &upload, 1, pattern(2_000_000, 1)).await;
    let grouped = world.send("GET /box?uploads&delimiter=/", &[], "").await;
    assert_eq!(
        (grouped.all("CommonPrefixes"), grouped.all("Key")),
        (vec!["a/</Prefix>".to_owned()], vec!["c".to_owned()])
    );
    let page = world.send("GET /box?uploads&max-uploads=1", &[], "").await;
    assert_eq!(
        (page.all("Key"), page.all("NextKeyMarker")),
        (vec!["a/b".to_owned()], vec!["a/b".to_owned()])
    );
    let rest = format!("GET /box?uploads&key-marker=a/b&upload-id-marker={upload}");
    assert_eq!(world.send(&rest, &[], "").await.all("UploadId"), [other.as_str()]);
    let line = format!("DELETE /box/a/b?uploadId={upload}");
    assert_eq!(world.send(&line, &[], "").await.status.as_u16(), 204);
    assert_eq!(world.send(&line, &[], "").await.code(), "NoSuchUpload");
    let late = format!("PUT /box/a/b?uploadId={upload}&partNumber=2");
    assert_eq!(world.send(&late, &[], "x").await.code(), "NoSuchUpload");
    for number in ["0", "10001"] {
        let line = format!("PUT /box/c?uploadId={other}&partNumber={number}");
        assert_eq!(world.send(&line, &[], "x").await.code(), "InvalidArgument");
    }
    // A bucket is not kept by uploads under way.
    assert_eq!(world.send("DELETE /box", &[], "").await.status.as_u16(), 204);
    world.send("PUT /box", &[], "").await;
    assert_eq!(world.send("GET /box?uploads", &[], "").await.all("UploadId"), Vec::<String>::new());
}

#[tokio::test]
async fn parts_are_copied() {
    let world = World::with_bucket("box").await;
    let source = pattern(FIVE + 100, 5);
    world.answer("PUT /box/source", &[], source.clone()).await;
    let upload = start(&world, "/box/target", &[]).await;
    let copy = async |number: u32, range: &str| {
        let line = format!("PUT /box/target?partNumber={number}&uploadId={upload}");
        let headers = [("x-amz-copy-source", "box/source"), ("x-amz-copy-source-range", range)];
        world.send(&line, &headers, "").await
    };
    assert_eq!(copy(1, &format!("bytes=0-{}", FIVE + 100)).await.code(), "InvalidArgument");
    let first = copy(1, &format!("bytes=0-{}", FIVE - 1)).await.all("ETag").remove(0);
    let second = copy(2, &format!("bytes={FIVE}-{}", FIVE + 99)).await.all("ETag").remove(0);
    let made = complete(&world, "/box/target", &upload, &[(1, &first), (2, &second)], &[]).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text());
    let got = world.answer("GET /box/target", &[], Bytes::new()).await;
    assert!(got.into_body().collect().await.unwrap().to_bytes() == source);
}
