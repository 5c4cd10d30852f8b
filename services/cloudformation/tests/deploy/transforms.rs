//! Templates that are made into others before they are deployed.

use serde_json::json;

use crate::world::{World, complete};

const LOOP: &str = "
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: 'one,two'}}
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - Queue${Name}: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'q-${Name}', DelaySeconds: !Length [1, 2, 3]}}
Outputs: {Names: {Value: {'Fn::ToJsonString': {names: !Ref Names}}}}
";

#[tokio::test]
async fn a_loop_is_deployed_and_grows() {
    let world = World::new().await;
    let input = json!({"StackName": "app", "TemplateBody": LOOP});
    assert_eq!(
        world.refused("CreateStack", input.clone()).await,
        "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
    );
    // Who reviews the changes need not acknowledge that.
    let mut proposed = input.clone();
    proposed["ChangeSetName"] = "c".into();
    proposed["ChangeSetType"] = "CREATE".into();
    world.call("CreateChangeSet", proposed).await.unwrap();
    world.call("ExecuteChangeSet", json!({"StackName": "app", "ChangeSetName": "c"})).await.unwrap();
    assert_eq!(world.status("app").await, complete("CREATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["q-one", "q-two"]);
    assert_eq!(world.things("sqs").await[0].1["Attributes"]["DelaySeconds"], 3);
    assert_eq!(world.stack("app").await.unwrap()["Outputs"][0]["OutputValue"], r#"{"names":["one","two"]}"#);

    let original = world.call("GetTemplate", json!({"StackName": "app"})).await.unwrap();
    assert_eq!(original["TemplateBody"], LOOP);
    let processed = json!({"StackName": "app", "TemplateStage": "Processed"});
    let processed = world.call("GetTemplate", processed).await.unwrap();
    assert!(processed["TemplateBody"].as_str().unwrap().contains("Queuetwo"), "{processed}");

    let input = json!({"StackName": "app", "UsePreviousTemplate": true, "Capabilities": ["CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": "Names", "ParameterValue": "two,three"}]});
    world.call("UpdateStack", input.clone()).await.unwrap();
    assert_eq!(world.status("app").await, complete("UPDATE_COMPLETE"));
    assert_eq!(world.names("sqs").await, ["q-three", "q-two"]);
    assert_eq!(world.refused("UpdateStack", input).await, "No updates are to be performed.");
    let told = world.call("ValidateTemplate", json!({"TemplateBody": LOOP})).await.unwrap();
    assert_eq!(told["DeclaredTransforms"], json!(["AWS::LanguageExtensions"]));
}
