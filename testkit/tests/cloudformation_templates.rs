//! Small templates that deploy, work when they are driven, change and go: one file in `templates/` each.
//!
//! What is done with a stack stands in its template's `Metadata`: `Drive` are calls after the creation, `Update` replaces text
//! of the template, `After` are calls after that. `Fails`, before the update, are updates that fail and are rolled back: `Change` is the
//! text by what replaces it, `Because` a part of a failed resource's reason, `Then` are calls after the rollback. In the calls' inputs and expectations, `{Name}` is an output of the stack, or what
//! an earlier call kept under the name. Each call is followed by twenty seconds of the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base::Document;
use cloudformation::template::{Draft, Pseudo};
use serde_json::json;
use testkit::World;

/// A world with all services that the templates need. Functions live in `folder`.
async fn cloud(folder: &Path) -> World {
    let functions = lambda::Functions::new(lambda::runtime::SupervisorConfig::new(folder)).unwrap();
    let services = move || {
        vec![
            cloudformation::service(),
            dynamodb::service(),
            ecr::service(),
            events::service(),
            iam::service(),
            kms::service(),
            lambda::service(&functions),
            logs::service(),
            pipes::service(),
            s3::service(),
            scheduler::service(),
            schemas::service(),
            sns::service(),
            sqs::service(),
            ssm::service(),
            states::service(),
        ]
    };
    World::new(services).await
}

/// One template's stack in a world of its own.
struct Run {
    world: World,
    file: String,
    names: BTreeMap<String, String>,
}

impl Run {
    async fn call(&self, named: &str, input: Document) -> Document {
        let (service, operation) = named.split_once(':').unwrap();
        let answer = self.world.call(service, operation, input).await;
        self.world.advance(Duration::from_secs(20)).await;
        answer.unwrap_or_else(|fault| panic!("{}: {named}: {fault}", self.file))
    }

    async fn deploy(&mut self, operation: &str, template: &str) -> String {
        let capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
        let input = json!({"StackName": "app", "TemplateBody": template, "Capabilities": capabilities});
        let made = self.call(operation, input).await;
        let arn = made["StackId"].as_str().unwrap().to_owned();
        let stacks = self.call("cloudformation:DescribeStacks", json!({ "StackName": arn })).await;
        for output in stacks["Stacks"][0]["Outputs"].as_array().into_iter().flatten() {
            let text = |member: &str| output[member].as_str().unwrap().to_owned();
            self.names.insert(text("OutputKey"), text("OutputValue"));
        }
        let status = stacks["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned();
        if !status.ends_with("E_COMPLETE") || status.contains("ROLLBACK") {
            let events = self.call("cloudformation:DescribeStackEvents", json!({ "StackName": arn })).await;
            let failed = |event: &&Document| event["ResourceStatus"].as_str().unwrap().ends_with("FAILED");
            let failed: Vec<_> = events["StackEvents"].as_array().unwrap().iter().filter(failed).collect();
            panic!("{}: {status}: {failed:#?}", self.file);
        }
        arn
    }

    /// An update that fails, and leaves the stack as it was.
    async fn fail(&mut self, text: &str, case: &Document) {
        let mut changed = text.split("\nMetadata:").next().unwrap_or_default().to_owned();
        for (from, to) in case["Change"].as_object().unwrap() {
            assert!(changed.contains(from.as_str()), "{}: nothing to change: {from}", self.file);
            changed = changed.replace(from.as_str(), to.as_str().unwrap());
        }
        let capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
        let input = json!({"StackName": "app", "TemplateBody": changed, "Capabilities": capabilities});
        self.call("cloudformation:UpdateStack", input).await;
        let stacks = self.call("cloudformation:DescribeStacks", json!({"StackName": "app"})).await;
        let events = self.call("cloudformation:DescribeStackEvents", json!({"StackName": "app"})).await;
        let events = events["StackEvents"].as_array().unwrap();
        let begun = |event: &&Document| {
            event["ResourceStatus"] != "UPDATE_IN_PROGRESS"
                || event["ResourceType"] != "AWS::CloudFormation::Stack"
        };
        let failed: Vec<&Document> = events
            .iter()
            .take_while(begun)
            .filter(|event| event["ResourceStatus"].as_str().unwrap().ends_with("FAILED"))
            .collect();
        let status = &stacks["Stacks"][0]["StackStatus"];
        assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE", "{}: {case}: {failed:#?}", self.file);
        let because = case["Because"].as_str().unwrap();
        let reason = |event: &&Document| {
            event["ResourceStatusReason"].as_str().is_some_and(|text| text.contains(because))
        };
        assert!(failed.iter().any(reason), "{}: {because}: {failed:#?}", self.file);
        self.drive(&case["Then"]).await;
    }

    /// `{Name}` in every text becomes what the name stands for.
    fn filled(&self, document: &Document) -> Document {
        match document {
            Document::String(text) => {
                let fill = |text: String, (name, value): (&String, &String)| {
                    text.replace(&format!("{{{name}}}"), value)
                };
                self.names.iter().fold(text.clone(), fill).into()
            }
            Document::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Document::Object(members) => Document::Object(
                members.iter().map(|(name, member)| (name.clone(), self.filled(member))).collect(),
            ),
            other => other.clone(),
        }
    }

    async fn drive(&mut self, calls: &Document) {
        for call in calls.as_array().into_iter().flatten() {
            if let Some(seconds) = call["wait"].as_u64() {
                self.world.advance(Duration::from_secs(seconds)).await;
                continue;
            }
            let named = call["call"].as_str().unwrap();
            let answer = self.call(named, self.filled(&call["with"])).await;
            for (path, expected) in call["expect"].as_object().into_iter().flatten() {
                assert_eq!(
                    found(&answer, path),
                    self.filled(expected),
                    "{}: {named}: {path} of {answer}",
                    self.file
                );
            }
            for path in call["absent"].as_array().into_iter().flatten() {
                let there = found(&answer, path.as_str().unwrap());
                assert!(there.is_null(), "{}: {named}: {path} is {there}", self.file);
            }
            for (path, part) in call["contains"].as_object().into_iter().flatten() {
                let text = found(&answer, path);
                let part = self.filled(part);
                let holds = text.as_str().is_some_and(|text| text.contains(part.as_str().unwrap()));
                assert!(holds, "{}: {named}: {path} of {answer} has no {part}", self.file);
            }
            for (name, path) in call["keep"].as_object().into_iter().flatten() {
                let kept = found(&answer, path.as_str().unwrap());
                self.names.insert(name.clone(), kept.as_str().unwrap().to_owned());
            }
        }
    }
}

fn found(document: &Document, path: &str) -> Document {
    let step = |at: Document, step: &str| match step.parse::<usize>() {
        Ok(index) => at.get(index).cloned().unwrap_or_default(),
        Err(_) => at.get(step).cloned().unwrap_or_default(),
    };
    path.split('.').fold(document.clone(), step)
}

async fn run(path: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let template = Draft::read(&text).and_then(|draft| draft.glance(&Pseudo::default()));
    let metadata = template.unwrap_or_else(|error| panic!("{file}: {error}")).metadata.unwrap_or_default();
    let mut run = Run { world: cloud(folder.path()).await, file, names: BTreeMap::new() };
    let arn = run.deploy("cloudformation:CreateStack", &text).await;
    run.drive(&metadata["Drive"]).await;
    for case in metadata["Fails"].as_array().into_iter().flatten() {
        run.fail(&text, case).await;
    }
    if let (Some(from), Some(to)) = (metadata["Update"]["From"].as_str(), metadata["Update"]["To"].as_str()) {
        assert!(text.matches(from).count() >= 2, "{}: nothing to update", run.file);
        run.deploy("cloudformation:UpdateStack", &text.replace(from, to)).await;
    }
    run.drive(&metadata["After"]).await;
    run.call("cloudformation:DeleteStack", json!({"StackName": "app"})).await;
    run.world.advance(Duration::from_secs(60)).await;
    let stacks = run.call("cloudformation:DescribeStacks", json!({ "StackName": arn })).await;
    assert_eq!(stacks["Stacks"][0]["StackStatus"], "DELETE_COMPLETE", "{}: {stacks}", run.file);
}

#[tokio::test]
async fn small_templates_deploy_work_change_and_go() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/templates");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 40, "only {} templates", paths.len());
    for path in paths {
        run(&path).await;
    }
}

#[tokio::test]
async fn the_name_of_a_parameter_has_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run { world: cloud(folder.path()).await, file: "names".to_owned(), names: BTreeMap::new() };
    let template = "
Parameters: {P: {Type: 'AWS::SSM::Parameter::Name', Default: /secret}}
Resources: {Queue: {Type: AWS::SQS::Queue}}
Outputs: {P: {Value: !Ref P}}
";
    let input = json!({"StackName": "app", "TemplateBody": template});
    let refused = run.world.call("cloudformation", "CreateStack", input).await.unwrap_err();
    assert_eq!(
        refused.message,
        "Unable to fetch parameters [/secret] from parameter store for this account."
    );
    run.call("ssm:PutParameter", json!({"Name": "/secret", "Type": "SecureString", "Value": "x"})).await;
    run.deploy("cloudformation:CreateStack", template).await;
    assert_eq!(run.names["P"], "/secret");
}

/// What is there already is an error, and neither changed nor deleted with the stack.
#[tokio::test]
async fn what_others_have_made_is_not_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path()).await;
    let function = "arn:aws:lambda:eu-central-1:000000000000:function:f";
    let key = world.ok("kms", "CreateKey", json!({})).await["KeyMetadata"]["KeyId"].clone();
    for (service, operation, input) in [
        ("logs", "CreateLogGroup", json!({"logGroupName": "g"})),
        ("logs", "CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})),
        (
            "logs",
            "PutSubscriptionFilter",
            json!({"logGroupName": "g", "filterName": "f", "filterPattern": "keep", "destinationArn": function}),
        ),
        ("logs", "PutResourcePolicy", json!({"policyName": "p", "policyDocument": "{\"keep\": 1}"})),
        ("kms", "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": key})),
    ] {
        world.ok(service, operation, input).await;
    }
    for (kind, properties) in [
        ("Logs::LogGroup", json!({"LogGroupName": "g"})),
        ("Logs::LogStream", json!({"LogGroupName": "g", "LogStreamName": "s"})),
        (
            "Logs::SubscriptionFilter",
            json!({"LogGroupName": "g", "FilterName": "f", "FilterPattern": "x", "DestinationArn": function}),
        ),
        ("Logs::ResourcePolicy", json!({"PolicyName": "p", "PolicyDocument": "{}"})),
        ("KMS::Alias", json!({"AliasName": "alias/a", "TargetKeyId": key})),
    ] {
        let template =
            json!({"Resources": {"R": {"Type": format!("AWS::{kind}"), "Properties": properties}}});
        let input = json!({"StackName": "app", "TemplateBody": template.to_string()});
        world.ok("cloudformation", "CreateStack", input).await;
        world.advance(Duration::from_secs(20)).await;
        let events = world.ok("cloudformation", "DescribeStackEvents", json!({"StackName": "app"})).await;
        let failed = |event: &&Document| event["ResourceStatus"] == "CREATE_FAILED";
        let reason = events["StackEvents"].as_array().unwrap().iter().find(failed).unwrap();
        let reason = reason["ResourceStatusReason"].as_str().unwrap();
        assert!(reason.contains("already exists"), "{kind}: {reason}");
        world.ok("cloudformation", "DeleteStack", json!({"StackName": "app"})).await;
        world.advance(Duration::from_secs(20)).await;
    }
    let streams = world.ok("logs", "DescribeLogStreams", json!({"logGroupName": "g"})).await;
    assert_eq!(streams["logStreams"][0]["logStreamName"], "s");
    let filters = world.ok("logs", "DescribeSubscriptionFilters", json!({"logGroupName": "g"})).await;
    assert_eq!(filters["subscriptionFilters"][0]["filterPattern"], "keep");
    let policies = world.ok("logs", "DescribeResourcePolicies", json!({})).await;
    assert_eq!(policies["resourcePolicies"][0]["policyDocument"], "{\"keep\": 1}");
    world.ok("kms", "DescribeKey", json!({"KeyId": "alias/a"})).await;
}
