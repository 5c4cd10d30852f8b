//! CloudWatch Logs through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

async fn world() -> World {
    World::new(|| vec![logs::service()]).await
}

async fn stream(world: &World, group: &str, stream: &str) {
    // The group may be there already.
    let _ = world.call("logs", "CreateLogGroup", json!({ "logGroupName": group })).await;
    world.ok("logs", "CreateLogStream", json!({ "logGroupName": group, "logStreamName": stream })).await;
}

async fn put(world: &World, group: &str, stream: &str, lines: &[(i64, &str)]) -> Value {
    let now = world.now().as_millis();
    let events: Vec<Value> =
        lines.iter().map(|(ago, text)| json!({ "timestamp": now - ago, "message": text })).collect();
    let input = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
    world.ok("logs", "PutLogEvents", input).await
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn events_are_read_in_pages_in_both_directions() {
    let world = world().await;
    stream(&world, "g", "s").await;
    put(&world, "g", "s", &[(5, "1"), (4, "2"), (4, "3"), (3, "4"), (2, "5")]).await;
    let read = |extra: Value| {
        let mut input = json!({ "logGroupName": "g", "logStreamName": "s", "limit": 2 });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        world.ok("logs", "GetLogEvents", input)
    };
    let head = read(json!({ "startFromHead": true })).await;
    assert_eq!(messages(&head), ["1", "2"]);
    let next = read(json!({ "nextToken": head["nextForwardToken"] })).await;
    assert_eq!(messages(&next), ["3", "4"]);
    let last = read(json!({ "nextToken": next["nextForwardToken"] })).await;
    assert_eq!(messages(&last), ["5"]);
    let end = read(json!({ "nextToken": last["nextForwardToken"] })).await;
    assert!(messages(&end).is_empty());
    assert_eq!(end["nextForwardToken"], last["nextForwardToken"], "the same token says that this is the end");
    let tail = read(json!({})).await;
    assert_eq!(messages(&tail), ["4", "5"]);
    assert_eq!(messages(&read(json!({ "nextToken": tail["nextBackwardToken"] })).await), ["2", "3"]);
}

#[tokio::test]
async fn a_filter_runs_over_all_streams_in_the_order_of_time() {
    let world = world().await;
    stream(&world, "g", "a").await;
    stream(&world, "g", "b").await;
    put(&world, "g", "a", &[(9, "ERROR one"), (5, "fine"), (1, "ERROR four")]).await;
    put(&world, "g", "b", &[(8, "ERROR two"), (4, "ERROR three")]).await;
    let filter = json!({ "logGroupName": "g", "filterPattern": "ERROR", "limit": 3 });
    let first = world.ok("logs", "FilterLogEvents", filter.clone()).await;
    assert_eq!(messages(&first), ["ERROR one", "ERROR two", "ERROR three"]);
    let mut rest = filter;
    rest["nextToken"] = first["nextToken"].clone();
    let rest = world.ok("logs", "FilterLogEvents", rest).await;
    assert_eq!(messages(&rest), ["ERROR four"]);
    assert!(rest["nextToken"].is_null());
    let missing = json!({ "logGroupName": "g", "logStreamNames": ["a", "nowhere"] });
    let fault = world.call("logs", "FilterLogEvents", missing).await.unwrap_err();
    let found = (&*fault.code, fault.message.as_str());
    assert_eq!(found, ("ResourceNotFoundException", "The specified log stream does not exist."));
}

#[tokio::test]
async fn events_out_of_bounds_are_named_and_disorder_is_refused() {
    let world = world().await;
    stream(&world, "g", "s").await;
    let (day, hour) = (86_400_000, 3_600_000);
    let old = put(&world, "g", "s", &[(14 * day + hour, "old"), (13 * day + 2 * hour, "in time")]).await;
    assert_eq!(old["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"], 1);
    let new = put(&world, "g", "s", &[(0, "now"), (-hour, "soon"), (-3 * hour, "new")]).await;
    assert_eq!(new["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"], 2);
    let now = world.now().as_millis();
    for (first, second, reason) in
        [(2, 1, "chronological order"), (now - day - 1, now, "span more than 24 hours")]
    {
        let input = json!({ "logGroupName": "g", "logStreamName": "s",
            "logEvents": [{ "timestamp": first, "message": "b" }, { "timestamp": second, "message": "a" }] });
        let fault = world.call("logs", "PutLogEvents", input).await.unwrap_err();
        assert_eq!(fault.code, "InvalidParameterException");
        assert!(fault.message.contains(reason), "{fault}");
    }
}

#[tokio::test]
async fn retention_and_deletion_remove_events() {
    let world = world().await;
    stream(&world, "g", "s").await;
    put(&world, "g", "s", &[(0, "old")]).await;
    world.ok("logs", "PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 1 })).await;
    world.advance(Duration::from_secs(90_000)).await;
    put(&world, "g", "s", &[(0, "new")]).await;
    let read = json!({ "logGroupName": "g", "logStreamName": "s", "startFromHead": true });
    assert_eq!(messages(&world.ok("logs", "GetLogEvents", read.clone()).await), ["new"]);
    assert!(
        world
            .call("logs", "PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 2 }))
            .await
            .is_err()
    );
    world.ok("logs", "DeleteLogGroup", json!({ "logGroupName": "g" })).await;
    world.advance(Duration::from_secs(1)).await;
    stream(&world, "g", "s").await;
    assert!(
        messages(&world.ok("logs", "GetLogEvents", read).await).is_empty(),
        "a new group of the same name is empty"
    );
}

#[tokio::test]
async fn groups_and_streams_are_described_and_tagged() {
    let world = world().await;
    for name in ["/aws/lambda/a", "/aws/lambda/b", "other"] {
        world.ok("logs", "CreateLogGroup", json!({ "logGroupName": name, "tags": { "k": name } })).await;
    }
    let page =
        world.ok("logs", "DescribeLogGroups", json!({ "logGroupNamePrefix": "/aws/", "limit": 1 })).await;
    assert_eq!(page["logGroups"][0]["logGroupName"], "/aws/lambda/a");
    let next = json!({ "logGroupNamePrefix": "/aws/", "limit": 1, "nextToken": page["nextToken"] });
    let rest = world.ok("logs", "DescribeLogGroups", next).await;
    assert_eq!((rest["logGroups"].as_array().unwrap().len(), rest["nextToken"].is_null()), (1, true));
    let arn = "arn:aws:logs:eu-central-1:000000000000:log-group:other";
    assert_eq!(
        world.ok("logs", "ListTagsForResource", json!({ "resourceArn": arn })).await["tags"]["k"],
        "other"
    );
    stream(&world, "other", "x").await;
    stream(&world, "other", "y").await;
    put(&world, "other", "y", &[(10, "first")]).await;
    put(&world, "other", "x", &[(0, "second")]).await;
    let by_time = json!({ "logGroupName": "other", "orderBy": "LastEventTime", "descending": true });
    let streams = world.ok("logs", "DescribeLogStreams", by_time).await;
    assert_eq!(streams["logStreams"][0]["logStreamName"], "x");
    assert_eq!(
        world.call("logs", "CreateLogGroup", json!({ "logGroupName": "other" })).await.unwrap_err().code,
        "ResourceAlreadyExistsException"
    );
}

#[tokio::test]
async fn groups_are_described_by_class_and_of_this_account_only() {
    let world = world().await;
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "plain" })).await;
    let rare = json!({ "logGroupName": "rare", "logGroupClass": "INFREQUENT_ACCESS" });
    world.ok("logs", "CreateLogGroup", rare).await;
    let found = world.ok("logs", "DescribeLogGroups", json!({ "logGroupClass": "INFREQUENT_ACCESS" })).await;
    let names: Vec<&Value> =
        found["logGroups"].as_array().unwrap().iter().map(|group| &group["logGroupName"]).collect();
    assert_eq!(names, ["rare"]);
    let own = json!({ "accountIdentifiers": ["000000000000"] });
    assert_eq!(world.ok("logs", "DescribeLogGroups", own).await["logGroups"].as_array().unwrap().len(), 2);
    for refused in
        [json!({ "accountIdentifiers": ["111122223333"] }), json!({ "includeLinkedAccounts": true })]
    {
        let fault = world.refused("logs", "DescribeLogGroups", refused).await;
        assert_eq!(fault.code, "InvalidParameterException");
    }
}

#[tokio::test]
async fn the_older_tag_operations_and_entities_are_answered() {
    let world = world().await;
    stream(&world, "g", "s").await;
    world.ok("logs", "TagLogGroup", json!({ "logGroupName": "g", "tags": { "a": "1", "b": "2" } })).await;
    world.ok("logs", "UntagLogGroup", json!({ "logGroupName": "g", "tags": ["a"] })).await;
    let tags = world.ok("logs", "ListTagsLogGroup", json!({ "logGroupName": "g" })).await;
    assert_eq!(tags["tags"], json!({ "b": "2" }));
    let event = json!({ "timestamp": world.now().as_millis(), "message": "m" });
    let input = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": [event],
        "entity": { "keyAttributes": { "Type": "Service", "Name": "n" } } });
    let answer = world.ok("logs", "PutLogEvents", input).await;
    assert_eq!(answer["rejectedEntityInfo"]["errorType"], "UnsupportedLogGroupType");
    let read = json!({ "logGroupName": "g", "logStreamName": "s" });
    assert_eq!(messages(&world.ok("logs", "GetLogEvents", read).await), ["m"]);
}

/// A stand-in for Lambda: it keeps what it is given. Nothing of its behaviour is evidence for the real one.
mod functions {
    use base::Document;
    use kernel::{Call, Delivery, Parts, Result, Service, TargetKind, Tx};

    kernel::keys! {
        /// An event as it came.
        struct GivenKey(1, large) -> String { number: u64 }
    }

    const FUNCTION: TargetKind = TargetKind {
        at_once: |_| false,
        service: "lambda",
        name: "Lambda function",
        serves: |arn| arn.resource_after("function").is_some(),
        call: |_, delivery: Delivery| {
            Call::new("lambda", "Accept", &delivery.payload)
                .map_err(|error| base::Fault::validation(error.to_string()))
        },
    };

    pub(crate) fn service() -> Service {
        Service::internal_only("lambda")
            .internal("Accept", accept)
            .internal("Given", given)
            .targets(&[FUNCTION])
    }

    async fn accept(tx: &mut Tx, payload: String) -> Result<()> {
        let last = tx.scan_back::<GivenKey>(Parts::none(), 1).await?;
        let key = GivenKey { number: last.first().map_or(0, |(key, _)| key.number + 1) };
        tx.get(&key).await?;
        tx.put(&key, &payload)
    }

    async fn given(tx: &mut Tx, _: Document) -> Result<Vec<String>> {
        let rows = tx.scan::<GivenKey>(Parts::none(), 100).await?;
        Ok(rows.into_iter().map(|(_, payload)| payload).collect())
    }
}

/// What a function was given, unpacked.
fn unpacked(payload: &Value) -> Value {
    use std::io::Read as _;
    let payload: Value = serde_json::from_str(payload.as_str().unwrap()).unwrap();
    let data = base::schema::Blob::from_base64(payload["awslogs"]["data"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(data.as_bytes()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_function_gets_the_lines_that_it_subscribed_to() {
    let world = World::new(|| vec![logs::service(), functions::service()]).await;
    stream(&world, "g", "s").await;
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:f";
    let filter = |group: &str, name: &str, arn: &str| {
        json!({ "logGroupName": group, "filterName": name,
        "filterPattern": "ERROR", "destinationArn": arn })
    };
    world.ok("logs", "PutSubscriptionFilter", filter("g", "errors", arn)).await;
    put(&world, "g", "s", &[(3, "ERROR one"), (2, "fine"), (1, "ERROR two")]).await;
    put(&world, "g", "s", &[(0, "fine again")]).await;
    world.idle().await;
    let given = world.ask("lambda", "Given", json!({})).await.unwrap();
    assert_eq!(given.as_array().unwrap().len(), 1, "a batch without such lines calls nobody");
    let data = unpacked(&given[0]);
    assert_eq!((&data["messageType"], &data["owner"]), (&json!("DATA_MESSAGE"), &json!("000000000000")));
    assert_eq!(data["subscriptionFilters"], json!(["errors"]));
    assert_eq!((&data["logGroup"], &data["logStream"]), (&json!("g"), &json!("s")));
    let lines: Vec<&Value> =
        data["logEvents"].as_array().unwrap().iter().map(|line| &line["message"]).collect();
    assert_eq!(lines, ["ERROR one", "ERROR two"]);
    let described = world.ok("logs", "DescribeSubscriptionFilters", json!({ "logGroupName": "g" })).await;
    assert_eq!(described["subscriptionFilters"][0]["destinationArn"], arn);
    world.ok("logs", "PutSubscriptionFilter", filter("g", "second", arn)).await;
    let code = async |input: Value| world.refused("logs", "PutSubscriptionFilter", input).await.code;
    assert_eq!(code(filter("g", "third", arn)).await, "LimitExceededException");
    let stream_arn = "arn:aws:kinesis:eu-central-1:000000000000:stream/s";
    assert_eq!(code(filter("g", "x", stream_arn)).await, "InvalidParameterException");
    world.ok("logs", "CreateLogGroup", json!({ "logGroupName": "/aws/lambda/f" })).await;
    assert_eq!(code(filter("/aws/lambda/f", "own", arn)).await, "InvalidParameterException");
    let gone = json!({ "logGroupName": "g", "filterName": "errors" });
    world.ok("logs", "DeleteSubscriptionFilter", gone.clone()).await;
    assert_eq!(
        world.refused("logs", "DeleteSubscriptionFilter", gone).await.code,
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn resource_policies_are_kept_ten_of_them() {
    let world = world().await;
    let document = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let policy = |name: &str| json!({ "policyName": name, "policyDocument": document });
    for number in 0..10 {
        world.ok("logs", "PutResourcePolicy", policy(&format!("p{number}"))).await;
    }
    let again = world.ok("logs", "PutResourcePolicy", policy("p3")).await;
    assert_eq!(again["resourcePolicy"]["policyScope"], "ACCOUNT");
    assert_eq!(again["resourcePolicy"]["lastUpdatedTime"], world.now().as_millis());
    let first = world.ok("logs", "DescribeResourcePolicies", json!({ "limit": 7 })).await;
    let rest = json!({ "limit": 7, "nextToken": first["nextToken"] });
    let rest = world.ok("logs", "DescribeResourcePolicies", rest).await;
    assert_eq!(first["resourcePolicies"].as_array().unwrap().len(), 7);
    assert_eq!(rest["resourcePolicies"][2]["policyName"], "p9");
    assert!(rest.get("nextToken").is_none());
    for (operation, input, expected) in [
        ("PutResourcePolicy", policy("eleventh"), "LimitExceededException"),
        (
            "PutResourcePolicy",
            json!({ "policyName": "x", "policyDocument": "[]" }),
            "InvalidParameterException",
        ),
        ("PutResourcePolicy", json!({ "policyDocument": document }), "InvalidParameterException"),
        ("DescribeResourcePolicies", json!({ "resourceArn": "arn" }), "InvalidParameterException"),
        ("DeleteResourcePolicy", json!({ "policyName": "nobody" }), "ResourceNotFoundException"),
    ] {
        assert_eq!(world.refused("logs", operation, input).await.code, expected);
    }
    world.ok("logs", "DeleteResourcePolicy", json!({ "policyName": "p0" })).await;
    world.ok("logs", "PutResourcePolicy", policy("eleventh")).await;
}
