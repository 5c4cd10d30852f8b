//! Versions and aliases.

use serde_json::{Value, json};

use crate::world::{ROLE, World, machine_arn};

fn result(text: &str) -> Value {
    json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "Result": text, "End": true } } })
}

/// A machine with the versions 1 (`one`) and 2 (`two`), and `three` as what it is now.
async fn prepare() -> (World, String) {
    let world = World::new().await;
    let arn = machine_arn("m");
    let create = json!({
        "name": "m", "definition": result("one").to_string(), "roleArn": ROLE, "publish": true,
        "versionDescription": "the first",
    });
    let made = world.ok("CreateStateMachine", create).await;
    assert_eq!(made["stateMachineVersionArn"], format!("{arn}:1"));
    let update = |text: &str, publish: bool| json!({ "stateMachineArn": arn, "definition": result(text).to_string(), "publish": publish });
    let updated = world.ok("UpdateStateMachine", update("two", true)).await;
    assert_eq!(updated["stateMachineVersionArn"], format!("{arn}:2"));
    world.ok("UpdateStateMachine", update("three", false)).await;
    (world, arn)
}

async fn run(world: &World, arn: &str, name: &str) -> String {
    let started = world.ok("StartExecution", json!({ "stateMachineArn": arn, "name": name })).await;
    world.end(started["executionArn"].as_str().unwrap()).await
}

#[tokio::test]
async fn versions_stay_what_they_are() {
    let (world, arn) = prepare().await;
    assert_eq!(run(&world, &arn, "now").await, r#"SUCCEEDED "three""#);
    assert_eq!(run(&world, &format!("{arn}:1"), "first").await, r#"SUCCEEDED "one""#);
    assert_eq!(run(&world, &format!("{arn}:2"), "second").await, r#"SUCCEEDED "two""#);
    let nobody = format!("{arn}:9");
    assert_eq!(
        world.refused("StartExecution", json!({ "stateMachineArn": nobody })).await,
        format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{nobody}'")
    );
    let described = world.ok("DescribeStateMachine", json!({ "stateMachineArn": format!("{arn}:1") })).await;
    assert_eq!(described["definition"], result("one").to_string());
    assert_eq!(described["description"], "the first");
    assert_eq!(described["stateMachineArn"], format!("{arn}:1"));
    let execution = "arn:aws:states:eu-west-1:000000000000:execution:m:first".to_owned();
    let described = world.describe(&execution).await;
    assert_eq!(described["stateMachineArn"], arn);
    assert_eq!(described["stateMachineVersionArn"], format!("{arn}:1"));
    let started = &world.history(&execution).await[0]["executionStartedEventDetails"];
    assert_eq!(started["stateMachineVersionArn"], format!("{arn}:1"));
    world.kernel.idle().await;
    let statuses = world.statuses().await;
    let first = statuses.iter().find(|detail| detail["name"] == "first").unwrap();
    assert_eq!(first["stateMachineVersionArn"], format!("{arn}:1"));
}

#[tokio::test]
async fn publishing_is_idempotent_and_guards_the_revision() {
    let (world, arn) = prepare().await;
    let revision =
        world.ok("DescribeStateMachine", json!({ "stateMachineArn": arn })).await["revisionId"].clone();
    let wrong = json!({ "stateMachineArn": arn, "revisionId": "other" });
    let refused = world.refused("PublishStateMachineVersion", wrong).await;
    assert!(refused.starts_with("ConflictException: "), "{refused}");
    let publish = json!({ "stateMachineArn": arn, "revisionId": revision });
    let first = world.ok("PublishStateMachineVersion", publish.clone()).await;
    assert_eq!(first["stateMachineVersionArn"], format!("{arn}:3"));
    assert_eq!(world.ok("PublishStateMachineVersion", publish).await, first);
    let described = json!({ "stateMachineArn": arn, "description": "another" });
    let refused = world.refused("PublishStateMachineVersion", described).await;
    assert!(refused.starts_with("ConflictException: "), "{refused}");
    let mut numbers = Vec::new();
    let mut input = json!({ "stateMachineArn": arn, "maxResults": 2 });
    loop {
        let page = world.ok("ListStateMachineVersions", input.clone()).await;
        let all = page["stateMachineVersions"].as_array().unwrap();
        numbers.extend(all.iter().map(|one| one["stateMachineVersionArn"].as_str().unwrap().to_owned()));
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(numbers, [3, 2, 1].map(|number| format!("{arn}:{number}")));
    // A number is never given twice.
    world.ok("DeleteStateMachineVersion", json!({ "stateMachineVersionArn": format!("{arn}:3") })).await;
    let again = world.ok("PublishStateMachineVersion", json!({ "stateMachineArn": arn })).await;
    assert_eq!(again["stateMachineVersionArn"], format!("{arn}:4"));
}

fn routing(arn: &str, weights: &[(u32, u32)]) -> Value {
    let route = |(version, weight): &(u32, u32)| json!({ "stateMachineVersionArn": format!("{arn}:{version}"), "weight": weight });
    weights.iter().map(route).collect()
}

#[tokio::test]
async fn aliases_lead_to_versions_by_weight() {
    let (world, arn) = prepare().await;
    let create = json!({ "name": "PROD", "routingConfiguration": routing(&arn, &[(1, 70), (2, 30)]) });
    let made = world.ok("CreateStateMachineAlias", create.clone()).await;
    let alias = made["stateMachineAliasArn"].as_str().unwrap().to_owned();
    assert_eq!(alias, format!("{arn}:PROD"));
    assert_eq!(world.ok("CreateStateMachineAlias", create).await, made);
    let mut ends = Vec::new();
    for i in 0..100 {
        ends.push(run(&world, &alias, &format!("e{i}")).await);
    }
    let ones = ends.iter().filter(|end| *end == r#"SUCCEEDED "one""#).count();
    assert!((55..85).contains(&ones), "{ones}");
    assert!(ends.iter().all(|end| end.contains("one") || end.contains("two")));
    let described = world.describe("arn:aws:states:eu-west-1:000000000000:execution:m:e0").await;
    assert_eq!(described["stateMachineAliasArn"], alias);
    let all_of = async |arn: &str| {
        let listed = world.ok("ListExecutions", json!({ "stateMachineArn": arn, "maxResults": 1000 })).await;
        listed["executions"].as_array().unwrap().clone()
    };
    let by_alias = all_of(&alias).await;
    assert_eq!(by_alias.len(), 100);
    assert_eq!(by_alias[0]["stateMachineArn"], arn);
    assert_eq!(by_alias[0]["stateMachineAliasArn"], alias);
    assert_eq!(all_of(&format!("{arn}:1")).await.len(), ones);
    assert_eq!(all_of(&arn).await.len(), 100);
    let update = json!({ "stateMachineAliasArn": alias, "routingConfiguration": routing(&arn, &[(2, 100)]) });
    world.ok("UpdateStateMachineAlias", update).await;
    assert_eq!(run(&world, &alias, "after").await, r#"SUCCEEDED "two""#);
    let described = world.ok("DescribeStateMachineAlias", json!({ "stateMachineAliasArn": alias })).await;
    assert_eq!(described["routingConfiguration"], routing(&arn, &[(2, 100)]));
    let delete = json!({ "stateMachineVersionArn": format!("{arn}:2") });
    let refused = world.refused("DeleteStateMachineVersion", delete.clone()).await;
    assert!(refused.starts_with("ConflictException: ") && refused.ends_with("[PROD]"), "{refused}");
    for _ in 0..2 {
        world.ok("DeleteStateMachineAlias", json!({ "stateMachineAliasArn": alias })).await;
    }
    world.ok("DeleteStateMachineVersion", delete).await;
    assert_eq!(
        world.refused("DescribeStateMachineAlias", json!({ "stateMachineAliasArn": alias })).await,
        "ResourceNotFound: Request references a resource that does not exist."
    );
}

#[tokio::test]
async fn aliases_that_are_refused() {
    let (world, arn) = prepare().await;
    let cases = [
        (
            "a",
            routing(&arn, &[(1, 50)]),
            "ValidationException: Sum of routing configuration weights must equal 100. Received: [50]",
        ),
        (
            "a",
            json!([{ "stateMachineVersionArn": arn, "weight": 100 }]),
            "ValidationException: Routing configuration must contain state machine version ARNs. Received: [arn:",
        ),
        (
            "a",
            routing(&arn, &[(1, 50), (1, 50)]),
            "ValidationException: Routing configuration must contain distinct state machine version ARNs. Received: [",
        ),
        ("a", routing(&arn, &[(9, 100)]), "ResourceNotFound: "),
        ("a", routing(&machine_arn("n"), &[(1, 100)]), "ResourceNotFound: "),
        ("1", routing(&arn, &[(1, 100)]), "ValidationException: "),
    ];
    for (name, routing, expected) in cases {
        let input = json!({ "name": name, "routingConfiguration": routing });
        let refused = world.refused("CreateStateMachineAlias", input).await;
        assert!(refused.starts_with(expected), "{refused}\ninstead of {expected}");
    }
    for name in ["b", "a", "c"] {
        let input = json!({ "name": name, "routingConfiguration": routing(&arn, &[(1, 100)]) });
        world.ok("CreateStateMachineAlias", input).await;
    }
    let page = world.ok("ListStateMachineAliases", json!({ "stateMachineArn": arn, "maxResults": 2 })).await;
    let rest = json!({ "stateMachineArn": arn, "nextToken": page["nextToken"] });
    let rest = world.ok("ListStateMachineAliases", rest).await;
    assert_eq!(page["stateMachineAliases"][1]["stateMachineAliasArn"], format!("{arn}:b"));
    assert_eq!(rest["stateMachineAliases"][0]["stateMachineAliasArn"], format!("{arn}:c"));
    let of_two = json!({ "stateMachineArn": format!("{arn}:2") });
    assert_eq!(world.ok("ListStateMachineAliases", of_two).await, json!({ "stateMachineAliases": [] }));
    // They go with their machine.
    world.ok("DeleteStateMachine", json!({ "stateMachineArn": arn })).await;
    world.kernel.idle().await;
    world.create("m", &result("new")).await;
    let none = world.ok("ListStateMachineVersions", json!({ "stateMachineArn": arn })).await;
    assert_eq!(none, json!({ "stateMachineVersions": [] }));
}
