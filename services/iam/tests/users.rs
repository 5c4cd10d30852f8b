//! Users, groups and access keys through the router.

use serde_json::{Value, json};
use testkit::World;

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}"#;

async fn world() -> World {
    World::new(|| vec![iam::service()]).await
}

async fn ok(world: &World, operation: &str, input: Value) -> Value {
    world.ok("iam", operation, input).await
}

async fn code(world: &World, operation: &str, input: Value) -> String {
    world.refused("iam", operation, input).await.code.into_owned()
}

#[tokio::test]
async fn a_user_lives_with_its_policies_and_tags() {
    let world = world().await;
    let create = json!({ "UserName": "ann", "Path": "/team/", "Tags": [{ "Key": "a", "Value": "1" }] });
    let made = ok(&world, "CreateUser", create.clone()).await["User"].clone();
    assert_eq!(made["Arn"], "arn:aws:iam::000000000000:user/team/ann");
    assert!(made["UserId"].as_str().unwrap().starts_with("AIDA"));
    assert_eq!(code(&world, "CreateUser", create).await, "EntityAlreadyExists");
    let of = json!({ "UserName": "ann" });
    let inline = json!({ "UserName": "ann", "PolicyName": "p", "PolicyDocument": POLICY });
    ok(&world, "PutUserPolicy", inline).await;
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    ok(&world, "AttachUserPolicy", json!({ "UserName": "ann", "PolicyArn": arn })).await;
    assert_eq!(ok(&world, "ListUserPolicies", of.clone()).await["PolicyNames"], json!(["p"]));
    let attached = ok(&world, "ListAttachedUserPolicies", of.clone()).await;
    assert_eq!(attached["AttachedPolicies"][0]["PolicyName"], "ReadOnlyAccess");
    assert_eq!(code(&world, "DeleteUser", of.clone()).await, "DeleteConflict");
    ok(&world, "DetachUserPolicy", json!({ "UserName": "ann", "PolicyArn": arn })).await;
    ok(&world, "DeleteUserPolicy", json!({ "UserName": "ann", "PolicyName": "p" })).await;
    ok(&world, "TagUser", json!({ "UserName": "ann", "Tags": [{ "Key": "b", "Value": "2" }] })).await;
    ok(&world, "UntagUser", json!({ "UserName": "ann", "TagKeys": ["a"] })).await;
    assert_eq!(ok(&world, "ListUserTags", of.clone()).await["Tags"], json!([{ "Key": "b", "Value": "2" }]));
    let listed = ok(&world, "ListUsers", json!({ "PathPrefix": "/team/" })).await;
    assert_eq!(listed["Users"][0]["UserName"], "ann");
    ok(&world, "DeleteUser", of.clone()).await;
    assert_eq!(code(&world, "GetUser", of).await, "NoSuchEntity");
    assert_eq!(code(&world, "GetUser", json!({})).await, "ValidationError", "the caller is no user");
}

#[tokio::test]
async fn groups_have_members() {
    let world = world().await;
    for name in ["ann", "bob"] {
        ok(&world, "CreateUser", json!({ "UserName": name })).await;
    }
    ok(&world, "CreateGroup", json!({ "GroupName": "g" })).await;
    for name in ["ann", "bob"] {
        ok(&world, "AddUserToGroup", json!({ "GroupName": "g", "UserName": name })).await;
    }
    let group = ok(&world, "GetGroup", json!({ "GroupName": "g", "MaxItems": 1 })).await;
    assert_eq!((&group["Users"][0]["UserName"], &group["IsTruncated"]), (&json!("ann"), &json!(true)));
    ok(&world, "UpdateUser", json!({ "UserName": "ann", "NewUserName": "eve" })).await;
    let groups = ok(&world, "ListGroupsForUser", json!({ "UserName": "eve" })).await;
    assert_eq!(groups["Groups"][0]["GroupName"], "g");
    assert_eq!(code(&world, "DeleteGroup", json!({ "GroupName": "g" })).await, "DeleteConflict");
    assert_eq!(code(&world, "DeleteUser", json!({ "UserName": "eve" })).await, "DeleteConflict");
    for name in ["eve", "bob"] {
        ok(&world, "RemoveUserFromGroup", json!({ "GroupName": "g", "UserName": name })).await;
    }
    let policy = json!({ "GroupName": "g", "PolicyName": "p", "PolicyDocument": POLICY });
    ok(&world, "PutGroupPolicy", policy).await;
    let told = ok(&world, "GetGroupPolicy", json!({ "GroupName": "g", "PolicyName": "p" })).await;
    assert!(told["PolicyDocument"].as_str().unwrap().contains("dynamodb"));
    ok(&world, "DeleteGroupPolicy", json!({ "GroupName": "g", "PolicyName": "p" })).await;
    ok(&world, "DeleteGroup", json!({ "GroupName": "g" })).await;
    assert_eq!(ok(&world, "ListGroups", json!({})).await["Groups"], json!([]));
    let summary = ok(&world, "GetAccountSummary", json!({})).await["SummaryMap"].clone();
    assert_eq!((&summary["Users"], &summary["Groups"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn access_keys_name_their_user_until_they_are_switched_off() {
    let world = world().await;
    ok(&world, "CreateUser", json!({ "UserName": "ann" })).await;
    let of = json!({ "UserName": "ann" });
    let key = ok(&world, "CreateAccessKey", of.clone()).await["AccessKey"].clone();
    let id = key["AccessKeyId"].clone();
    assert_eq!((id.as_str().unwrap().len(), key["SecretAccessKey"].as_str().unwrap().len()), (20, 40));
    let known = world.ask("iam", iam::IDENTIFY, id.clone()).await.unwrap()["key"].clone();
    assert_eq!(known["secret"], key["SecretAccessKey"]);
    assert_eq!(known["principal"], "arn:aws:iam::000000000000:user/ann");
    ok(&world, "UpdateUser", json!({ "UserName": "ann", "NewUserName": "eve", "NewPath": "/x/" })).await;
    let known = world.ask("iam", iam::IDENTIFY, id.clone()).await.unwrap();
    assert_eq!(known["key"]["principal"], "arn:aws:iam::000000000000:user/x/eve");
    let of = json!({ "UserName": "eve" });
    let off = json!({ "UserName": "eve", "AccessKeyId": id, "Status": "Inactive" });
    ok(&world, "UpdateAccessKey", off).await;
    assert!(world.ask("iam", iam::IDENTIFY, id.clone()).await.unwrap()["key"].is_null());
    let listed = ok(&world, "ListAccessKeys", of.clone()).await;
    assert_eq!(listed["AccessKeyMetadata"][0]["Status"], "Inactive");
    ok(&world, "CreateAccessKey", of.clone()).await;
    assert_eq!(code(&world, "CreateAccessKey", of.clone()).await, "LimitExceeded");
    assert_eq!(code(&world, "DeleteUser", of.clone()).await, "DeleteConflict");
    ok(&world, "DeleteAccessKey", json!({ "UserName": "eve", "AccessKeyId": id })).await;
    let gone = json!({ "UserName": "eve", "AccessKeyId": id });
    assert_eq!(code(&world, "DeleteAccessKey", gone).await, "NoSuchEntity");
}
