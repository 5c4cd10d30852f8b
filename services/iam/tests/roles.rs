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

#[tokio::test]
async fn a_policy_has_versions_of_which_one_is_the_default() {
    let world = world().await;
    let made = world.ok("iam", "CreatePolicy", json!({ "PolicyName": "m", "PolicyDocument": POLICY })).await;
    let arn = made["Policy"]["Arn"].clone();
    let of = |extra: Value| {
        let mut input = json!({ "PolicyArn": arn });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        input
    };
    let other = POLICY.replace("dynamodb", "sqs");
    let next = of(json!({ "PolicyDocument": other, "SetAsDefault": true }));
    let next = world.ok("iam", "CreatePolicyVersion", next).await;
    assert_eq!(next["PolicyVersion"]["VersionId"], "v2");
    let policy = world.ok("iam", "GetPolicy", of(json!({}))).await;
    assert_eq!(policy["Policy"]["DefaultVersionId"], "v2");
    let first = world.ok("iam", "GetPolicyVersion", of(json!({ "VersionId": "v1" }))).await;
    assert_eq!(first["PolicyVersion"]["IsDefaultVersion"], false);
    assert!(first["PolicyVersion"]["Document"].as_str().unwrap().contains("dynamodb"));
    let listed = world.ok("iam", "ListPolicyVersions", of(json!({ "MaxItems": 1 }))).await;
    assert_eq!(listed["Versions"][0]["VersionId"], "v2", "newest first");
    let rest = of(json!({ "Marker": listed["Marker"] }));
    let rest = world.ok("iam", "ListPolicyVersions", rest).await;
    assert_eq!((&rest["Versions"][0]["VersionId"], &rest["IsTruncated"]), (&json!("v1"), &json!(false)));
    assert_eq!(code(&world, "DeletePolicyVersion", of(json!({ "VersionId": "v2" }))).await, "DeleteConflict");
    assert_eq!(code(&world, "DeletePolicy", of(json!({}))).await, "DeleteConflict");
    world.ok("iam", "SetDefaultPolicyVersion", of(json!({ "VersionId": "v1" }))).await;
    world.ok("iam", "DeletePolicyVersion", of(json!({ "VersionId": "v2" }))).await;
    assert_eq!(
        code(&world, "SetDefaultPolicyVersion", of(json!({ "VersionId": "v2" }))).await,
        "NoSuchEntity"
    );
    for _ in 0..4 {
        world.ok("iam", "CreatePolicyVersion", of(json!({ "PolicyDocument": POLICY }))).await;
    }
    let sixth = of(json!({ "PolicyDocument": POLICY }));
    assert_eq!(code(&world, "CreatePolicyVersion", sixth).await, "LimitExceeded");
    let long = POLICY.replace("\"*\"", &format!("\"{}\"", "x".repeat(6_200)));
    let long = json!({ "PolicyName": "long", "PolicyDocument": long });
    assert_eq!(code(&world, "CreatePolicy", long).await, "LimitExceeded");
    world.ok("iam", "TagPolicy", of(json!({ "Tags": [{ "Key": "a", "Value": "1" }] }))).await;
    world.ok("iam", "UntagPolicy", of(json!({ "TagKeys": ["b"] }))).await;
    assert_eq!(world.ok("iam", "ListPolicyTags", of(json!({}))).await["Tags"][0]["Value"], "1");
}

#[tokio::test]
async fn boundaries_are_policies_in_use() {
    let world = world().await;
    let made = world.ok("iam", "CreatePolicy", json!({ "PolicyName": "b", "PolicyDocument": POLICY })).await;
    let arn = made["Policy"]["Arn"].clone();
    let role = json!({ "RoleName": "r", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": arn });
    world.ok("iam", "CreateRole", role).await;
    assert_eq!(code(&world, "DeletePolicy", json!({ "PolicyArn": arn })).await, "DeleteConflict");
    let used = json!({ "PolicyArn": arn, "PolicyUsageFilter": "PermissionsBoundary" });
    let used = world.ok("iam", "ListEntitiesForPolicy", used).await;
    assert_eq!(used["PolicyRoles"][0]["RoleName"], "r");
    let attached = json!({ "PolicyArn": arn, "PolicyUsageFilter": "PermissionsPolicy" });
    assert_eq!(world.ok("iam", "ListEntitiesForPolicy", attached).await["PolicyRoles"], json!([]));
    let listed = world.ok("iam", "ListPolicies", json!({ "PolicyUsageFilter": "PermissionsPolicy" })).await;
    assert_eq!(listed["Policies"], json!([]));
    world.ok("iam", "DeleteRolePermissionsBoundary", json!({ "RoleName": "r" })).await;
    assert!(
        world.ok("iam", "GetRole", json!({ "RoleName": "r" })).await["Role"]["PermissionsBoundary"].is_null()
    );
    world.ok("iam", "DeletePolicy", json!({ "PolicyArn": arn })).await;
    let gone = json!({ "RoleName": "r", "PermissionsBoundary": arn });
    assert_eq!(code(&world, "PutRolePermissionsBoundary", gone).await, "NoSuchEntity");
}

#[tokio::test]
async fn roles_of_services_are_changed_by_nobody() {
    let world = world().await;
    let create = json!({ "AWSServiceName": "events.amazonaws.com" });
    let made = world.ok("iam", "CreateServiceLinkedRole", create.clone()).await;
    let name = made["Role"]["RoleName"].clone();
    assert_eq!(
        made["Role"]["Arn"],
        "arn:aws:iam::000000000000:role/aws-service-role/events.amazonaws.com/AWSServiceRoleForCloudWatchEvents"
    );
    assert_eq!(code(&world, "CreateServiceLinkedRole", create).await, "InvalidInput");
    let unknown = json!({ "AWSServiceName": "none.amazonaws.com" });
    assert!(
        world.refused("iam", "CreateServiceLinkedRole", unknown).await.message.contains("not implemented")
    );
    assert_eq!(code(&world, "DeleteRole", json!({ "RoleName": name })).await, "UnmodifiableEntity");
    let attach = json!({ "RoleName": name, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" });
    assert_eq!(code(&world, "AttachRolePolicy", attach).await, "UnmodifiableEntity");
    let deletion = world.ok("iam", "DeleteServiceLinkedRole", json!({ "RoleName": name })).await;
    let status = world.ok("iam", "GetServiceLinkedRoleDeletionStatus", deletion).await;
    assert_eq!(status["Status"], "SUCCEEDED");
    assert_eq!(code(&world, "GetRole", json!({ "RoleName": name })).await, "NoSuchEntity");
    let none = json!({ "DeletionTaskId": "task/none" });
    assert_eq!(code(&world, "GetServiceLinkedRoleDeletionStatus", none).await, "NoSuchEntity");
}

#[tokio::test]
async fn names_differ_by_more_than_their_case() {
    let world = world().await;
    let role = |name: &str| json!({ "RoleName": name, "AssumeRolePolicyDocument": TRUST });
    let user = |name: &str| json!({ "UserName": name });
    let group = |name: &str| json!({ "GroupName": name });
    let policy = |name: &str| json!({ "PolicyName": name, "PolicyDocument": POLICY });
    world.ok("iam", "CreateRole", role("Deploy")).await;
    assert_eq!(code(&world, "CreateRole", role("deploy")).await, "EntityAlreadyExists");
    world.ok("iam", "DeleteRole", json!({ "RoleName": "Deploy" })).await;
    world.ok("iam", "CreateRole", role("deploy")).await;
    world.ok("iam", "CreateUser", user("Deploy")).await;
    assert_eq!(code(&world, "CreateUser", user("DEPLOY")).await, "EntityAlreadyExists");
    world.ok("iam", "UpdateUser", json!({ "UserName": "Deploy", "NewUserName": "DEPLOY" })).await;
    world.ok("iam", "CreateUser", user("other")).await;
    let taken = json!({ "UserName": "other", "NewUserName": "deploy" });
    assert_eq!(code(&world, "UpdateUser", taken).await, "EntityAlreadyExists");
    world.ok("iam", "DeleteUser", user("DEPLOY")).await;
    world.ok("iam", "CreateUser", user("deploy")).await;
    world.ok("iam", "CreateGroup", group("Deploy")).await;
    assert_eq!(code(&world, "CreateGroup", group("deploy")).await, "EntityAlreadyExists");
    world.ok("iam", "CreatePolicy", policy("Deploy")).await;
    assert_eq!(code(&world, "CreatePolicy", policy("deploy")).await, "EntityAlreadyExists");
    let elsewhere = json!({ "PolicyName": "Deploy", "Path": "/x/", "PolicyDocument": POLICY });
    assert_eq!(code(&world, "CreatePolicy", elsewhere).await, "EntityAlreadyExists");
}
