//! The rows of CloudFormation's resource types hold against the services themselves: schemas, names, errors.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use base::Document;
use serde_json::json;
use testkit::World;

const EVERYTHING: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies: [{PolicyName: inline, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}}]
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", !Ref Managed]
      Tags: [{Key: a, Value: b}]
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}}
  Policy:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: more, Roles: [!Ref Role], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:*", Resource: !GetAtt Queue.Arn}]}}
  Dead: {Type: AWS::SQS::Queue}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {DelaySeconds: DELAY, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}, Tags: [{Key: k, Value: VAL}]}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties: {Queues: [!Ref Queue], PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "sqs:SendMessage", Resource: !GetAtt Queue.Arn}]}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: g, AttributeType: N}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes: [INDEXES]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      Tags: [{Key: k, Value: VAL}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Timeout: '10'
      MemorySize: '256'
      Code: {ZipFile: "exports.handler = async () => 'VAL'"}
      Environment: {Variables: {TABLE: !Ref Table, NUMBER: 5}}
      ReservedConcurrentExecutions: 5
      Tags: [{Key: k, Value: VAL}]
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function, Description: VAL}}
  Alias: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Function, Name: live, FunctionVersion: !GetAtt Version.Version}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt Function.Arn, AuthType: NONE, Cors: {AllowOrigins: ['*']}}}
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceArn: 'arn:aws:events:eu-central-1:000000000000:rule/x'}}
  Invoke: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: !Ref Function, Qualifier: $LATEST, MaximumRetryAttempts: 1}}
  Nothing: {Type: AWS::CDK::Metadata, Properties: {Analytics: x}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders, Description: VAL}}
  OnBus:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [shop], detail: {total: [{numeric: ['>', 5]}], kind: [VAL]}}
      Targets:
        - {Id: queue, Arn: !GetAtt Queue.Arn, InputTransformer: {InputPathsMap: {t: $.detail.total}, InputTemplate: '{"total": <t>}'}}
        - {Id: VAL, Arn: !GetAtt Function.Arn, RetryPolicy: {MaximumRetryAttempts: '3'}, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}
  OnDefault:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.states], detail: {stateMachineArn: [!Ref Machine]}}
      State: ENABLED
      Targets: [{Id: logs, Arn: !GetAtt Function.Arn}]
  Site:
    Type: AWS::S3::Bucket
    Properties:
      WebsiteConfiguration: {IndexDocument: VAL.html, ErrorDocument: error.html}
      PublicAccessBlockConfiguration: {BlockPublicAcls: 'false', BlockPublicPolicy: false}
  SitePolicy:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: !Ref Site, PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub '${Site.Arn}/*'}]}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: '7', Tags: [{Key: k, Value: VAL}]}}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineName: machine
      RoleArn: !GetAtt Role.Arn
      Definition: {StartAt: A, States: {A: {Type: Pass, Result: '${Value}', End: true}}}
      DefinitionSubstitutions: {Value: VAL}
      Tags: [{Key: k, Value: VAL}]
Outputs:
  Url: {Value: !GetAtt Url.FunctionUrl}
  Version: {Value: !Ref Version}
  Alias: {Value: !Ref Alias}
  Site: {Value: !GetAtt Site.WebsiteURL}
  Rule: {Value: !GetAtt OnBus.Arn}
  Machine: {Value: !GetAtt Machine.Name}
  Role: {Value: !GetAtt Role.Arn}
  Managed: {Value: !Ref Managed}
"#;

/// `{"Description": "from a bucket", "Resources": {"A": {"Type": "AWS::SQS::Queue"}}}` in base64.
const BODY: &str = "eyJEZXNjcmlwdGlvbiI6ICJmcm9tIGEgYnVja2V0IiwgIlJlc291cmNlcyI6IHsiQSI6IHsiVHlwZSI6ICJBV1M6OlNRUzo6UXVldWUifX19";

async fn call(world: &World, service: &str, operation: &str, input: Document) -> Document {
    let answer = world.call(service, operation, input).await;
    world.advance(Duration::from_secs(20)).await;
    answer.unwrap_or_else(|fault| panic!("{operation}: {fault}"))
}

/// The stack's status, and what failed.
async fn outcome(world: &World, stack: &str) -> (String, Vec<String>) {
    let stacks = call(world, "cloudformation", "DescribeStacks", json!({"StackName": stack})).await;
    let events = call(world, "cloudformation", "DescribeStackEvents", json!({"StackName": stack})).await;
    let failed = |event: &&Document| event["ResourceStatus"].as_str().unwrap().ends_with("FAILED");
    let line =
        |event: &Document| format!("{}: {}", event["LogicalResourceId"], event["ResourceStatusReason"]);
    let failed = events["StackEvents"].as_array().unwrap().iter().filter(failed).map(line).collect();
    (stacks["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned(), failed)
}

/// All services that the stack is made of. Functions live in `folder`.
async fn cloud(folder: &Path) -> World {
    let functions = lambda::Functions::new(lambda::runtime::SupervisorConfig::new(folder)).unwrap();
    let services = move || {
        vec![
            cloudformation::service(),
            dynamodb::service(),
            events::service(),
            iam::service(),
            lambda::service(&functions),
            logs::service(),
            s3::service(),
            sqs::service(),
            states::service(),
        ]
    };
    World::new(services).await
}

/// The services show what the second template asks for.
async fn check_changes(world: &World) {
    let tables = call(world, "dynamodb", "ListTables", json!({})).await;
    let table = call(world, "dynamodb", "DescribeTable", json!({"TableName": tables["TableNames"][0]})).await;
    let indexes = table["Table"]["GlobalSecondaryIndexes"].as_array().unwrap();
    assert_eq!(indexes.iter().map(|index| &index["IndexName"]).collect::<Vec<_>>(), ["first", "second"]);
    let listed = call(world, "lambda", "ListFunctions", json!({})).await;
    let function =
        call(world, "lambda", "GetFunction", json!({"FunctionName": listed["Functions"][0]["FunctionName"]}))
            .await;
    assert_eq!(function["Tags"], json!({"k": "two"}));
    assert_eq!(
        (&function["Configuration"]["Timeout"], &function["Configuration"]["MemorySize"]),
        (&json!(10), &json!(256))
    );

    let stacks = call(world, "cloudformation", "DescribeStacks", json!({"StackName": "app"})).await;
    let site = stacks["Stacks"][0]["Outputs"][3]["OutputValue"].as_str().unwrap();
    let bucket = site.strip_prefix("http://").unwrap().split('.').next().unwrap();
    let website = call(world, "s3", "GetBucketWebsite", json!({"Bucket": bucket})).await;
    assert_eq!(website["IndexDocument"], json!({"Suffix": "two.html"}));
    let object = json!({"Bucket": bucket, "Key": "t.yaml", "Body": BODY});
    call(world, "s3", "PutObject", object).await;
    let url = format!("https://s3.eu-central-1.amazonaws.com/{bucket}/t.yaml");
    let told = call(world, "cloudformation", "ValidateTemplate", json!({"TemplateURL": url})).await;
    assert_eq!(told["Description"], "from a bucket");
    call(world, "s3", "DeleteObject", json!({"Bucket": bucket, "Key": "t.yaml"})).await;
    let rules = call(world, "events", "ListRules", json!({"EventBusName": "orders"})).await;
    let rule = json!({"Rule": rules["Rules"][0]["Name"], "EventBusName": "orders"});
    let targets = call(world, "events", "ListTargetsByRule", rule).await;
    let ids: BTreeSet<&str> =
        targets["Targets"].as_array().unwrap().iter().map(|t| t["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, BTreeSet::from(["queue", "two"]));
    let machine = json!({"stateMachineArn": "arn:aws:states:eu-central-1:000000000000:stateMachine:machine"});
    let machine = call(world, "states", "DescribeStateMachine", machine).await;
    let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Result":"two","End":true}}}"#;
    assert_eq!(machine["definition"], definition);
}

/// Nothing of the stack is left.
async fn check_nothing_left(world: &World) {
    for (service, operation, member) in [
        ("dynamodb", "ListTables", "TableNames"),
        ("events", "ListRules", "Rules"),
        ("iam", "ListRoles", "Roles"),
        ("lambda", "ListFunctions", "Functions"),
        ("logs", "DescribeLogGroups", "logGroups"),
        ("sqs", "ListQueues", "QueueUrls"),
        ("states", "ListStateMachines", "stateMachines"),
    ] {
        let left = call(world, service, operation, json!({})).await;
        assert!(left[member].as_array().is_none_or(Vec::is_empty), "{left}");
    }
}

#[tokio::test]
async fn a_stack_of_everything_is_made_changed_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let world = cloud(folder.path()).await;
    let template = |delay: &str, value: &str, indexes: &[&str]| {
        let index = |name: &&str| {
            format!(
                "{{IndexName: {name}, KeySchema: [{{AttributeName: g, KeyType: HASH}}], Projection: {{ProjectionType: ALL}}}}"
            )
        };
        let indexes = indexes.iter().map(index).collect::<Vec<_>>().join(", ");
        EVERYTHING.replace("DELAY", delay).replace("VAL", value).replace("INDEXES", &indexes)
    };
    let request = |template: String| json!({"StackName": "app", "TemplateBody": template, "Capabilities": ["CAPABILITY_IAM"]});
    let made = call(&world, "cloudformation", "CreateStack", request(template("1", "one", &["first"]))).await;
    let arn = made["StackId"].as_str().unwrap();
    assert_eq!(outcome(&world, arn).await, ("CREATE_COMPLETE".to_owned(), vec![]));

    call(&world, "cloudformation", "UpdateStack", request(template("2", "two", &["first", "second"]))).await;
    assert_eq!(outcome(&world, arn).await, ("UPDATE_COMPLETE".to_owned(), vec![]));
    check_changes(&world).await;

    call(&world, "cloudformation", "DeleteStack", json!({"StackName": "app"})).await;
    assert_eq!(outcome(&world, arn).await, ("DELETE_COMPLETE".to_owned(), vec![]));
    check_nothing_left(&world).await;
}
