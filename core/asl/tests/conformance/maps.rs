//! Map states within an execution: what their items may be, and what an iteration knows of its item.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemspath.html>

use asl::{Machine, Outcome};
use serde_json::{Value, json};

use crate::world::{Keep, World};

fn output(map: &Value, input: &Value) -> Value {
    let mut state = json!({ "Type": "Map", "End": true,
        "ItemProcessor": { "StartAt": "In", "States": { "In": { "Type": "Pass", "End": true } } } });
    state.as_object_mut().unwrap().extend(map.as_object().unwrap().clone());
    let definition = json!({ "StartAt": "M", "States": { "M": state } });
    let machine = Machine::parse(&definition.to_string()).unwrap_or_else(|found| panic!("{found:?}"));
    match World::new(&machine, &input.to_string(), &Value::Null, Keep::AsMsgpack).run(None).outcome.unwrap() {
        Outcome::Succeeded { output } => serde_json::from_str(&output).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_members_of_an_object_are_items() {
    let map = json!({ "ItemsPath": "$.m", "ItemSelector": {
        "at.$": "$$.Map.Item.Index", "key.$": "$$.Map.Item.Key", "value.$": "$$.Map.Item.Value" } });
    let expected = json!([{ "at": 0, "key": "a", "value": 1 }, { "at": 1, "key": "b", "value": [2] }]);
    assert_eq!(output(&map, &json!({ "m": { "a": 1, "b": [2] } })), expected);
}

#[test]
fn an_item_of_the_input_says_where_it_is_from() {
    let selector = json!({ "ItemSelector": { "from.$": "$$.Map.Item.Source" } });
    assert_eq!(output(&selector, &json!([1])), json!([{ "from": "STATE_DATA" }]));
    let query =
        json!({ "QueryLanguage": "JSONata", "ItemSelector": "{% $states.context.Map.Item.Source %}" });
    assert_eq!(output(&query, &json!([1])), json!(["STATE_DATA"]));
}
