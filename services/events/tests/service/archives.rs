//! Archives and replays.

use serde_json::{Value, json};

use crate::world::{DAY, DEAD, DEFAULT_BUS, MINUTE, World};

const ARCHIVE: &str = "arn:aws:events:eu-central-1:000000000000:archive/all";

async fn archive(world: &World, more: Value) {
    let mut input = json!({ "ArchiveName": "all", "EventSourceArn": DEFAULT_BUS });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = world.ok("CreateArchive", input).await;
    assert_eq!((&made["State"], &made["ArchiveArn"]), (&json!("ENABLED"), &json!(ARCHIVE)));
}

async fn replay(world: &World, name: &str, more: Value) -> Value {
    let mut input = json!({
        "ReplayName": name, "EventSourceArn": ARCHIVE, "EventStartTime": 1_767_225_600,
        "EventEndTime": world.now().as_secs() + 1, "Destination": { "Arn": DEFAULT_BUS },
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.ok("StartReplay", input).await
}

async fn describe(world: &World, name: &str) -> Value {
    world.ok("DescribeReplay", json!({ "ReplayName": name })).await
}

#[tokio::test]
async fn an_archive_keeps_what_its_pattern_matches_and_counts_it() {
    let world = World::new().await;
    archive(
        &world,
        json!({ "EventPattern": "{\"source\":[\"a\"]}", "Description": "d", "RetentionDays": 7 }),
    )
    .await;
    world.put("a", json!({ "n": 1 })).await;
    world.put("b", json!({})).await;
    let shown = world.ok("DescribeArchive", json!({ "ArchiveName": "all" })).await;
    assert_eq!((&shown["EventCount"], &shown["RetentionDays"]), (&json!(1), &json!(7)));
    assert_eq!(
        (&shown["Description"], &shown["EventPattern"]),
        (&json!("d"), &json!("{\"source\":[\"a\"]}"))
    );
    assert!(shown["SizeBytes"].as_i64().unwrap() > 100 && shown["CreationTime"].is_number());
    let changed = json!({ "ArchiveName": "all", "EventPattern": "{\"source\":[\"b\"]}", "RetentionDays": 1, "Description": "e" });
    world.ok("UpdateArchive", changed).await;
    world.put("a", json!({ "n": 2 })).await;
    world.put("b", json!({})).await;
    let listed = world.ok("ListArchives", json!({ "NamePrefix": "a" })).await;
    assert_eq!(
        (&listed["Archives"][0]["EventCount"], &listed["Archives"][0]["RetentionDays"]),
        (&json!(2), &json!(1))
    );
    for (filter, found) in [
        (json!({ "EventSourceArn": DEFAULT_BUS }), 1),
        (json!({ "State": "ENABLED" }), 1),
        (json!({ "State": "DISABLED" }), 0),
        (json!({ "NamePrefix": "b" }), 0),
    ] {
        let listed = world.ok("ListArchives", filter.clone()).await;
        assert_eq!(listed["Archives"].as_array().unwrap().len(), found, "{filter}");
    }
    world.advance(DAY + 120 * MINUTE).await;
    let shown = world.ok("DescribeArchive", json!({ "ArchiveName": "all" })).await;
    assert_eq!((&shown["EventCount"], &shown["SizeBytes"]), (&json!(0), &json!(0)), "the retention is over");
    assert_eq!(shown["Description"], "e");
}

#[tokio::test]
async fn an_archive_is_filled_by_a_rule_that_only_it_changes() {
    let world = World::new().await;
    archive(&world, json!({})).await;
    let rule = world.ok("DescribeRule", json!({ "Name": "Events-Archive-all" })).await;
    assert_eq!(rule["ManagedBy"], "prod.vhs.events.aws.internal");
    assert_eq!(rule["EventPattern"], "{\"replay-name\":[{\"exists\":false}]}");
    let targets = world.ok("ListTargetsByRule", json!({ "Rule": "Events-Archive-all" })).await;
    assert_eq!(targets["Targets"][0]["Arn"], ARCHIVE);
    let (code, _) = world.refused("DisableRule", json!({ "Name": "Events-Archive-all" })).await;
    assert_eq!(code, "ManagedRuleException");
    world.put("a", json!({})).await;
    world.ok("DeleteArchive", json!({ "ArchiveName": "all" })).await;
    assert_eq!(
        world.refused("DescribeRule", json!({ "Name": "Events-Archive-all" })).await.0,
        "ResourceNotFoundException"
    );
    world.world.idle().await;
    archive(&world, json!({})).await;
    let shown = world.ok("DescribeArchive", json!({ "ArchiveName": "all" })).await;
    assert_eq!(shown["EventCount"], 0, "a new archive of the name begins empty");
}

#[tokio::test]
async fn a_replay_brings_the_events_of_its_window_in_order_to_the_rules_it_names() {
    let world = World::new().await;
    archive(&world, json!({})).await;
    world.rule("wanted", json!({ "source": ["a"] }), json!({})).await;
    world.rule("other", json!({ "source": ["a"] }), json!({ "Id": "o" })).await;
    for n in 0..250 {
        world.put("a", json!({ "n": n })).await;
        world.advance(std::time::Duration::from_millis(20)).await;
    }
    world.advance(MINUTE).await;
    let until = world.now().as_secs();
    world.advance(MINUTE).await;
    world.put("a", json!({ "n": 999 })).await;
    world.bodies("out").await;
    let rule = "arn:aws:events:eu-central-1:000000000000:rule/wanted";
    let destination = json!({ "Arn": DEFAULT_BUS, "FilterArns": [rule] });
    let started = replay(
        &world,
        "again",
        json!({ "EventEndTime": until, "Destination": destination, "Description": "why" }),
    )
    .await;
    assert_eq!(started["State"], "STARTING");
    let bodies = world.bodies("out").await;
    assert_eq!(bodies.len(), 250, "once, to one of the two rules");
    assert!(bodies.iter().all(|body| body["replay-name"] == "again"));
    let mut numbers: Vec<i64> = bodies.iter().map(|body| body["detail"]["n"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..250).collect::<Vec<_>>());
    let shown = describe(&world, "again").await;
    assert_eq!((&shown["State"], &shown["Description"]), (&json!("COMPLETED"), &json!("why")));
    assert_eq!(shown["Destination"], destination);
    assert!(shown["ReplayEndTime"].is_number() && shown["ReplayStartTime"].is_number());
    let last = shown["EventLastReplayedTime"].as_f64().unwrap();
    assert!(last > 1_767_225_600.0 && last < until as f64, "{last}");
    let shown = world.ok("DescribeArchive", json!({ "ArchiveName": "all" })).await;
    assert_eq!(shown["EventCount"], 251, "what is replayed is not archived again");
}

#[tokio::test]
async fn a_replay_that_is_cut_by_a_crash_goes_on_and_brings_nothing_twice() {
    for commits in [1, 3, 120, 400] {
        let mut world = World::new().await;
        archive(&world, json!({})).await;
        for n in 0..250 {
            world.put("a", json!({ "n": n })).await;
        }
        world.rule("r", json!({ "source": ["a"] }), json!({})).await;
        replay(&world, "again", json!({})).await;
        world.world.die_after(commits);
        world.world.idle().await;
        world.world.crash().await;
        assert_eq!(world.bodies("out").await.len(), 250, "after {commits} commits");
        assert_eq!(describe(&world, "again").await["State"], "COMPLETED");
    }
}

#[tokio::test]
async fn large_events_with_many_targets_are_replayed_and_sent_again_in_small_pages() {
    let world = World::new().await;
    archive(&world, json!({})).await;
    let text = "x\"".repeat(100_000);
    for n in 0..12 {
        world.put("a", json!({ "n": n, "text": text })).await;
    }
    let letter = json!({ "DeadLetterConfig": { "Arn": DEAD } });
    world.rule("r", json!({ "source": ["a"] }), letter.clone()).await;
    world.rule("s", json!({ "source": ["a"] }), letter).await;
    let numbers = |bodies: Vec<Value>| {
        let mut all: Vec<_> = bodies.iter().map(|body| body["detail"]["n"].as_i64().unwrap()).collect();
        all.sort_unstable();
        all
    };
    let twice: Vec<i64> = (0..12).flat_map(|n| [n, n]).collect();
    replay(&world, "again", json!({})).await;
    assert_eq!(numbers(world.bodies("out").await), twice);
    assert_eq!(describe(&world, "again").await["State"], "COMPLETED");
    let from = world.now().as_millis();
    world.advance(MINUTE).await;
    for n in 0..12 {
        world.put("b", json!({ "n": n, "text": text })).await;
    }
    for rule in ["r", "s"] {
        world.ok("PutRule", json!({ "Name": rule, "EventPattern": "{\"source\":[\"b\"]}" })).await;
    }
    let sent = world.ask(events::REDELIVER, json!({ "FromTime": from, "EventBusName": "default" })).await;
    assert_eq!(sent["More"], true);
    assert_eq!(numbers(world.bodies("out").await), twice);
}

#[tokio::test]
async fn a_replay_fails_when_its_archive_is_deleted() {
    let world = World::new().await;
    archive(&world, json!({})).await;
    for n in 0..120 {
        world.put("a", json!({ "n": n })).await;
    }
    replay(&world, "again", json!({})).await;
    world.ok("DeleteArchive", json!({ "ArchiveName": "all" })).await;
    archive(&world, json!({})).await;
    world.world.idle().await;
    let shown = describe(&world, "again").await;
    assert_eq!(
        (&shown["State"], &shown["StateReason"]),
        (&json!("FAILED"), &json!("The archive does not exist any more.")),
        "a new archive of the name is another"
    );
}

#[tokio::test]
async fn an_archive_takes_no_rule_of_a_user() {
    let world = World::new().await;
    let key = json!({ "Name": "Events-Archive-all" });
    world.rule("Events-Archive-all", json!({ "source": ["a"] }), json!({})).await;
    let before = world.ok("DescribeRule", key.clone()).await;
    let input = json!({ "ArchiveName": "all", "EventSourceArn": DEFAULT_BUS });
    assert_eq!(world.refused("CreateArchive", input).await.0, "ResourceAlreadyExistsException");
    assert_eq!(world.ok("DescribeRule", key.clone()).await, before);
    assert_eq!(world.ok("ListArchives", json!({})).await["Archives"], json!([]));
    world.ok("RemoveTargets", json!({ "Rule": "Events-Archive-all", "Ids": ["t"] })).await;
    world.ok("DeleteRule", key).await;
    archive(&world, json!({})).await;
}

#[tokio::test]
async fn a_replay_is_cancelled() {
    let world = World::new().await;
    archive(&world, json!({})).await;
    for n in 0..120 {
        world.put("a", json!({ "n": n })).await;
    }
    replay(&world, "again", json!({})).await;
    let cancelled = world.ok("CancelReplay", json!({ "ReplayName": "again" })).await;
    assert_eq!(cancelled["State"], "CANCELLING");
    world.world.idle().await;
    let shown = describe(&world, "again").await;
    assert_eq!(shown["State"], "CANCELLED");
    assert_eq!(
        world.refused("CancelReplay", json!({ "ReplayName": "again" })).await.0,
        "IllegalStatusException"
    );
    for (filter, found) in [
        (json!({ "State": "CANCELLED" }), 1),
        (json!({ "State": "RUNNING" }), 0),
        (json!({ "NamePrefix": "ag" }), 1),
        (json!({ "EventSourceArn": ARCHIVE }), 1),
    ] {
        let listed = world.ok("ListReplays", filter.clone()).await;
        assert_eq!(listed["Replays"].as_array().unwrap().len(), found, "{filter}");
    }
}

#[tokio::test]
async fn what_cannot_be_archived_or_replayed_is_refused() {
    let world = World::new().await;
    archive(&world, json!({})).await;
    let other = "arn:aws:events:eu-central-1:000000000000:event-bus/other";
    let window = json!({ "EventSourceArn": ARCHIVE, "EventStartTime": 10, "EventEndTime": 20, "Destination": { "Arn": DEFAULT_BUS }, "ReplayName": "r" });
    let with = |more: Value| {
        let mut input = window.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (operation, input, code) in [
        (
            "CreateArchive",
            json!({ "ArchiveName": "all", "EventSourceArn": DEFAULT_BUS }),
            "ResourceAlreadyExistsException",
        ),
        (
            "CreateArchive",
            json!({ "ArchiveName": "x", "EventSourceArn": other }),
            "ResourceNotFoundException",
        ),
        (
            "CreateArchive",
            json!({ "ArchiveName": "x", "EventSourceArn": DEFAULT_BUS, "EventPattern": "{" }),
            "InvalidEventPatternException",
        ),
        (
            "CreateArchive",
            json!({ "ArchiveName": "x", "EventSourceArn": DEFAULT_BUS, "KmsKeyIdentifier": "k" }),
            "ValidationException",
        ),
        ("DescribeArchive", json!({ "ArchiveName": "none" }), "ResourceNotFoundException"),
        ("DescribeReplay", json!({ "ReplayName": "none" }), "ResourceNotFoundException"),
        (
            "StartReplay",
            with(json!({ "EventSourceArn": "arn:aws:events:eu-central-1:000000000000:archive/none" })),
            "ResourceNotFoundException",
        ),
        ("StartReplay", with(json!({ "EventEndTime": 10 })), "ValidationException"),
        ("StartReplay", with(json!({ "Destination": { "Arn": other } })), "ValidationException"),
        (
            "StartReplay",
            with(
                json!({ "Destination": { "Arn": DEFAULT_BUS, "FilterArns": ["arn:aws:events:eu-central-1:000000000000:rule/none"] } }),
            ),
            "ResourceNotFoundException",
        ),
        ("ListArchives", json!({ "NamePrefix": "a", "State": "ENABLED" }), "ValidationException"),
    ] {
        assert_eq!(world.refused(operation, input.clone()).await.0, code, "{operation} {input}");
    }
}

#[tokio::test]
#[ignore = "it takes a minute; `an_archive_of_many_pages` is the short form"]
async fn an_archive_of_100_000_events_is_counted_and_replayed() {
    archive_and_replay(100_000).await;
}

#[tokio::test]
async fn an_archive_of_many_pages_is_counted_and_replayed() {
    archive_and_replay(2_500).await;
}

async fn archive_and_replay(events: usize) {
    let world = World::new().await;
    archive(&world, json!({})).await;
    let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}" });
    let ten = json!({ "Entries": vec![entry; 10] });
    for _ in 0..events / 10 {
        world.ok("PutEvents", ten.clone()).await;
    }
    let shown = world.ok("DescribeArchive", json!({ "ArchiveName": "all" })).await;
    assert_eq!(shown["EventCount"], events);
    replay(&world, "again", json!({})).await;
    world.world.idle().await;
    assert_eq!(describe(&world, "again").await["State"], "COMPLETED");
}
