//! STS through the router.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use base::{AccountId, Fault, Region, Timestamp};
use kernel::{Caller, Chance, Clock, Kernel};
use serde_json::{Value, json};
use store::Location;

async fn kernel() -> Kernel {
    let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
    let engine = store::open(&Location::Memory).unwrap();
    let kernel = Kernel::new(engine, clock, Chance::seeded(1), vec![sts::service()]);
    kernel.start().await.unwrap();
    kernel
}

async fn call(kernel: &Kernel, operation: &str, input: Value) -> Result<Value, Fault> {
    let account = AccountId::parse("123456789012").unwrap();
    let caller = Caller::root_user(account, Region::default(), kernel.new_id());
    kernel.run_document(caller, "sts", operation, &input).await
}

#[tokio::test]
async fn the_root_user_is_the_accounts() {
    let kernel = kernel().await;
    let who = call(&kernel, "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(
        who,
        json!({ "UserId": "123456789012", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root" })
    );
}

#[tokio::test]
async fn a_role_is_assumed_for_an_hour() {
    let kernel = kernel().await;
    let role = json!({ "RoleArn": "arn:aws:iam::210987654321:role/path/deploy", "RoleSessionName": "me" });
    let got = call(&kernel, "AssumeRole", role).await.unwrap();
    assert_eq!(got["AssumedRoleUser"]["Arn"], "arn:aws:sts::210987654321:assumed-role/deploy/me");
    let credentials = &got["Credentials"];
    assert!(credentials["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    assert_eq!(credentials["AccessKeyId"].as_str().unwrap().len(), 20);
    assert_eq!(credentials["SecretAccessKey"].as_str().unwrap().len(), 40);
    let expiry = kernel.clock().now().as_secs() + 3_600;
    assert_eq!(credentials["Expiration"].as_f64().unwrap() as i64, expiry);
}

#[tokio::test]
async fn what_is_no_role_or_not_honoured_is_refused() {
    let kernel = kernel().await;
    for input in [
        json!({ "RoleArn": "arn:aws:iam::210987654321:user/someone", "RoleSessionName": "me" }),
        json!({ "RoleArn": "arn:aws:iam::210987654321:role/r", "RoleSessionName": "me", "Policy": "{}" }),
        json!({ "RoleArn": "arn:aws:iam::210987654321:role/r", "RoleSessionName": "me", "DurationSeconds": 43_201 }),
    ] {
        assert!(call(&kernel, "AssumeRole", input.clone()).await.is_err(), "{input}");
    }
}
