//! Bodies that are not text: packed, framed, CBOR, too large; and preflights.

use std::io::Write as _;

use crate::support::{Given, registry};
use base::Fault;
use bytes::Bytes;
use ciborium::{Value, cbor};
use flate2::write::GzEncoder;
use wire::{Call, Response, cors, decode, encode, identify};

const SEND: &str = "POST / HTTP/1.1\nhost: localhost\nx-amz-target: AmazonSQS.SendMessage\n";
const JSON: &str = r#"{"QueueUrl":"u","MessageBody":"b"}"#;

#[track_caller]
fn decoded(given: &Given) -> Result<String, Fault> {
    let registry = registry();
    let call = identify(&given.request(), &registry).unwrap();
    decode(&call, &given.request()).map(|document| String::from_utf8(document.to_vec()).unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_unpacked() {
    let head = format!("{SEND}content-encoding: gzip\n");
    assert_eq!(decoded(&Given::parse(&head).with_body(gzip(JSON.as_bytes()))).unwrap(), JSON);
    assert_eq!(decoded(&Given::parse(&head).with_body(JSON)).unwrap_err().code, "SerializationException");
}

#[test]
fn chunks_are_joined_before_they_are_unpacked() {
    let packed = gzip(JSON.as_bytes());
    let mut framed = format!("{:x}\r\n", packed.len()).into_bytes();
    framed.extend_from_slice(&packed);
    framed.extend_from_slice(b"\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
    let head = format!(
        "{SEND}content-encoding: aws-chunked, gzip\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\n"
    );
    assert_eq!(decoded(&Given::parse(&head).with_body(framed)).unwrap(), JSON);
}

#[test]
fn what_is_too_large_is_refused_packed_or_not() {
    let zeros = vec![b'0'; 17 * 1024 * 1024];
    let plain = Given::parse(SEND).with_body(zeros.clone());
    let packed = Given::parse(&format!("{SEND}content-encoding: gzip\n")).with_body(gzip(&zeros));
    assert!(packed.body.len() < 64 * 1024);
    for given in [plain, packed] {
        let fault = decoded(&given).unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.status), ("RequestEntityTooLargeException", 413));
        let registry = registry();
        let call = identify(&given.request(), &registry).unwrap();
        assert_eq!(encode(&call, Err(&fault), "id").status, 413);
    }
}

#[test]
fn what_would_swell_in_memory_is_refused() {
    let form = "POST / HTTP/1.1\nhost: iam.amazonaws.com\ncontent-type: application/x-www-form-urlencoded\n";
    let many = format!("Action=ListRoles{}", "&a.1=b".repeat(10_000));
    assert_eq!(decoded(&Given::parse(form).with_body(many)).unwrap_err().code, "SerializationException");
    let xml = "POST /2013-04-01/hostedzone HTTP/1.1\nhost: route53.amazonaws.com\n";
    let many = format!("<CreateHostedZoneRequest>{}</CreateHostedZoneRequest>", "<a/>".repeat(400_000));
    assert_eq!(decoded(&Given::parse(xml).with_body(many)).unwrap_err().code, "MalformedXML");
    let cbor = "POST /service/AWSEvents/operation/PutEvents HTTP/1.1\nhost: h\n";
    let fault = decoded(&Given::parse(cbor).with_body(vec![0x80; 5 * 1024 * 1024])).unwrap_err();
    assert_eq!(fault.status, 413);
}

fn cbor_call(path: &str, body: &Value) -> (Given, Call) {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    let head = format!("POST {path} HTTP/1.1\nhost: localhost\nsmithy-protocol: rpc-v2-cbor\n");
    let given = Given::parse(&head).with_body(bytes);
    let call = identify(&given.request(), &registry()).unwrap();
    (given, call)
}

fn answer(call: &Call, result: Result<&str, &Fault>) -> (Response, Value) {
    let response = encode(call, result.map(str::as_bytes), "id");
    let value = ciborium::from_reader(response.body.as_ref()).unwrap();
    (response, value)
}

#[test]
fn cbor_has_bytes_and_time_stamps_of_its_own() {
    let item = cbor!({
        "TableName" => "t",
        "Item" => { "id" => { "S" => "1" }, "b" => { "B" => Value::Bytes(vec![0, 1, 2]) }, "n" => { "NULL" => true } },
        "Unknown" => [1, 2.5],
    });
    let (given, call) = cbor_call("/service/DynamoDB_20120810/operation/PutItem", &item.unwrap());
    let expected = r#"{"TableName":"t","Item":{"id":{"S":"1"},"b":{"B":"AAEC"},"n":{"NULL":true}}}"#;
    let document = decode(&call, &given.request()).unwrap();
    assert_eq!(document, Bytes::from_static(expected.as_bytes()));
    assert_eq!(call.operation.check(&document), Ok(()));
    let (response, value) = answer(&call, Ok(r#"{"Attributes":{"b":{"B":"AAEC"}},"ConsumedCapacity":null}"#));
    assert_eq!(
        (response.status, &response.headers["smithy-protocol"]),
        (200, &"rpc-v2-cbor".parse().unwrap())
    );
    assert_eq!(value, cbor!({ "Attributes" => { "b" => { "B" => Value::Bytes(vec![0, 1, 2]) } } }).unwrap());

    let time = Value::Tag(1, Box::new(Value::Float(1_795_342_819.5)));
    let event = cbor!({ "Entries" => [{ "Source" => "s", "Time" => time }] }).unwrap();
    let (given, call) = cbor_call("/service/AWSEvents/operation/PutEvents", &event);
    let document = decode(&call, &given.request()).unwrap();
    assert_eq!(document, Bytes::from_static(br#"{"Entries":[{"Time":1795342819.5,"Source":"s"}]}"#));
}

#[test]
fn cbor_faults_name_their_type() {
    let (_, call) = cbor_call("/service/DynamoDB_20120810/operation/ListTables", &Value::Map(vec![]));
    let fault =
        Fault::new("ResourceNotFoundException", "no").with_members(serde_json::json!({"a": [1, null, true]}));
    let (response, value) = answer(&call, Err(&fault));
    assert_eq!(response.status, 400);
    let expected = cbor!({
        "__type" => "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        "message" => "no",
        "a" => [1, null, true],
    });
    assert_eq!(value, expected.unwrap());
}

#[test]
fn preflights_are_answered() {
    let asked = "OPTIONS /x HTTP/1.1\nhost: localhost\norigin: http://site\naccess-control-request-method: POST\n\
        access-control-request-headers: x-amz-target,x-custom\n";
    let given = Given::parse(asked);
    let response = cors::preflight(&given.request()).unwrap();
    assert_eq!(response.status, 204);
    assert_eq!(response.headers["access-control-allow-origin"], "*");
    assert_eq!(response.headers["access-control-allow-headers"], "x-amz-target,x-custom");
    assert!(response.headers["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    assert!(cors::preflight(&Given::parse(SEND).request()).is_none());
    let bare = Given::parse("OPTIONS /x HTTP/1.1\nhost: localhost\norigin: http://site\n");
    assert!(cors::preflight(&bare.request()).is_none());
}
