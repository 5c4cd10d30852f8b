//! Secrets Manager through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use base::{Document, Fault};
use kernel::{Result, Service, Tx};
use serde_json::{Value, json};
use testkit::World;

const DAY: Duration = Duration::from_secs(86_400);

/// A stand-in for KMS: a ciphertext is the plaintext behind four letters. The key `gone` does not exist. Nothing of its
/// behaviour is evidence for the real one.
fn kms() -> Service {
    async fn seal(_: &mut Tx, input: Document) -> Result<Document> {
        if input["KeyId"] == "gone" {
            return Err(Fault::new("NotFoundException", "gone").into());
        }
        let sealed = format!("AAAA{}", input["Plaintext"].as_str().unwrap());
        Ok(json!({ "CiphertextBlob": sealed, "KeyId": input["KeyId"] }))
    }
    async fn open(_: &mut Tx, input: Document) -> Result<Document> {
        Ok(input["CiphertextBlob"].as_str().unwrap()[4..].into())
    }
    Service::internal_only("kms").internal("SealForService", seal).internal("OpenForService", open)
}

async fn world() -> World {
    World::new(|| vec![secretsmanager::service(), kms()]).await
}

async fn ok(world: &World, operation: &str, input: Value) -> Value {
    world.ok("secretsmanager", operation, input).await
}

async fn code(world: &World, operation: &str, input: Value) -> String {
    world.refused("secretsmanager", operation, input).await.code.into_owned()
}

async fn read(world: &World, id: &str) -> Value {
    ok(world, "GetSecretValue", json!({ "SecretId": id })).await["SecretString"].clone()
}

fn token(number: u32) -> String {
    format!("{number:032}")
}

#[tokio::test]
async fn a_secret_is_read_by_name_arn_and_partial_arn() {
    let world = world().await;
    let made = ok(&world, "CreateSecret", json!({ "Name": "db/main", "SecretString": "hidden" })).await;
    let arn = made["ARN"].as_str().unwrap();
    let (partial, suffix) = arn.rsplit_once('-').unwrap();
    assert_eq!(partial, "arn:aws:secretsmanager:eu-central-1:000000000000:secret:db/main");
    assert_eq!(suffix.len(), 6);
    for id in ["db/main", arn, partial] {
        assert_eq!(read(&world, id).await, "hidden", "{id}");
    }
    let wrong = format!("{partial}-abcdef");
    assert_eq!(
        code(&world, "GetSecretValue", json!({ "SecretId": wrong })).await,
        "ResourceNotFoundException"
    );
    let bytes = json!({ "Name": "bytes", "SecretBinary": "AAEC" });
    ok(&world, "CreateSecret", bytes).await;
    let read = ok(&world, "GetSecretValue", json!({ "SecretId": "bytes" })).await;
    assert_eq!((&read["SecretBinary"], read.get("SecretString")), (&json!("AAEC"), None));
    let both = json!({ "Name": "x", "SecretBinary": "AAEC", "SecretString": "s" });
    assert_eq!(code(&world, "CreateSecret", both).await, "InvalidParameterException");
    let named = json!({ "Name": "a b", "SecretString": "s" });
    assert_eq!(code(&world, "CreateSecret", named).await, "InvalidParameterException");
    let keyless = json!({ "Name": "x", "SecretString": "s", "KmsKeyId": "gone" });
    assert_eq!(code(&world, "CreateSecret", keyless).await, "EncryptionFailure");
    let replicated = json!({ "Name": "x", "AddReplicaRegions": [{ "Region": "us-east-1" }] });
    assert_eq!(code(&world, "CreateSecret", replicated).await, "InvalidParameterException");
}

#[tokio::test]
async fn requests_are_repeated_by_their_token() {
    let world = world().await;
    let create = json!({ "Name": "s", "SecretString": "one", "ClientRequestToken": token(1) });
    let made = ok(&world, "CreateSecret", create.clone()).await;
    assert_eq!(made["VersionId"], token(1));
    assert_eq!(ok(&world, "CreateSecret", create).await, made);
    let other = json!({ "Name": "s", "SecretString": "two", "ClientRequestToken": token(1) });
    assert_eq!(code(&world, "CreateSecret", other).await, "ResourceExistsException");
    let put = |value: &str| json!({ "SecretId": "s", "SecretString": value, "ClientRequestToken": token(2) });
    ok(&world, "PutSecretValue", put("two")).await;
    let again = ok(&world, "PutSecretValue", put("two")).await;
    assert_eq!(again["VersionStages"], json!(["AWSCURRENT"]));
    assert_eq!(code(&world, "PutSecretValue", put("three")).await, "ResourceExistsException");
    assert_eq!(read(&world, "s").await, "two");
}

#[tokio::test]
async fn labels_move_from_version_to_version() {
    let world = world().await;
    for (number, operation, member) in
        [(1, "CreateSecret", "Name"), (2, "PutSecretValue", "SecretId"), (3, "UpdateSecret", "SecretId")]
    {
        let input =
            json!({ member: "s", "SecretString": number.to_string(), "ClientRequestToken": token(number) });
        ok(&world, operation, input).await;
    }
    let get = |extra: Value| {
        let mut input = json!({ "SecretId": "s" });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        input
    };
    let previous = ok(&world, "GetSecretValue", get(json!({ "VersionStage": "AWSPREVIOUS" }))).await;
    assert_eq!(previous["SecretString"], "2");
    let first = ok(&world, "GetSecretValue", get(json!({ "VersionId": token(1) }))).await;
    assert_eq!((&first["SecretString"], first.get("VersionStages")), (&json!("1"), None));
    let versions = ok(&world, "ListSecretVersionIds", get(json!({}))).await;
    assert_eq!(versions["Versions"].as_array().unwrap().len(), 2, "those with labels");
    let all = ok(&world, "ListSecretVersionIds", get(json!({ "IncludeDeprecated": true }))).await;
    assert_eq!(all["Versions"].as_array().unwrap().len(), 3);
    let back = get(json!({ "VersionStage": "AWSCURRENT", "MoveToVersionId": token(1) }));
    assert_eq!(code(&world, "UpdateSecretVersionStage", back.clone()).await, "InvalidParameterException");
    let mut back = back;
    back["RemoveFromVersionId"] = token(3).into();
    ok(&world, "UpdateSecretVersionStage", back).await;
    assert_eq!(read(&world, "s").await, "1");
    let described = ok(&world, "DescribeSecret", get(json!({}))).await;
    assert_eq!(
        described["VersionIdsToStages"],
        json!({ token(1): ["AWSCURRENT"], token(3): ["AWSPREVIOUS"] })
    );
    let off = get(json!({ "VersionStage": "AWSCURRENT", "RemoveFromVersionId": token(1) }));
    assert_eq!(code(&world, "UpdateSecretVersionStage", off).await, "InvalidParameterException");
    let pending = json!({ "SecretId": "s", "SecretString": "4", "VersionStages": ["AWSPENDING"] });
    ok(&world, "PutSecretValue", pending).await;
    assert_eq!(read(&world, "s").await, "1");
    let none = get(json!({ "VersionStage": "NONE" }));
    assert_eq!(code(&world, "GetSecretValue", none).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_hundred_versions_are_kept() {
    let world = world().await;
    ok(&world, "CreateSecret", json!({ "Name": "s" })).await;
    assert_eq!(code(&world, "GetSecretValue", json!({ "SecretId": "s" })).await, "ResourceNotFoundException");
    for number in 0..102 {
        let input = json!({ "SecretId": "s", "SecretString": "v", "ClientRequestToken": token(number) });
        ok(&world, "PutSecretValue", input).await;
    }
    let all = json!({ "SecretId": "s", "IncludeDeprecated": true });
    let all = ok(&world, "ListSecretVersionIds", all).await;
    assert_eq!(all["Versions"].as_array().unwrap().len(), 100);
    assert_eq!(read(&world, "s").await, "v");
}

#[tokio::test]
async fn a_secret_is_rescued_until_its_window_is_over() {
    let world = world().await;
    let create = json!({ "Name": "s", "SecretString": "v" });
    ok(&world, "CreateSecret", create.clone()).await;
    let of = json!({ "SecretId": "s" });
    let delete = json!({ "SecretId": "s", "RecoveryWindowInDays": 7 });
    let deleted = ok(&world, "DeleteSecret", delete.clone()).await;
    assert_eq!(deleted["DeletionDate"].as_f64().unwrap() as i64, (world.now() + 7 * DAY).as_secs());
    assert_eq!(code(&world, "GetSecretValue", of.clone()).await, "InvalidRequestException");
    assert_eq!(code(&world, "CreateSecret", create.clone()).await, "InvalidRequestException");
    assert!(ok(&world, "DescribeSecret", of.clone()).await["DeletedDate"].is_number());
    assert_eq!(ok(&world, "ListSecrets", json!({})).await["SecretList"], json!([]));
    let planned = ok(&world, "ListSecrets", json!({ "IncludePlannedDeletion": true })).await;
    assert_eq!(planned["SecretList"].as_array().unwrap().len(), 1);
    ok(&world, "RestoreSecret", of.clone()).await;
    world.advance(8 * DAY).await;
    assert_eq!(read(&world, "s").await, "v");
    ok(&world, "DeleteSecret", delete).await;
    world.advance(8 * DAY).await;
    assert_eq!(code(&world, "DescribeSecret", of.clone()).await, "ResourceNotFoundException");
    ok(&world, "CreateSecret", create).await;
    let force = json!({ "SecretId": "s", "ForceDeleteWithoutRecovery": true });
    ok(&world, "DeleteSecret", force.clone()).await;
    assert_eq!(code(&world, "DescribeSecret", of).await, "ResourceNotFoundException");
    assert_eq!(
        ok(&world, "DeleteSecret", force).await["Name"],
        "s",
        "what is gone can be deleted at once again"
    );
    for wrong in [
        json!({ "SecretId": "s", "RecoveryWindowInDays": 6 }),
        json!({ "SecretId": "s", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true }),
    ] {
        assert_eq!(code(&world, "DeleteSecret", wrong).await, "InvalidParameterException");
    }
}

#[tokio::test]
async fn secrets_are_listed_and_read_by_filters() {
    let world = world().await;
    for (name, description, team) in
        [("app/db", "main database", "blue"), ("app/api", "key of the API", "red"), ("other", "x", "blue")]
    {
        let tags = json!([{ "Key": "team", "Value": team }]);
        let input = json!({ "Name": name, "SecretString": name, "Description": description, "Tags": tags });
        ok(&world, "CreateSecret", input).await;
        world.advance(Duration::from_secs(1)).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let list = answer["SecretList"].as_array().unwrap();
        list.iter().map(|it| it["Name"].as_str().unwrap().to_owned()).collect()
    };
    for (key, value, expected) in [
        ("name", "app/", vec!["app/api", "app/db"]),
        ("name", "!app/", vec!["other"]),
        ("description", "MAIN", vec!["app/db"]),
        ("tag-key", "te", vec!["other", "app/api", "app/db"]),
        ("tag-value", "red", vec!["app/api"]),
        ("all", "database blue", vec!["app/db"]),
        ("owning-service", "rds", vec![]),
    ] {
        let input = json!({ "Filters": [{ "Key": key, "Values": [value] }] });
        assert_eq!(names(&ok(&world, "ListSecrets", input).await), expected, "{key} {value}");
    }
    let first = json!({ "SortBy": "name", "SortOrder": "asc", "MaxResults": 2 });
    let first = ok(&world, "ListSecrets", first).await;
    assert_eq!(names(&first), ["app/api", "app/db"]);
    let rest = json!({ "SortBy": "name", "SortOrder": "asc", "NextToken": first["NextToken"] });
    assert_eq!(names(&ok(&world, "ListSecrets", rest).await), ["other"]);
    let batch = ok(&world, "BatchGetSecretValue", json!({ "SecretIdList": ["other", "none"] })).await;
    assert_eq!(batch["SecretValues"][0]["SecretString"], "other");
    assert_eq!(batch["Errors"][0]["ErrorCode"], "ResourceNotFoundException");
    let filtered = json!({ "Filters": [{ "Key": "name", "Values": ["app/"] }], "MaxResults": 1 });
    let filtered = ok(&world, "BatchGetSecretValue", filtered).await;
    assert_eq!(filtered["SecretValues"][0]["SecretString"], "app/api");
    assert_eq!(filtered["NextToken"], "app/api");
}

#[tokio::test]
async fn policies_tags_and_descriptions_are_changed() {
    let world = world().await;
    ok(&world, "CreateSecret", json!({ "Name": "s", "SecretString": "v" })).await;
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
    ok(&world, "TagResource", json!({ "SecretId": "s", "Tags": tags })).await;
    ok(&world, "UntagResource", json!({ "SecretId": "s", "TagKeys": ["a"] })).await;
    ok(&world, "UpdateSecret", json!({ "SecretId": "s", "Description": "d" })).await;
    let described = ok(&world, "DescribeSecret", json!({ "SecretId": "s" })).await;
    assert_eq!(described["Tags"], json!([{ "Key": "b", "Value": "2" }]));
    assert_eq!((&described["Description"], &described["RotationEnabled"]), (&json!("d"), &json!(false)));
    let open =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"secretsmanager:*","Resource":"*"}}"#;
    let put = json!({ "SecretId": "s", "ResourcePolicy": open, "BlockPublicPolicy": true });
    assert_eq!(code(&world, "PutResourcePolicy", put).await, "PublicPolicyException");
    ok(&world, "PutResourcePolicy", json!({ "SecretId": "s", "ResourcePolicy": open })).await;
    let told = ok(&world, "GetResourcePolicy", json!({ "SecretId": "s" })).await;
    assert_eq!(told["ResourcePolicy"], open);
    let checked = ok(&world, "ValidateResourcePolicy", json!({ "ResourcePolicy": open })).await;
    assert_eq!(checked["PolicyValidationPassed"], false);
    let wrong = json!({ "SecretId": "s", "ResourcePolicy": "{" });
    assert_eq!(code(&world, "PutResourcePolicy", wrong).await, "MalformedPolicyDocumentException");
    ok(&world, "DeleteResourcePolicy", json!({ "SecretId": "s" })).await;
    let told = ok(&world, "GetResourcePolicy", json!({ "SecretId": "s" })).await;
    assert_eq!(told.get("ResourcePolicy"), None);
    let password = ok(&world, "GetRandomPassword", json!({ "PasswordLength": 12 })).await;
    assert_eq!(password["RandomPassword"].as_str().unwrap().len(), 12);
}
