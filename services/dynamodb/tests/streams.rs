//! Streams through the API: what is recorded, how it is read, and when it is gone.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use base::Document;
use serde_json::json;
use testkit::World;

const DAY: Duration = Duration::from_secs(86_400);

async fn world() -> World {
    World::new(|| vec![dynamodb::service()]).await
}

async fn ok(world: &World, operation: &str, input: Document) -> Document {
    world.ok("dynamodb", operation, input).await
}

/// A table with a stream of this view; its stream's ARN.
async fn table(world: &World, name: &str, view: &str) -> String {
    let made = ok(
        world,
        "CreateTable",
        json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view },
        }),
    )
    .await;
    made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned()
}

async fn put(world: &World, table: &str, pk: &str, value: &str) {
    let item = json!({ "pk": { "S": pk }, "v": { "S": value } });
    ok(world, "PutItem", json!({ "TableName": table, "Item": item })).await;
}

async fn shard(world: &World, arn: &str) -> Document {
    let described = ok(world, "DescribeStream", json!({ "StreamArn": arn })).await;
    described["StreamDescription"]["Shards"][0].clone()
}

/// An iterator of the stream's shard; `more` are further members of the request.
async fn iterator(world: &World, arn: &str, kind: &str, more: Document) -> Document {
    let mut input = json!({
        "StreamArn": arn, "ShardId": shard(world, arn).await["ShardId"], "ShardIteratorType": kind,
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(world, "GetShardIterator", input).await["ShardIterator"].clone()
}

async fn read(world: &World, iterator: &Document) -> (Vec<Document>, Document) {
    let answer = ok(world, "GetRecords", json!({ "ShardIterator": iterator })).await;
    (answer["Records"].as_array().unwrap().clone(), answer["NextShardIterator"].clone())
}

async fn all(world: &World, arn: &str) -> Vec<Document> {
    let oldest = iterator(world, arn, "TRIM_HORIZON", json!({})).await;
    read(world, &oldest).await.0
}

fn summary(record: &Document) -> String {
    let shown = |name: &str| record["dynamodb"][name]["v"]["S"].as_str().unwrap_or("-").to_owned();
    let key = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap();
    format!("{} {key} {} > {}", record["eventName"].as_str().unwrap(), shown("OldImage"), shown("NewImage"))
}

#[tokio::test]
async fn every_change_is_recorded_and_nothing_else() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_AND_OLD_IMAGES").await;
    put(&world, "t01", "a", "1").await;
    put(&world, "t01", "a", "1").await;
    put(&world, "t01", "a", "2").await;
    let key = json!({ "pk": { "S": "a" } });
    let failing = json!({
        "TableName": "t01", "Item": { "pk": { "S": "a" } }, "ConditionExpression": "attribute_not_exists(pk)",
    });
    world.refused("dynamodb", "PutItem", failing).await;
    ok(&world, "DeleteItem", json!({ "TableName": "t01", "Key": key })).await;
    ok(&world, "DeleteItem", json!({ "TableName": "t01", "Key": key })).await;
    let put_b = json!({ "PutRequest": { "Item": { "pk": { "S": "b" }, "v": { "S": "batch" } } } });
    ok(&world, "BatchWriteItem", json!({ "RequestItems": { "t01": [put_b] } })).await;
    let update = json!({ "Update": {
        "TableName": "t01", "Key": { "pk": { "S": "b" } }, "UpdateExpression": "SET v = :v",
        "ExpressionAttributeValues": { ":v": { "S": "transaction" } },
    } });
    let check = json!({ "ConditionCheck": {
        "TableName": "t01", "Key": { "pk": { "S": "a" } }, "ConditionExpression": "attribute_not_exists(pk)",
    } });
    ok(&world, "TransactWriteItems", json!({ "TransactItems": [update, check] })).await;
    let records = all(&world, &arn).await;
    let summaries: Vec<String> = records.iter().map(summary).collect();
    assert_eq!(
        summaries,
        [
            "INSERT a - > 1",
            "MODIFY a 1 > 2",
            "REMOVE a 2 > -",
            "INSERT b - > batch",
            "MODIFY b batch > transaction",
        ]
    );
    let numbers: Vec<&str> =
        records.iter().map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
}

#[tokio::test]
async fn a_record_is_shaped_as_at_aws() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_IMAGE").await;
    put(&world, "t01", "key", "value").await;
    let mut record = all(&world, &arn).await.remove(0);
    let id = record["eventID"].take();
    assert_eq!(id.as_str().unwrap().len(), 32);
    let number = record["dynamodb"]["SequenceNumber"].take();
    assert!((21..=40).contains(&number.as_str().unwrap().len()));
    assert_eq!(
        record,
        json!({
            "eventID": null, "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1",
            "dynamodb": {
                "ApproximateCreationDateTime": world.now().as_secs(),
                "Keys": { "pk": { "S": "key" } },
                "NewImage": { "pk": { "S": "key" }, "v": { "S": "value" } },
                "SequenceNumber": null, "SizeBytes": 5 + 11, "StreamViewType": "NEW_IMAGE",
            },
        })
    );
}

#[tokio::test]
async fn views_say_what_records_carry() {
    let world = world().await;
    let cases = [
        ("KEYS_ONLY", "MODIFY a - > -"),
        ("NEW_IMAGE", "MODIFY a - > 2"),
        ("OLD_IMAGE", "MODIFY a 1 > -"),
        ("NEW_AND_OLD_IMAGES", "MODIFY a 1 > 2"),
    ];
    for (view, expected) in cases {
        let arn = table(&world, view, view).await;
        put(&world, view, "a", "1").await;
        put(&world, view, "a", "2").await;
        assert_eq!(summary(&all(&world, &arn).await[1]), expected);
    }
}

#[tokio::test]
async fn iterators_begin_where_they_are_told() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_IMAGE").await;
    put(&world, "t01", "a", "1").await;
    world.advance(Duration::from_secs(60)).await;
    let latest = iterator(&world, &arn, "LATEST", json!({})).await;
    put(&world, "t01", "b", "2").await;
    let (records, next) = read(&world, &latest).await;
    assert_eq!(records.iter().map(summary).collect::<Vec<_>>(), ["INSERT b - > 2"]);
    assert_eq!(read(&world, &next).await.0, Vec::<Document>::new());
    put(&world, "t01", "c", "3").await;
    assert_eq!(read(&world, &next).await.0.len(), 1);
    let first = all(&world, &arn).await[0]["dynamodb"]["SequenceNumber"].clone();
    for (kind, more, count) in [
        ("AT_SEQUENCE_NUMBER", json!({ "SequenceNumber": first }), 3),
        ("AFTER_SEQUENCE_NUMBER", json!({ "SequenceNumber": first }), 2),
        ("AT_TIMESTAMP", json!({ "Timestamp": world.now().as_secs() }), 2),
    ] {
        let iterator = iterator(&world, &arn, kind, more).await;
        assert_eq!(read(&world, &iterator).await.0.len(), count, "{kind}");
    }
    let page = ok(&world, "GetRecords", json!({ "ShardIterator": latest, "Limit": 1 })).await;
    assert_eq!(summary(&page["Records"][0]), "INSERT b - > 2");
    let (rest, _) = read(&world, &page["NextShardIterator"]).await;
    assert_eq!(rest.iter().map(summary).collect::<Vec<_>>(), ["INSERT c - > 3"]);
    let many = json!({ "ShardIterator": latest, "Limit": 1_001 });
    assert_eq!(world.refused("dynamodb", "GetRecords", many).await.code, "ValidationException");
    world.advance(Duration::from_secs(15 * 60 + 1)).await;
    let fault = world.refused("dynamodb", "GetRecords", json!({ "ShardIterator": latest })).await;
    assert_eq!(fault.code, "ExpiredIteratorException");
}

#[tokio::test]
async fn large_items_are_recorded_whole_and_pages_end_at_a_megabyte() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_AND_OLD_IMAGES").await;
    let large = "x".repeat(390_000);
    for _ in 0..2 {
        put(&world, "t01", "a", &large).await;
        put(&world, "t01", "a", "small").await;
    }
    let oldest = iterator(&world, &arn, "TRIM_HORIZON", json!({})).await;
    let (records, next) = read(&world, &oldest).await;
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["dynamodb"]["OldImage"]["v"]["S"].as_str().unwrap(), large);
    assert_eq!(read(&world, &next).await.0.len(), 2);
}

#[tokio::test]
async fn what_expires_is_removed_by_dynamodb_itself() {
    let world = world().await;
    let arn = table(&world, "t01", "OLD_IMAGE").await;
    let ttl = json!({ "Enabled": true, "AttributeName": "ttl" });
    ok(&world, "UpdateTimeToLive", json!({ "TableName": "t01", "TimeToLiveSpecification": ttl })).await;
    let at = (world.now().as_secs() + 100).to_string();
    let item = json!({ "pk": { "S": "a" }, "v": { "S": "1" }, "ttl": { "N": at } });
    ok(&world, "PutItem", json!({ "TableName": "t01", "Item": item })).await;
    world.advance(Duration::from_secs(101)).await;
    let records = all(&world, &arn).await;
    assert_eq!(records.iter().map(summary).collect::<Vec<_>>(), ["INSERT a - > -", "REMOVE a 1 > -"]);
    assert_eq!(records[0].get("userIdentity"), None);
    let identity = json!({ "PrincipalId": "dynamodb.amazonaws.com", "Type": "Service" });
    assert_eq!(records[1]["userIdentity"], identity);
}

#[tokio::test]
async fn a_disabled_stream_is_read_to_its_end_for_a_day() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_IMAGE").await;
    put(&world, "t01", "a", "1").await;
    let off = json!({ "TableName": "t01", "StreamSpecification": { "StreamEnabled": false } });
    let changed = ok(&world, "UpdateTable", off.clone()).await;
    assert_eq!(changed["TableDescription"]["LatestStreamArn"], json!(arn));
    assert_eq!(changed["TableDescription"].get("StreamSpecification"), None);
    world.refused("dynamodb", "UpdateTable", off).await;
    put(&world, "t01", "b", "unrecorded").await;
    let described = ok(&world, "DescribeStream", json!({ "StreamArn": arn })).await;
    assert_eq!(described["StreamDescription"]["StreamStatus"], "DISABLED");
    let oldest = iterator(&world, &arn, "TRIM_HORIZON", json!({})).await;
    let (records, next) = read(&world, &oldest).await;
    assert_eq!((records.len(), next), (1, Document::Null));
    let ending = &shard(&world, &arn).await["SequenceNumberRange"]["EndingSequenceNumber"];
    assert_eq!(*ending, records[0]["dynamodb"]["SequenceNumber"]);
    let on = json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" });
    let changed = ok(&world, "UpdateTable", json!({ "TableName": "t01", "StreamSpecification": on })).await;
    let second = changed["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned();
    assert_ne!(second, arn);
    let listed = ok(&world, "ListStreams", json!({ "TableName": "t01", "Limit": 1 })).await;
    assert_eq!(listed["Streams"][0]["StreamArn"], json!(arn));
    assert_eq!(listed["LastEvaluatedStreamArn"], json!(arn));
    let listed = ok(&world, "ListStreams", json!({ "ExclusiveStartStreamArn": arn })).await;
    assert_eq!(listed["Streams"][0]["StreamArn"], json!(second));
    world.advance(DAY + Duration::from_secs(3_600)).await;
    let fault = world.refused("dynamodb", "DescribeStream", json!({ "StreamArn": arn })).await;
    assert_eq!(fault.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_stream_outlives_its_table_by_a_day() {
    let mut world = world().await;
    let arn = table(&world, "t01", "NEW_IMAGE").await;
    put(&world, "t01", "a", "1").await;
    ok(&world, "DeleteTable", json!({ "TableName": "t01" })).await;
    let again = table(&world, "t01", "NEW_IMAGE").await;
    assert_ne!(again, arn);
    world.crash().await;
    assert_eq!(all(&world, &arn).await.len(), 1);
    assert_eq!(all(&world, &again).await.len(), 0);
    world.advance(DAY * 2).await;
    let listed = ok(&world, "ListStreams", json!({})).await;
    assert_eq!(listed["Streams"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn records_are_trimmed_after_a_day() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_IMAGE").await;
    put(&world, "t01", "a", &"x".repeat(100_000)).await;
    let first = all(&world, &arn).await[0]["dynamodb"]["SequenceNumber"].clone();
    world.advance(DAY / 2).await;
    put(&world, "t01", "b", "2").await;
    world.advance(DAY / 2 + Duration::from_secs(3_600)).await;
    let left: Vec<String> = all(&world, &arn).await.iter().map(summary).collect();
    assert_eq!(left, ["INSERT b - > 2"]);
    let input = json!({
        "StreamArn": arn, "ShardId": shard(&world, &arn).await["ShardId"],
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": first,
    });
    ok(&world, "GetShardIterator", input.clone()).await;
    let mut at = input;
    at["ShardIteratorType"] = json!("AT_SEQUENCE_NUMBER");
    let fault = world.refused("dynamodb", "GetShardIterator", at).await;
    assert_eq!(fault.code, "TrimmedDataAccessException");
    world.advance(DAY).await;
    assert_eq!(all(&world, &arn).await.len(), 0);
}

#[tokio::test]
async fn readers_for_others_keep_their_position_and_the_causes() {
    let world = world().await;
    let arn = table(&world, "t01", "NEW_IMAGE").await;
    put(&world, "t01", "a", "1").await;
    let latest = json!({ "StreamArn": arn, "StartingPosition": "LATEST" });
    let begin = world.ask("dynamodb", "FindStreamPosition", latest).await.unwrap();
    let caller = world.caller();
    let item = json!({ "pk": { "S": "b" }, "v": { "S": "2" } });
    let input = json!({ "TableName": "t01", "Item": item });
    world.call_as(caller.clone(), "dynamodb", "PutItem", input).await.unwrap();
    world.advance(DAY / 2).await;
    let from = json!({ "StreamArn": arn, "Position": begin["Position"] });
    let page = world.ask("dynamodb", "ReadStream", from).await.unwrap();
    assert_eq!(page["Records"].as_array().unwrap().len(), 1);
    assert_eq!(page["Records"][0]["eventSourceARN"], json!(arn));
    assert_eq!(page["Ended"], json!(false));
    let trace = kernel::TraceCx::from_header(page["Traces"][0].as_str().unwrap()).unwrap();
    assert_eq!(trace.root, caller.trace.root);
    let next = json!({ "StreamArn": arn, "Position": page["Next"] });
    let page = world.ask("dynamodb", "ReadStream", next).await.unwrap();
    assert_eq!(page["Records"], json!([]));
    let refused = world.refused("dynamodb", "ReadStream", json!({})).await;
    assert_eq!(refused.code, "NotImplementedException");
}
