//! `TestState`: one state by itself. What is noted of its data is what AWS notes of the same states.

use asl::{ExecutionInfo, Inspected, Inspection, Machine, Mock, StepContext, inspect};
use serde_json::{Map, Value, json};

use crate::world::MACHINE_ARN;

/// The parts of an [`Inspection`] that differ.
#[derive(Default)]
struct With {
    name: Option<&'static str>,
    variables: Value,
    context: Option<Value>,
    mock: Option<Mock>,
    retries: u32,
    failed: Option<u64>,
}

/// What came of it, in the shape of the API; data as values, not as texts.
fn run(definition: &Value, input: Value, with: With) -> Value {
    let machine = match with.name {
        Some(_) => Machine::parse(&definition.to_string()),
        None => Machine::parse_state(&definition.to_string()),
    };
    let machine = machine.unwrap_or_else(|found| panic!("{found:?}"));
    let (mut random, mut task_token) = (|| 7, |wait_id| format!("token-{wait_id}"));
    let text = input.to_string();
    let execution = ExecutionInfo {
        arn: "arn:aws:states:eu-west-1:123456789012:express:m:e",
        name: "e",
        input: &text,
        start_ms: 0,
        role_arn: "role",
        redrive_count: Some(0),
        machine_arn: MACHINE_ARN,
        machine_name: "m",
        machine_version_arn: None,
        machine_alias_arn: None,
        history_events_max: None,
    };
    let mut ctx = StepContext { now_ms: 0, execution, random: &mut random, task_token: &mut task_token };
    let inspection = Inspection {
        machine: &machine,
        state: with.name.unwrap_or("StateName"),
        input,
        variables: with.variables.as_object().cloned().unwrap_or_default(),
        context: with.context,
        mock: with.mock,
        retrier_retry_count: with.retries,
        map_iteration_failure_count: with.failed,
        map_item_reader_data: None,
    };
    match inspect(inspection, &mut ctx).expect("the state") {
        Inspected::Task(task) => json!({ "task": task.parameters }),
        Inspected::Done { status, output, error, cause, next_state, data } => {
            let mut shown = Map::new();
            shown.insert("status".to_owned(), json!(status.as_str()));
            let texts = [("error", error), ("cause", cause), ("nextState", next_state)];
            shown.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
            shown.extend(output.map(|output| ("output".to_owned(), output)));
            let parsed = data
                .to_aws()
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| {
                    let value = value
                        .as_str()
                        .map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap());
                    (name.clone(), value)
                })
                .collect::<Map<String, Value>>();
            shown.insert("data".to_owned(), Value::Object(parsed));
            Value::Object(shown)
        }
    }
}

fn check(definition: Value, input: Value, with: With, expected: Value) {
    let found = run(&definition, input, with);
    assert_eq!(found, expected, "{definition}\n{found:#}");
}

#[test]
fn states_without_work() {
    let hello = json!({ "Value": "HelloWorld" });
    check(
        json!({ "Type": "Pass", "End": true }),
        hello.clone(),
        With::default(),
        json!({
        "status": "SUCCEEDED", "output": hello, "data": { "input": hello, "afterInputPath": hello,
            "afterParameters": hello, "afterResultSelector": hello, "afterResultPath": hello } }),
    );
    let result = json!({ "resultKey": "result value" });
    check(
        json!({ "Type": "Pass", "Result": result, "Next": "Somewhere" }),
        hello.clone(),
        With::default(),
        json!({
        "status": "SUCCEEDED", "output": result, "nextState": "Somewhere", "data": { "input": hello, "result": result,
            "afterResultSelector": result, "afterResultPath": result } }),
    );
    check(
        json!({ "Type": "Fail", "Error": "SomeFailure", "Cause": "why" }),
        hello.clone(),
        With::default(),
        json!({
        "status": "FAILED", "error": "SomeFailure", "cause": "why", "data": { "input": hello, "afterInputPath": hello } }),
    );
    check(
        json!({ "Type": "Succeed" }),
        hello.clone(),
        With::default(),
        json!({
        "status": "SUCCEEDED", "output": hello, "data": { "input": hello, "afterInputPath": hello } }),
    );
    check(
        json!({ "Type": "Wait", "Seconds": 100, "Next": "N" }),
        hello.clone(),
        With::default(),
        json!({
        "status": "SUCCEEDED", "output": hello, "nextState": "N", "data": { "input": hello, "afterInputPath": hello } }),
    );
    let choice = json!({ "Type": "Choice", "Default": "Other", "Choices": [
        { "Variable": "$.value", "NumericGreaterThan": 20, "Next": "ValueInTwenties" }] });
    let input = json!({ "value": 22 });
    check(
        choice,
        input.clone(),
        With::default(),
        json!({
        "status": "SUCCEEDED", "output": input, "nextState": "ValueInTwenties",
        "data": { "input": input, "afterInputPath": input } }),
    );
}

#[test]
fn a_task_is_asked_for_or_mocked() {
    let task = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Z", "InputPath": "$.in",
        "Parameters": { "FunctionName": "f", "Payload.$": "$" }, "ResultSelector": { "ok.$": "$.Payload.ok" },
        "ResultPath": "$.out", "Retry": [{ "ErrorEquals": ["Again"], "MaxAttempts": 2, "IntervalSeconds": 3 }],
        "Catch": [{ "ErrorEquals": ["Other"], "Next": "Y" }, { "ErrorEquals": ["States.ALL"], "Next": "X", "ResultPath": "$.e" }] });
    let input = json!({ "in": { "a": 1 } });
    let parameters = json!({ "FunctionName": "f", "Payload": { "a": 1 } });
    check(task.clone(), input.clone(), With::default(), json!({ "task": parameters }));
    let result = json!({ "Payload": { "ok": 7 } });
    let mock = |mock| With { mock: Some(mock), ..With::default() };
    let output = json!({ "in": { "a": 1 }, "out": { "ok": 7 } });
    let before = json!({ "input": input, "afterInputPath": { "a": 1 }, "afterParameters": parameters });
    let data = |more: Value| {
        let mut all = before.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    check(
        task.clone(),
        input.clone(),
        mock(Mock::Result(result.clone())),
        json!({
        "status": "SUCCEEDED", "output": output, "nextState": "Z",
        "data": data(json!({ "result": result, "afterResultSelector": { "ok": 7 }, "afterResultPath": output })) }),
    );
    let error = |name: &str| Mock::Error { error: Some(name.to_owned()), cause: Some("c".to_owned()) };
    check(
        task.clone(),
        input.clone(),
        mock(error("Again")),
        json!({
        "status": "RETRIABLE", "error": "Again", "cause": "c",
        "data": data(json!({ "errorDetails": { "retryIndex": 0, "retryBackoffIntervalSeconds": 3 } })) }),
    );
    let spent = With { retries: 2, ..mock(error("Again")) };
    check(
        task.clone(),
        input.clone(),
        spent,
        json!({
        "status": "CAUGHT_ERROR", "error": "Again", "cause": "c", "nextState": "X",
        "output": { "in": { "a": 1 }, "e": { "Error": "Again", "Cause": "c" } },
        "data": data(json!({ "errorDetails": { "catchIndex": 1 } })) }),
    );
}

#[test]
fn jsonata_with_variables_and_context() {
    let state = json!({ "Type": "Task", "QueryLanguage": "JSONata", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true,
        "Arguments": { "QueueUrl": "{% $queue %}", "MessageBody": "{% $states.context.Execution.Name %}" },
        "Assign": { "last": "{% $states.result.MessageId %}" }, "Output": "{% $states.result.MessageId & $queue %}" });
    let with = With {
        variables: json!({ "queue": "q" }),
        context: Some(json!({ "Execution": { "Name": "given" } })),
        mock: Some(Mock::Result(json!({ "MessageId": "m" }))),
        ..With::default()
    };
    check(
        state,
        json!({}),
        with,
        json!({ "status": "SUCCEEDED", "output": "mq", "data": {
        "input": {}, "afterArguments": { "QueueUrl": "q", "MessageBody": "given" }, "result": { "MessageId": "m" },
        "variables": { "last": "m", "queue": "q" } } }),
    );
}

#[test]
fn maps_and_states_within_machines() {
    let map = json!({ "Type": "Map", "ItemsPath": "$.Values", "ItemSelector": { "v.$": "$$.Map.Item.Value" }, "MaxConcurrency": 1,
        "ToleratedFailureCount": 2, "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
        "StartAt": "In", "States": { "In": { "Type": "Pass", "Result": 5, "End": true } } }, "End": true,
        "Catch": [{ "ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "H" }] });
    let input = json!({ "Values": ["a", "b"] });
    let data = json!({ "input": input, "afterInputPath": input, "afterItemsPath": ["a", "b"], "maxConcurrency": 1,
        "afterItemSelector": [{ "v": "a" }, { "v": "b" }], "toleratedFailureCount": 2 });
    let result = json!([1, 2]);
    let mut done = data.clone();
    for name in ["afterResultSelector", "afterResultPath"] {
        done[name] = result.clone();
    }
    let with = |failed| With { mock: Some(Mock::Result(json!([1, 2]))), failed, ..With::default() };
    check(
        map.clone(),
        input.clone(),
        with(Some(2)),
        json!({ "status": "SUCCEEDED", "output": result, "data": done }),
    );
    let mut untold = map.clone();
    untold.as_object_mut().expect("a state").remove("ToleratedFailureCount");
    let mut of_untold = done.clone();
    of_untold.as_object_mut().expect("data").remove("toleratedFailureCount");
    check(
        untold,
        input.clone(),
        with(Some(3)),
        json!({ "status": "SUCCEEDED", "output": result, "data": of_untold }),
    );
    let mut caught = data.clone();
    caught["errorDetails"] = json!({ "catchIndex": 0 });
    let (error, cause) =
        ("States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded");
    check(
        map.clone(),
        input,
        with(Some(3)),
        json!({ "status": "CAUGHT_ERROR", "error": error, "cause": cause,
        "nextState": "H", "output": { "Error": error, "Cause": cause }, "data": caught }),
    );
    let machine = json!({ "StartAt": "M", "States": { "M": map, "H": { "Type": "Succeed" } } });
    let inner = With { name: Some("In"), ..With::default() };
    check(
        machine,
        json!(1),
        inner,
        json!({ "status": "SUCCEEDED", "output": 5, "data": {
        "input": 1, "result": 5, "afterResultSelector": 5, "afterResultPath": 5 } }),
    );
}

#[test]
fn a_single_state_is_validated() {
    let found = Machine::parse_state(r#"{"Type":"Pass","Next":"Nowhere","Foo":1}"#).unwrap_err();
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["SCHEMA_VALIDATION_FAILED: Field 'Foo' is not supported at /"]);
}
