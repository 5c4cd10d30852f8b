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

#[tokio::test]
async fn a_user_is_federated() {
    let world = world().await;
    let asked = json!({ "Name": "guest", "DurationSeconds": 900, "MinimumSessionTokenSize": 400 });
    let got = world.ok("sts", "GetFederationToken", asked).await;
    assert_eq!(got["FederatedUser"]["Arn"], "arn:aws:sts::123456789012:federated-user/guest");
    assert_eq!(got["Credentials"]["SessionToken"].as_str().unwrap().len(), 400);
    let key = got["Credentials"]["AccessKeyId"].clone();
    let found = world.ask("sts", sts::IDENTIFY, key).await.unwrap();
    assert_eq!(found["session"]["principal"], got["FederatedUser"]["Arn"]);
    let limited = json!({ "Name": "guest", "Policy": "{}" });
    assert_eq!(world.refused("sts", "GetFederationToken", limited).await.code, "ValidationError");
    let device = json!({ "SerialNumber": "arn:aws:iam::123456789012:mfa/me", "TokenCode": "123456" });
    assert_eq!(world.refused("sts", "GetSessionToken", device).await.code, "ValidationError");
}

#[tokio::test]
async fn a_key_of_a_session_names_its_account() {
    let world = world().await;
    let role = json!({ "RoleArn": "arn:aws:iam::210987654321:role/deploy", "RoleSessionName": "me" });
    let got = world.ok("sts", "AssumeRole", role).await;
    let key = json!({ "AccessKeyId": got["Credentials"]["AccessKeyId"] });
    assert_eq!(world.ok("sts", "GetAccessKeyInfo", key).await["Account"], "210987654321");
}
