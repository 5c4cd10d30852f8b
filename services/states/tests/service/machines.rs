//! State machines: created, changed, listed, tagged, deleted.

use serde_json::{Value, json};

use crate::world::{ROLE, World, function, machine_arn};

fn pass() -> Value {
    json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } })
}

fn request(name: &str, definition: &Value) -> Value {
    json!({ "name": name, "definition": definition.to_string(), "roleArn": ROLE })
}

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

#[tokio::test]
async fn a_machine_is_created_once_and_described() {
    let world = World::new().await;
    let made = world.ok("CreateStateMachine", request("m", &pass())).await;
    let expected = json!({ "stateMachineArn": machine_arn("m"), "creationDate": 1_767_225_600 });
    assert_eq!(made, expected);
    world.advance(5).await;
    // Role and tags do not count.
    let again = with(
        request("m", &pass()),
        json!({ "roleArn": "arn:aws:iam::000000000000:role/other", "tags": [{ "key": "a", "value": "b" }] }),
    );
    assert_eq!(world.ok("CreateStateMachine", again).await, expected);
    let other = json!({ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } });
    assert_eq!(
        world.refused("CreateStateMachine", request("m", &other)).await,
        format!("StateMachineAlreadyExists: State Machine Already Exists: '{}'", machine_arn("m"))
    );
    let described = world.ok("DescribeStateMachine", json!({ "stateMachineArn": machine_arn("m") })).await;
    assert_eq!(
        described,
        json!({
            "stateMachineArn": machine_arn("m"), "name": "m", "status": "ACTIVE", "type": "STANDARD",
            "definition": pass().to_string(), "roleArn": ROLE, "creationDate": 1_767_225_600,
            "loggingConfiguration": { "level": "OFF", "includeExecutionData": false },
            "tracingConfiguration": { "enabled": false },
            "encryptionConfiguration": { "type": "AWS_OWNED_KEY" },
        })
    );
    let tags = world.ok("ListTagsForResource", json!({ "resourceArn": machine_arn("m") })).await;
    assert_eq!(tags, json!({ "tags": [] }));
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let world = World::new().await;
    let base = request("m", &pass());
    let task = |resource: &str| {
        let states = json!({ "A": { "Type": "Task", "Resource": resource, "End": true } });
        json!({ "definition": json!({ "StartAt": "A", "States": states }).to_string() })
    };
    let cases = [
        (json!({ "name": "a b" }), "InvalidName: Invalid Name: 'a b'"),
        (json!({ "roleArn": "role" }), "InvalidArn: Invalid Arn: 'Invalid ARN prefix: role'"),
        (
            json!({ "definition": "{" }),
            "InvalidDefinition: Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: ",
        ),
        (
            json!({ "definition": r#"{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}"# }),
            "InvalidDefinition: Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' \
             target: B at /StartAt",
        ),
        (
            json!({ "encryptionConfiguration": { "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k" } }),
            "InvalidEncryptionConfiguration: Invalid Encryption Configuration: encryption with a key of the",
        ),
        (
            json!({ "versionDescription": "d" }),
            "ValidationException: Version description can only be set when publish is true",
        ),
        (
            task("arn:aws:states:::glue:startJobRun"),
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The resource \
             glue:startJobRun is not served by Buswork: the optimised integrations are lambda:invoke, \
             sqs:sendMessage,",
        ),
        (
            task("arn:aws:states:::aws-sdk:sqs:startMessageMoveTask"),
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The resource \
             aws-sdk:sqs:startMessageMoveTask is not served by Buswork: sqs:StartMessageMoveTask is not implemented",
        ),
        (
            task("arn:aws:states:::sns:publish"),
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The resource \
             sns:publish is not served by Buswork: sns:Publish is not implemented at /States/A/Resource'",
        ),
    ];
    for (change, expected) in cases {
        let refused = world.refused("CreateStateMachine", with(base.clone(), change)).await;
        assert!(refused.starts_with(expected), "{refused}\ninstead of {expected}");
    }
    assert_eq!(world.ok("ListStateMachines", json!({})).await, json!({ "stateMachines": [] }));
}

#[tokio::test]
async fn what_is_off_may_be_said() {
    let world = World::new().await;
    let off = json!({
        "type": "STANDARD", "publish": false,
        "loggingConfiguration": { "level": "OFF", "includeExecutionData": true, "destinations": [] },
        "tracingConfiguration": { "enabled": false },
        "encryptionConfiguration": { "type": "AWS_OWNED_KEY" },
    });
    world.ok("CreateStateMachine", with(request("m", &pass()), off)).await;
    let described = world.ok("DescribeStateMachine", json!({ "stateMachineArn": machine_arn("m") })).await;
    let logging = json!({ "level": "OFF", "includeExecutionData": true, "destinations": [] });
    assert_eq!(described["loggingConfiguration"], logging);
}

#[tokio::test]
async fn tracing_is_kept_and_shown() {
    let world = World::new().await;
    let traced = |enabled: bool| json!({ "tracingConfiguration": { "enabled": enabled } });
    let shown = async || {
        let arn = json!({ "stateMachineArn": machine_arn("m") });
        world.ok("DescribeStateMachine", arn).await["tracingConfiguration"].clone()
    };
    world.ok("CreateStateMachine", with(request("m", &pass()), traced(true))).await;
    assert_eq!(shown().await, json!({ "enabled": true }));
    let refused = world.refused("CreateStateMachine", with(request("m", &pass()), traced(false))).await;
    assert!(refused.starts_with("StateMachineAlreadyExists"), "{refused}");
    let update = json!({ "stateMachineArn": machine_arn("m"), "definition": pass().to_string() });
    world.ok("UpdateStateMachine", update.clone()).await;
    assert_eq!(shown().await, json!({ "enabled": true }), "what an update does not name stays");
    world.ok("UpdateStateMachine", with(update, traced(false))).await;
    assert_eq!(shown().await, json!({ "enabled": false }));
}

#[tokio::test]
async fn which_variables_a_state_reads_is_told() {
    let world = World::new().await;
    let machine = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Pass", "Assign": { "b": 1, "a": 2 }, "Next": "W" },
        "W": { "Type": "Wait", "SecondsPath": "$b", "Next": "J" },
        "J": { "Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $b + $a %}", "End": true } } });
    world.create("m", &machine).await;
    let arn = json!({ "stateMachineArn": machine_arn("m") });
    let shown = world.ok("DescribeStateMachine", arn).await;
    assert_eq!(shown["variableReferences"], json!({ "W": ["b"], "J": ["a", "b"] }));
    let execution = world.start("m", "e", "{}").await;
    let of = json!({ "executionArn": execution });
    let shown = world.ok("DescribeStateMachineForExecution", of).await;
    assert_eq!(shown["variableReferences"], json!({ "W": ["b"], "J": ["a", "b"] }));
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_revision() {
    let world = World::new().await;
    world.create("m", &pass()).await;
    let same = |publish: bool| json!({ "stateMachineArn": machine_arn("m"), "definition": pass().to_string(), "publish": publish });
    assert!(world.ok("UpdateStateMachine", same(false)).await.get("revisionId").is_none());
    let versions =
        [world.ok("UpdateStateMachine", same(true)).await, world.ok("UpdateStateMachine", same(true)).await];
    assert_eq!(versions[0]["stateMachineVersionArn"], versions[1]["stateMachineVersionArn"]);
}

#[tokio::test]
async fn an_update_holds_for_executions_that_start_later() {
    let world = World::new().await;
    let before = json!({ "StartAt": "W", "States": {
        "W": { "Type": "Wait", "Seconds": 10, "Next": "P" },
        "P": { "Type": "Pass", "Result": "before", "End": true } } });
    world.create("m", &before).await;
    let first = world.start("m", "first", "{}").await;
    let after =
        json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "Result": "after", "End": true } } });
    let update = json!({ "stateMachineArn": machine_arn("m"), "definition": after.to_string() });
    let updated = world.ok("UpdateStateMachine", update).await;
    let second = world.start("m", "second", "{}").await;
    world.advance(10).await;
    assert_eq!(world.end(&first).await, r#"SUCCEEDED "before""#);
    assert_eq!(world.end(&second).await, r#"SUCCEEDED "after""#);
    let of = |arn: &str| json!({ "executionArn": arn });
    let first = world.ok("DescribeStateMachineForExecution", of(&first)).await;
    let second = world.ok("DescribeStateMachineForExecution", of(&second)).await;
    assert_eq!(first["definition"], before.to_string());
    assert_eq!(second["definition"], after.to_string());
    assert_eq!(second["revisionId"], updated["revisionId"]);
    assert_eq!(first.get("revisionId"), None);
    let nothing = world.refused("UpdateStateMachine", json!({ "stateMachineArn": machine_arn("m") })).await;
    assert!(nothing.starts_with("MissingRequiredParameter: "), "{nothing}");
}

#[tokio::test]
async fn machines_are_listed_in_pages() {
    let world = World::new().await;
    for name in ["c", "a", "e", "b", "d"] {
        world.create(name, &pass()).await;
    }
    let mut names = Vec::new();
    let mut input = json!({ "maxResults": 2 });
    let mut pages = 0;
    loop {
        let page = world.ok("ListStateMachines", input.clone()).await;
        pages += 1;
        names.extend(page["stateMachines"].as_array().unwrap().iter().map(|m| m["name"].clone()));
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((pages, json!(names)), (3, json!(["a", "b", "c", "d", "e"])));
    assert_eq!(
        world.refused("ListStateMachines", json!({ "nextToken": "x" })).await,
        "InvalidToken: Invalid Token: 'Invalid token'"
    );
}

#[tokio::test]
async fn tags_come_and_go() {
    let world = World::new().await;
    let tagged = with(request("m", &pass()), json!({ "tags": [{ "key": "a", "value": "1" }] }));
    world.ok("CreateStateMachine", tagged).await;
    let arn = machine_arn("m");
    let more = json!([{ "key": "a", "value": "2" }, { "key": "b", "value": "" }]);
    world.ok("TagResource", json!({ "resourceArn": arn, "tags": more })).await;
    let tags = world.ok("ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], more);
    world.ok("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a", "zzz"] })).await;
    let tags = world.ok("ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], json!([{ "key": "b", "value": "" }]));
    let many: Vec<Value> = (0..50).map(|i| json!({ "key": format!("k{i}"), "value": "v" })).collect();
    let refused = world.refused("TagResource", json!({ "resourceArn": arn, "tags": many })).await;
    assert!(refused.starts_with("TooManyTags: "), "{refused}");
    let reserved = json!({ "resourceArn": arn, "tags": [{ "key": "aws:x", "value": "v" }] });
    let refused = world.refused("TagResource", reserved).await;
    assert!(refused.starts_with("ValidationException: Tag keys that begin with 'aws:'"), "{refused}");
    for tag in
        [json!({ "value": "v" }), json!({ "key": "k!", "value": "v" }), json!({ "key": "k", "value": "\"" })]
    {
        let refused = world.refused("TagResource", json!({ "resourceArn": arn, "tags": [tag] })).await;
        assert!(refused.starts_with("ValidationException: Invalid tag"), "{refused}");
    }
    let nobody = machine_arn("nobody");
    assert_eq!(
        world.refused("ListTagsForResource", json!({ "resourceArn": nobody })).await,
        format!("ResourceNotFound: Resource not found: '{nobody}'")
    );
}

#[tokio::test]
async fn a_deleted_machine_takes_its_executions_with_it() {
    let world = World::new().await;
    let wait = json!({ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": 1000, "End": true } } });
    let arn = world.create("m", &wait).await;
    world.create("n", &wait).await;
    for i in 0..120 {
        world.start("m", &format!("e{i}"), "{}").await;
    }
    let other = world.start("n", "stays", "{}").await;
    world.kernel.idle().await;
    world.ok("DeleteStateMachine", json!({ "stateMachineArn": arn })).await;
    let deleting = world.refused("StartExecution", json!({ "stateMachineArn": arn })).await;
    assert_eq!(deleting, format!("StateMachineDeleting: State Machine is being deleted: '{arn}'"));
    world.kernel.idle().await;
    let gone = format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{arn}'");
    assert_eq!(world.refused("DescribeStateMachine", json!({ "stateMachineArn": arn })).await, gone);
    assert_eq!(world.refused("ListExecutions", json!({ "stateMachineArn": arn })).await, gone);
    let aborted = world.statuses().await.iter().filter(|detail| detail["status"] == "ABORTED").count();
    assert_eq!(aborted, 120);
    // Nothing of it is met by the next machine of that name, and nobody else's executions are touched.
    world.create("m", &pass()).await;
    assert_eq!(
        world.ok("ListExecutions", json!({ "stateMachineArn": arn })).await,
        json!({ "executions": [] })
    );
    let again = world.start("m", "e0", "{}").await;
    assert_eq!(world.end(&again).await, "SUCCEEDED {}");
    assert_eq!(world.types(&again).await.len(), 4);
    assert_eq!(world.end(&other).await, "RUNNING");
    world.ok("DeleteStateMachine", json!({ "stateMachineArn": machine_arn("nobody") })).await;
}

#[tokio::test]
async fn a_definition_is_validated_without_a_machine() {
    let world = World::new().await;
    let validate =
        |definition: Value, more: Value| with(json!({ "definition": definition.to_string() }), more);
    let good = world.ok("ValidateStateMachineDefinition", validate(pass(), json!({}))).await;
    assert_eq!(good, json!({ "result": "OK", "diagnostics": [], "truncated": false }));
    let bad = json!({ "StartAt": "A", "States": { "A": { "Type": "Task", "Next": "B",
        "Resource": "arn:aws:states:::glue:startJobRun" }, "B": { "Type": "Succeed" } } });
    let bad = world.ok("ValidateStateMachineDefinition", validate(bad, json!({}))).await;
    assert_eq!(bad["result"], "FAIL");
    assert_eq!(bad["diagnostics"][0]["code"], "SCHEMA_VALIDATION_FAILED");
    assert_eq!(bad["diagnostics"][0]["location"], "/States/A/Resource");
    let odd = json!({ "StartAt": "A", "States": {
        "A": { "Type": "Task", "Resource": function("f"), "Parameters": { "a": "$.b" }, "End": true } } });
    let warned = world
        .ok("ValidateStateMachineDefinition", validate(odd.clone(), json!({ "severity": "WARNING" })))
        .await;
    assert_eq!(warned["result"], "OK");
    assert_eq!(warned["diagnostics"][0]["severity"], "WARNING");
    let errors = world.ok("ValidateStateMachineDefinition", validate(odd, json!({}))).await;
    assert_eq!(errors["diagnostics"], json!([]));
}

#[tokio::test]
async fn executions_are_forgotten_ninety_days_after_their_end() {
    let world = World::new().await;
    let definition = json!({ "StartAt": "W", "States": {
        "W": { "Type": "Wait", "SecondsPath": "$.s", "End": true } } });
    let arn = world.create("m", &definition).await;
    let short = world.start("m", "short", r#"{"s": 1}"#).await;
    let long = world.start("m", "long", r#"{"s": 8000000}"#).await;
    world.advance(89 * 86_400).await;
    assert_eq!(world.end(&short).await, r#"SUCCEEDED {"s":1}"#);
    world.advance(3 * 86_400).await;
    assert_eq!(
        world.refused("DescribeExecution", json!({ "executionArn": short })).await,
        format!("ExecutionDoesNotExist: Execution Does Not Exist: '{short}'")
    );
    assert_eq!(world.end(&long).await, "RUNNING");
    let listed = world.ok("ListExecutions", json!({ "stateMachineArn": arn })).await;
    assert_eq!(listed["executions"].as_array().unwrap().len(), 1);
}
