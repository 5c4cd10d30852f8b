//! What the members of inputs do, for the operations that other tests do not call with them.

use base::{AccountId, Region};
use kernel::Caller;
use serde_json::{Value, json};

use crate::world::{DEAD, DEFAULT_BUS, OUT, World};

/// All that a listing gives, page by page with one item each, by a member or as it is.
async fn listed(world: &World, operation: &str, filter: &Value, list: &str, name: &str) -> Vec<String> {
    let (mut names, mut input) = (Vec::new(), filter.clone());
    input["Limit"] = json!(1);
    for _ in 0..10 {
        let answer = world.ok(operation, input.clone()).await;
        let page = answer[list].as_array().unwrap();
        assert!(page.len() <= 1, "{operation} {input}: {page:?}");
        names.extend(page.iter().map(|item| item.get(name).unwrap_or(item).as_str().unwrap().to_owned()));
        if answer["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = answer["NextToken"].clone();
    }
    names
}

fn basic(name: &str) -> Value {
    json!({
        "Name": name, "AuthorizationType": "BASIC",
        "AuthParameters": { "BasicAuthParameters": { "Username": "u", "Password": "p" } },
    })
}

/// Two of everything that can be listed, `x1` and `x2`, and one that no filter here takes.
async fn furnished() -> (World, Value) {
    let world = World::new().await;
    let other = world.ok("CreateEventBus", json!({ "Name": "other" })).await["EventBusArn"].clone();
    world.ok("CreateArchive", json!({ "ArchiveName": "other", "EventSourceArn": other })).await;
    let mut connection = Value::Null;
    for name in ["x1", "x2"] {
        world.ok("CreateEventBus", json!({ "Name": name })).await;
        world.rule(name, json!({ "source": ["a"] }), json!({})).await;
        world.ok("CreateArchive", json!({ "ArchiveName": name, "EventSourceArn": DEFAULT_BUS })).await;
        let made = world.ok("CreateConnection", basic(name)).await["ConnectionArn"].clone();
        connection = if connection.is_null() { made } else { connection };
        let destination = json!({
            "Name": name, "ConnectionArn": connection, "InvocationEndpoint": "https://example.com", "HttpMethod": "POST",
        });
        world.ok("CreateApiDestination", destination).await;
        let replay = json!({
            "ReplayName": name, "EventSourceArn": "arn:aws:events:eu-central-1:000000000000:archive/x1",
            "EventStartTime": 10, "EventEndTime": 20, "Destination": { "Arn": DEFAULT_BUS },
        });
        world.ok("StartReplay", replay).await;
    }
    let targets = json!([{ "Id": "x1", "Arn": DEAD }, { "Id": "x2", "Arn": DEAD }]);
    world.ok("PutRule", json!({ "Name": "other", "EventPattern": r#"{"source":["b"]}"# })).await;
    world.ok("PutTargets", json!({ "Rule": "other", "Targets": targets })).await;
    world.world.idle().await;
    world.ok("CreateConnection", basic("other")).await;
    world.ok("DeauthorizeConnection", json!({ "Name": "other" })).await;
    (world, connection)
}

#[tokio::test]
async fn what_is_listed_is_filtered_and_paged() {
    let (world, connection) = furnished().await;
    let archive = "arn:aws:events:eu-central-1:000000000000:archive/x1";
    let x = json!({ "NamePrefix": "x" });
    for (operation, filter, list, name) in [
        ("ListEventBuses", x.clone(), "EventBuses", "Name"),
        ("ListRules", x.clone(), "Rules", "Name"),
        ("ListRuleNamesByTarget", json!({ "TargetArn": OUT }), "RuleNames", ""),
        ("ListTargetsByRule", json!({ "Rule": "other" }), "Targets", "Id"),
        ("ListArchives", x.clone(), "Archives", "ArchiveName"),
        ("ListArchives", json!({ "EventSourceArn": DEFAULT_BUS }), "Archives", "ArchiveName"),
        ("ListReplays", x.clone(), "Replays", "ReplayName"),
        ("ListReplays", json!({ "EventSourceArn": archive }), "Replays", "ReplayName"),
        ("ListReplays", json!({ "State": "COMPLETED" }), "Replays", "ReplayName"),
        ("ListConnections", x.clone(), "Connections", "Name"),
        ("ListConnections", json!({ "ConnectionState": "AUTHORIZED" }), "Connections", "Name"),
        ("ListApiDestinations", x.clone(), "ApiDestinations", "Name"),
        ("ListApiDestinations", json!({ "ConnectionArn": connection }), "ApiDestinations", "Name"),
    ] {
        let found = listed(&world, operation, &filter, list, name).await;
        assert_eq!(found, ["x1", "x2"], "{operation} {filter}");
    }
}

#[tokio::test]
async fn an_operation_acts_on_the_bus_that_it_names() {
    let world = World::new().await;
    world.ok("CreateEventBus", json!({ "Name": "second" })).await;
    for bus in ["default", "second"] {
        let rule = json!({ "Name": "r", "EventBusName": bus, "EventPattern": r#"{"source":["a"]}"# });
        world.ok("PutRule", rule).await;
        let targets = json!([{ "Id": "t", "Arn": OUT }]);
        world.ok("PutTargets", json!({ "Rule": "r", "EventBusName": bus, "Targets": targets })).await;
    }
    let there = json!({ "Name": "r", "EventBusName": "second" });
    let states = async || {
        let here = world.ok("DescribeRule", json!({ "Name": "r" })).await["State"].clone();
        [here, world.ok("DescribeRule", there.clone()).await["State"].clone()]
    };
    world.ok("DisableRule", there.clone()).await;
    assert_eq!(states().await, ["ENABLED", "DISABLED"]);
    world.ok("EnableRule", there.clone()).await;
    assert_eq!(states().await, ["ENABLED", "ENABLED"]);
    let rules = world.ok("ListRules", json!({ "EventBusName": "second" })).await;
    assert_eq!(rules["Rules"][0]["EventBusName"], "second");
    let ids = json!({ "Rule": "r", "EventBusName": "second", "Ids": ["t"] });
    world.ok("RemoveTargets", ids).await;
    let targets = async |bus: &str| {
        let input = json!({ "Rule": "r", "EventBusName": bus });
        world.ok("ListTargetsByRule", input).await["Targets"].as_array().unwrap().len()
    };
    assert_eq!((targets("default").await, targets("second").await), (1, 0));
    let named =
        world.ok("ListRuleNamesByTarget", json!({ "TargetArn": OUT, "EventBusName": "second" })).await;
    assert_eq!(named["RuleNames"], json!([]));
    world.ok("DeleteRule", there.clone()).await;
    world.refused("DescribeRule", there).await;
    world.ok("DescribeRule", json!({ "Name": "r" })).await;
}

#[tokio::test]
async fn what_is_set_is_shown() {
    let world = World::new().await;
    let role = "arn:aws:iam::000000000000:role/x";
    let rule = |tag: &str| json!({ "Name": "r", "EventPattern": r#"{"source":["a"]}"#, "Tags": [{ "Key": "k", "Value": tag }] });
    // As at AWS, PutRule gives tags to a new rule only.
    for tag in ["one", "two"] {
        world.ok("PutRule", rule(tag)).await;
        let arn = json!({ "ResourceARN": "arn:aws:events:eu-central-1:000000000000:rule/r" });
        assert_eq!(
            world.ok("ListTagsForResource", arn).await["Tags"],
            json!([{ "Key": "k", "Value": "one" }])
        );
    }
    let transformer =
        json!({ "InputPathsMap": { "n": "$.detail.n" }, "InputTemplate": r#"{"number": <n>}"# });
    let targets = json!([
        { "Id": "a", "Arn": OUT, "RoleArn": role, "Input": r#"{"input":1}"# },
        { "Id": "b", "Arn": OUT, "InputPath": "$.detail" },
        { "Id": "c", "Arn": OUT, "InputTransformer": transformer },
    ]);
    world.ok("PutTargets", json!({ "Rule": "r", "Targets": targets })).await;
    assert_eq!(world.ok("ListTargetsByRule", json!({ "Rule": "r" })).await["Targets"], targets);
    world.put("a", json!({ "n": 7 })).await;
    let mut bodies: Vec<String> = world.bodies("out").await.iter().map(Value::to_string).collect();
    bodies.sort();
    assert_eq!(bodies, [r#"{"input":1}"#, r#"{"n":7}"#, r#"{"number":7}"#]);
    let log = json!({ "Level": "TRACE", "IncludeDetail": "FULL" });
    world.ok("UpdateEventBus", json!({ "LogConfig": log })).await;
    assert_eq!(world.ok("DescribeEventBus", json!({})).await["LogConfig"], log);
    for name in ["one", "two"] {
        world.ok("CreateConnection", basic(name)).await;
    }
    let connections = world.ok("ListConnections", json!({})).await["Connections"].clone();
    let destination = json!({
        "Name": "d", "ConnectionArn": connections[0]["ConnectionArn"], "InvocationEndpoint": "https://example.com/a",
        "HttpMethod": "PUT", "Description": "text", "InvocationRateLimitPerSecond": 7,
    });
    world.ok("CreateApiDestination", destination.clone()).await;
    let shown = world.ok("DescribeApiDestination", json!({ "Name": "d" })).await;
    for (name, expected) in destination.as_object().unwrap() {
        assert_eq!(&shown[name], expected, "{name}");
    }
    let second = &connections[1]["ConnectionArn"];
    world.ok("UpdateApiDestination", json!({ "Name": "d", "ConnectionArn": second })).await;
    assert_eq!(&world.ok("DescribeApiDestination", json!({ "Name": "d" })).await["ConnectionArn"], second);
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let world = World::new().await;
    world.ok("CreateArchive", json!({ "ArchiveName": "a", "EventSourceArn": DEFAULT_BUS })).await;
    world.ok("CreateConnection", basic("c")).await;
    let private = json!({ "ResourceParameters": {
        "ResourceConfigurationArn": "arn:aws:vpc-lattice:eu-central-1:000000000000:resourceconfiguration/rcfg-1234567890abcdef0",
    } });
    let user = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let mut connected = user.clone();
    connected["ConnectivityParameters"] = private.clone();
    let keyless = |kind: &str| {
        let mut parameters = user.clone();
        parameters["InvocationHttpParameters"] = json!({ kind: [{ "Value": "x" }] });
        json!({ "Name": "c", "AuthParameters": parameters })
    };
    let mut made = basic("new");
    made["AuthParameters"] = connected.clone();
    let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}" });
    for (operation, input, part) in [
        ("UpdateArchive", json!({ "ArchiveName": "a", "KmsKeyIdentifier": "k" }), "KmsKeyIdentifier"),
        ("UpdateEventBus", json!({ "KmsKeyIdentifier": "k" }), "KmsKeyIdentifier"),
        ("UpdateConnection", json!({ "Name": "c", "KmsKeyIdentifier": "k" }), "KmsKeyIdentifier"),
        (
            "UpdateConnection",
            json!({ "Name": "c", "InvocationConnectivityParameters": private }),
            "InvocationConnectivityParameters",
        ),
        ("UpdateConnection", json!({ "Name": "c", "AuthParameters": connected }), "ConnectivityParameters"),
        ("CreateConnection", made, "ConnectivityParameters"),
        ("PutEvents", json!({ "Entries": [entry], "EndpointId": "abcde.veo" }), "EndpointId"),
        ("ListRules", json!({ "NextToken": "!" }), "Invalid NextToken."),
        ("ListEventBuses", json!({ "NextToken": "gibberish=" }), "Invalid NextToken."),
        // What would be left out is refused, too.
        (
            "UpdateConnection",
            json!({ "Name": "c", "AuthParameters": { "ApiKeyAuthParameters": { "ApiKeyName": "n", "ApiKeyValue": "v" } } }),
            "ApiKeyAuthParameters are not for the AuthorizationType BASIC.",
        ),
        ("UpdateConnection", keyless("HeaderParameters"), "Each of HeaderParameters must have a Key."),
        ("UpdateConnection", keyless("QueryStringParameters"), "Each of QueryStringParameters"),
        ("UpdateConnection", keyless("BodyParameters"), "Each of BodyParameters"),
    ] {
        let (code, message) = world.refused(operation, input).await;
        assert!(code == "ValidationException" && message.starts_with(part), "{operation}: {message}");
    }
}

#[tokio::test]
async fn a_permission_holds_under_its_condition() {
    let world = World::new().await;
    let permission = json!({
        "StatementId": "s", "Principal": "*", "Action": "events:PutEvents",
        "Condition": { "Type": "StringEquals", "Key": "aws:PrincipalAccount", "Value": "111111111111" },
    });
    world.ok("PutPermission", permission).await;
    for (account, is_taken) in [("111111111111", true), ("222222222222", false)] {
        let (account, region) = (AccountId::parse(account).unwrap(), Region::parse("eu-central-1").unwrap());
        let caller = Caller::root_user(account, region, world.world.kernel().new_id());
        let entry = json!({ "Source": "a", "DetailType": "T", "Detail": "{}", "EventBusName": DEFAULT_BUS });
        let put = json!({ "Entries": [entry] });
        let answer = world.world.call_as(caller, "events", "PutEvents", put).await.unwrap();
        assert_eq!(answer["Entries"][0]["EventId"].is_string(), is_taken, "{answer}");
    }
}

#[tokio::test]
async fn a_bus_or_a_rule_loses_tags() {
    let world = World::new().await;
    world.ok("PutRule", json!({ "Name": "r", "EventPattern": r#"{"source":["a"]}"# })).await;
    let bus = world.ok("CreateEventBus", json!({ "Name": "b" })).await["EventBusArn"].clone();
    for arn in [json!("arn:aws:events:eu-central-1:000000000000:rule/r"), bus] {
        let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
        world.ok("TagResource", json!({ "ResourceARN": arn, "Tags": tags })).await;
        world.ok("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["a"] })).await;
        let left = world.ok("ListTagsForResource", json!({ "ResourceARN": arn })).await;
        assert_eq!(left["Tags"], json!([{ "Key": "b", "Value": "2" }]));
    }
}
