//! Functions, versions, aliases, policies, layers, tags.

use base::schema::Blob;
use serde_json::{Value, json};

use crate::support::{House, only, zip};

const ARN: &str = "arn:aws:lambda:eu-central-1:000000000000:function:f";

fn not_found(what: &str) -> (String, String) {
    ("ResourceNotFoundException".to_owned(), format!("Function not found: {ARN}{what}"))
}

#[tokio::test]
async fn a_function_is_created_shown_changed_and_deleted() {
    let house = House::new().await;
    let created =
        house.create(json!({ "Environment": { "Variables": { "AB": "c" } }, "Tags": { "k": "v" } })).await;
    let shown = [
        "FunctionArn",
        "Timeout",
        "MemorySize",
        "Version",
        "State",
        "LastUpdateStatus",
        "LastModified",
        "Environment",
        "Architectures",
        "LoggingConfig",
        "TracingConfig",
        "PackageType",
    ];
    let expected = json!({
        "FunctionArn": ARN,
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LastModified": "2026-11-22T10:00:00.000+0000",
        "Environment": { "Variables": { "AB": "c" } },
        "Architectures": ["x86_64"],
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/f" },
        "TracingConfig": { "Mode": "PassThrough" },
        "PackageType": "Zip",
    });
    assert_eq!(only(&created, &shown), expected);
    let got = house.ok("GetFunction", json!({ "FunctionName": ARN })).await;
    assert_eq!((&got["Configuration"], &got["Tags"]), (&created, &json!({ "k": "v" })));

    let signing = house.ok("GetFunctionCodeSigningConfig", json!({ "FunctionName": "f" })).await;
    assert_eq!(signing, json!({ "FunctionName": "f", "CodeSigningConfigArn": "" }));

    let stale = json!({ "FunctionName": "f", "Timeout": 9, "RevisionId": "other" });
    assert_eq!(house.fault("UpdateFunctionConfiguration", stale).await.0, "PreconditionFailedException");
    let revision = created["RevisionId"].clone();
    let change = json!({ "FunctionName": "f", "Timeout": 9, "Environment": {}, "RevisionId": revision });
    let changed = house.ok("UpdateFunctionConfiguration", change).await;
    assert_eq!(only(&changed, &["Timeout", "Environment"]), json!({ "Timeout": 9, "Environment": null }));
    assert_ne!(changed["RevisionId"], revision);

    let wanted = json!({ "LogFormat": "JSON", "ApplicationLogLevel": "FATAL" });
    let change = json!({ "FunctionName": "f", "LoggingConfig": wanted });
    let logging = &house.ok("UpdateFunctionConfiguration", change).await["LoggingConfig"];
    assert_eq!((&logging["LogFormat"], &logging["ApplicationLogLevel"]), (&json!("JSON"), &json!("FATAL")));
    assert_eq!((&logging["SystemLogLevel"], &logging["LogGroup"]), (&json!("INFO"), &json!("/aws/lambda/f")));
    let change = json!({ "FunctionName": "f", "LoggingConfig": { "SystemLogLevel": "WARN" } });
    assert_eq!(house.fault("UpdateFunctionConfiguration", change).await.0, "InvalidParameterValueException");

    let change = json!({ "FunctionName": "f", "Timeout": 5400 });
    assert_eq!(house.fault("UpdateFunctionConfiguration", change).await.0, "ValidationException");
    let change = json!({ "FunctionName": "f", "TracingConfig": { "Mode": "Active" } });
    let traced = house.ok("UpdateFunctionConfiguration", change).await;
    assert_eq!(traced["TracingConfig"], json!({ "Mode": "Active" }));

    let from_s3 = json!({ "FunctionName": "f", "S3Bucket": "buck", "S3Key": "code.zip" });
    let same = house.ok("UpdateFunctionCode", from_s3).await;
    assert_eq!(same["CodeSha256"], created["CodeSha256"]);

    house.ok("DeleteFunction", json!({ "FunctionName": "f" })).await;
    assert_eq!(house.fault("GetFunction", json!({ "FunctionName": "f" })).await, not_found(""));
    let usage = house.ok("GetAccountSettings", json!({})).await;
    assert_eq!(usage["AccountUsage"], json!({ "TotalCodeSize": 0, "FunctionCount": 0 }));
}

/// What makes the function `g`, with changes.
fn input(changes: Value) -> Value {
    let mut input = json!({
        "FunctionName": "g", "Runtime": "provided.al2023", "Handler": "h",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Code": { "ZipFile": Blob::from(zip(&[("a", b"1")])).to_base64() },
    });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn what_cannot_be_created_is_refused_in_aws_s_words() {
    let house = House::new().await;
    house.create(json!({})).await;
    for (changes, code, message) in [
        (json!({ "FunctionName": "f" }), "ResourceConflictException", "Function already exist: f"),
        (
            json!({ "Code": { "ZipFile": "bm8gemlw" } }),
            "InvalidParameterValueException",
            "Could not unzip uploaded file.",
        ),
        (
            json!({ "Code": { "S3Bucket": "buck", "S3Key": "none" } }),
            "InvalidParameterValueException",
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
        ),
        (
            json!({ "Code": {} }),
            "InvalidParameterValueException",
            "Please provide a source for function code.",
        ),
        (json!({ "Handler": null }), "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        (
            json!({ "Environment": { "Variables": { "AWS_REGION": "x" } } }),
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables",
        ),
        (
            json!({ "VpcConfig": { "SubnetIds": ["subnet-1"] } }),
            "InvalidParameterValueException",
            "VpcConfig is not implemented by Buswork",
        ),
        (
            json!({ "SnapStart": { "ApplyOn": "PublishedVersions" } }),
            "InvalidParameterValueException",
            "SnapStart is not implemented",
        ),
        (
            json!({ "DeadLetterConfig": { "TargetArn": "arn:aws:sns:eu-central-1:000000000000:t" } }),
            "InvalidParameterValueException",
            "The DeadLetterConfig target arn:aws:sns",
        ),
        (
            json!({ "Layers": ["arn:aws:lambda:eu-central-1:000000000000:layer:x:1"] }),
            "InvalidParameterValueException",
            "Layer version arn:aws:lambda:eu-central-1:000000000000:layer:x:1 does not exist.",
        ),
    ] {
        let mut wanted = input(changes.clone());
        wanted.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let found = house.fault("CreateFunction", wanted).await;
        assert_eq!(found.0, code, "{changes}");
        assert!(found.1.starts_with(message), "{}", found.1);
    }
}

#[tokio::test]
async fn what_is_larger_than_a_function_may_be_is_refused() {
    let house = House::new().await;
    for (changes, code, message) in [
        (
            json!({ "Timeout": 901 }),
            "ValidationException",
            "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900",
        ),
        (
            json!({ "MemorySize": 10_241, "EphemeralStorage": { "Size": 10_241 } }),
            "ValidationException",
            "2 validation errors detected: Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 10240; Value '10241' at 'ephemeralStorage.size'",
        ),
        (
            json!({ "Tags": { "aws:x": "y" } }),
            "InvalidParameterValueException",
            "aws: prefixed tag key names",
        ),
    ] {
        let found = house.fault("CreateFunction", input(changes.clone())).await;
        assert_eq!(found.0, code, "{changes}");
        assert!(found.1.starts_with(message), "{}", found.1);
    }
}

#[tokio::test]
async fn versions_and_aliases_follow_latest() {
    let house = House::new().await;
    house.create(json!({ "Publish": true })).await;
    let publish = json!({ "FunctionName": "f" });
    assert_eq!(house.ok("PublishVersion", publish.clone()).await["Version"], "1", "nothing has changed");
    house.ok("UpdateFunctionConfiguration", json!({ "FunctionName": "f", "Timeout": 7 })).await;
    let second = house.ok("PublishVersion", publish).await;
    assert_eq!(
        only(&second, &["Version", "FunctionArn"]),
        json!({ "Version": "2", "FunctionArn": format!("{ARN}:2") })
    );
    let versions = house.ok("ListVersionsByFunction", json!({ "FunctionName": "f" })).await;
    let numbers: Vec<&Value> =
        versions["Versions"].as_array().unwrap().iter().map(|v| &v["Version"]).collect();
    assert_eq!(numbers, ["$LATEST", "1", "2"]);

    let alias = json!({ "FunctionName": "f", "Name": "live", "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": { "2": 0.25 } } });
    let created = house.ok("CreateAlias", alias.clone()).await;
    assert_eq!(created["AliasArn"], format!("{ARN}:live"));
    assert_eq!(created["RoutingConfig"], alias["RoutingConfig"]);
    let exists = ("ResourceConflictException".to_owned(), format!("Alias already exists: {ARN}:live"));
    assert_eq!(house.fault("CreateAlias", alias).await, exists);
    let used = house.fault("DeleteFunction", json!({ "FunctionName": "f", "Qualifier": "2" })).await;
    assert_eq!(used.0, "ResourceConflictException");
    let moved = json!({ "FunctionName": "f", "Name": "live", "FunctionVersion": "2", "RoutingConfig": {} });
    let moved = house.ok("UpdateAlias", moved).await;
    assert_eq!(
        only(&moved, &["FunctionVersion", "RoutingConfig"]),
        json!({ "FunctionVersion": "2", "RoutingConfig": null })
    );
    let by_alias = house.ok("GetFunctionConfiguration", json!({ "FunctionName": "f:live" })).await;
    assert_eq!(
        only(&by_alias, &["Version", "Timeout", "FunctionArn"]),
        json!({ "Version": "2", "Timeout": 7, "FunctionArn": format!("{ARN}:live") })
    );
    house.ok("DeleteAlias", json!({ "FunctionName": "f", "Name": "live" })).await;
    let gone = ("ResourceNotFoundException".to_owned(), format!("Cannot find alias arn: {ARN}:live"));
    assert_eq!(house.fault("GetAlias", json!({ "FunctionName": "f", "Name": "live" })).await, gone);
    house.ok("DeleteFunction", json!({ "FunctionName": "f", "Qualifier": "1" })).await;
    assert_eq!(house.fault("GetFunction", json!({ "FunctionName": "f:1" })).await, not_found(":1"));
}

#[tokio::test]
async fn permissions_make_a_policy() {
    let house = House::new().await;
    house.create(json!({})).await;
    let none =
        ("ResourceNotFoundException".to_owned(), "The resource you requested does not exist.".to_owned());
    assert_eq!(house.fault("GetPolicy", json!({ "FunctionName": "f" })).await, none);
    let add = json!({
        "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:eu-central-1:000000000000:rule/r",
    });
    let added = house.ok("AddPermission", add.clone()).await;
    let policy = house.ok("GetPolicy", json!({ "FunctionName": "f" })).await;
    let text = policy["Policy"].as_str().unwrap();
    assert_eq!(
        text,
        format!(
            r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#,
            added["Statement"].as_str().unwrap()
        )
    );
    assert_eq!(house.fault("AddPermission", add.clone()).await.0, "ResourceConflictException");
    let mut unknown = add;
    (unknown["StatementId"], unknown["Principal"]) = (json!("t"), json!("nonsense"));
    assert!(house.fault("AddPermission", unknown).await.1.starts_with("The provided principal was invalid."));
    house.ok("RemovePermission", json!({ "FunctionName": "f", "StatementId": "s" })).await;
    assert_eq!(house.fault("GetPolicy", json!({ "FunctionName": "f" })).await, none);
}

#[tokio::test]
async fn lists_have_pages_and_tags_change() {
    let house = House::new().await;
    for name in ["a", "b", "c"] {
        house.create(json!({ "FunctionName": name })).await;
    }
    let first = house.ok("ListFunctions", json!({ "MaxItems": 2 })).await;
    let second = house.ok("ListFunctions", json!({ "MaxItems": 2, "Marker": first["NextMarker"] })).await;
    let names = |page: &Value| -> Vec<Value> {
        page["Functions"].as_array().unwrap().iter().map(|f| f["FunctionName"].clone()).collect()
    };
    assert_eq!((names(&first), names(&second)), (vec![json!("a"), json!("b")], vec![json!("c")]));
    assert_eq!(second["NextMarker"], Value::Null);
    house.ok("DeleteFunction", json!({ "FunctionName": "b" })).await;
    let second = house.ok("ListFunctions", json!({ "MaxItems": 2, "Marker": first["NextMarker"] })).await;
    assert_eq!(names(&second), [json!("c")], "what the first page ended with is gone");
    let unusable = house.fault("ListFunctions", json!({ "Marker": "nonsense" })).await;
    assert_eq!(unusable.0, "InvalidParameterValueException");
    let resource = "arn:aws:lambda:eu-central-1:000000000000:function:a";
    let reserved =
        house.fault("TagResource", json!({ "Resource": resource, "Tags": { "aws:x": "1" } })).await;
    assert_eq!(reserved.0, "InvalidParameterValueException");
    house.ok("TagResource", json!({ "Resource": resource, "Tags": { "x": "1", "y": "2" } })).await;
    house.ok("UntagResource", json!({ "Resource": resource, "TagKeys": ["x"] })).await;
    assert_eq!(house.ok("ListTags", json!({ "Resource": resource })).await["Tags"], json!({ "y": "2" }));
}

#[tokio::test]
async fn layers_are_published_used_and_outlive_their_deletion() {
    let house = House::new().await;
    let package = zip(&[("bin/tool", b"#!/bin/sh\n")]);
    let publish = json!({ "LayerName": "l", "Content": { "ZipFile": Blob::from(package).to_base64() }, "CompatibleRuntimes": ["nodejs22.x"] });
    let first = house.ok("PublishLayerVersion", publish.clone()).await;
    let arn = first["LayerVersionArn"].as_str().unwrap();
    assert_eq!(arn, "arn:aws:lambda:eu-central-1:000000000000:layer:l:1");
    house.ok("PublishLayerVersion", publish).await;
    let versions = house.ok("ListLayerVersions", json!({ "LayerName": "l" })).await;
    let numbers: Vec<&Value> =
        versions["LayerVersions"].as_array().unwrap().iter().map(|v| &v["Version"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    assert_eq!(house.ok("ListLayers", json!({})).await["Layers"][0]["LatestMatchingVersion"]["Version"], 2);
    house.create(json!({ "Layers": [arn] })).await;
    let both = json!({ "FunctionName": "f", "Layers": [arn, arn.replace(":l:1", ":l:2")] });
    let refused = house.fault("UpdateFunctionConfiguration", both).await;
    assert_eq!(refused.0, "InvalidParameterValueException");
    assert!(
        refused.1.starts_with("Two different versions of the same layer are not allowed"),
        "{}",
        refused.1
    );
    house.ok("DeleteLayerVersion", json!({ "LayerName": "l", "VersionNumber": 1 })).await;
    house.ok("DeleteLayerVersion", json!({ "LayerName": "l", "VersionNumber": 2 })).await;
    let gone = house.fault("GetLayerVersionByArn", json!({ "Arn": arn })).await;
    assert_eq!(gone.0, "ResourceNotFoundException");
    assert_eq!(house.invoke("f", json!(1)).await["StatusCode"], 200);
}
