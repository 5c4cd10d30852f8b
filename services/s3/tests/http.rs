//! S3 over HTTP, as the AWS CLI and boto3 ask.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use http::StatusCode;
use world::{Answer, World};

#[tokio::test]
async fn a_bucket_is_made_found_and_removed() {
    let world = World::new().await;
    let made = world.send("PUT /page HTTP", &[], "").await;
    assert_eq!((made.status, made.header("location")), (StatusCode::OK, "/page"));
    let again = world.send("PUT /page", &[], "").await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "BucketAlreadyOwnedByYou".to_owned()));
    let head = world.send("HEAD /page", &[], "").await;
    assert_eq!((head.status.as_u16(), head.header("x-amz-bucket-region")), (200, "eu-central-1"));
    let location = world.send("GET /page?location", &[], "").await;
    assert!(location.text().contains("eu-central-1</LocationConstraint>"), "{}", location.text());
    let listed = world.send("GET /", &[], "").await;
    assert_eq!(listed.all("Name"), ["page"]);
    world.put("/page/a", "x").await;
    assert_eq!(world.send("DELETE /page", &[], "").await.code(), "BucketNotEmpty");
    assert_eq!(world.send("DELETE /page/a", &[], "").await.status.as_u16(), 204);
    assert_eq!(world.send("DELETE /page", &[], "").await.status.as_u16(), 204);
    assert_eq!(world.send("HEAD /page", &[], "").await.status.as_u16(), 404);
    assert_eq!(world.send("PUT /Page", &[], "").await.code(), "InvalidBucketName");
}

#[tokio::test]
async fn impossible_names_are_refused_in_words() {
    let world = World::with_bucket("box").await;
    let long = format!("PUT /box/{}", "k".repeat(1_025));
    for (request, code, message) in [
        ("PUT /Page", "InvalidBucketName", "The specified bucket is not valid."),
        ("GET /a_b/key", "InvalidBucketName", "The specified bucket is not valid."),
        (long.as_str(), "KeyTooLongError", "Your key is too long"),
    ] {
        let refused = world.send(request, &[], "").await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, code.to_owned()));
        assert_eq!(refused.all("Message"), [message]);
    }
}

/// A client that is told no while it waits to send its body must not read the next answer from that connection.
#[tokio::test]
async fn an_error_instead_of_a_continuation_ends_the_connection() {
    let world = World::with_bucket("box").await;
    for (headers, status, connection) in [
        (&[("expect", "100-continue"), ("if-match", "\"x\"")][..], 404, Some("close")),
        (&[("expect", "100-continue")], 200, None),
        (&[("if-match", "\"x\"")], 412, None),
    ] {
        let answer = world.send("PUT /box/a", headers, "").await;
        let told = answer.headers.get("connection").map(|value| value.to_str().unwrap());
        assert_eq!((answer.status.as_u16(), told), (status, connection));
    }
}

#[tokio::test]
async fn names_belong_to_one_account() {
    let world = World::new().await;
    world.send("PUT /page", &[], "").await;
    let other = [("authorization", world::signed("111122223333", "eu-central-1"))];
    let other: Vec<_> = other.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.send("PUT /page", &other, "").await.code(), "BucketAlreadyExists");
    assert!(world.send("GET /", &other, "").await.all("Name").is_empty());
}

#[tokio::test]
async fn objects_keep_what_was_said_of_them() {
    let world = World::with_bucket("box").await;
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "max-age=60"),
        ("x-amz-meta-author", "me"),
        ("x-amz-checksum-crc32", "DUoRhQ=="),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ];
    let put = world.send("PUT /box/a.html?x-id=PutObject", &headers, "hello world").await;
    assert_eq!((put.status.as_u16(), put.header("etag")), (200, "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""));
    assert_eq!(put.header("x-amz-server-side-encryption"), "AES256");
    let got = world.send("GET /box/a.html", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(got.text(), "hello world");
    assert_eq!(got.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(got.header("x-amz-checksum-crc32"), "DUoRhQ==");
    assert_eq!(got.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
    let head = world.send("HEAD /box/a.html", &[], "").await;
    assert_eq!((head.header("content-length"), head.header("x-amz-meta-author")), ("11", "me"));
    assert_eq!((head.header("cache-control"), head.body.len()), ("max-age=60", 0));
}

#[tokio::test]
async fn bodies_are_held_against_what_is_claimed_of_them() {
    let world = World::with_bucket("box").await;
    for header in [("content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="), ("x-amz-checksum-crc32", "DUoRhQ==")] {
        assert_eq!(world.send("PUT /box/a", &[header], "hello there").await.code(), "BadDigest");
        assert_eq!(world.send("PUT /box/a", &[header], "hello world").await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn what_is_missing_is_told_in_xml() {
    let world = World::with_bucket("box").await;
    let missing = world.send("GET /box/none", &[], "").await;
    assert_eq!((missing.status.as_u16(), missing.code()), (404, "NoSuchKey".to_owned()));
    assert_eq!(missing.header("content-type"), "application/xml");
    assert_eq!(world.send("GET /gone/none", &[], "").await.code(), "NoSuchBucket");
    assert_eq!(world.send("HEAD /box/none", &[], "").await.status.as_u16(), 404);
    let later = world.send("GET /box/a?torrent", &[], "").await;
    assert_eq!((later.status.as_u16(), later.code()), (501, "NotImplemented".to_owned()));
    let locked = world.send("PUT /box/a", &[("x-amz-object-lock-legal-hold", "ON")], "x").await;
    assert_eq!(locked.code(), "NotImplemented");
    let open = world.send("PUT /box/a", &[("x-amz-acl", "public-read")], "x").await;
    assert_eq!(open.code(), "AccessControlListNotSupported");
}

#[tokio::test]
async fn keys_are_any_text() {
    let world = World::with_bucket("box").await;
    for (path, key) in [
        ("/box/with%20space", "with space"),
        ("/box/a%2Bb", "a+b"),
        ("/box/%C3%BCber/%E6%97%A5%E6%9C%AC", "über/日本"),
        ("/box//double//slash/", "/double//slash/"),
        ("/box/a/../c", "a/../c"),
        ("/box/100%25", "100%"),
    ] {
        world.put(path, key).await;
        assert_eq!(world.send(&format!("GET {path}"), &[], "").await.text(), key);
        let prefix = path.strip_prefix("/box/").unwrap().replace('/', "%2F");
        let listed = world.send(&format!("GET /box?list-type=2&prefix={prefix}"), &[], "").await;
        assert_eq!(listed.all("Key"), [key]);
    }
    let encoded = world.send("GET /box?list-type=2&encoding-type=url&prefix=%C3%BC", &[], "").await;
    assert_eq!(encoded.all("Key"), ["%C3%BCber/%E6%97%A5%E6%9C%AC"]);
    let long = format!("PUT /box/{}", "k".repeat(1025));
    assert_eq!(world.send(&long, &[], "x").await.code(), "KeyTooLongError");
}

#[tokio::test]
async fn parts_of_objects_are_read() {
    let world = World::with_bucket("box").await;
    world.put("/box/a", "0123456789").await;
    for (range, status, body, told) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=8-100", 206, "89", "bytes 8-9/10"),
    ] {
        let got = world.send("GET /box/a", &[("range", range)], "").await;
        assert_eq!(
            (got.status.as_u16(), got.text().as_str(), got.header("content-range")),
            (status, body, told)
        );
    }
    let beyond = world.send("GET /box/a", &[("range", "bytes=10-")], "").await;
    assert_eq!((beyond.status.as_u16(), beyond.code()), (416, "InvalidRange".to_owned()));
}

#[tokio::test]
async fn reads_and_writes_may_depend_on_what_is_there() {
    let world = World::with_bucket("box").await;
    world.put("/box/a", "hello world").await;
    let etag = "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"";
    for method in ["GET", "HEAD"] {
        let line = format!("{method} /box/a");
        let same = world.send(&line, &[("if-none-match", etag)], "").await;
        assert_eq!((same.status.as_u16(), same.header("etag"), same.body.len()), (304, etag, 0));
        let old = [("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")];
        assert_eq!(world.send(&line, &old, "").await.status.as_u16(), 304);
        assert_eq!(world.send(&line, &[("if-match", "\"x\"")], "").await.status.as_u16(), 412);
        assert_eq!(world.send(&line, &[("if-none-match", "\"x\"")], "").await.status.as_u16(), 200);
    }
    let taken = world.send("PUT /box/a", &[("if-none-match", "*")], "x").await;
    assert_eq!((taken.status.as_u16(), taken.code()), (412, "PreconditionFailed".to_owned()));
    assert_eq!(world.send("PUT /box/new", &[("if-none-match", "*")], "x").await.status.as_u16(), 200);
    assert_eq!(world.send("PUT /box/a", &[("if-match", etag)], "x").await.status.as_u16(), 200);
}

async fn pages(world: &World, query: &str) -> (Vec<String>, usize) {
    let (mut found, mut token, mut count) = (Vec::new(), String::new(), 0);
    loop {
        let page = world.send(&format!("GET /box?list-type=2{query}{token}"), &[], "").await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.text());
        found.extend(page.all("Key"));
        found.extend(page.all("Prefix").into_iter().skip(1));
        count += 1;
        match page.all("NextContinuationToken").first() {
            Some(next) => token = format!("&continuation-token={next}"),
            None => return (found, count),
        }
    }
}

#[tokio::test]
async fn listings_come_in_pages_and_groups() {
    let world = World::with_bucket("box").await;
    for key in ["a", "dir/1", "dir/2", "dir/sub/3", "dir0", "dir1/x", "e", "z/1", "z/2"] {
        world.put(&format!("/box/{key}"), "x").await;
    }
    let all = ["a", "dir/1", "dir/2", "dir/sub/3", "dir0", "dir1/x", "e", "z/1", "z/2"];
    for (query, expected) in [
        ("", &all[..]),
        ("&prefix=dir", &["dir/1", "dir/2", "dir/sub/3", "dir0", "dir1/x"]),
        ("&prefix=dir/&delimiter=/", &["dir/1", "dir/2", "dir/sub/"]),
        ("&delimiter=/", &["a", "dir/", "dir0", "dir1/", "e", "z/"]),
        ("&start-after=dir0", &["dir1/x", "e", "z/1", "z/2"]),
        ("&start-after=dir/&delimiter=/", &["dir0", "dir1/", "e", "z/"]),
        ("&prefix=none", &[]),
    ] {
        for max in [1, 2, 1000] {
            let (mut found, count) = pages(&world, &format!("{query}&max-keys={max}")).await;
            found.sort();
            assert_eq!(found, expected, "{query} by {max}");
            assert_eq!(count, expected.len().div_ceil(max).max(1), "{query} by {max}");
        }
    }
    let none = world.send("GET /box?list-type=2&max-keys=0", &[], "").await;
    assert_eq!((none.all("IsTruncated"), none.all("KeyCount")), (vec!["false".into()], vec!["0".into()]));
    let bad = world.send("GET /box?list-type=2&continuation-token=%21", &[], "").await;
    assert_eq!(bad.code(), "InvalidArgument");
}

#[tokio::test]
async fn the_first_version_of_listing_goes_on_from_a_marker() {
    let world = World::with_bucket("box").await;
    for key in ["a/1", "a/2", "b", "c/1"] {
        world.put(&format!("/box/{key}"), "x").await;
    }
    let first = world.send("GET /box?delimiter=/&max-keys=1", &[], "").await;
    assert_eq!((first.all("NextMarker"), first.all("IsTruncated")), (vec!["a/".into()], vec!["true".into()]));
    let rest = world.send("GET /box?delimiter=/&marker=a/", &[], "").await;
    assert_eq!((rest.all("Key"), &rest.all("Prefix")[1..]), (vec!["b".to_owned()], &["c/".to_owned()][..]));
}

#[tokio::test]
async fn several_objects_are_removed_at_once() {
    let world = World::with_bucket("box").await;
    for key in ["a", "b%20c", "d"] {
        world.put(&format!("/box/{key}"), "x").await;
    }
    let body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key></Object>\
                <Object><Key>b c</Key></Object><Object><Key>none</Key></Object></Delete>";
    let answer = world.send("POST /box?delete", &[("content-type", "application/xml")], body).await;
    assert_eq!(answer.all("Key"), ["a", "b c", "none"]);
    assert_eq!(pages(&world, "").await.0, ["d"]);
}

#[tokio::test]
async fn copies_stand_alone() {
    let world = World::with_bucket("box").await;
    let headers = [("content-type", "text/css"), ("x-amz-meta-a", "1")];
    world.send("PUT /box/from%20here", &headers, "body").await;
    let copied = world.send("PUT /box/to", &[("x-amz-copy-source", "box/from%20here")], "").await;
    assert_eq!(copied.status.as_u16(), 200, "{}", copied.text());
    assert!(copied.text().contains("<CopyObjectResult"));
    world.send("DELETE /box/from%20here", &[], "").await;
    let got = world.send("GET /box/to", &[], "").await;
    assert_eq!((got.text().as_str(), got.header("content-type")), ("body", "text/css"));
    assert_eq!(got.header("x-amz-meta-a"), "1");
    let replace = [
        ("x-amz-copy-source", "/box/to"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(world.send("PUT /box/to", &replace, "").await.status.as_u16(), 200);
    let got = world.send("HEAD /box/to", &[], "").await;
    assert_eq!((got.header("content-type"), got.header("x-amz-meta-a")), ("text/plain", ""));
    let itself = world.send("PUT /box/to", &[("x-amz-copy-source", "/box/to")], "").await;
    assert_eq!(itself.code(), "InvalidRequest");
}

#[tokio::test]
async fn signatures_are_taken_off() {
    let world = World::with_bucket("box").await;
    // As boto3 uploads: signed payload in chunks, the checksum behind them.
    let body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    let chunked = [
        ("content-encoding", "gzip,aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("transfer-encoding", "chunked"),
    ];
    let put = world.send("PUT /box/a", &chunked, body).await;
    assert_eq!((put.status.as_u16(), put.header("x-amz-checksum-crc32")), (200, "DUoRhQ=="));
    let got = world.send("GET /box/a", &[], "").await;
    assert_eq!((got.text().as_str(), got.header("content-encoding")), ("hello world", "gzip"));
    let wrong = body.replace("DUoRhQ==", "AAAAAA==");
    assert_eq!(world.send("PUT /box/a", &chunked, &wrong).await.code(), "BadDigest");
    let signed = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=key%2F20260101%2Feu-central-1%2Fs3%2Faws4_request\
                  &X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let presigned = |date: &str| format!("GET /box/a?{signed}&X-Amz-Date={date}&X-Amz-Expires=60");
    assert_eq!(world.send_unsigned(&presigned("20260101T000000Z"), &[], "").await.text(), "hello world");
    let expired = world.send_unsigned(&presigned("20251231T235800Z"), &[], "").await;
    assert_eq!((expired.status.as_u16(), expired.code()), (403, "AccessDenied".to_owned()));
    let second = "GET /box/a?AWSAccessKeyId=key&Signature=00&Expires=1";
    assert_eq!(world.send_unsigned(second, &[], "").await.text(), "hello world");
}

#[tokio::test]
async fn a_body_is_the_one_that_its_head_tells_of() {
    let world = World::with_bucket("box").await;
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for (body, size) in [("hello".to_owned(), 5), ("x".repeat(3 << 20), 3 << 20)] {
        let length = size.to_string();
        let headers = [("x-amz-content-sha256", hello), ("content-length", length.as_str())];
        let put = world.send("PUT /box/a", &headers, &body).await;
        if size == 5 {
            assert_eq!(put.status.as_u16(), 200, "{}", put.text());
            world.send("DELETE /box/a", &[], "").await;
            continue;
        }
        assert_eq!((put.status.as_u16(), put.code()), (400, "XAmzContentSHA256Mismatch".to_owned()));
        assert_eq!(world.send("GET /box/a", &[], "").await.code(), "NoSuchKey");
    }
    let put = world.send("PUT /box/a", &[("x-amz-content-sha256", hello)], "other").await;
    assert_eq!((put.status.as_u16(), put.code()), (400, "XAmzContentSHA256Mismatch".to_owned()));
    for digest in ["zz", "", "aGVsbG8="] {
        let put = world.send("PUT /box/a", &[("content-md5", digest)], "other").await;
        assert_eq!((put.status.as_u16(), put.code()), (400, "InvalidDigest".to_owned()), "{digest}");
    }
    assert_eq!(world.send("GET /box/a", &[], "").await.code(), "NoSuchKey");
}

#[tokio::test]
async fn malformed_xml_is_told_as_every_error() {
    let world = World::with_bucket("box").await;
    for body in ["<Tagging><TagSet>", "no xml", "<Other/>"] {
        let put = world.send("PUT /box?tagging", &[], body).await;
        assert_eq!(
            (put.status.as_u16(), put.code()),
            (400, "MalformedXML".to_owned()),
            "{body}: {}",
            put.text()
        );
        assert_eq!(put.all("Message").len(), 1, "{}", put.text());
        assert_eq!(put.all("RequestId"), [put.header("x-amz-request-id")]);
    }
}

#[tokio::test]
async fn buckets_stand_in_paths_or_in_hosts() {
    let world = World::with_bucket("box").await;
    world.put("/box/dir/a", "hello").await;
    for host in ["box.s3.eu-central-1.amazonaws.com", "box.s3.localhost:4566", "box.localhost:4566"] {
        assert_eq!(world.send("GET /dir/a", &[("host", host)], "").await.text(), "hello", "{host}");
    }
    for host in ["s3.eu-central-1.amazonaws.com", "localhost:4566", "127.0.0.1:4566", "cloud.example"] {
        assert_eq!(world.send("GET /box/dir/a", &[("host", host)], "").await.text(), "hello", "{host}");
    }
}

async fn round_trip(world: &World, path: &str, document: &str) -> Answer {
    let put = world.send(&format!("PUT {path}"), &[("content-type", "application/xml")], document).await;
    assert!(put.status.is_success(), "{}", put.text());
    world.send(&format!("GET {path}"), &[], "").await
}

#[tokio::test]
async fn configurations_are_given_back() {
    let world = World::with_bucket("box").await;
    let website = "<WebsiteConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IndexDocument>\
                   <Suffix>i.html</Suffix></IndexDocument><ErrorDocument><Key>e.html</Key></ErrorDocument>\
                   </WebsiteConfiguration>";
    let got = round_trip(&world, "/box?website", website).await;
    assert_eq!((got.all("Suffix"), got.all("Key")), (vec!["i.html".to_owned()], vec!["e.html".to_owned()]));
    assert_eq!(world.send("DELETE /box?website", &[], "").await.status.as_u16(), 204);
    assert_eq!(world.send("GET /box?website", &[], "").await.code(), "NoSuchWebsiteConfiguration");

    assert_eq!(world.send("GET /box?policy", &[], "").await.code(), "NoSuchBucketPolicy");
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    assert_eq!(round_trip(&world, "/box?policy", policy).await.text(), policy);
    assert_eq!(world.send("PUT /box?policy", &[], "no").await.code(), "MalformedPolicy");

    let block = world.send("GET /box?publicAccessBlock", &[], "").await;
    assert_eq!(block.all("BlockPublicPolicy"), ["true"]);
    let open = "<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                <BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>";
    let block = round_trip(&world, "/box?publicAccessBlock", open).await;
    assert_eq!((block.all("BlockPublicPolicy"), block.all("BlockPublicAcls")), {
        (vec!["false".to_owned()], vec!["false".to_owned()])
    });
    assert_eq!(world.send("DELETE /box?publicAccessBlock", &[], "").await.status.as_u16(), 204);
    let gone = world.send("GET /box?publicAccessBlock", &[], "").await;
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "NoSuchPublicAccessBlockConfiguration".to_owned()));

    let encryption = world.send("GET /box?encryption", &[], "").await;
    assert_eq!(encryption.all("SSEAlgorithm"), ["AES256"]);
    assert!(!world.send("GET /box?versioning", &[], "").await.text().contains("Enabled"));
}
