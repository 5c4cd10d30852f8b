//! STS through the router.

use serde_json::json;
use testkit::World;

async fn world() -> World {
    World::of(|| vec![sts::service()]).account("123456789012").open().await
}

#[tokio::test]
async fn the_root_user_is_the_accounts() {
    let world = world().await;
    let who = world.call("sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(
        who,
        json!({ "UserId": "123456789012", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root" })
    );
}

#[tokio::test]
async fn a_role_is_assumed_for_an_hour() {
    let world = world().await;
    let role = json!({ "RoleArn": "arn:aws:iam::210987654321:role/path/deploy", "RoleSessionName": "me" });
    let got = world.call("sts", "AssumeRole", role).await.unwrap();
    assert_eq!(got["AssumedRoleUser"]["Arn"], "arn:aws:sts::210987654321:assumed-role/deploy/me");
    let credentials = &got["Credentials"];
    assert!(credentials["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    assert_eq!(credentials["AccessKeyId"].as_str().unwrap().len(), 20);
    assert_eq!(credentials["SecretAccessKey"].as_str().unwrap().len(), 40);
    let expiry = world.now().as_secs() + 3_600;
    assert_eq!(credentials["Expiration"].as_f64().unwrap() as i64, expiry);
}

#[tokio::test]
async fn what_is_no_role_or_not_honoured_is_refused() {
    let world = world().await;
    for input in [
        json!({ "RoleArn": "arn:aws:iam::210987654321:user/someone", "RoleSessionName": "me" }),
        json!({ "RoleArn": "arn:aws:iam::210987654321:role/r", "RoleSessionName": "me", "Policy": "{}" }),
        json!({ "RoleArn": "arn:aws:iam::210987654321:role/r", "RoleSessionName": "me", "DurationSeconds": 43_201 }),
    ] {
        assert!(world.call("sts", "AssumeRole", input.clone()).await.is_err(), "{input}");
    }
}
