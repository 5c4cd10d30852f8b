//! The API as its clients speak it: CBOR under the path of the service, which signs as `events`.

use ciborium::Value as Cbor;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use testkit::World;
use wire::{Registry, Request};

use crate::support::{ROLE, messages, queue, world};

fn text(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

fn map(members: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(members.into_iter().map(|(name, value)| (text(name), value)).collect())
}

fn member<'a>(value: &'a Cbor, name: &str) -> &'a Cbor {
    let members = value.as_map().unwrap();
    &members.iter().find(|(known, _)| known.as_text() == Some(name)).unwrap().1
}

/// What a client gets that sends `input`: the status and the answer.
async fn send(world: &World, operation: &str, input: &Cbor) -> (u16, Cbor) {
    let mut body = Vec::new();
    ciborium::into_writer(input, &mut body).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("smithy-protocol", "rpc-v2-cbor"),
        ("content-type", "application/cbor"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=000000000000/20260101/eu-central-1/events/aws4_request, SignedHeaders=host, Signature=0",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let path = format!("/service/AWSEventsV2/operation/{operation}");
    let request = Request { method: "POST", path: &path, query: "", headers: &headers, body: body.into() };
    let registry = Registry::new(&[&eventsv2::api::SERVICE]);
    let call = wire::identify(&request, &registry).unwrap();
    assert_eq!(call.service.credential_scope(), "events");
    let document = wire::decode(&call, &request).unwrap();
    let result =
        world.kernel().call(world.caller(), call.service.signing_name, call.operation.name, document).await;
    let answer = wire::encode(&call, result.as_deref(), "id");
    let body: Cbor = ciborium::from_reader(&answer.body[..]).unwrap();
    (answer.status, body)
}

#[tokio::test]
async fn a_bus_a_subscriber_and_an_event_in_cbor() {
    let (world, _) = world().await;
    let (status, made) = send(&world, "CreateEventBus", &map(vec![("Name", text("cbor"))])).await;
    assert_eq!(status, 200);
    let bus = member(&made, "EventBusArn").clone();
    // Times are seconds under the tag of CBOR's times.
    assert!(matches!(member(&made, "CreationTime"), Cbor::Tag(1, _)), "{made:?}");
    let invoke = map(vec![("TargetArn", text(&queue("inbox"))), ("RoleArn", text(ROLE))]);
    let subscriber =
        map(vec![("Name", text("cbor")), ("EventBusArn", bus.clone()), ("InvokeConfiguration", invoke)]);
    assert_eq!(send(&world, "CreateSubscriber", &subscriber).await.0, 200);
    // Data are bytes, not base64.
    let data = Cbor::Bytes(json!({ "n": 1 }).to_string().into_bytes());
    let entry =
        map(vec![("Data", data), ("SystemMetadata", map(vec![("ContentType", text("application/json"))]))]);
    let put = map(vec![("EventBusArn", bus), ("Entries", Cbor::Array(vec![entry]))]);
    let (status, answer) = send(&world, "PutRawEvents", &put).await;
    assert_eq!((status, member(&answer, "FailedEntryCount")), (200, &Cbor::Integer(0.into())));
    let entries = member(&answer, "Entries").as_array().unwrap();
    assert_eq!(member(&entries[0], "SuccessCode"), &text("PUBLISHED"));
    world.idle().await;
    assert_eq!(messages(&world, "inbox").await[0]["Body"], r#"{"n":1}"#);
}

#[tokio::test]
async fn faults_in_cbor() {
    let (world, bus) = world().await;
    let gone = bus.replace("/orders/", "/gone/");
    for (operation, input, status, code) in [
        ("DescribeEventBus", map(vec![("EventBusArn", text(&gone))]), 400, "ResourceNotFoundException"),
        ("DescribeEventBus", map(vec![]), 400, "InvalidInputException"),
        ("CreateEventBus", map(vec![("Name", text("orders"))]), 400, "ResourceAlreadyExistsException"),
    ] {
        let (found, answer) = send(&world, operation, &input).await;
        let kind = member(&answer, "__type").as_text().unwrap();
        assert!(found == status && kind.ends_with(code), "{operation}: {found} {answer:?}");
    }
}
