//! IAM through the router.

use serde_json::{Value, json};
use testkit::World;

const TRUST: &str = r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}"#;

async fn world() -> World {
    World::new(|| vec![iam::service()]).await
}

async fn code(world: &World, operation: &str, input: Value) -> String {
    world.refused("iam", operation, input).await.code.into_owned()
}

#[tokio::test]
async fn a_role_lives_with_its_policies() {
    let world = world().await;
    let create =
        json!({ "RoleName": "r", "AssumeRolePolicyDocument": TRUST, "Tags": [{ "Key": "a", "Value": "1" }] });
    let made = world.ok("iam", "CreateRole", create.clone()).await;
    assert_eq!(made["Role"]["Arn"], "arn:aws:iam::000000000000:role/r");
    assert!(made["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().starts_with("%7B%22Statement"));
    assert_eq!(code(&world, "CreateRole", create).await, "EntityAlreadyExists");
    world
        .ok("iam", "PutRolePolicy", json!({ "RoleName": "r", "PolicyName": "p", "PolicyDocument": POLICY }))
        .await;
    let listed = world.ok("iam", "ListRolePolicies", json!({ "RoleName": "r" })).await;
    assert_eq!(listed["PolicyNames"], json!(["p"]));
    let policy =
        world.ok("iam", "CreatePolicy", json!({ "PolicyName": "m", "PolicyDocument": POLICY })).await;
    let arn = policy["Policy"]["Arn"].clone();
    world.ok("iam", "AttachRolePolicy", json!({ "RoleName": "r", "PolicyArn": arn })).await;
    assert_eq!(
        world.ok("iam", "GetPolicy", json!({ "PolicyArn": arn })).await["Policy"]["AttachmentCount"],
        1
    );
    assert_eq!(code(&world, "DeletePolicy", json!({ "PolicyArn": arn })).await, "DeleteConflict");
    assert_eq!(code(&world, "DeleteRole", json!({ "RoleName": "r" })).await, "DeleteConflict");
    world.ok("iam", "DetachRolePolicy", json!({ "RoleName": "r", "PolicyArn": arn })).await;
    world.ok("iam", "DeleteRolePolicy", json!({ "RoleName": "r", "PolicyName": "p" })).await;
    world.ok("iam", "DeletePolicy", json!({ "PolicyArn": arn })).await;
    assert_eq!(world.ok("iam", "ListRoleTags", json!({ "RoleName": "r" })).await["Tags"][0]["Key"], "a");
    world.ok("iam", "DeleteRole", json!({ "RoleName": "r" })).await;
    assert_eq!(code(&world, "GetRole", json!({ "RoleName": "r" })).await, "NoSuchEntity");
}

#[tokio::test]
async fn roles_are_listed_in_pages() {
    let world = world().await;
    for name in ["a", "b", "c"] {
        world.ok("iam", "CreateRole", json!({ "RoleName": name, "AssumeRolePolicyDocument": TRUST })).await;
    }
    let first = world.ok("iam", "ListRoles", json!({ "MaxItems": 2 })).await;
    assert_eq!((first["Roles"].as_array().unwrap().len(), &first["IsTruncated"]), (2, &json!(true)));
    let rest = world.ok("iam", "ListRoles", json!({ "MaxItems": 2, "Marker": first["Marker"] })).await;
    assert_eq!((&rest["Roles"][0]["RoleName"], &rest["IsTruncated"]), (&json!("c"), &json!(false)));
}

#[tokio::test]
async fn malformed_documents_are_refused() {
    let world = world().await;
    let create = json!({ "RoleName": "r", "AssumeRolePolicyDocument": "{" });
    assert_eq!(code(&world, "CreateRole", create).await, "MalformedPolicyDocument");
    assert_eq!(
        code(
            &world,
            "PutRolePolicy",
            json!({ "RoleName": "none", "PolicyName": "p", "PolicyDocument": POLICY })
        )
        .await,
        "NoSuchEntity"
    );
}
