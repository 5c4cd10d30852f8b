//! ECR through the router.

use serde_json::{Value, json};
use testkit::World;

/// The lifecycle policy of `cdk bootstrap`.
const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"description":"Untagged images should not exist","selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":365},"action":{"type":"expire"}}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["ecr:BatchGetImage"]}]}"#;

async fn world() -> World {
    World::new(|| vec![ecr::service()]).await
}

async fn code(world: &World, operation: &str, input: Value) -> String {
    world.refused("ecr", operation, input).await.code.into_owned()
}

#[tokio::test]
async fn a_repository_is_made_described_and_deleted() {
    let world = world().await;
    let create = json!({ "repositoryName": "cdk/assets", "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": { "scanOnPush": true } });
    let made = world.ok("ecr", "CreateRepository", create.clone()).await["repository"].clone();
    assert_eq!(made["repositoryArn"], "arn:aws:ecr:eu-central-1:000000000000:repository/cdk/assets");
    assert_eq!(made["repositoryUri"], "000000000000.dkr.ecr.eu-central-1.amazonaws.com/cdk/assets");
    assert_eq!(code(&world, "CreateRepository", create).await, "RepositoryAlreadyExistsException");
    let name = json!({ "repositoryNames": ["cdk/assets"] });
    let described = world.ok("ecr", "DescribeRepositories", name.clone()).await;
    assert_eq!(described["repositories"], json!([made]));
    world.ok("ecr", "DeleteRepository", json!({ "repositoryName": "cdk/assets" })).await;
    assert_eq!(code(&world, "DescribeRepositories", name).await, "RepositoryNotFoundException");
    let foreign = json!({ "repositoryName": "x2", "registryId": "111122223333" });
    assert_eq!(code(&world, "CreateRepository", foreign).await, "InvalidParameterException");
    let kms = json!({ "repositoryName": "x2", "encryptionConfiguration": { "encryptionType": "KMS" } });
    assert_eq!(code(&world, "CreateRepository", kms).await, "InvalidParameterException");
}

#[tokio::test]
async fn repositories_are_listed_in_pages() {
    let world = world().await;
    for name in ["aa", "bb", "cc"] {
        world.ok("ecr", "CreateRepository", json!({ "repositoryName": name })).await;
    }
    let first = world.ok("ecr", "DescribeRepositories", json!({ "maxResults": 2 })).await;
    assert_eq!((first["repositories"].as_array().unwrap().len(), &first["nextToken"]), (2, &json!("bb")));
    let rest = world.ok("ecr", "DescribeRepositories", json!({ "nextToken": first["nextToken"] })).await;
    assert_eq!(rest["repositories"][0]["repositoryName"], "cc");
    assert_eq!(rest.get("nextToken"), None);
}

#[tokio::test]
async fn policies_are_kept_and_told() {
    let world = world().await;
    world.ok("ecr", "CreateRepository", json!({ "repositoryName": "repo" })).await;
    let of = json!({ "repositoryName": "repo" });
    let with = |name: &str, text: &str| json!({ "repositoryName": "repo", name: text });
    assert_eq!(code(&world, "GetLifecyclePolicy", of.clone()).await, "LifecyclePolicyNotFoundException");
    world.ok("ecr", "PutLifecyclePolicy", with("lifecyclePolicyText", LIFECYCLE)).await;
    let told = world.ok("ecr", "GetLifecyclePolicy", of.clone()).await;
    assert_eq!(told["lifecyclePolicyText"], LIFECYCLE);
    let without_priority = LIFECYCLE.replace("rulePriority", "priority");
    assert_eq!(
        code(&world, "PutLifecyclePolicy", with("lifecyclePolicyText", &without_priority)).await,
        "InvalidParameterException"
    );
    world.ok("ecr", "DeleteLifecyclePolicy", of.clone()).await;
    assert_eq!(code(&world, "DeleteLifecyclePolicy", of.clone()).await, "LifecyclePolicyNotFoundException");
    assert_eq!(code(&world, "GetRepositoryPolicy", of.clone()).await, "RepositoryPolicyNotFoundException");
    world.ok("ecr", "SetRepositoryPolicy", with("policyText", POLICY)).await;
    assert_eq!(world.ok("ecr", "GetRepositoryPolicy", of.clone()).await["policyText"], POLICY);
    assert_eq!(
        code(&world, "SetRepositoryPolicy", with("policyText", "{}")).await,
        "InvalidParameterException"
    );
    world.ok("ecr", "DeleteRepositoryPolicy", of.clone()).await;
    assert_eq!(code(&world, "GetRepositoryPolicy", of).await, "RepositoryPolicyNotFoundException");
}

#[tokio::test]
async fn settings_and_tags_are_changed() {
    let world = world().await;
    let create = json!({ "repositoryName": "repo", "tags": [{ "Key": "a", "Value": "1" }] });
    let made = world.ok("ecr", "CreateRepository", create).await;
    let arn = made["repository"]["repositoryArn"].clone();
    let scan = json!({ "repositoryName": "repo", "imageScanningConfiguration": { "scanOnPush": true } });
    world.ok("ecr", "PutImageScanningConfiguration", scan).await;
    let filters = json!([{ "filterType": "WILDCARD", "filter": "dev*" }]);
    let exclude = json!({ "repositoryName": "repo", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters });
    world.ok("ecr", "PutImageTagMutability", exclude).await;
    let described = world.ok("ecr", "DescribeRepositories", json!({})).await["repositories"][0].clone();
    assert_eq!(described["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(described["imageTagMutabilityExclusionFilters"], filters);
    let without = json!({ "repositoryName": "repo", "imageTagMutability": "MUTABLE_WITH_EXCLUSION" });
    assert_eq!(code(&world, "PutImageTagMutability", without).await, "InvalidParameterException");
    let more = json!({ "resourceArn": arn, "tags": [{ "Key": "b", "Value": "2" }] });
    world.ok("ecr", "TagResource", more).await;
    world.ok("ecr", "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a"] })).await;
    let listed = world.ok("ecr", "ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(listed["tags"], json!([{ "Key": "b", "Value": "2" }]));
}
