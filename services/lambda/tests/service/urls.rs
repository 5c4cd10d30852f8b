//! Function URLs from the configuration to the answer.

use lambda::url::{UrlRequest, UrlResponse, handle};
use serde_json::{Value, json};

use crate::support::{House, only};

async fn request(house: &House, url: &str, path: &str) -> UrlResponse {
    let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let request = UrlRequest {
        method: "GET".into(),
        host,
        path: path.into(),
        query: "a=1".into(),
        protocol: "HTTP/1.1".into(),
        ..UrlRequest::default()
    };
    handle(&house.kernel, &house.functions, request).await
}

#[tokio::test]
async fn a_url_calls_its_function() {
    let house = House::new().await;
    house.create(json!({})).await;
    let created =
        house.ok("CreateFunctionUrlConfig", json!({ "FunctionName": "f", "AuthType": "NONE" })).await;
    let url = created["FunctionUrl"].as_str().unwrap();
    assert!(url.ends_with(".lambda-url.eu-central-1.localhost:4566/"), "{url}");
    let again =
        house.fault("CreateFunctionUrlConfig", json!({ "FunctionName": "f", "AuthType": "NONE" })).await;
    assert_eq!(again.0, "ResourceConflictException");

    let answer = request(&house, url, "/x").await;
    assert_eq!(answer.status, 200);
    let event: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        only(&event, &["version", "rawPath", "queryStringParameters"]),
        json!({ "version": "2.0", "rawPath": "/x", "queryStringParameters": { "a": "1" } })
    );

    let headers = &event["headers"];
    assert_eq!(
        (&headers["x-forwarded-port"], &headers["x-forwarded-proto"]),
        (&json!("4566"), &json!("http"))
    );
    assert!(headers["x-amzn-trace-id"].as_str().unwrap().starts_with("Root=1-"), "{headers}");

    let got = house.ok("GetFunctionUrlConfig", json!({ "FunctionName": "f" })).await;
    assert_eq!(got["FunctionUrl"], url);
    house.ok("UpdateFunctionUrlConfig", json!({ "FunctionName": "f", "AuthType": "AWS_IAM" })).await;
    assert_eq!(request(&house, url, "/").await.status, 403);
    let list = house.ok("ListFunctionUrlConfigs", json!({ "FunctionName": "f" })).await;
    assert_eq!(list["FunctionUrlConfigs"][0]["AuthType"], "AWS_IAM");
    house.ok("DeleteFunctionUrlConfig", json!({ "FunctionName": "f" })).await;
    let gone = request(&house, url, "/").await;
    assert_eq!((gone.status, &gone.body[..]), (403, &br#"{"Message":"Forbidden"}"#[..]));
}
