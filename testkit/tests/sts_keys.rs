//! STS with the real IAM.

use serde_json::json;
use testkit::World;

#[tokio::test]
async fn a_users_access_key_names_its_account() {
    let world = World::of(|| vec![sts::service(), iam::service()]).account("123456789012").open().await;
    world.ok("iam", "CreateUser", json!({ "UserName": "ann" })).await;
    let key = world.ok("iam", "CreateAccessKey", json!({ "UserName": "ann" })).await;
    let asked = json!({ "AccessKeyId": key["AccessKey"]["AccessKeyId"] });
    assert_eq!(world.ok("sts", "GetAccessKeyInfo", asked).await["Account"], "123456789012");
    let unknown = json!({ "AccessKeyId": "AKIAAAAAAAAAAAAAAAAA" });
    assert_eq!(world.refused("sts", "GetAccessKeyInfo", unknown).await.code, "ValidationError");
}
