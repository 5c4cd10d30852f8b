//! What each intrinsic function does with its arguments.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Failure, Function};
use crate::jsonpath::same;

type Answer = Result<Value, Failure>;

/// The characters that Base64 functions and hashes take.
const TEXT_MAX: usize = 10_000;
/// The elements that a range may have.
const RANGE_MAX: i64 = 1_000;

pub(super) fn apply(function: Function, arguments: &[Value], random: &mut dyn FnMut() -> u64) -> Answer {
    match (function, arguments) {
        (Function::Array, items) => Ok(Value::from(items)),
        (Function::ArrayContains, [list, wanted]) => {
            Ok(json!(array(list, "first")?.iter().any(|item| same(item, wanted))))
        }
        (Function::ArrayGetItem, [list, index]) => get_item(array(list, "first")?, integer(index, "second")?),
        (Function::ArrayLength, [list]) => Ok(json!(array(list, "first")?.len())),
        (Function::ArrayPartition, [list, size]) => {
            partition(array(list, "first")?, integer(size, "second")?)
        }
        (Function::ArrayRange, [first, last, step]) => {
            range(integer(first, "first")?, integer(last, "second")?, integer(step, "third")?)
        }
        (Function::ArrayUnique, [list]) => unique(array(list, "first")?),
        (Function::Base64Encode, [text]) => Ok(json!(STANDARD.encode(short_text(text)?))),
        (Function::Base64Decode, [text]) => decode(short_text(text)?),
        (Function::Format, [template, values @ ..]) => format(text(template, "first")?, values),
        (Function::Hash, [data, algorithm]) => hash(data, text(algorithm, "second")?),
        (Function::JsonMerge, [first, second, deep]) => merge(first, second, deep),
        (Function::JsonToString, [value]) => Ok(json!(value.to_string())),
        (Function::MathAdd, [left, right]) => add(integer(left, "first")?, integer(right, "second")?),
        (Function::MathRandom, [start, end, seed @ ..]) => {
            let chance = match seed {
                [seed] => scramble(integer(seed, "third")?.cast_unsigned()),
                _ => random(),
            };
            math_random(integer(start, "first")?, integer(end, "second")?, chance)
        }
        (Function::StringSplit, [string, delimiters]) => {
            split(text(string, "first")?, text(delimiters, "second")?)
        }
        (Function::StringToJson, [string]) => string_to_json(text(string, "first")?),
        (Function::UUID, []) => Ok(json!(uuid(random(), random()))),
        _ => refuse("wrong number of arguments"),
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Refused(message.into()))
}

fn array<'v>(value: &'v Value, place: &str) -> Result<&'v [Value], Failure> {
    match value {
        Value::Array(items) => Ok(items),
        _ => refuse(format!("The {place} argument must be an array")),
    }
}

fn text<'v>(value: &'v Value, place: &str) -> Result<&'v str, Failure> {
    value.as_str().map_or_else(|| refuse(format!("The {place} argument must be a string")), Ok)
}

/// AWS rounds what is not whole.
fn integer(value: &Value, place: &str) -> Result<i64, Failure> {
    match (value.as_i64(), value.as_f64()) {
        (Some(whole), _) if whole.unsigned_abs() < 1 << 53 => Ok(whole),
        (None, Some(number)) if number.abs() < 9e15 => Ok(number.round() as i64),
        _ => refuse(format!("The {place} argument must be an integer")),
    }
}

fn short_text(value: &Value) -> Result<&str, Failure> {
    let text = text(value, "first")?;
    if text.chars().count() > TEXT_MAX {
        return refuse(format!("The first argument must have at most {TEXT_MAX} characters"));
    }
    Ok(text)
}

fn get_item(list: &[Value], index: i64) -> Answer {
    match usize::try_from(index).ok().and_then(|index| list.get(index)) {
        Some(item) => Ok(item.clone()),
        None => refuse(format!("The index {index} is out of bounds for an array of length {}", list.len())),
    }
}

fn partition(list: &[Value], size: i64) -> Answer {
    match usize::try_from(size) {
        Ok(size) if size > 0 => Ok(list.chunks(size).map(Value::from).collect()),
        _ => refuse("The second argument must be a positive integer"),
    }
}

fn range(first: i64, last: i64, step: i64) -> Answer {
    if step == 0 {
        return refuse("The third argument must not be zero");
    }
    let steps = last.saturating_sub(first) / step;
    let ahead = if step > 0 { first <= last } else { first >= last };
    if ahead && steps >= RANGE_MAX {
        return refuse(format!("The range must have at most {RANGE_MAX} elements"));
    }
    let count = if ahead { steps + 1 } else { 0 };
    Ok((0..count).map(|n| json!(first + n * step)).collect())
}

fn unique(list: &[Value]) -> Answer {
    let mut seen = HashSet::with_capacity(list.len());
    Ok(list.iter().filter(|item| seen.insert(canonical(item))).cloned().collect())
}

/// The same text for values that are equal: `1` is `1.0`, and the order of members does not matter.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(double) if number.as_i64().is_none() && double.fract() == 0.0 && double.abs() < 9e15 => {
                (double as i64).to_string()
            }
            _ => number.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, member)| format!("{}:{}", json!(name), canonical(member)))
                .collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

fn decode(text: &str) -> Answer {
    match STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(decoded) => Ok(json!(decoded)),
        None => refuse("The first argument must be a Base64 encoded UTF-8 string"),
    }
}

/// Each `{}` takes the next value; `\{`, `\}`, `\'` and `\\` are themselves.
fn format(template: &str, values: &[Value]) -> Answer {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next().unwrap_or('\\')),
            '{' if chars.peek() == Some(&'}') => {
                chars.next();
                match values.next() {
                    Some(Value::String(text)) => out.push_str(text),
                    Some(value) => out.push_str(&value.to_string()),
                    None => {
                        return refuse(
                            "The number of arguments does not match the number of occurrences of {}",
                        );
                    }
                }
            }
            '{' | '}' => return refuse("The template has an unmatched brace that is not escaped"),
            c => out.push(c),
        }
    }
    if values.next().is_some() {
        return refuse("The number of arguments does not match the number of occurrences of {}");
    }
    Ok(json!(out))
}

fn hash(data: &Value, algorithm: &str) -> Answer {
    let data = match data {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if data.chars().count() > TEXT_MAX {
        return refuse(format!("The first argument must have at most {TEXT_MAX} characters"));
    }
    match digest(data.as_bytes(), algorithm) {
        Some(digest) => Ok(json!(digest)),
        None => refuse("The second argument must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512"),
    }
}

/// The hash in hexadecimal digits; `None` for an algorithm that AWS does not have.
pub(crate) fn digest(data: &[u8], algorithm: &str) -> Option<String> {
    Some(match algorithm {
        "MD5" => hex::encode(Md5::digest(data)),
        "SHA-1" => hex::encode(Sha1::digest(data)),
        "SHA-256" => hex::encode(Sha256::digest(data)),
        "SHA-384" => hex::encode(Sha384::digest(data)),
        "SHA-512" => hex::encode(Sha512::digest(data)),
        _ => return None,
    })
}

/// Only the shallow mode exists.
fn merge(first: &Value, second: &Value, deep: &Value) -> Answer {
    let (Some(first), Some(second)) = (first.as_object(), second.as_object()) else {
        return refuse("The first and the second argument must be JSON objects");
    };
    if deep.as_bool() != Some(false) {
        return refuse("The third argument must be false: the deep merging mode is not supported");
    }
    let mut merged: Map<String, Value> = first.clone();
    merged.extend(second.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(Value::Object(merged))
}

fn add(left: i64, right: i64) -> Answer {
    let whole = |value: i64| i32::try_from(value).is_ok();
    if !(whole(left) && whole(right)) {
        return refuse("The arguments must be between -2147483648 and 2147483647");
    }
    Ok(json!(left + right))
}

/// From the start, inclusive, to the end, exclusive.
fn math_random(start: i64, end: i64, chance: u64) -> Answer {
    if start >= end || i32::try_from(start).is_err() || i32::try_from(end).is_err() {
        return refuse(
            "The first argument must be less than the second, and both between -2147483648 and 2147483647",
        );
    }
    let width = (end - start).cast_unsigned();
    Ok(json!(start + (chance % width).cast_signed()))
}

/// One step of SplitMix64: the same number for the same seed.
pub(crate) fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Each character of the second argument divides; empty parts are left out.
fn split(text: &str, delimiters: &str) -> Answer {
    let parts = text.split(|c| delimiters.contains(c)).filter(|part| !part.is_empty());
    Ok(parts.map(Value::from).collect())
}

fn string_to_json(text: &str) -> Answer {
    serde_json::from_str(text)
        .map_or_else(|_| refuse("The first argument must be a string of valid JSON"), Ok)
}

/// Version 4, variant 1.
pub(crate) fn uuid(high: u64, low: u64) -> String {
    let high = (high & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
    let low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    )
}
