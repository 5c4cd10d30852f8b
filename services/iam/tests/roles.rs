//! IAM through the router.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use base::{AccountId, Fault, Region, Timestamp};
use kernel::{Caller, Chance, Clock, Kernel};
use serde_json::{Value, json};
use store::Location;

const TRUST: &str = r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}"#;

struct World(Kernel);

impl World {
    async fn new() -> World {
        let clock = Clock::virtual_at(Timestamp::from_iso("2026-01-01T00:00:00Z").unwrap());
        let kernel = Kernel::new(
            store::open(&Location::Memory).unwrap(),
            clock,
            Chance::seeded(1),
            vec![iam::service()],
        );
        kernel.start().await.unwrap();
        World(kernel)
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.0.new_id());
        self.0.run_document(caller, "iam", operation, &input).await
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap()
    }

    async fn code(&self, operation: &str, input: Value) -> String {
        self.call(operation, input).await.unwrap_err().code.into_owned()
    }
}

#[tokio::test]
async fn a_role_lives_with_its_policies() {
    let world = World::new().await;
    let create =
        json!({ "RoleName": "r", "AssumeRolePolicyDocument": TRUST, "Tags": [{ "Key": "a", "Value": "1" }] });
    let made = world.ok("CreateRole", create.clone()).await;
    assert_eq!(made["Role"]["Arn"], "arn:aws:iam::000000000000:role/r");
    assert!(made["Role"]["AssumeRolePolicyDocument"].as_str().unwrap().starts_with("%7B%22Statement"));
    assert_eq!(world.code("CreateRole", create).await, "EntityAlreadyExists");
    world.ok("PutRolePolicy", json!({ "RoleName": "r", "PolicyName": "p", "PolicyDocument": POLICY })).await;
    let listed = world.ok("ListRolePolicies", json!({ "RoleName": "r" })).await;
    assert_eq!(listed["PolicyNames"], json!(["p"]));
    let policy = world.ok("CreatePolicy", json!({ "PolicyName": "m", "PolicyDocument": POLICY })).await;
    let arn = policy["Policy"]["Arn"].clone();
    world.ok("AttachRolePolicy", json!({ "RoleName": "r", "PolicyArn": arn })).await;
    assert_eq!(world.ok("GetPolicy", json!({ "PolicyArn": arn })).await["Policy"]["AttachmentCount"], 1);
    assert_eq!(world.code("DeletePolicy", json!({ "PolicyArn": arn })).await, "DeleteConflict");
    assert_eq!(world.code("DeleteRole", json!({ "RoleName": "r" })).await, "DeleteConflict");
    world.ok("DetachRolePolicy", json!({ "RoleName": "r", "PolicyArn": arn })).await;
    world.ok("DeleteRolePolicy", json!({ "RoleName": "r", "PolicyName": "p" })).await;
    world.ok("DeletePolicy", json!({ "PolicyArn": arn })).await;
    assert_eq!(world.ok("ListRoleTags", json!({ "RoleName": "r" })).await["Tags"][0]["Key"], "a");
    world.ok("DeleteRole", json!({ "RoleName": "r" })).await;
    assert_eq!(world.code("GetRole", json!({ "RoleName": "r" })).await, "NoSuchEntity");
}

#[tokio::test]
async fn roles_are_listed_in_pages() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.ok("CreateRole", json!({ "RoleName": name, "AssumeRolePolicyDocument": TRUST })).await;
    }
    let first = world.ok("ListRoles", json!({ "MaxItems": 2 })).await;
    assert_eq!((first["Roles"].as_array().unwrap().len(), &first["IsTruncated"]), (2, &json!(true)));
    let rest = world.ok("ListRoles", json!({ "MaxItems": 2, "Marker": first["Marker"] })).await;
    assert_eq!((&rest["Roles"][0]["RoleName"], &rest["IsTruncated"]), (&json!("c"), &json!(false)));
}

#[tokio::test]
async fn malformed_documents_are_refused() {
    let world = World::new().await;
    let create = json!({ "RoleName": "r", "AssumeRolePolicyDocument": "{" });
    assert_eq!(world.code("CreateRole", create).await, "MalformedPolicyDocument");
    assert_eq!(
        world
            .code("PutRolePolicy", json!({ "RoleName": "none", "PolicyName": "p", "PolicyDocument": POLICY }))
            .await,
        "NoSuchEntity"
    );
}
