//! HTTP tasks: a request to any server, authorised by a connection of EventBridge.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html>

use base::Fault;
use serde_json::{Map, Value, json};

use super::{Answer, Asked, Refused, call, shape};

/// The internal operation of `events` that sends the request.
const INVOKE: &str = "InvokeHttpEndpoint";

/// The parameters of an HTTP task.
const KNOWN: &[&str] = &[
    "ApiEndpoint",
    "Method",
    "Authentication",
    "InvocationConfig",
    "Headers",
    "QueryParameters",
    "RequestBody",
    "Transform",
];

/// The call that sends the request.
pub(super) fn ask(parameters: &Value) -> Result<Asked, Refused> {
    let refuse = |why: &str| Refused::parameters(parameters, why);
    let Value::Object(given) = parameters else { return Err(refuse("The parameters must be an object")) };
    if let Some(unknown) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(refuse(&format!("The field '{unknown}' is not supported by Step Functions")));
    }
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let required = |name: &str| format!("The field '{name}' is required but was missing");
    let endpoint = text("ApiEndpoint").ok_or_else(|| refuse(&required("ApiEndpoint")))?;
    let method = text("Method").ok_or_else(|| refuse(&required("Method")))?;
    let holder = given.get("InvocationConfig").or_else(|| given.get("Authentication"));
    let connection = holder.and_then(|holder| holder.get("ConnectionArn")).and_then(Value::as_str);
    let connection = connection.ok_or_else(|| refuse(&required("InvocationConfig.ConnectionArn")))?;
    let mut input = json!({ "ConnectionArn": connection, "Method": method, "ApiEndpoint": endpoint });
    for name in ["Headers", "QueryParameters"] {
        if let Some(Value::Object(values)) = given.get(name) {
            let texts = values.iter().map(|(name, value)| (name.clone(), plain(value).into()));
            input[name] = Value::Object(texts.collect());
        }
    }
    if let Some(body) = given.get("RequestBody") {
        let body = encode(body, given.get("Transform")).map_err(|why| refuse(&why))?;
        input["RequestBody"] = body.into();
    }
    Ok(Asked { lane: Some(connection.to_owned()), ..call("events", INVOKE, &input)? })
}

/// A value in a header, a query or a form: arrays are lists with commas.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn encode(body: &Value, transform: Option<&Value>) -> Result<String, String> {
    let encoding =
        transform.and_then(|transform| transform.get("RequestBodyEncoding")).and_then(Value::as_str);
    match encoding {
        None | Some("NONE") => {
            let mut body = body.clone();
            shape::stringify(&mut body);
            Ok(plain(&body))
        }
        Some("URL_ENCODED") => {
            let options = transform.and_then(|transform| transform.get("RequestEncodingOptions"));
            let arrays = options.and_then(|options| options.get("ArrayFormat")).and_then(Value::as_str);
            let Value::Object(fields) = body else {
                return Err("RequestBody must be an object to be URL-encoded".to_owned());
            };
            form(fields, arrays.unwrap_or("INDICES"))
        }
        Some(other) => Err(format!("RequestBodyEncoding '{other}' is not supported")),
    }
}

/// A form, its arrays in one of AWS's five formats.
fn form(fields: &Map<String, Value>, arrays: &str) -> Result<String, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in fields {
        let Value::Array(items) = value else {
            pairs.push((name.clone(), plain(value)));
            continue;
        };
        match arrays {
            "COMMAS" => pairs.push((name.clone(), plain(value))),
            "NONE" => pairs.push((name.clone(), value.to_string())),
            "REPEAT" => pairs.extend(items.iter().map(|item| (name.clone(), plain(item)))),
            "BRACKETS" => pairs.extend(items.iter().map(|item| (format!("{name}[]"), plain(item)))),
            "INDICES" => {
                let indexed = items.iter().zip(0..).map(|(item, i)| (format!("{name}[{i}]"), plain(item)));
                pairs.extend(indexed);
            }
            other => return Err(format!("ArrayFormat '{other}' is not supported")),
        }
    }
    Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// The answer of the server: a result, or an error if its status is one.
pub(super) fn answered(mut output: Value) -> Answer {
    let status = output.get("StatusCode").and_then(Value::as_u64).unwrap_or_default();
    if let Some(body) = output.get_mut("ResponseBody")
        && let Some(parsed) = body.as_str().and_then(|text| serde_json::from_str(text).ok())
    {
        *body = parsed;
    }
    if let Some(members) = output.as_object_mut() {
        members.sort_keys();
    }
    if (200..300).contains(&status) {
        return Answer::Succeeded(output);
    }
    Answer::failed(format!("States.Http.StatusCode.{status}"), output.to_string())
}

/// No answer came.
pub(super) fn failed(fault: &Fault) -> Answer {
    let name = if fault.code == "ResourceNotFoundException" {
        "Events.ConnectionResource.InvalidConnectionState"
    } else {
        "States.Http.Socket"
    };
    Answer::failed(name, fault.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(parameters: &Value) -> String {
        match ask(parameters) {
            Ok(asked) => String::from_utf8(asked.call.input.to_vec()).unwrap(),
            Err(refused) => refused.cause,
        }
    }

    #[test]
    fn requests() {
        let with = |more: Value| {
            let mut base = json!({ "ApiEndpoint": "https://a.example/x", "Method": "POST",
                "InvocationConfig": { "ConnectionArn": "c" } });
            base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input(&base)
        };
        let start = r#"{"ConnectionArn":"c","Method":"POST","ApiEndpoint":"https://a.example/x""#;
        assert_eq!(with(json!({})), format!("{start}}}"));
        assert_eq!(
            with(
                json!({ "Headers": { "A": 1 }, "QueryParameters": { "q": ["a", 2] }, "RequestBody": { "b": [1] } })
            ),
            format!(
                r#"{start},"Headers":{{"A":"1"}},"QueryParameters":{{"q":"a,2"}},"RequestBody":"{{\"b\":[1]}}"}}"#
            )
        );
        let form = |format: &str| {
            let options = json!({ "RequestBodyEncoding": "URL_ENCODED",
                "RequestEncodingOptions": { "ArrayFormat": format } });
            let made = with(json!({ "RequestBody": { "a": ["x", 1], "b": "c d" }, "Transform": options }));
            serde_json::from_str::<Value>(&made).unwrap()["RequestBody"].as_str().unwrap().to_owned()
        };
        assert_eq!(form("INDICES"), "a%5B0%5D=x&a%5B1%5D=1&b=c+d");
        assert_eq!(form("REPEAT"), "a=x&a=1&b=c+d");
        assert_eq!(form("COMMAS"), "a=x%2C1&b=c+d");
        assert_eq!(form("BRACKETS"), "a%5B%5D=x&a%5B%5D=1&b=c+d");
        assert!(with(json!({ "Color": 1 })).contains("The field 'Color' is not supported"));
        assert!(input(&json!({ "Method": "GET" })).contains("The field 'ApiEndpoint' is required"));
    }

    #[test]
    fn answers() {
        let answer = |status: u16| json!({ "StatusCode": status, "StatusText": "T", "Headers": {}, "ResponseBody": "{\"a\":1}" });
        let shown =
            json!({ "Headers": {}, "ResponseBody": { "a": 1 }, "StatusCode": 200, "StatusText": "T" });
        assert_eq!(answered(answer(200)), Answer::Succeeded(shown));
        let failed = answered(answer(404));
        assert!(matches!(failed, Answer::Failed { error, .. } if error == "States.Http.StatusCode.404"));
    }
}
