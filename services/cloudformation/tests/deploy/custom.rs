//! Custom resources: asked, waited for, answered; replaced, taken away, and given up on.

use std::time::Duration;

use base::schema::Blob;
use base::{Document, Fault};
use serde_json::json;

use crate::world::{World, complete};

const TEMPLATE: &str = "
Parameters: {Size: {Type: Number, Default: 1}}
Resources:
  Thing:
    Type: Custom::Thing
    Properties: {ServiceToken: 'arn:aws:lambda:eu-central-1:000000000000:function:f', Size: !Ref Size, On: true}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Thing.Nested.Name}}
Outputs: {Id: {Value: !Ref Thing}}
";

impl World {
    /// The newest question to a function, its function's name among it.
    pub(crate) fn question(&self) -> Document {
        let calls = self.script.calls.lock().unwrap();
        let (_, input) = calls.iter().rev().find(|(operation, _)| operation == "Invoke").unwrap();
        assert_eq!(input["InvocationType"], "Event");
        let payload = Blob::from_base64(input["Payload"].as_str().unwrap()).unwrap();
        serde_json::from_slice(payload.as_bytes()).unwrap()
    }

    pub(crate) async fn answer(&self, answer: Document) -> Result<Document, Fault> {
        let url = self.question()["ResponseURL"].as_str().unwrap().to_owned();
        let (before, token) = url.rsplit_once('/').unwrap();
        assert!(before.ends_with("/_buswork/cloudformation/000000000000/eu-central-1"), "{url}");
        let input = json!({"token": token, "body": answer.to_string()});
        let operation = cloudformation::ANSWER_CUSTOM_RESOURCE;
        let answered = self.kernel().ask(self.caller(), "cloudformation", operation, &input).await;
        self.kernel().advance(Duration::from_secs(5)).await;
        answered
    }
}

fn success(id: &str, name: &str) -> Document {
    json!({"Status": "SUCCESS", "PhysicalResourceId": id, "Data": {"Nested.Name": name}})
}

#[tokio::test]
async fn a_custom_resource_is_made_changed_replaced_and_taken_away() {
    let world = World::new().await;
    world.create("app", TEMPLATE).await;
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    let asked = world.question();
    assert_eq!(
        (&asked["RequestType"], &asked["ResourceType"], &asked["ResourceProperties"]["Size"]),
        (&json!("Create"), &json!("Custom::Thing"), &json!("1"))
    );
    assert_eq!(asked["ResourceProperties"]["On"], "true");
    assert_eq!(asked["LogicalResourceId"], "Thing");
    world.answer(success("one", "work")).await.unwrap();
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["work"]);
    assert_eq!(world.answer(success("one", "work")).await.unwrap_err().status, 404, "an answer counts once");

    world.update("app", &TEMPLATE.replace("Default: 1", "Default: 2")).await;
    let asked = world.question();
    assert_eq!(
        (&asked["RequestType"], &asked["PhysicalResourceId"], &asked["OldResourceProperties"]["Size"]),
        (&json!("Update"), &json!("one"), &json!("1"))
    );
    world.answer(success("one", "work")).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_COMPLETE"));

    world.update("app", &TEMPLATE.replace("Default: 1", "Default: 3")).await;
    world.answer(success("two", "work")).await.unwrap();
    let asked = world.question();
    assert_eq!((&asked["RequestType"], &asked["PhysicalResourceId"]), (&json!("Delete"), &json!("one")));
    assert_eq!(asked["ResourceProperties"]["Size"], "2");
    assert_eq!(world.status("app").await.0, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
    world.answer(json!({"Status": "SUCCESS"})).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_COMPLETE"));
    assert_eq!(world.stack("app").await.unwrap()["Outputs"][0]["OutputValue"], "two");

    let moved = TEMPLATE.replace("function:f", "function:g");
    assert_eq!(world.update("app", &moved).await.0, "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("app").await;
    assert!(
        events.contains(&"Thing UPDATE_FAILED Modifying service token is not allowed.".to_owned()),
        "{events:?}"
    );

    world.call("DeleteStack", json!({"StackName": "app"})).await.unwrap();
    let asked = world.question();
    assert_eq!((&asked["RequestType"], &asked["PhysicalResourceId"]), (&json!("Delete"), &json!("two")));
    world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "two"})).await.unwrap();
    assert!(world.names("sqs").await.is_empty());
    assert!(world.stack("app").await.is_err());
}

#[tokio::test]
async fn a_custom_resource_that_fails_is_taken_away_by_the_id_it_gave() {
    let world = World::new().await;
    world.create("app", TEMPLATE).await;
    world
        .answer(json!({"Status": "FAILED", "Reason": "no room", "PhysicalResourceId": "half"}))
        .await
        .unwrap();
    let events = world.events("app").await;
    let reason = "Thing CREATE_FAILED Received response status [FAILED] from custom resource. Message returned: no room";
    assert!(events.iter().any(|event| event.starts_with(reason)), "{events:?}");
    let asked = world.question();
    assert_eq!((&asked["RequestType"], &asked["PhysicalResourceId"]), (&json!("Delete"), &json!("half")));
    world.answer(json!({"Status": "SUCCESS"})).await.unwrap();
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn an_attribute_that_the_answer_lacks_is_named() {
    let world = World::new().await;
    world.create("app", TEMPLATE).await;
    world.answer(json!({"Status": "SUCCESS", "PhysicalResourceId": "one"})).await.unwrap();
    let arn = world.stack("app").await.unwrap()["StackId"].as_str().unwrap().to_owned();
    let events = world.events("app").await;
    let reason = format!(
        "Queue CREATE_FAILED CustomResource attribute error: Vendor response doesn't contain Nested.Name attribute in \
         object {arn}|Thing|one"
    );
    assert!(events.contains(&reason), "{events:?}");
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_he_said() {
    let world = World::new().await;
    let template = TEMPLATE.replace("On: true", "ServiceTimeout: 60");
    world.create("app", &template).await;
    world.kernel().advance(Duration::from_secs(40)).await;
    assert_eq!(world.status("app").await.0, "CREATE_IN_PROGRESS");
    world.kernel().advance(Duration::from_secs(20)).await;
    assert_eq!(world.status("app").await.0, "ROLLBACK_IN_PROGRESS");
    let asked = world.question();
    assert!(asked["PhysicalResourceId"].as_str().unwrap().starts_with("app-Thing-"), "{asked}");
    world.answer(json!({"Status": "FAILED", "Reason": "never made"})).await.unwrap();
    assert_eq!(world.status("app").await.0, "ROLLBACK_FAILED");
    let events = world.events("app").await;
    let reason = "Thing CREATE_FAILED CloudFormation did not receive a response from your Custom Resource.";
    assert!(events.iter().any(|event| event.starts_with(reason)), "{events:?}");
}

#[tokio::test]
async fn a_function_that_is_not_there_fails_at_once() {
    let world = World::new().await;
    world.refuse("Invoke");
    world.create("app", TEMPLATE).await;
    let events = world.events("app").await;
    assert!(events.contains(&"Thing CREATE_FAILED Invoke is refused".to_owned()), "{events:?}");
    assert_eq!(world.status("app").await.0, "ROLLBACK_COMPLETE");
    let refused = "Resources: {A: {Type: Custom::A}}";
    let refused = world.refused("CreateStack", json!({"StackName": "b", "TemplateBody": refused})).await;
    assert!(refused.ends_with("required key [ServiceToken] not found"), "{refused}");
}

/// The questions asked so far: what for, the physical id, and the property `Size`.
fn asked(world: &World) -> Vec<String> {
    let calls = world.script.calls.lock().unwrap();
    let invoked = calls.iter().filter(|(operation, _)| operation == "Invoke");
    let line = |(_, input): &(String, Document)| {
        let payload = Blob::from_base64(input["Payload"].as_str().unwrap()).unwrap();
        let question: Document = serde_json::from_slice(payload.as_bytes()).unwrap();
        let text = |value: &Document| value.as_str().unwrap_or("-").to_owned();
        let id = text(&question["PhysicalResourceId"]);
        format!("{} {id} {}", text(&question["RequestType"]), text(&question["ResourceProperties"]["Size"]))
    };
    invoked.map(line).collect()
}

#[tokio::test]
async fn the_successor_that_a_failed_update_names_is_taken_away() {
    for (last, gone) in [("one", &["two"][..]), ("two", &["one"]), ("three", &["one", "two"])] {
        let world = World::new().await;
        world.create("app", TEMPLATE).await;
        world.answer(success("one", "work")).await.unwrap();
        world.update("app", &TEMPLATE.replace("Default: 1", "Default: 2")).await;
        let failed = json!({"Status": "FAILED", "Reason": "no room", "PhysicalResourceId": "two"});
        world.answer(failed).await.unwrap();
        world.answer(success(last, "work")).await.unwrap();
        for _ in gone {
            assert_eq!(world.status("app").await.0, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
            world.answer(json!({"Status": "SUCCESS"})).await.unwrap();
        }
        assert_eq!(world.status("app").await, complete("UPDATE_ROLLBACK_COMPLETE"));
        let before = ["Create - 1", "Update one 2", "Update two 1"].map(str::to_owned);
        let asked = asked(&world);
        assert_eq!(asked[..3], before);
        let mut deleted: Vec<&str> = asked[3..].iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
        deleted.sort_unstable();
        assert_eq!(deleted, gone, "{asked:?}");
        assert_eq!(world.stack("app").await.unwrap()["Outputs"][0]["OutputValue"], "one");
    }
}

#[tokio::test]
async fn a_replacing_update_that_is_rolled_back_is_asked_to_go_back() {
    let world = World::new().await;
    world.create("app", TEMPLATE).await;
    world.answer(success("one", "work")).await.unwrap();
    world.refuse("SetQueueAttributes");
    let changed = TEMPLATE
        .replace("Default: 1", "Default: 2")
        .replace("!GetAtt Thing.Nested.Name}", "!GetAtt Thing.Nested.Name, DelaySeconds: 3}");
    world.update("app", &changed).await;
    world.answer(success("two", "work")).await.unwrap();
    let events = world.events("app").await;
    let replaced =
        "Thing UPDATE_IN_PROGRESS Requested update required the provider to create a new physical resource";
    assert!(events.contains(&replaced.to_owned()), "{events:?}");
    world.script.refuse.lock().unwrap().clear();
    assert_eq!(asked(&world).last().unwrap(), "Update two 1");
    world.answer(success("one", "work")).await.unwrap();
    assert_eq!(asked(&world).last().unwrap(), "Delete two 2");
    world.answer(json!({"Status": "SUCCESS"})).await.unwrap();
    assert_eq!(world.status("app").await.0, "UPDATE_ROLLBACK_COMPLETE");
}
