//! JSON values to JSONata's and back.

use jsonata_core::value::JValue;
use serde_json::{Map, Value, json};

use super::Trouble;

/// Levels of a result. What is deeper could not be written as JSON that anybody reads.
const NESTING_MAX: usize = 500;
/// Whole numbers up to here are the same as a double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// JSONata's numbers are doubles: a whole number beyond 2^53 loses its last digits, as in JavaScript.
pub(crate) fn to_jsonata(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(value) => JValue::Bool(*value),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(to_jsonata).collect()),
        Value::Object(members) => {
            let pairs = members.iter().map(|(name, value)| (name.clone(), to_jsonata(value)));
            JValue::object(pairs.collect())
        }
    }
}

/// What JSON cannot hold is refused; what is undefined within an array or an object is left out.
pub(super) fn to_json(value: &JValue) -> Result<Value, Trouble> {
    at_depth(value, 0)
}

fn at_depth(value: &JValue, depth: usize) -> Result<Value, Trouble> {
    if depth > NESTING_MAX {
        return Err(Trouble::Threw(format!("The result is nested more than {NESTING_MAX} levels deep")));
    }
    Ok(match value {
        JValue::Null | JValue::Undefined => Value::Null,
        JValue::Bool(value) => Value::Bool(*value),
        JValue::Number(number) => number_to_json(*number)?,
        JValue::String(text) => Value::from(&**text),
        JValue::Array(items) => {
            let kept = items.iter().filter(|item| !item.is_undefined());
            Value::Array(kept.map(|item| at_depth(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        JValue::Object(members) => {
            let mut object = Map::with_capacity(members.len());
            for (name, member) in members.iter().filter(|(_, member)| !member.is_undefined()) {
                object.insert(name.clone(), at_depth(member, depth + 1)?);
            }
            Value::Object(object)
        }
        _ => return Err(Trouble::Unsupported),
    })
}

/// Whole numbers stay whole; what JSON has no number for is out of range, as where an operator meets it.
fn number_to_json(number: f64) -> Result<Value, Trouble> {
    if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
        return Ok(json!(number as i64));
    }
    if !number.is_finite() {
        let name = if number.is_nan() { "NaN" } else { "Infinity" };
        return Err(Trouble::Threw(format!("D1001: Number out of range: {name}")));
    }
    Ok(json!(number))
}
