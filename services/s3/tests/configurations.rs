//! What is kept of buckets, over HTTP and through the router, as the CDK, Terraform and CloudFormation ask.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod world;

use serde_json::{Value, json};
use world::World;

#[tokio::test]
async fn what_nobody_configured_is_told_as_aws_tells_it() {
    let world = World::with_bucket("box").await;
    for (query, expected) in [
        ("cors", "NoSuchCORSConfiguration"),
        ("tagging", "NoSuchTagSet"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("website", "NoSuchWebsiteConfiguration"),
    ] {
        let answer = world.send(&format!("GET /box?{query}"), &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, expected.to_owned()), "{query}");
    }
    for (query, element, expected) in [
        ("encryption", "SSEAlgorithm", "AES256"),
        ("ownershipControls", "ObjectOwnership", "BucketOwnerEnforced"),
        ("requestPayment", "Payer", "BucketOwner"),
        ("acl", "Permission", "FULL_CONTROL"),
    ] {
        let answer = world.send(&format!("GET /box?{query}"), &[], "").await;
        assert_eq!(answer.all(element), [expected], "{query}: {}", answer.text());
    }
    for query in ["logging", "accelerate", "notification", "versioning"] {
        let answer = world.send(&format!("GET /box?{query}"), &[], "").await;
        assert_eq!(answer.status.as_u16(), 200, "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn configurations_come_back_as_they_were_given() {
    let world = World::with_bucket("box").await;
    let cases: [(&str, &str, Value); 5] = [
        (
            "BucketCors",
            "CORSConfiguration",
            json!({ "CORSRules": [{ "AllowedMethods": ["GET"], "AllowedOrigins": ["*"] }] }),
        ),
        ("BucketTagging", "Tagging", json!({ "TagSet": [{ "Key": "a", "Value": "b" }] })),
        ("BucketVersioning", "VersioningConfiguration", json!({ "Status": "Suspended" })),
        (
            "BucketEncryption",
            "ServerSideEncryptionConfiguration",
            json!({ "Rules": [{
            "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/a" },
            "BucketKeyEnabled": true,
        }] }),
        ),
        (
            "BucketOwnershipControls",
            "OwnershipControls",
            json!({ "Rules": [{ "ObjectOwnership": "ObjectWriter" }] }),
        ),
    ];
    for (name, member, value) in cases {
        let mut input = json!({ "Bucket": "box" });
        input[member] = value.clone();
        world.call(&format!("Put{name}"), input).await.unwrap();
        let got = world.call(&format!("Get{name}"), json!({ "Bucket": "box" })).await.unwrap();
        let nested = got.get(member).unwrap_or(&got);
        assert_eq!(*nested, value, "{name}");
    }
    assert_eq!(world.send("GET /box?cors", &[], "").await.all("AllowedOrigin"), ["*"]);
    assert_eq!(world.send("GET /box?tagging", &[], "").await.all("Key"), ["a"]);
    let put = world.send("PUT /box/a", &[], "x").await;
    assert_eq!(put.header("x-amz-server-side-encryption"), "aws:kms");
    let head = world.send("HEAD /box/a", &[], "").await;
    assert_eq!(head.header("x-amz-server-side-encryption-aws-kms-key-id"), "alias/a");
    for query in ["cors", "tagging", "encryption", "ownershipControls"] {
        let removed = world.send(&format!("DELETE /box?{query}"), &[], "").await;
        assert_eq!(removed.status.as_u16(), 204, "{query}: {}", removed.text());
    }
    assert_eq!(
        world.send("GET /box?ownershipControls", &[], "").await.code(),
        "OwnershipControlsNotFoundError"
    );
}

#[tokio::test]
async fn documents_of_clients_are_understood() {
    let world = World::with_bucket("box").await;
    for (query, body) in [
        (
            "encryption",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
        ),
        (
            "tagging",
            "<Tagging><TagSet><Tag><Key>aws-cdk:auto-delete-objects</Key><Value>true</Value></Tag></TagSet></Tagging>",
        ),
        (
            "ownershipControls",
            "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>",
        ),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>x/</Prefix></Filter><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>",
        ),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
        ),
        ("accelerate", "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>"),
        ("logging", "<BucketLoggingStatus/>"),
    ] {
        let put = world.send(&format!("PUT /box?{query}"), &[], body).await;
        assert_eq!(put.status.as_u16(), 200, "{query}: {}", put.text());
    }
    let private = world.send("PUT /box?acl", &[("x-amz-acl", "private")], "").await;
    assert_eq!(private.status.as_u16(), 200, "{}", private.text());
    for (line, headers, body, expected) in [
        ("PUT /box?acl", vec![("x-amz-acl", "public-read")], "", "AccessControlListNotSupported"),
        (
            "PUT /box?versioning",
            vec![],
            "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>",
            "MalformedXML",
        ),
        (
            "PUT /box?requestPayment",
            vec![],
            "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
            "NotImplemented",
        ),
        (
            "PUT /box?accelerate",
            vec![],
            "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>",
            "NotImplemented",
        ),
        (
            "PUT /box?logging",
            vec![],
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>a</TargetBucket><TargetPrefix>b</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
            "NotImplemented",
        ),
        ("GET /box", vec![("x-amz-expected-bucket-owner", "999999999999")], "", "AccessDenied"),
    ] {
        assert_eq!(world.send(line, &headers, body).await.code(), expected, "{line}");
    }
    let policy =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}"#;
    world.send("PUT /box?policy", &[], policy).await;
    assert_eq!(world.send("GET /box?policyStatus", &[], "").await.all("IsPublic"), ["true"]);
}

#[tokio::test]
async fn browsers_may_what_the_rules_allow() {
    let world = World::with_bucket("box").await;
    let asks = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type"),
    ];
    let preflight = async |world: &World| {
        let request =
            http::Request::builder().method("OPTIONS").uri("/box/a").header("host", "127.0.0.1:4566");
        let request = asks.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        world.http.preflight(&request.body(()).unwrap()).await
    };
    assert_eq!(preflight(&world).await.unwrap().status().as_u16(), 403);
    let rules = json!({ "CORSRules": [
        { "AllowedMethods": ["GET"], "AllowedOrigins": ["*"] },
        { "AllowedMethods": ["PUT"], "AllowedOrigins": ["https://*.example"], "AllowedHeaders": ["Content-*"],
          "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60 },
    ] });
    world.call("PutBucketCors", json!({ "Bucket": "box", "CORSConfiguration": rules })).await.unwrap();
    let allowed = preflight(&world).await.unwrap();
    let header = |name: &str| allowed.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(allowed.status().as_u16(), 200);
    assert_eq!(header("access-control-allow-origin").as_deref(), Some("https://app.example"));
    assert_eq!(
        (header("access-control-max-age").as_deref(), header("access-control-allow-headers").as_deref()),
        (Some("60"), Some("content-type"))
    );
    let put = world.send("PUT /box/a", &[("origin", "https://app.example")], "x").await;
    assert_eq!(put.header("access-control-expose-headers"), "ETag");
    let got = world.send("GET /box/a", &[("origin", "https://other.test")], "").await;
    assert_eq!(got.header("access-control-allow-origin"), "*");
    let other = world.send("DELETE /box/a", &[("origin", "https://other.test")], "").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}
