//! What holds for all inputs: documents survive each protocol, and nothing panics.

use crate::support::{Given, registry};
use base::Document;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use wire::{Registry, Signature, decode, encode, identify, refuse};

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn document(given: &Given, registry: &Registry) -> Document {
    let call = identify(&given.request(), registry).unwrap();
    serde_json::from_slice(&decode(&call, &given.request()).unwrap()).unwrap()
}

/// Heads of requests that reach every decoder.
const HEADS: [&str; 8] = [
    "POST / HTTP/1.1\nhost: h\nx-amz-target: DynamoDB_20120810.PutItem\n",
    "POST / HTTP/1.1\nhost: iam.amazonaws.com\ncontent-type: application/x-www-form-urlencoded\n",
    "POST /?Action=CreateStack HTTP/1.1\nhost: cloudformation.localhost\ncontent-type: application/x-www-form-urlencoded\n",
    "POST /2015-03-31/functions HTTP/1.1\nhost: lambda.localhost\n",
    "POST /2015-03-31/functions/f/invocations HTTP/1.1\nhost: lambda.localhost\n",
    "POST /2013-04-01/hostedzone/Z/rrset HTTP/1.1\nhost: route53.amazonaws.com\n",
    "POST /service/DynamoDB_20120810/operation/PutItem HTTP/1.1\nhost: h\n",
    "POST / HTTP/1.1\nhost: h\nx-amz-target: AmazonSQS.SendMessage\ncontent-encoding: aws-chunked, gzip\n",
];

/// Sends bytes through identification, decoding, the schema check and, as an output, through encoding.
fn swallow(head: &str, body: Vec<u8>, registry: &Registry) -> Result<(), TestCaseError> {
    let given = Given::parse(head).with_body(body.clone());
    let request = given.request();
    let _ = Signature::parse(&request);
    let call = match identify(&request, registry) {
        Ok(call) => call,
        Err(refusal) => {
            prop_assert!(refuse(&refusal, "id").status >= 400);
            return Ok(());
        }
    };
    match decode(&call, &request) {
        Err(fault) => {
            let status = encode(&call, Err(&fault), "id").status;
            prop_assert!((400..500).contains(&status), "{fault}");
        }
        Ok(document) => {
            if call.operation.check(&document).is_ok() {
                prop_assert!(serde_json::from_slice::<Document>(&document).is_ok());
            }
        }
    }
    let response = encode(&call, Ok(&body), "id");
    prop_assert!(matches!(response.status, 200..=299 | 500));
    Ok(())
}

proptest! {
    #[test]
    fn text_survives_forms(id in "\\PC{0,20}", body in any::<String>(), name in "[a-z.]{1,8}", delay in 0..900) {
        let prefix = "SendMessageBatchRequestEntry.1.";
        let form = format!(
            "Action=SendMessageBatch&QueueUrl=u&{prefix}Id={}&{prefix}MessageBody={}&{prefix}DelaySeconds={delay}\
             &{prefix}MessageAttribute.1.Name={}&{prefix}MessageAttribute.1.Value.DataType=String",
            encoded(&id), encoded(&body), encoded(&name),
        );
        let head = "POST / HTTP/1.1\nhost: sqs.localhost\ncontent-type: application/x-www-form-urlencoded\n";
        let given = Given::parse(head).with_body(form);
        let expected = serde_json::json!({"QueueUrl": "u", "Entries": [{
            "Id": id, "MessageBody": body, "DelaySeconds": delay,
            "MessageAttributes": {name: {"DataType": "String"}},
        }]});
        prop_assert_eq!(document(&given, &registry()), expected);
    }

    #[test]
    fn text_survives_xml(name in "[^\\x00-\\x1f\\u{fffe}\\u{ffff}]{0,40}", comment in "[ -~\\n]{0,40}") {
        let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
        let body = format!(
            "<CreateHostedZoneRequest><Name>{}</Name><CallerReference>r</CallerReference><HostedZoneConfig><Comment>{}\
             </Comment><PrivateZone>true</PrivateZone></HostedZoneConfig></CreateHostedZoneRequest>",
            escape(&name), escape(&comment),
        );
        let given = Given::parse("POST /2013-04-01/hostedzone HTTP/1.1\nhost: route53.amazonaws.com\n").with_body(body);
        let expected = serde_json::json!({
            "Name": name, "CallerReference": "r", "HostedZoneConfig": {"Comment": comment, "PrivateZone": true},
        });
        prop_assert_eq!(document(&given, &registry()), expected);
    }

    #[test]
    fn text_survives_cbor(source in any::<String>(), detail in any::<String>(), resources in prop::collection::vec(any::<String>(), 0..4)) {
        let expected = serde_json::json!({"Entries": [{"Source": source, "Resources": resources, "Detail": detail}]});
        let mut body = Vec::new();
        ciborium::into_writer(&expected, &mut body).unwrap();
        let head = "POST /service/AWSEvents/operation/PutEvents HTTP/1.1\nhost: h\n";
        prop_assert_eq!(document(&Given::parse(head).with_body(body), &registry()), expected);
    }

    #[test]
    fn text_survives_paths_and_fields(name in "[a-zA-Z0-9é/:%+ ]{1,30}", qualifier in any::<String>()) {
        let target = format!("/2015-03-31/functions/{}?Qualifier={}", encoded(&name), encoded(&qualifier));
        let given = Given::parse(&format!("GET {target} HTTP/1.1\nhost: lambda.localhost\n"));
        let expected = serde_json::json!({"FunctionName": name, "Qualifier": qualifier});
        prop_assert_eq!(document(&given, &registry()), expected);
    }

    #[test]
    fn any_bytes_are_swallowed(head in 0..HEADS.len(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        swallow(HEADS[head], body, &registry())?;
    }

    #[test]
    fn nearly_good_text_is_swallowed(
        head in 0..HEADS.len(),
        body in "([{}\\[\\]:,\"<>/=&;.%!?0-9a-zé-]|Action=ListRoles|member\\.1|<Name>|</Name>|\"Item\"|null){0,60}",
    ) {
        swallow(HEADS[head], body.into_bytes(), &registry())?;
    }

    #[test]
    fn any_authorisation_is_swallowed(
        header in "(AWS4-HMAC-SHA256 )?([ -~]|Credential=|SignedHeaders=|Signature=|/aws4_request){0,40}",
        query in "([!-~]|X-Amz-Signature=|X-Amz-Credential=|X-Amz-Algorithm=AWS4-HMAC-SHA256|&){0,40}",
    ) {
        let head = format!("POST /?{query} HTTP/1.1\nhost: h\nx-amz-target: AmazonSQS.SendMessage\nauthorization: {header}\n");
        swallow(&head, b"{}".to_vec(), &registry())?;
    }
}

#[test]
fn deep_documents_are_refused_without_a_panic() {
    let deep = 100_000;
    let bodies = [
        format!("{{\"TableName\":\"t\",\"Item\":{}", "{\"L\":[".repeat(deep)),
        format!("Action=ListRoles&{}=x", "a.".repeat(deep)),
        "<a>".repeat(deep),
        "[".repeat(deep),
    ];
    for body in bodies {
        for head in HEADS {
            swallow(head, body.clone().into_bytes(), &registry()).unwrap();
        }
    }
    swallow(HEADS[6], vec![0x81; deep], &registry()).unwrap();
    swallow(
        HEADS[6],
        [vec![0xa1, 0x61, b'a'], vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat(),
        &registry(),
    )
    .unwrap();
}
