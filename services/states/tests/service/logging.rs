//! The configuration of execution logs. What is logged is held in `testkit/tests/states_logs.rs`.

use serde_json::{Value, json};

use crate::world::{ROLE, World};

const GROUP: &str = "arn:aws:logs:eu-west-1:000000000000:log-group:/g:*";

fn configuration(level: &str, with_data: bool) -> Value {
    json!({
        "level": level, "includeExecutionData": with_data,
        "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn": GROUP } }],
    })
}

#[tokio::test]
async fn configurations_are_kept_or_refused() {
    let world = World::new().await;
    let pass = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } });
    let request = |logging: Value| json!({ "name": "m", "definition": pass.to_string(), "roleArn": ROLE, "loggingConfiguration": logging });
    let cases = [
        (json!({ "level": "ALL" }), "Must specify exactly one Log Destination."),
        (
            json!({ "level": "ALL", "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn":
                "arn:aws:logs:eu-west-1:000000000000:log-group:g" } }] }),
            "is not the ARN of a log group",
        ),
        (
            json!({ "level": "ALL", "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn":
                "arn:aws:logs:us-east-1:000000000000:log-group:g:*" } }] }),
            "other accounts and regions are not implemented",
        ),
    ];
    for (logging, expected) in cases {
        let refused = world.refused("CreateStateMachine", request(logging)).await;
        assert!(
            refused.starts_with("InvalidLoggingConfiguration: ") && refused.contains(expected),
            "{refused}"
        );
    }
    let made = world.ok("CreateStateMachine", request(configuration("ERROR", true))).await;
    let arn = &made["stateMachineArn"];
    let described = world.ok("DescribeStateMachine", json!({ "stateMachineArn": arn })).await;
    assert_eq!(described["loggingConfiguration"], configuration("ERROR", true));
    let off = json!({ "stateMachineArn": arn, "loggingConfiguration": { "level": "OFF" } });
    world.ok("UpdateStateMachine", off).await;
    let described = world.ok("DescribeStateMachine", json!({ "stateMachineArn": arn })).await;
    assert_eq!(described["loggingConfiguration"], json!({ "level": "OFF", "includeExecutionData": false }));
}
