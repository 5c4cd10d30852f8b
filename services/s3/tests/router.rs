//! S3 through the router, as CloudFormation, Lambda and Step Functions call it.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use serde_json::json;
use world::World;

#[tokio::test]
async fn s3_shows_no_schema_and_serves_documents() {
    let world = World::new().await;
    assert_eq!(world.kernel.schemas().count(), 0);
    assert!(world.kernel.serves("s3", "GetObject"));
    assert!(!world.kernel.serves("s3", "RemoveBody"));
}

/// What is served over HTTP, state machines and schedules can call, too.
#[tokio::test]
async fn every_operation_of_the_front_can_be_called() {
    let world = World::new().await;
    let door = include_str!("../src/front/door.rs");
    let (_, served) = door.split_once("\nserve! {").unwrap();
    let mut count = 0;
    for entry in served.split(';').filter_map(|entry| entry.split_once('=')) {
        let words = entry.0.trim().split('_');
        let operation: String =
            words.map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect();
        assert!(world.kernel.serves("s3", &operation), "{operation}");
        count += 1;
    }
    assert!(count > 60, "{count}");
}

#[tokio::test]
async fn a_bucket_of_a_template_becomes_a_website() {
    let world = World::new().await;
    let made = world.call(
        "CreateBucket",
        json!({
            "Bucket": "page", "CreateBucketConfiguration": { "LocationConstraint": "eu-central-1" }
        }),
    );
    assert_eq!(made.await.unwrap()["Location"], "/page");
    let website = json!({ "IndexDocument": { "Suffix": "i.html" }, "ErrorDocument": { "Key": "e.html" } });
    let input = json!({ "Bucket": "page", "WebsiteConfiguration": website });
    world.call("PutBucketWebsite", input).await.unwrap();
    assert_eq!(world.call("GetBucketWebsite", json!({ "Bucket": "page" })).await.unwrap(), website);
    let open = json!({ "BlockPublicPolicy": false });
    let input = json!({ "Bucket": "page", "PublicAccessBlockConfiguration": open });
    world.call("PutPublicAccessBlock", input).await.unwrap();
    let policy = r#"{"Statement":[]}"#;
    world.call("PutBucketPolicy", json!({ "Bucket": "page", "Policy": policy })).await.unwrap();
    assert_eq!(
        world.call("HeadBucket", json!({ "Bucket": "page" })).await.unwrap()["BucketRegion"],
        "eu-central-1"
    );
    for remove in ["DeleteBucketPolicy", "DeleteBucketWebsite", "DeletePublicAccessBlock", "DeleteBucket"] {
        world.call(remove, json!({ "Bucket": "page" })).await.unwrap();
    }
    let fault = world.call("HeadBucket", json!({ "Bucket": "page" })).await.unwrap_err();
    assert_eq!((fault.code.as_ref(), fault.status), ("NoSuchBucket", 404));
}

#[tokio::test]
async fn objects_travel_in_documents() {
    let world = World::with_bucket("box").await;
    let put = json!({ "Bucket": "box", "Key": "a", "Body": "aGVsbG8=", "ContentType": "text/plain",
        "Metadata": { "k": "v" } });
    assert_eq!(world.call("PutObject", put).await.unwrap()["ETag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    let got = world.call("GetObject", json!({ "Bucket": "box", "Key": "a" })).await.unwrap();
    assert_eq!((&got["Body"], &got["ContentType"]), (&json!("aGVsbG8="), &json!("text/plain")));
    assert_eq!(got["Metadata"], json!({ "k": "v" }));
    let part =
        world.call("GetObject", json!({ "Bucket": "box", "Key": "a", "Range": "bytes=1-2" })).await.unwrap();
    assert_eq!((&part["Body"], &part["ContentRange"]), (&json!("ZWw="), &json!("bytes 1-2/5")));
    let head = world.call("HeadObject", json!({ "Bucket": "box", "Key": "a" })).await.unwrap();
    assert_eq!(head["ContentLength"], 5);
    let listed = world.call("ListObjectsV2", json!({ "Bucket": "box" })).await.unwrap();
    assert_eq!((&listed["KeyCount"], &listed["Contents"][0]["Key"]), (&json!(1), &json!("a")));
    world.call("DeleteObject", json!({ "Bucket": "box", "Key": "a" })).await.unwrap();
    let fault = world.call("GetObject", json!({ "Bucket": "box", "Key": "a" })).await.unwrap_err();
    assert_eq!(fault.code, "NoSuchKey");
    let missing = world.call("PutObject", json!({ "Bucket": "none", "Key": "a" })).await.unwrap_err();
    assert_eq!(missing.code, "NoSuchBucket");
}
