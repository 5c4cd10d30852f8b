//! Versions of objects: kept, hidden by delete markers, read and removed by their ids.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use std::time::Duration;

use serde_json::json;
use world::World;

async fn versioned(status: &str) -> World {
    let world = World::with_bucket("box").await;
    versioning(&world, status).await;
    world
}

async fn versioning(world: &World, status: &str) {
    let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    let put = world.send("PUT /box?versioning", &[], &body).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
}

async fn put(world: &World, path: &str, body: &str) -> String {
    world.send(&format!("PUT {path}"), &[], body).await.header("x-amz-version-id").to_owned()
}

async fn get(world: &World, path: &str, version: &str) -> String {
    let got = world.send(&format!("GET {path}?versionId={version}"), &[], "").await;
    if got.status.is_success() { got.text() } else { got.code() }
}

#[tokio::test]
async fn what_is_replaced_stays_under_its_id() {
    let world = World::with_bucket("box").await;
    assert_eq!(put(&world, "/box/a", "zero").await, "");
    assert_eq!(world.send("GET /box?versioning", &[], "").await.all("Status"), Vec::<String>::new());
    versioning(&world, "Enabled").await;
    assert_eq!(world.send("GET /box?versioning", &[], "").await.all("Status"), ["Enabled"]);
    let one = put(&world, "/box/a", "one").await;
    let two = put(&world, "/box/a", "two").await;
    assert_eq!((one.len(), two.len()), (32, 32));
    assert_eq!(world.send("GET /box/a", &[], "").await.text(), "two");
    assert_eq!(
        (get(&world, "/box/a", &one).await, get(&world, "/box/a", "null").await),
        ("one".into(), "zero".into())
    );
    let listed = world.send("GET /box?versions", &[], "").await;
    assert_eq!(listed.all("VersionId"), [two.as_str(), &one, "null"]);
    assert_eq!(listed.all("IsLatest"), ["true", "false", "false"]);

    let deleted = world.send("DELETE /box/a", &[], "").await;
    let marker = deleted.header("x-amz-version-id").to_owned();
    assert_eq!((deleted.status.as_u16(), deleted.header("x-amz-delete-marker")), (204, "true"));
    let gone = world.send("GET /box/a", &[], "").await;
    assert_eq!((gone.code(), gone.header("x-amz-delete-marker")), ("NoSuchKey".to_owned(), "true"));
    assert_eq!(get(&world, "/box/a", &marker).await, "MethodNotAllowed");
    assert_eq!(get(&world, "/box/a", &two).await, "two");
    assert_eq!(world.send("GET /box?list-type=2", &[], "").await.all("Key"), Vec::<String>::new());
    assert_eq!(world.send("DELETE /box", &[], "").await.code(), "BucketNotEmpty");

    // Without the marker, the version below is current again.
    let undone = world.send(&format!("DELETE /box/a?versionId={marker}"), &[], "").await;
    assert_eq!((undone.status.as_u16(), undone.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(world.send("GET /box/a", &[], "").await.text(), "two");
    world.send(&format!("DELETE /box/a?versionId={two}"), &[], "").await;
    assert_eq!(world.send("GET /box/a", &[], "").await.text(), "one");
    assert_eq!(get(&world, "/box/a", &two).await, "NoSuchVersion");
    assert_eq!(get(&world, "/box/a", "x").await, "InvalidArgument");
    world.send("DELETE /box/a?versionId=null", &[], "").await;
    assert_eq!(get(&world, "/box/a", "null").await, "NoSuchVersion");
    world.send(&format!("DELETE /box/a?versionId={one}"), &[], "").await;
    assert_eq!(world.send("GET /box?versions", &[], "").await.all("VersionId"), Vec::<String>::new());
    assert_eq!(world.send("DELETE /box", &[], "").await.status.as_u16(), 204);
}

#[tokio::test]
async fn a_suspended_bucket_has_one_null_version_a_key() {
    let world = versioned("Enabled").await;
    let one = put(&world, "/box/a", "one").await;
    versioning(&world, "Suspended").await;
    assert_eq!(put(&world, "/box/a", "two").await, "null");
    assert_eq!(put(&world, "/box/a", "three").await, "null");
    let listed = world.send("GET /box?versions", &[], "").await;
    assert_eq!(listed.all("VersionId"), ["null", one.as_str()]);
    let deleted = world.send("DELETE /box/a", &[], "").await;
    assert_eq!((deleted.header("x-amz-version-id"), deleted.header("x-amz-delete-marker")), ("null", "true"));
    let listed = world.send("GET /box?versions", &[], "").await;
    assert_eq!(listed.all("DeleteMarker").len(), 1);
    assert_eq!(put(&world, "/box/a", "four").await, "null");
    assert_eq!(
        (get(&world, "/box/a", "null").await, get(&world, "/box/a", &one).await),
        ("four".into(), "one".into())
    );
    let listed = world.send("GET /box?versions", &[], "").await;
    assert_eq!(listed.all("VersionId"), ["null", one.as_str()]);
}

#[tokio::test]
async fn versions_are_listed_in_pages() {
    let world = versioned("Enabled").await;
    for key in ["a", "b/1", "b/2", "c"] {
        for body in ["1", "2"] {
            put(&world, &format!("/box/{key}"), body).await;
        }
    }
    world.send("DELETE /box/a", &[], "").await;
    let all = world.send("GET /box?versions", &[], "").await.all("VersionId");
    assert_eq!(all.len(), 9);
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = world.send(&format!("GET /box?versions&max-keys=2{next}"), &[], "").await;
        // Versions and delete markers stand apart in an answer; a page holds two of them in all.
        found.extend(page.all("VersionId"));
        let (Some(key), Some(version)) =
            (page.all("NextKeyMarker").pop(), page.all("NextVersionIdMarker").pop())
        else {
            break;
        };
        next = format!("&key-marker={key}&version-id-marker={version}");
    }
    found.sort();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(found, sorted);
    let grouped = world.send("GET /box?versions&delimiter=/", &[], "").await;
    assert_eq!(
        (grouped.all("Key").len(), grouped.all("CommonPrefixes")),
        (5, vec!["b/</Prefix>".to_owned()])
    );
    let below = world.send("GET /box?versions&prefix=b/&max-keys=3", &[], "").await;
    assert_eq!(
        (below.all("Key"), below.all("NextKeyMarker")),
        (vec!["b/1".into(), "b/1".into(), "b/2".into()], vec!["b/2".to_owned()])
    );
}

#[tokio::test]
async fn several_are_removed_one_by_one() {
    let world = versioned("Enabled").await;
    let one = put(&world, "/box/a", "1").await;
    put(&world, "/box/b", "1").await;
    let object = |key: &str, version: &str| {
        let version =
            if version.is_empty() { String::new() } else { format!("<VersionId>{version}</VersionId>") };
        format!("<Object><Key>{key}</Key>{version}</Object>")
    };
    let objects = [object("a", &one), object("a", "nonsense"), object("b", ""), object("c", "")].concat();
    let answer = world.send("POST /box?delete", &[], &format!("<Delete>{objects}</Delete>")).await;
    assert_eq!(answer.all("Deleted").len(), 3, "{}", answer.text());
    assert_eq!((answer.all("Error").len(), answer.code()), (1, "InvalidArgument".to_owned()));
    assert_eq!(answer.all("DeleteMarkerVersionId").len(), 2);
    let listed = world.send("GET /box?versions", &[], "").await;
    assert_eq!((listed.all("Version").len(), listed.all("DeleteMarker").len()), (1, 2));
}

#[tokio::test]
async fn tags_are_of_a_version() {
    let world = versioned("Enabled").await;
    let one = put(&world, "/box/a", "1").await;
    put(&world, "/box/a", "2").await;
    let tags = |value: &str| {
        format!("<Tagging><TagSet><Tag><Key>k</Key><Value>{value}</Value></Tag></TagSet></Tagging>")
    };
    for (query, value) in
        [("tagging", "new".to_owned()), (&format!("tagging&versionId={one}"), "old".to_owned())]
    {
        let put = world.send(&format!("PUT /box/a?{query}"), &[], &tags(&value)).await;
        assert_eq!(put.status.as_u16(), 200, "{}", put.text());
        assert_eq!(world.send(&format!("GET /box/a?{query}"), &[], "").await.all("Value"), [value]);
    }
    assert_eq!(
        world.send("HEAD /box/a", &[], "").await.header("etag"),
        "\"c81e728d9d4c2f636f067f89cc14862c\""
    );
    assert_eq!(world.send("GET /box/a", &[], "").await.header("x-amz-tagging-count"), "1");
    assert_eq!(world.send("DELETE /box/a?tagging", &[], "").await.status.as_u16(), 204);
    assert_eq!(world.send("GET /box/a?tagging", &[], "").await.all("Value"), Vec::<String>::new());
}

#[tokio::test]
async fn objects_go_by_themselves() {
    let world = versioned("Enabled").await;
    let old = put(&world, "/box/log/a", "1").await;
    put(&world, "/box/log/a", "2").await;
    put(&world, "/box/kept", "1").await;
    world.send("POST /box/log/b?uploads", &[], "").await;
    let rules = json!({ "Rules": [
        { "ID": "logs", "Status": "Enabled", "Filter": { "Prefix": "log/" }, "Expiration": { "Days": 3 },
          "NoncurrentVersionExpiration": { "NoncurrentDays": 1 },
          "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 } },
        { "ID": "cold", "Status": "Enabled", "Filter": {}, "Transitions": [{ "Days": 1, "StorageClass": "GLACIER_IR" }] },
        { "ID": "off", "Status": "Disabled", "Filter": {}, "Expiration": { "Days": 1 } },
    ] });
    let input = json!({ "Bucket": "box", "LifecycleConfiguration": rules });
    world.call("PutBucketLifecycleConfiguration", input).await.unwrap();
    let kept = world.call("GetBucketLifecycleConfiguration", json!({ "Bucket": "box" })).await.unwrap();
    assert_eq!(kept["Rules"], rules["Rules"]);
    let xml = world.send("GET /box?lifecycle", &[], "").await;
    assert_eq!(
        (xml.all("ID"), xml.all("Days")),
        (vec!["logs".into(), "cold".into(), "off".into()], vec!["3".into(), "1".into(), "1".into()])
    );

    let day = Duration::from_secs(86_400);
    world.kernel.advance(day).await;
    assert_eq!(get(&world, "/box/log/a", &old).await, "1");
    world.kernel.advance(day).await;
    assert_eq!(get(&world, "/box/log/a", &old).await, "NoSuchVersion");
    assert_eq!(world.send("GET /box?uploads", &[], "").await.all("UploadId"), Vec::<String>::new());
    assert_eq!(world.send("HEAD /box/kept", &[], "").await.header("x-amz-storage-class"), "GLACIER_IR");
    assert_eq!(world.send("GET /box/log/a", &[], "").await.text(), "2");
    world.kernel.advance(day * 2).await;
    let gone = world.send("GET /box/log/a", &[], "").await;
    assert_eq!((gone.code(), gone.header("x-amz-delete-marker")), ("NoSuchKey".to_owned(), "true"));
    assert_eq!(world.send("GET /box/kept", &[], "").await.text(), "1");
    world.send("DELETE /box?lifecycle", &[], "").await;
    assert_eq!(world.send("GET /box?lifecycle", &[], "").await.code(), "NoSuchLifecycleConfiguration");
}
