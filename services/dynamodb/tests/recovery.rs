//! Restores and backups through the API: what they bring back, whatever is written and whoever dies meanwhile, and that
//! nothing is left of them.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Document, Timestamp};
use serde_json::json;
use store::engine::{Direction, KeyRange};
use testkit::World;

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);

/// Items by their keys.
type Items = BTreeMap<String, Document>;

async fn world() -> World {
    World::new(|| vec![dynamodb::service()]).await
}

async fn ok(world: &World, operation: &str, input: Document) -> Document {
    world.ok("dynamodb", operation, input).await
}

async fn refused(world: &World, operation: &str, input: Document) -> String {
    world.refused("dynamodb", operation, input).await.code.into_owned()
}

/// A table with a global index by `g`.
async fn table(world: &World, name: &str) {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let input = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("g")],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-g", "KeySchema": [{ "AttributeName": "g", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" } }],
    });
    ok(world, "CreateTable", input).await;
}

async fn switch(world: &World, name: &str, specification: Document) {
    let input = json!({ "TableName": name, "PointInTimeRecoverySpecification": specification });
    ok(world, "UpdateContinuousBackups", input).await;
    world.idle().await;
}

async fn recoverable(world: &World, name: &str) {
    table(world, name).await;
    switch(world, name, json!({ "PointInTimeRecoveryEnabled": true })).await;
}

async fn put(world: &World, table: &str, pk: &str, value: &str) {
    let item =
        json!({ "pk": { "S": pk }, "g": { "S": format!("g{}", value.len() % 3) }, "v": { "S": value } });
    ok(world, "PutItem", json!({ "TableName": table, "Item": item })).await;
}

async fn delete(world: &World, table: &str, pk: &str) {
    ok(world, "DeleteItem", json!({ "TableName": table, "Key": { "pk": { "S": pk } } })).await;
}

/// All items of the table, or of its index.
async fn scan(world: &World, table: &str, index: Option<&str>) -> Items {
    let mut found = Items::new();
    let mut start = Document::Null;
    for _ in 0..1_000 {
        let mut input = json!({ "TableName": table });
        if let Some(index) = index {
            input["IndexName"] = index.into();
        }
        if !start.is_null() {
            input["ExclusiveStartKey"] = start;
        }
        let page = ok(world, "Scan", input).await;
        for item in page["Items"].as_array().unwrap() {
            found.insert(item["pk"]["S"].as_str().unwrap().to_owned(), item.clone());
        }
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            return found;
        }
    }
    panic!("a scan does not end");
}

async fn begin_restore(world: &World, from: &str, to: &str, at: Option<Timestamp>) {
    let mut input = json!({ "SourceTableName": from, "TargetTableName": to });
    match at {
        Some(at) => input["RestoreDateTime"] = json!(at.as_epoch_seconds()),
        None => input["UseLatestRestorableTime"] = json!(true),
    }
    let made = ok(world, "RestoreTableToPointInTime", input).await;
    assert_eq!(made["TableDescription"]["TableStatus"], "CREATING");
    assert_eq!(made["TableDescription"]["RestoreSummary"]["RestoreInProgress"], true);
}

/// The restored table is whole, and so is its index.
async fn check(world: &World, name: &str, expected: &Items) {
    let described = ok(world, "DescribeTable", json!({ "TableName": name })).await;
    assert_eq!(described["Table"]["TableStatus"], "ACTIVE");
    assert_eq!(described["Table"]["RestoreSummary"]["RestoreInProgress"], false);
    assert_eq!(scan(world, name, None).await, *expected, "{name}");
    let indexed: Items = expected
        .iter()
        .filter(|(_, item)| item.get("g").is_some())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    assert_eq!(scan(world, name, Some("by-g")).await, indexed, "the index of {name}");
}

/// How many rows of histories, copies and backups there are.
async fn rows_left(world: &World) -> usize {
    let snapshot = world.engine().snapshot().await.unwrap();
    let region = b"eu-central-1";
    let tag = |key: &[u8]| {
        let at = key.windows(region.len()).position(|window| window == region)? + region.len();
        // The region's text ends with two bytes; the tag of the row's kind follows.
        let service = key.windows(8).any(|window| window == b"dynamodb");
        service.then(|| key.get(at + 2).copied())?
    };
    let all = snapshot.scan(KeyRange::prefix(Vec::new()), 1_000_000, Direction::Forward).await.unwrap();
    all.iter().filter(|(key, _)| tag(key).is_some_and(|tag| (11..=16).contains(&tag))).count()
}

#[tokio::test]
async fn every_moment_can_be_brought_back() {
    let world = world().await;
    table(&world, "t01").await;
    for n in 0..5 {
        put(&world, "t01", &format!("old{n}"), "before").await;
    }
    switch(&world, "t01", json!({ "PointInTimeRecoveryEnabled": true })).await;
    let mut moments = vec![(world.now(), scan(&world, "t01", None).await)];
    for n in 0..12_usize {
        world.advance(SECOND * if n == 6 { 10_000 } else { 1 }).await;
        put(&world, "t01", &format!("old{}", n % 5), &"x".repeat(n)).await;
        put(&world, "t01", &format!("new{}", n % 3), "first").await;
        let update = json!({
            "TableName": "t01", "Key": { "pk": { "S": format!("new{}", n % 3) } },
            "UpdateExpression": "SET n = :n REMOVE g", "ExpressionAttributeValues": { ":n": { "N": n.to_string() } },
        });
        ok(&world, "UpdateItem", update).await;
        delete(&world, "t01", &format!("old{}", (n + 2) % 5)).await;
        let batch = json!({ "DeleteRequest": { "Key": { "pk": { "S": format!("new{}", (n + 1) % 3) } } } });
        ok(&world, "BatchWriteItem", json!({ "RequestItems": { "t01": [batch] } })).await;
        let item = json!({ "pk": { "S": "both" }, "n": { "N": n.to_string() } });
        let both = json!({ "Put": { "TableName": "t01", "Item": item } });
        ok(&world, "TransactWriteItems", json!({ "TransactItems": [both] })).await;
        moments.push((world.now(), scan(&world, "t01", None).await));
    }
    world.advance(SECOND).await;
    for (n, (at, expected)) in moments.iter().enumerate() {
        let name = format!("restored{n}");
        begin_restore(&world, "t01", &name, Some(*at)).await;
        world.idle().await;
        check(&world, &name, expected).await;
    }
    begin_restore(&world, "t01", "latest", None).await;
    world.idle().await;
    check(&world, "latest", &moments.last().unwrap().1).await;
}

#[tokio::test]
async fn what_is_written_while_a_restore_copies_does_not_come_along() {
    let world = world().await;
    recoverable(&world, "t01").await;
    for n in 0..150 {
        put(&world, "t01", &format!("k{n}"), "1").await;
    }
    let (at, expected) = (world.now(), scan(&world, "t01", None).await);
    world.advance(SECOND).await;
    for n in 0..150 {
        put(&world, "t01", &format!("k{n}"), "later").await;
    }
    let latest = scan(&world, "t01", None).await;
    begin_restore(&world, "t01", "then", Some(at)).await;
    begin_restore(&world, "t01", "now", None).await;
    let made = ok(&world, "CreateBackup", json!({ "TableName": "t01", "BackupName": "now" })).await;
    for n in 0..150 {
        match n % 3 {
            0 => delete(&world, "t01", &format!("k{n}")).await,
            1 => put(&world, "t01", &format!("k{n}"), "much later").await,
            _ => put(&world, "t01", &format!("new{n}"), "new").await,
        }
    }
    world.idle().await;
    check(&world, "then", &expected).await;
    check(&world, "now", &latest).await;
    let arn = &made["BackupDetails"]["BackupArn"];
    ok(&world, "RestoreTableFromBackup", json!({ "BackupArn": arn, "TargetTableName": "backup" })).await;
    world.idle().await;
    check(&world, "backup", &latest).await;
}

#[tokio::test]
async fn a_restore_survives_the_death_of_the_process_at_every_commit() {
    let mut world = world().await;
    recoverable(&world, "t01").await;
    for n in 0..30 {
        put(&world, "t01", &format!("k{n}"), "1").await;
    }
    let (at, expected) = (world.now(), scan(&world, "t01", None).await);
    world.advance(SECOND).await;
    for n in 0..60 {
        put(&world, "t01", &format!("k{n}"), "2").await;
    }
    for commits in 0..8 {
        let name = format!("restored{commits}");
        begin_restore(&world, "t01", &name, Some(at)).await;
        for _ in 0..3 {
            world.die_after(commits);
            for n in 0..4 {
                let item = json!({ "pk": { "S": format!("k{n}") } });
                // The process may be dead.
                let _ = world.call("dynamodb", "PutItem", json!({ "TableName": "t01", "Item": item })).await;
            }
            world.restart().await;
        }
        world.idle().await;
        check(&world, &name, &expected).await;
    }
}

#[tokio::test]
async fn large_tables_are_restored_in_small_commits() {
    let world = world().await;
    recoverable(&world, "t01").await;
    for n in 0..40 {
        put(&world, "t01", &format!("k{n}"), &format!("{n}").repeat(190_000)).await;
    }
    let (at, expected) = (world.now(), scan(&world, "t01", None).await);
    world.advance(SECOND).await;
    for n in 0..40 {
        put(&world, "t01", &format!("k{n}"), "small").await;
    }
    begin_restore(&world, "t01", "t02", Some(at)).await;
    world.idle().await;
    check(&world, "t02", &expected).await;
    assert!(world.largest_commit() < 6_000_000, "{}", world.largest_commit());
}

#[tokio::test]
async fn what_expired_is_brought_back_and_does_not_expire_again() {
    let world = world().await;
    recoverable(&world, "t01").await;
    let ttl = json!({ "Enabled": true, "AttributeName": "ttl" });
    ok(&world, "UpdateTimeToLive", json!({ "TableName": "t01", "TimeToLiveSpecification": ttl })).await;
    let at = (world.now().as_secs() + 100).to_string();
    let item = json!({ "pk": { "S": "a" }, "ttl": { "N": at } });
    ok(&world, "PutItem", json!({ "TableName": "t01", "Item": item })).await;
    let (at, expected) = (world.now(), scan(&world, "t01", None).await);
    world.advance(SECOND * 101).await;
    assert_eq!(scan(&world, "t01", None).await, Items::new());
    begin_restore(&world, "t01", "t02", Some(at)).await;
    world.advance(SECOND * 1_000).await;
    check(&world, "t02", &expected).await;
}

#[tokio::test]
async fn what_is_older_than_the_period_is_given_up() {
    let world = world().await;
    table(&world, "t01").await;
    switch(&world, "t01", json!({ "PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 2 })).await;
    let begin = world.now();
    let mut moments = Vec::new();
    for day in 0..4 {
        put(&world, "t01", "a", &format!("day {day}")).await;
        put(&world, "t01", "large", &format!("{day}").repeat(100_000)).await;
        moments.push((world.now(), scan(&world, "t01", None).await));
        world.advance(DAY - SECOND).await;
        world.advance(SECOND).await;
    }
    let described = ok(&world, "DescribeContinuousBackups", json!({ "TableName": "t01" })).await;
    let recovery = &described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(recovery["EarliestRestorableDateTime"], json!((begin + DAY * 2).as_secs()));
    let input = |at: Timestamp| json!({ "SourceTableName": "t01", "TargetTableName": "t02", "RestoreDateTime": at.as_secs() });
    let too_old = input(moments[1].0);
    assert_eq!(refused(&world, "RestoreTableToPointInTime", too_old).await, "InvalidRestoreTimeException");
    for (n, (at, expected)) in moments.iter().enumerate().skip(2) {
        let name = format!("restored{n}");
        begin_restore(&world, "t01", &name, Some(*at)).await;
        world.idle().await;
        check(&world, &name, expected).await;
    }
    // The history, a mark for each hour of the period and one in front of it, and two days' changes, one of them large.
    let kept = rows_left(&world).await;
    assert!((10..=1 + 50 + 2 * 3).contains(&kept), "{kept}");
    switch(&world, "t01", json!({ "PointInTimeRecoveryEnabled": false })).await;
    world.idle().await;
    assert_eq!(rows_left(&world).await, 0);
}

#[tokio::test]
async fn a_backup_is_kept_until_it_is_deleted() {
    let world = world().await;
    table(&world, "t01").await;
    put(&world, "t01", "a", "1").await;
    let expected = scan(&world, "t01", None).await;
    let made = ok(&world, "CreateBackup", json!({ "TableName": "t01", "BackupName": "first" })).await;
    assert_eq!(made["BackupDetails"]["BackupStatus"], "CREATING");
    put(&world, "t01", "a", "2").await;
    world.advance(SECOND).await;
    let second = ok(&world, "CreateBackup", json!({ "TableName": "t01", "BackupName": "second" })).await;
    world.idle().await;
    let arn = &made["BackupDetails"]["BackupArn"];
    let described = ok(&world, "DescribeBackup", json!({ "BackupArn": arn })).await;
    let described = &described["BackupDescription"];
    assert_eq!(described["BackupDetails"]["BackupStatus"], "AVAILABLE");
    assert_eq!(described["SourceTableDetails"]["ItemCount"], 1);
    assert_eq!(described["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"][0]["IndexName"], "by-g");
    let page = ok(&world, "ListBackups", json!({ "TableName": "t01", "Limit": 1 })).await;
    assert_eq!(page["BackupSummaries"][0]["BackupName"], "first");
    assert_eq!(page["LastEvaluatedBackupArn"], *arn);
    let page = ok(&world, "ListBackups", json!({ "ExclusiveStartBackupArn": arn })).await;
    assert_eq!(page["BackupSummaries"].as_array().unwrap().len(), 1);
    assert_eq!(page["BackupSummaries"][0]["BackupName"], "second");
    let other = json!({ "TableName": "other", "ExclusiveStartBackupArn": arn });
    assert_eq!(refused(&world, "ListBackups", other).await, "ValidationException");
    let from = json!({ "TimeRangeLowerBound": world.now().as_secs() });
    assert_eq!(ok(&world, "ListBackups", from).await["BackupSummaries"].as_array().unwrap().len(), 1);
    ok(&world, "DeleteTable", json!({ "TableName": "t01" })).await;
    world.idle().await;
    ok(&world, "RestoreTableFromBackup", json!({ "BackupArn": arn, "TargetTableName": "t01" })).await;
    assert_eq!(refused(&world, "DeleteBackup", json!({ "BackupArn": arn })).await, "BackupInUseException");
    world.idle().await;
    check(&world, "t01", &expected).await;
    let restored = ok(&world, "DescribeTable", json!({ "TableName": "t01" })).await;
    assert_eq!(restored["Table"]["RestoreSummary"]["SourceBackupArn"], *arn);
    for arn in [arn, &second["BackupDetails"]["BackupArn"]] {
        let gone = ok(&world, "DeleteBackup", json!({ "BackupArn": arn })).await;
        assert_eq!(gone["BackupDescription"]["BackupDetails"]["BackupStatus"], "DELETED");
        assert_eq!(
            refused(&world, "DescribeBackup", json!({ "BackupArn": arn })).await,
            "BackupNotFoundException"
        );
    }
    world.idle().await;
    assert_eq!(rows_left(&world).await, 0);
}

#[tokio::test]
async fn a_deleted_table_with_recovery_becomes_a_backup_for_a_while() {
    let world = world().await;
    recoverable(&world, "t01").await;
    put(&world, "t01", "a", "1").await;
    let (at, expected) = (world.now(), scan(&world, "t01", None).await);
    world.advance(SECOND).await;
    put(&world, "t01", "a", "2").await;
    let last = scan(&world, "t01", None).await;
    // A restore that has begun is finished although its source goes.
    begin_restore(&world, "t01", "t02", Some(at)).await;
    ok(&world, "DeleteTable", json!({ "TableName": "t01" })).await;
    let listed = ok(&world, "ListBackups", json!({ "BackupType": "SYSTEM" })).await;
    let arn = &listed["BackupSummaries"][0]["BackupArn"];
    assert_eq!(listed["BackupSummaries"][0]["BackupName"], "t01$DeletedTableBackup");
    world.idle().await;
    check(&world, "t02", &expected).await;
    assert_eq!(ok(&world, "ListBackups", json!({})).await["BackupSummaries"], json!([]));
    ok(&world, "RestoreTableFromBackup", json!({ "BackupArn": arn, "TargetTableName": "t01" })).await;
    world.idle().await;
    check(&world, "t01", &last).await;
    world.advance(DAY * 36).await;
    assert_eq!(ok(&world, "ListBackups", json!({ "BackupType": "ALL" })).await["BackupSummaries"], json!([]));
    check(&world, "t01", &last).await;
    assert_eq!(rows_left(&world).await, 0);
}

#[tokio::test]
async fn a_restore_that_has_begun_needs_neither_recovery_nor_its_source() {
    let world = World::of(|| vec![dynamodb::service()]).asleep().open().await;
    let mut world = world;
    table(&world, "t01").await;
    let on = json!({ "PointInTimeRecoveryEnabled": true });
    let input = json!({ "TableName": "t01", "PointInTimeRecoverySpecification": on });
    ok(&world, "UpdateContinuousBackups", input).await;
    put(&world, "t01", "a", "1").await;
    let expected = scan(&world, "t01", None).await;
    begin_restore(&world, "t01", "t02", None).await;
    put(&world, "t01", "a", "2").await;
    // Nothing runs yet: the table is there and cannot be used.
    let named = || json!({ "TableName": "t02" });
    assert_eq!(refused(&world, "Scan", named()).await, "ResourceNotFoundException");
    assert_eq!(refused(&world, "DeleteTable", named()).await, "ResourceInUseException");
    let again =
        json!({ "SourceTableName": "t01", "TargetTableName": "t02", "UseLatestRestorableTime": true });
    assert_eq!(refused(&world, "RestoreTableToPointInTime", again).await, "TableInUseException");
    let backup = json!({ "TableName": "t02", "BackupName": "early" });
    assert_eq!(refused(&world, "CreateBackup", backup).await, "TableInUseException");
    let on = json!({ "TableName": "t02", "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true } });
    let code = refused(&world, "UpdateContinuousBackups", on).await;
    assert_eq!(code, "ContinuousBackupsUnavailableException");
    let off = json!({ "TableName": "t01", "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": false } });
    ok(&world, "UpdateContinuousBackups", off).await;
    put(&world, "t01", "b", "3").await;
    ok(&world, "DeleteTable", json!({ "TableName": "t01" })).await;
    world.restart().await;
    world.idle().await;
    check(&world, "t02", &expected).await;
    assert_eq!(rows_left(&world).await, 0);
}
