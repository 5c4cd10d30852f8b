//! The Resource Groups Tagging API over the services whose resources have tags.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use base::Document;
use serde_json::{Value, json};
use testkit::World;

const HERE: &str = "eu-central-1:000000000000";

async fn cloud(folder: &Path, region: &str) -> World {
    let functions = lambda::Functions::new(lambda::runtime::SupervisorConfig::new(folder)).unwrap();
    let services = move || {
        vec![
            cloudformation::service(),
            dynamodb::service(),
            ecr::service(),
            events::service(),
            eventsv2::service(),
            iam::service(),
            kms::service(),
            lambda::service(&functions),
            logs::service(),
            pipes::service(),
            s3::service(),
            scheduler::service(),
            schemas::service(),
            secretsmanager::service(),
            sns::service(),
            sqs::service(),
            ssm::service(),
            states::service(),
            tagging::service(),
        ]
    };
    World::of(services).region(region).open().await
}

async fn make(world: &World, service: &str, operation: &str, input: Value, told: &str) -> String {
    let output = world.ok(service, operation, input).await;
    output.pointer(told).and_then(Document::as_str).unwrap_or_default().to_owned()
}

/// One resource of each kind that is listed, by its kind's name in filters.
async fn one_of_each(world: &World) -> Vec<(&'static str, String)> {
    let mut made = Vec::new();
    let table = json!({ "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] });
    let machine = json!({ "name": "steps", "roleArn": "arn:aws:iam::000000000000:role/steps",
        "definition": r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"# });
    let policy = json!({ "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "sqs:*", "Resource": "*" }] });
    let policy = json!({ "PolicyName": "rights", "PolicyDocument": policy.to_string() });
    let function = json!({ "FunctionName": "worker", "Runtime": "provided.al2023", "Handler": "any",
        "Role": "arn:aws:iam::000000000000:role/worker", "Code": { "ZipFile": package() } });
    let stack = json!({ "StackName": "app", "Tags": [{ "Key": "made", "Value": "by-stack" }],
        "TemplateBody": r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"of-stack"}}}}"# });
    let schema = json!({ "RegistryName": "own", "SchemaName": "shape", "Type": "OpenApi3",
        "Content": r#"{"openapi":"3.0.0","info":{"title":"shape","version":"1"},"paths":{},"components":{"schemas":{"A":{"type":"object"}}}}"# });
    let simple = [
        ("cloudformation:stack", "cloudformation", "CreateStack", stack, "/StackId"),
        ("dynamodb:table", "dynamodb", "CreateTable", table, "/TableDescription/TableArn"),
        (
            "ecr:repository",
            "ecr",
            "CreateRepository",
            json!({ "repositoryName": "images" }),
            "/repository/repositoryArn",
        ),
        ("events:event-bus", "events", "CreateEventBus", json!({ "Name": "orders" }), "/EventBusArn"),
        (
            "events:rule",
            "events",
            "PutRule",
            json!({ "Name": "new", "EventBusName": "orders", "EventPattern": r#"{"source":["shop"]}"# }),
            "/RuleArn",
        ),
        ("events:event-busv2", "eventsv2", "CreateEventBus", json!({ "Name": "kept" }), "/EventBusArn"),
        ("iam:policy", "iam", "CreatePolicy", policy, "/Policy/Arn"),
        ("kms:key", "kms", "CreateKey", json!({}), "/KeyMetadata/Arn"),
        ("lambda:function", "lambda", "CreateFunction", function, "/FunctionArn"),
        ("schemas:registry", "schemas", "CreateRegistry", json!({ "RegistryName": "own" }), "/RegistryArn"),
        ("schemas:schema", "schemas", "CreateSchema", schema, "/SchemaArn"),
        (
            "scheduler:schedule-group",
            "scheduler",
            "CreateScheduleGroup",
            json!({ "Name": "nightly" }),
            "/ScheduleGroupArn",
        ),
        (
            "secretsmanager:secret",
            "secretsmanager",
            "CreateSecret",
            json!({ "Name": "db", "SecretString": "s", "ClientRequestToken": "0123456789012345678901234567890123456789" }),
            "/ARN",
        ),
        ("sns:topic", "sns", "CreateTopic", json!({ "Name": "news" }), "/TopicArn"),
        ("states:stateMachine", "states", "CreateStateMachine", machine, "/stateMachineArn"),
        ("states:activity", "states", "CreateActivity", json!({ "name": "by-hand" }), "/activityArn"),
    ];
    for (kind, service, operation, input, told) in simple {
        made.push((kind, make(world, service, operation, input, told).await));
    }
    by_name(world, &mut made).await;
    more(world, &mut made).await;
    made
}

/// Those whose operations do not tell their ARNs.
async fn by_name(world: &World, made: &mut Vec<(&'static str, String)>) {
    let own = |service: &str, resource: &str| {
        format!("arn:aws:{service}:{}:000000000000:{resource}", world.caller().region)
    };
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "jobs" })).await;
    made.push(("sqs:queue", own("sqs", "jobs")));
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "/app" })).await;
    made.push(("logs:log-group", own("logs", "log-group:/app")));
    for (name, resource) in [("/app/url", "parameter/app/url"), ("plain", "parameter/plain")] {
        world.ok("ssm", "PutParameter", json!({ "Name": name, "Value": "v", "Type": "String" })).await;
        made.push(("ssm:parameter", own("ssm", resource)));
    }
    let place = match world.caller().region.as_str() {
        "us-east-1" => json!({ "Bucket": "files" }),
        region => json!({ "Bucket": "files", "CreateBucketConfiguration": { "LocationConstraint": region } }),
    };
    world.ok("s3", "CreateBucket", place).await;
    made.push(("s3:bucket", "arn:aws:s3:::files".to_owned()));
}

/// Those that need another one.
async fn more(world: &World, made: &mut Vec<(&'static str, String)>) {
    let arn = |made: &[(&'static str, String)], kind: &str| {
        made.iter().find(|(name, _)| *name == kind).unwrap().1.clone()
    };
    let mapping =
        json!({ "FunctionName": "worker", "EventSourceArn": arn(made, "sqs:queue"), "Enabled": false });
    let mapping = make(world, "lambda", "CreateEventSourceMapping", mapping, "/EventSourceMappingArn").await;
    let pipe = json!({ "Name": "hose", "Source": arn(made, "sqs:queue"), "Target": arn(made, "sns:topic"),
        "RoleArn": "arn:aws:iam::000000000000:role/hose", "DesiredState": "STOPPED" });
    let pipe = make(world, "pipes", "CreatePipe", pipe, "/Arn").await;
    let discoverer = json!({ "SourceArn": arn(made, "events:event-bus") });
    let discoverer = make(world, "schemas", "CreateDiscoverer", discoverer, "/DiscovererArn").await;
    made.push(("lambda:event-source-mapping", mapping));
    made.push(("pipes:pipe", pipe));
    made.push(("schemas:discoverer", discoverer));
}

/// A package with a bootstrap that nobody runs.
fn package() -> String {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = zip::ZipWriter::new(&mut bytes);
    archive.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, b"#!/bin/sh\n").unwrap();
    archive.finish().unwrap();
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes.into_inner())
}

async fn found(world: &World, input: Value) -> Vec<(String, Value)> {
    let output = world.ok("tagging", "GetResources", input).await;
    assert_eq!(output["PaginationToken"], "");
    mappings(&output)
}

fn mappings(output: &Document) -> Vec<(String, Value)> {
    let list = output["ResourceTagMappingList"].as_array().unwrap();
    list.iter().map(|it| (it["ResourceARN"].as_str().unwrap().to_owned(), it["Tags"].clone())).collect()
}

async fn tag(world: &World, arns: &[String], tags: Value) -> Document {
    let input = json!({ "ResourceARNList": arns, "Tags": tags });
    world.ok("tagging", "TagResources", input).await["FailedResourcesMap"].clone()
}

#[tokio::test]
async fn every_kind_is_tagged_found_and_untagged() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path(), "us-east-1").await;
    let made = one_of_each(&world).await;
    world.idle().await;
    assert!(made.iter().all(|(_, arn)| arn.starts_with("arn:aws:")), "{made:?}");
    let (stacks, others): (Vec<_>, Vec<_>) =
        made.into_iter().partition(|(kind, _)| *kind == "cloudformation:stack");
    let arns: Vec<String> = others.iter().map(|(_, arn)| arn.clone()).collect();
    for some in arns.chunks(20) {
        assert_eq!(tag(&world, some, json!({ "team": "red", "stage": "test" })).await, json!({}));
    }
    let both = json!([{ "Key": "stage", "Value": "test" }, { "Key": "team", "Value": "red" }]);
    for (kind, arn) in &others {
        let told = found(&world, json!({ "ResourceTypeFilters": [kind] })).await;
        assert!(told.contains(&(arn.clone(), both.clone())), "{kind} {arn}: {told:?}");
        let named = found(&world, json!({ "ResourceARNList": [arn] })).await;
        assert_eq!(named, [(arn.clone(), both.clone())]);
    }
    let mut expected = arns.clone();
    expected.sort();
    let all = found(&world, json!({ "TagFilters": [{ "Key": "team", "Values": ["red"] }] })).await;
    assert_eq!(all.into_iter().map(|(arn, _)| arn).collect::<Vec<_>>(), expected);
    let of_stack = found(&world, json!({ "TagFilters": [{ "Key": "made" }] })).await;
    assert!(of_stack.iter().any(|(arn, _)| *arn == stacks[0].1), "{of_stack:?}");
    for some in arns.chunks(20) {
        let input = json!({ "ResourceARNList": some, "TagKeys": ["team", "absent"] });
        assert_eq!(world.ok("tagging", "UntagResources", input).await["FailedResourcesMap"], json!({}));
    }
    assert_eq!(found(&world, json!({ "TagFilters": [{ "Key": "team" }] })).await, []);
    assert_eq!(found(&world, json!({ "TagFilters": [{ "Key": "stage" }] })).await.len(), arns.len());
}

#[tokio::test]
async fn pages_follow_one_another_and_part_no_resource() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path(), "eu-central-1").await;
    let tags: Value =
        (0..40).map(|n| (format!("k{n:02}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    for name in ["e", "c", "a", "d", "b"] {
        world.ok("sqs", "CreateQueue", json!({ "QueueName": name, "tags": tags })).await;
    }
    for (size, pages) in
        [(json!({ "ResourcesPerPage": 2 }), [2, 2, 1]), (json!({ "TagsPerPage": 100 }), [2, 2, 1])]
    {
        let mut token = json!("");
        let mut seen = Vec::new();
        for expected in pages {
            let mut input = size.clone();
            input["PaginationToken"] = token;
            let output = world.ok("tagging", "GetResources", input).await;
            let page = mappings(&output);
            assert_eq!(page.len(), expected);
            seen.extend(page.into_iter().map(|(arn, _)| arn));
            token = output["PaginationToken"].clone();
        }
        assert_eq!(token, "");
        assert_eq!(seen, ["a", "b", "c", "d", "e"].map(|name| format!("arn:aws:sqs:{HERE}:{name}")));
    }
}

#[tokio::test]
async fn keys_and_values_are_those_of_all_resources() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path(), "eu-central-1").await;
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "q", "tags": { "team": "red", "a": "1" } })).await;
    let tags = json!([{ "Key": "team", "Value": "blue" }]);
    world.ok("sns", "CreateTopic", json!({ "Name": "t", "Tags": tags })).await;
    let keys = world.ok("tagging", "GetTagKeys", json!({})).await;
    assert_eq!(keys, json!({ "PaginationToken": "", "TagKeys": ["a", "team"] }));
    let values = world.ok("tagging", "GetTagValues", json!({ "Key": "team" })).await;
    assert_eq!(values, json!({ "PaginationToken": "", "TagValues": ["blue", "red"] }));
    assert_eq!(world.ok("tagging", "GetTagValues", json!({ "Key": "no" })).await["TagValues"], json!([]));
}

#[tokio::test]
async fn roles_and_users_take_tags_but_are_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path(), "us-east-1").await;
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "lambda.amazonaws.com" } }] });
    let role =
        json!({ "RoleName": "worker", "Path": "/app/", "AssumeRolePolicyDocument": trust.to_string() });
    let role = make(&world, "iam", "CreateRole", role, "/Role/Arn").await;
    let user = make(&world, "iam", "CreateUser", json!({ "UserName": "ann" }), "/User/Arn").await;
    let both = [role, user];
    assert_eq!(tag(&world, &both, json!({ "team": "red" })).await, json!({}));
    let tags = json!([{ "Key": "team", "Value": "red" }]);
    assert_eq!(world.ok("iam", "ListRoleTags", json!({ "RoleName": "worker" })).await["Tags"], tags);
    assert_eq!(world.ok("iam", "ListUserTags", json!({ "UserName": "ann" })).await["Tags"], tags);
    assert_eq!(found(&world, json!({})).await, []);
    assert_eq!(found(&world, json!({ "ResourceARNList": both })).await, []);
    let input = json!({ "ResourceARNList": both, "TagKeys": ["team"] });
    assert_eq!(world.ok("tagging", "UntagResources", input).await["FailedResourcesMap"], json!({}));
    assert_eq!(world.ok("iam", "ListRoleTags", json!({ "RoleName": "worker" })).await["Tags"], json!([]));
}

#[tokio::test]
async fn what_fails_is_told_and_holds_up_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path(), "eu-central-1").await;
    world.ok("sqs", "CreateQueue", json!({ "QueueName": "q" })).await;
    let arns = [
        format!("arn:aws:sqs:{HERE}:q"),
        format!("arn:aws:sqs:{HERE}:absent"),
        "arn:aws:sqs:eu-west-1:000000000000:q".to_owned(),
        format!("arn:aws:ec2:{HERE}:instance/i-1"),
    ];
    let failed = tag(&world, &arns, json!({ "team": "red" })).await;
    let failed = failed.as_object().unwrap();
    let told: Vec<&String> = failed.keys().collect();
    assert_eq!(told, [&arns[3], &arns[1], &arns[2]]);
    assert!(failed.values().all(|why| why["ErrorCode"] == "InvalidParameterException"), "{failed:?}");
    assert!(failed[&arns[3]]["ErrorMessage"].as_str().unwrap().contains("ec2:instance"));
    assert_eq!(found(&world, json!({ "ResourceARNList": arns })).await.len(), 1);
    assert_eq!(found(&world, json!({ "ResourceTypeFilters": ["ec2:instance"] })).await, []);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path(), "eu-central-1").await;
    let arn = json!([format!("arn:aws:sqs:{HERE}:q")]);
    let cases = [
        ("GetResources", json!({ "IncludeComplianceDetails": true })),
        ("GetResources", json!({ "ExcludeCompliantResources": true })),
        ("GetResources", json!({ "ResourceARNList": arn, "ResourcesPerPage": 5 })),
        ("GetResources", json!({ "ResourcesPerPage": 101 })),
        ("GetResources", json!({ "TagsPerPage": 99 })),
        ("GetResources", json!({ "TagFilters": [{ "Values": ["x"] }] })),
        ("GetResources", json!({ "PaginationToken": "?" })),
        ("GetTagKeys", json!({ "PaginationToken": "?" })),
        ("TagResources", json!({ "ResourceARNList": arn, "Tags": { "aws:x": "y" } })),
        ("TagResources", json!({ "ResourceARNList": ["q"], "Tags": { "x": "y" } })),
        ("UntagResources", json!({ "ResourceARNList": arn, "TagKeys": [] })),
    ];
    for (operation, input) in cases {
        let fault = world.refused("tagging", operation, input.clone()).await;
        assert_eq!(fault.code, "InvalidParameterException", "{operation} {input}: {fault}");
    }
    let fault = world.refused("tagging", "StartReportCreation", json!({ "S3Bucket": "reports" })).await;
    assert_eq!(fault.code, "NotImplementedException");
}
