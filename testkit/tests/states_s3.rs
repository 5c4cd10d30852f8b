//! SDK integrations with S3: buckets, lists, copies, removals and uploads in parts.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use base::schema::Blob;
use serde_json::{Value, json};
use testkit::World;

const ROLE: &str = "arn:aws:iam::000000000000:role/machine";
/// The least bytes of a part that is not the last.
const PART_BYTES: usize = 5 << 20;

async fn world() -> World {
    let world = World::new(|| vec![events::service(), s3::service(), states::service()]).await;
    world.ok("s3", "CreateBucket", json!({ "Bucket": "bucket" })).await;
    world
}

async fn put(world: &World, key: &str, text: &str) {
    let body = Blob::from(text.as_bytes().to_vec());
    world.ok("s3", "PutObject", json!({ "Bucket": "bucket", "Key": key, "Body": body })).await;
}

/// How an execution of one task ends.
async fn run(world: &World, action: &str, parameters: Value) -> String {
    let resource = format!("arn:aws:states:::aws-sdk:s3:{action}");
    let task = json!({ "Type": "Task", "Resource": resource, "Parameters": parameters, "End": true });
    let definition = json!({ "StartAt": "T", "States": { "T": task } });
    let machine = json!({ "name": "m", "definition": definition.to_string(), "roleArn": ROLE });
    let made = world.ok("states", "CreateStateMachine", machine).await;
    let arn = json!({ "stateMachineArn": made["stateMachineArn"] });
    let started = world.ok("states", "StartExecution", arn.clone()).await;
    world.idle().await;
    let shown =
        world.ok("states", "DescribeExecution", json!({ "executionArn": started["executionArn"] })).await;
    world.ok("states", "DeleteStateMachine", arn).await;
    world.idle().await;
    let text = |name: &str| shown[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{}{}{}", shown["status"].as_str().unwrap(), text("output"), text("error"))
}

/// The result of a task that succeeds.
async fn done(world: &World, action: &str, parameters: Value) -> Value {
    let ended = run(world, action, parameters).await;
    let output = ended.strip_prefix("SUCCEEDED ").unwrap_or_else(|| panic!("{action}: {ended}"));
    serde_json::from_str(output).unwrap()
}

fn keys(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["Key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn buckets_are_listed() {
    let world = world().await;
    world.ok("s3", "CreateBucket", json!({ "Bucket": "second" })).await;
    let listed = done(&world, "listBuckets", json!({})).await;
    let buckets = listed["Buckets"].as_array().unwrap();
    assert_eq!((buckets.len(), &buckets[0]["Name"]), (2, &json!("bucket")));
    assert_eq!(buckets[0]["BucketRegion"], "eu-central-1");
    assert!(buckets[0]["CreationDate"].as_str().unwrap().ends_with('Z'), "{listed}");
    assert_eq!(listed["Owner"], json!({ "Id": "000000000000" }));
    let first = done(&world, "listBuckets", json!({ "MaxBuckets": 1 })).await;
    assert_eq!(first["Buckets"].as_array().unwrap().len(), 1);
    let more = json!({ "ContinuationToken": first["ContinuationToken"] });
    assert_eq!(done(&world, "listBuckets", more).await["Buckets"][0]["Name"], "second");
}

#[tokio::test]
async fn objects_and_their_versions_are_listed() {
    let world = world().await;
    let versioning = json!({ "Bucket": "bucket", "VersioningConfiguration": { "Status": "Enabled" } });
    world.ok("s3", "PutBucketVersioning", versioning).await;
    for key in ["a", "dir/b", "dir/c"] {
        put(&world, key, key).await;
    }
    let all = done(&world, "listObjects", json!({ "Bucket": "bucket", "MaxKeys": 2 })).await;
    assert_eq!((keys(&all["Contents"]), &all["IsTruncated"]), (vec!["a", "dir/b"], &json!(true)));
    assert!(all["Contents"][0]["LastModified"].as_str().unwrap().ends_with('Z'), "{all}");
    let top = done(&world, "listObjects", json!({ "Bucket": "bucket", "Delimiter": "/" })).await;
    assert_eq!(top["CommonPrefixes"], json!([{ "Prefix": "dir/" }]));
    let behind = done(&world, "listObjects", json!({ "Bucket": "bucket", "Marker": "dir/b" })).await;
    assert_eq!(keys(&behind["Contents"]), ["dir/c"]);
    put(&world, "a", "again").await;
    world.ok("s3", "DeleteObject", json!({ "Bucket": "bucket", "Key": "dir/b" })).await;
    let listed = done(&world, "listObjectVersions", json!({ "Bucket": "bucket" })).await;
    assert_eq!(keys(&listed["Versions"]), ["a", "a", "dir/b", "dir/c"]);
    assert_eq!(listed["Versions"][0]["IsLatest"], true);
    assert_eq!(listed["Versions"][0]["ChecksumAlgorithm"], json!(["CRC64NVME"]));
    assert_eq!(keys(&listed["DeleteMarkers"]), ["dir/b"]);
}

#[tokio::test]
async fn objects_are_copied_described_and_removed() {
    let world = world().await;
    put(&world, "a b", "text").await;
    let copy = json!({ "Bucket": "bucket", "Key": "c", "CopySource": "bucket/a%20b",
        "MetadataDirective": "REPLACE", "Metadata": { "Mine": "1" }, "ContentType": "text/plain" });
    let copied = done(&world, "copyObject", copy).await;
    let result = &copied["CopyObjectResult"];
    assert_eq!(result["ETag"], "\"1cb251ec0d568de6a929b520c4aed8d1\"");
    assert!(result["LastModified"].as_str().unwrap().ends_with('Z'), "{copied}");
    let head = done(&world, "headObject", json!({ "Bucket": "bucket", "Key": "c" })).await;
    assert_eq!((&head["ContentType"], &head["Metadata"]), (&json!("text/plain"), &json!({ "Mine": "1" })));
    let attributes = json!({ "Bucket": "bucket", "Key": "c",
        "ObjectAttributes": ["ETag", "ObjectSize", "StorageClass", "Checksum"] });
    let told = done(&world, "getObjectAttributes", attributes).await;
    assert_eq!((&told["ObjectSize"], &told["StorageClass"]), (&json!(4), &json!("STANDARD")));
    assert_eq!(told["ETag"], "1cb251ec0d568de6a929b520c4aed8d1");
    assert!(told["Checksum"]["ChecksumCRC64NVME"].is_string(), "{told}");
    let delete = json!({ "Bucket": "bucket", "Delete": { "Objects": [
        { "Key": "c" }, { "Key": "a b", "ETag": "another" }, { "Key": "nobody" }] } });
    let removed = done(&world, "deleteObjects", delete).await;
    assert_eq!(keys(&removed["Deleted"]), ["c", "nobody"]);
    assert_eq!(
        (&removed["Errors"][0]["Key"], &removed["Errors"][0]["Code"]),
        (&json!("a b"), &json!("PreconditionFailed"))
    );
    let quiet = json!({ "Bucket": "bucket", "Delete": { "Objects": [{ "Key": "a b" }], "Quiet": true } });
    assert_eq!(done(&world, "deleteObjects", quiet).await, json!({}));
}

#[tokio::test]
async fn an_object_is_uploaded_in_parts() {
    let world = world().await;
    put(&world, "large", &"x".repeat(PART_BYTES + 10)).await;
    let create = json!({ "Bucket": "bucket", "Key": "k", "ContentType": "text/plain", "Tagging": "a=b" });
    let created = done(&world, "createMultipartUpload", create).await;
    let upload = &created["UploadId"];
    let of = |more: Value| {
        let mut all = json!({ "Bucket": "bucket", "Key": "k", "UploadId": upload });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let source = json!({ "PartNumber": 1, "CopySource": "bucket/large",
        "CopySourceRange": format!("bytes=0-{}", PART_BYTES - 1) });
    let first = done(&world, "uploadPartCopy", of(source)).await;
    let first = &first["CopyPartResult"]["ETag"];
    let second = done(&world, "uploadPart", of(json!({ "PartNumber": 2, "Body": { "a": 1 } }))).await;
    let second = &second["ETag"];
    let parts = done(&world, "listParts", of(json!({}))).await;
    assert_eq!((&parts["Parts"][0]["ETag"], &parts["Parts"][0]["Size"]), (first, &json!(PART_BYTES)));
    assert_eq!((&parts["Parts"][1]["ETag"], &parts["Parts"][1]["PartNumber"]), (second, &json!(2)));
    assert_eq!(parts["Initiator"], json!({ "Id": "000000000000" }));
    let uploads = done(&world, "listMultipartUploads", json!({ "Bucket": "bucket" })).await;
    assert_eq!((&uploads["Uploads"][0]["UploadId"], keys(&uploads["Uploads"])), (upload, vec!["k"]));
    let named = json!([{ "PartNumber": 1, "ETag": first }, { "PartNumber": 2, "ETag": second }]);
    let complete = of(json!({ "MultipartUpload": { "Parts": named } }));
    let completed = done(&world, "completeMultipartUpload", complete.clone()).await;
    assert!(completed["ETag"].as_str().unwrap().ends_with("-2\""), "{completed}");
    let end = json!({ "Bucket": "bucket", "Key": "k", "Range": "bytes=-8" });
    let got = done(&world, "getObject", end).await;
    assert_eq!((&got["Body"], &got["ContentType"]), (&json!("x{\"a\":1}"), &json!("text/plain")));
    let attributes = json!({ "Bucket": "bucket", "Key": "k", "ObjectAttributes": ["ObjectParts"] });
    let told = done(&world, "getObjectAttributes", attributes).await;
    assert_eq!(told["ObjectParts"]["TotalPartsCount"], 2);
    assert_eq!(run(&world, "completeMultipartUpload", complete).await, "FAILED S3.NoSuchUploadException");
}

#[tokio::test]
async fn an_upload_is_given_up() {
    let world = world().await;
    let create = json!({ "Bucket": "bucket", "Key": "k" });
    let created = done(&world, "createMultipartUpload", create).await;
    let of = json!({ "Bucket": "bucket", "Key": "k", "UploadId": created["UploadId"] });
    assert_eq!(done(&world, "abortMultipartUpload", of.clone()).await, json!({}));
    let uploads = done(&world, "listMultipartUploads", json!({ "Bucket": "bucket" })).await;
    assert!(uploads.get("Uploads").is_none(), "{uploads}");
    assert_eq!(run(&world, "listParts", of).await, "FAILED S3.NoSuchUploadException");
}

#[tokio::test]
async fn what_is_not_honoured_is_refused() {
    let world = world().await;
    put(&world, "k", "text").await;
    let other = "111111111111";
    let key = json!({ "Bucket": "bucket", "Key": "k" });
    let with = |more: Value| {
        let mut all = key.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let owned = |more: Value| {
        let mut all = with(more);
        all["ExpectedBucketOwner"] = json!(other);
        all
    };
    let of_source = json!({ "CopySource": "bucket/k", "Key": "c", "ExpectedSourceBucketOwner": other });
    for (action, parameters, expected) in [
        ("getObject", owned(json!({})), "AccessDeniedException"),
        ("putObject", owned(json!({ "Body": "" })), "AccessDeniedException"),
        ("headObject", owned(json!({})), "AccessDeniedException"),
        ("deleteObject", owned(json!({})), "AccessDeniedException"),
        ("getObjectAttributes", owned(json!({ "ObjectAttributes": ["ETag"] })), "AccessDeniedException"),
        ("createMultipartUpload", owned(json!({})), "AccessDeniedException"),
        ("copyObject", owned(json!({ "CopySource": "bucket/k", "Key": "c" })), "AccessDeniedException"),
        ("copyObject", with(of_source), "AccessDeniedException"),
        ("copyObject", with(json!({ "CopySource": "bucket/k" })), "InvalidRequestException"),
        ("copyObject", with(json!({ "CopySource": "bucket" })), "S3Exception"),
        (
            "copyObject",
            with(json!({ "CopySource": "bucket/k", "Key": "c", "ACL": "public-read" })),
            "S3Exception",
        ),
        ("createMultipartUpload", with(json!({ "ObjectLockMode": "GOVERNANCE" })), "S3Exception"),
    ] {
        let ended = run(&world, action, parameters.clone()).await;
        assert_eq!(ended, format!("FAILED S3.{expected}"), "{action} {parameters}");
    }
    for action in ["listObjects", "listObjectsV2", "listObjectVersions", "listMultipartUploads"] {
        let parameters = json!({ "Bucket": "bucket", "ExpectedBucketOwner": other });
        assert_eq!(run(&world, action, parameters).await, "FAILED S3.AccessDeniedException", "{action}");
    }
    let mine = with(json!({ "ExpectedBucketOwner": "000000000000" }));
    assert_eq!(done(&world, "getObject", mine).await["Body"], "text");
}
