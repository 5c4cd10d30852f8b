//! KMS through the router, on the virtual clock.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

const DAY: Duration = Duration::from_secs(86_400);
/// `secret` in base64.
const SECRET: &str = "c2VjcmV0";

async fn world() -> World {
    World::new(|| vec![kms::service()]).await
}

async fn key(world: &World) -> String {
    let made = world.ok("kms", "CreateKey", json!({ "Description": "mine" })).await;
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

async fn code(world: &World, operation: &str, input: Value) -> String {
    world.refused("kms", operation, input).await.code.into_owned()
}

async fn encrypt(world: &World, key_id: &str, context: Value) -> Value {
    let input = json!({ "KeyId": key_id, "Plaintext": SECRET, "EncryptionContext": context });
    world.ok("kms", "Encrypt", input).await["CiphertextBlob"].clone()
}

#[tokio::test]
async fn what_a_key_encrypts_only_the_same_context_decrypts() {
    let world = world().await;
    let id = key(&world).await;
    let sealed = encrypt(&world, &id, json!({ "a": "1" })).await;
    let open = |context: Value| json!({ "CiphertextBlob": sealed, "EncryptionContext": context });
    let opened = world.ok("kms", "Decrypt", open(json!({ "a": "1" }))).await;
    assert_eq!(opened["Plaintext"], SECRET);
    assert_eq!(opened["KeyId"], format!("arn:aws:kms:eu-central-1:000000000000:key/{id}"));
    assert_eq!(code(&world, "Decrypt", open(json!({}))).await, "InvalidCiphertextException");
    let other = key(&world).await;
    let mut wrong = open(json!({ "a": "1" }));
    wrong["KeyId"] = other.clone().into();
    assert_eq!(code(&world, "Decrypt", wrong).await, "IncorrectKeyException");
    let moved = json!({ "CiphertextBlob": sealed, "SourceEncryptionContext": { "a": "1" },
        "DestinationKeyId": other, "DestinationEncryptionContext": { "b": "2" } });
    let moved = world.ok("kms", "ReEncrypt", moved).await["CiphertextBlob"].clone();
    let opened = json!({ "CiphertextBlob": moved, "EncryptionContext": { "b": "2" } });
    assert_eq!(world.ok("kms", "Decrypt", opened).await["Plaintext"], SECRET);
    let garbage = json!({ "CiphertextBlob": "AAAA" });
    assert_eq!(code(&world, "Decrypt", garbage).await, "InvalidCiphertextException");
    let dry = json!({ "KeyId": id, "Plaintext": SECRET, "DryRun": true });
    assert_eq!(code(&world, "Encrypt", dry).await, "DryRunOperationException");
}

#[tokio::test]
async fn data_keys_come_with_their_ciphertext() {
    let world = world().await;
    let id = key(&world).await;
    let made = world.ok("kms", "GenerateDataKey", json!({ "KeyId": id, "KeySpec": "AES_256" })).await;
    let opened = world.ok("kms", "Decrypt", json!({ "CiphertextBlob": made["CiphertextBlob"] })).await;
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
    assert_eq!(made["Plaintext"].as_str().unwrap().len(), 44, "32 bytes");
    let hidden = json!({ "KeyId": id, "NumberOfBytes": 16 });
    let hidden = world.ok("kms", "GenerateDataKeyWithoutPlaintext", hidden).await;
    assert!(hidden.get("Plaintext").is_none());
    let opened = world.ok("kms", "Decrypt", json!({ "CiphertextBlob": hidden["CiphertextBlob"] })).await;
    assert_eq!(opened["Plaintext"].as_str().unwrap().len(), 24, "16 bytes");
    assert_eq!(code(&world, "GenerateDataKey", json!({ "KeyId": id })).await, "ValidationException");
    let random = world.ok("kms", "GenerateRandom", json!({ "NumberOfBytes": 9 })).await;
    assert_eq!(random["Plaintext"].as_str().unwrap().len(), 12);
}

#[tokio::test]
async fn aliases_name_keys() {
    let world = world().await;
    let (one, two) = (key(&world).await, key(&world).await);
    world.ok("kms", "CreateAlias", json!({ "AliasName": "alias/app", "TargetKeyId": one })).await;
    let again = json!({ "AliasName": "alias/app", "TargetKeyId": two });
    assert_eq!(code(&world, "CreateAlias", again.clone()).await, "AlreadyExistsException");
    let sealed = encrypt(&world, "alias/app", json!({})).await;
    world.ok("kms", "UpdateAlias", again).await;
    let described = world.ok("kms", "DescribeKey", json!({ "KeyId": "alias/app" })).await;
    assert_eq!(described["KeyMetadata"]["KeyId"], two.as_str());
    let opened = world.ok("kms", "Decrypt", json!({ "CiphertextBlob": sealed })).await;
    assert_eq!(opened["Plaintext"], SECRET, "the ciphertext names its key");
    let listed = world.ok("kms", "ListAliases", json!({ "KeyId": two })).await;
    assert_eq!(listed["Aliases"][0]["AliasArn"], "arn:aws:kms:eu-central-1:000000000000:alias/app");
    world.ok("kms", "DeleteAlias", json!({ "AliasName": "alias/app" })).await;
    assert_eq!(code(&world, "DescribeKey", json!({ "KeyId": "alias/app" })).await, "NotFoundException");
    for (name, expected) in [
        ("app", "ValidationException"),
        ("alias/aws/mine", "NotAuthorizedException"),
        ("alias/a:b", "InvalidAliasNameException"),
    ] {
        let input = json!({ "AliasName": name, "TargetKeyId": one });
        assert_eq!(code(&world, "CreateAlias", input).await, expected, "{name}");
    }
}

#[tokio::test]
async fn keys_of_aws_are_made_when_they_are_asked_for() {
    let world = world().await;
    let first = world.ok("kms", "DescribeKey", json!({ "KeyId": "alias/aws/ssm" })).await;
    assert_eq!(first["KeyMetadata"]["KeyManager"], "AWS");
    let again = world.ok("kms", "DescribeKey", json!({ "KeyId": "alias/aws/ssm" })).await;
    assert_eq!(again["KeyMetadata"]["KeyId"], first["KeyMetadata"]["KeyId"]);
    let id = first["KeyMetadata"]["KeyId"].clone();
    assert_eq!(code(&world, "DisableKey", json!({ "KeyId": id })).await, "AccessDeniedException");
    assert_eq!(code(&world, "DescribeKey", json!({ "KeyId": "alias/aws/none" })).await, "NotFoundException");
}

#[tokio::test]
async fn a_key_waits_for_its_deletion_and_then_is_gone() {
    let world = world().await;
    let id = key(&world).await;
    world.ok("kms", "CreateAlias", json!({ "AliasName": "alias/app", "TargetKeyId": id })).await;
    let sealed = encrypt(&world, &id, json!({})).await;
    let open = json!({ "CiphertextBlob": sealed });
    world.ok("kms", "DisableKey", json!({ "KeyId": id })).await;
    assert_eq!(code(&world, "Decrypt", open.clone()).await, "DisabledException");
    world.ok("kms", "EnableKey", json!({ "KeyId": id })).await;
    let schedule = json!({ "KeyId": id, "PendingWindowInDays": 7 });
    let scheduled = world.ok("kms", "ScheduleKeyDeletion", schedule.clone()).await;
    assert_eq!(scheduled["DeletionDate"].as_f64().unwrap() as i64, (world.now() + 7 * DAY).as_secs());
    assert_eq!(code(&world, "Decrypt", open.clone()).await, "KMSInvalidStateException");
    world.ok("kms", "CancelKeyDeletion", json!({ "KeyId": id })).await;
    world.advance(8 * DAY).await;
    world.ok("kms", "EnableKey", json!({ "KeyId": id })).await;
    assert_eq!(world.ok("kms", "Decrypt", open.clone()).await["Plaintext"], SECRET);
    world.ok("kms", "ScheduleKeyDeletion", schedule).await;
    world.advance(8 * DAY).await;
    assert_eq!(code(&world, "DescribeKey", json!({ "KeyId": id })).await, "NotFoundException");
    assert_eq!(code(&world, "Decrypt", open).await, "AccessDeniedException");
    let aliases = world.ok("kms", "ListAliases", json!({})).await;
    assert_eq!(aliases["Aliases"], json!([]));
    let soon = json!({ "KeyId": key(&world).await, "PendingWindowInDays": 3 });
    assert_eq!(code(&world, "ScheduleKeyDeletion", soon).await, "ValidationException");
}

#[tokio::test]
async fn rotation_gives_new_material_and_keeps_the_old() {
    let world = world().await;
    let id = key(&world).await;
    let sealed = encrypt(&world, &id, json!({})).await;
    let material = |answer: Value| answer["KeyMetadata"]["CurrentKeyMaterialId"].clone();
    let before = material(world.ok("kms", "DescribeKey", json!({ "KeyId": id })).await);
    world.ok("kms", "EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": 90 })).await;
    let status = world.ok("kms", "GetKeyRotationStatus", json!({ "KeyId": id })).await;
    assert_eq!((&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]), (&json!(true), &json!(90)));
    world.advance(91 * DAY).await;
    let after = material(world.ok("kms", "DescribeKey", json!({ "KeyId": id })).await);
    assert_ne!(after, before);
    let opened = world.ok("kms", "Decrypt", json!({ "CiphertextBlob": sealed })).await;
    assert_eq!((&opened["Plaintext"], &opened["KeyMaterialId"]), (&json!(SECRET), &before));
    world.ok("kms", "DisableKeyRotation", json!({ "KeyId": id })).await;
    world.advance(91 * DAY).await;
    assert_eq!(material(world.ok("kms", "DescribeKey", json!({ "KeyId": id })).await), after);
}

#[tokio::test]
async fn policies_and_tags_are_kept() {
    let world = world().await;
    let tag = json!([{ "TagKey": "a", "TagValue": "1" }]);
    let made = world.ok("kms", "CreateKey", json!({ "Tags": tag })).await;
    let id = made["KeyMetadata"]["KeyId"].clone();
    let default = world.ok("kms", "GetKeyPolicy", json!({ "KeyId": id })).await;
    assert!(default["Policy"].as_str().unwrap().contains("arn:aws:iam::000000000000:root"));
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    world.ok("kms", "PutKeyPolicy", json!({ "KeyId": id, "PolicyName": "default", "Policy": policy })).await;
    assert_eq!(world.ok("kms", "GetKeyPolicy", json!({ "KeyId": id })).await["Policy"], policy);
    let wrong = json!({ "KeyId": id, "Policy": "{}" });
    assert_eq!(code(&world, "PutKeyPolicy", wrong).await, "MalformedPolicyDocumentException");
    let more = json!({ "KeyId": id, "Tags": [{ "TagKey": "b", "TagValue": "2" }] });
    world.ok("kms", "TagResource", more).await;
    world.ok("kms", "UntagResource", json!({ "KeyId": id, "TagKeys": ["a"] })).await;
    let listed = world.ok("kms", "ListResourceTags", json!({ "KeyId": id })).await;
    assert_eq!(listed["Tags"], json!([{ "TagKey": "b", "TagValue": "2" }]));
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let world = world().await;
    for _ in 0..3 {
        key(&world).await;
    }
    let first = world.ok("kms", "ListKeys", json!({ "Limit": 2 })).await;
    assert_eq!((first["Keys"].as_array().unwrap().len(), &first["Truncated"]), (2, &json!(true)));
    let rest = world.ok("kms", "ListKeys", json!({ "Limit": 2, "Marker": first["NextMarker"] })).await;
    assert_eq!((rest["Keys"].as_array().unwrap().len(), &rest["Truncated"]), (1, &json!(false)));
}

#[tokio::test]
async fn what_is_not_honoured_is_refused_by_name() {
    let world = world().await;
    for (input, named) in [
        (json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" }), "KeySpec"),
        (json!({ "KeyUsage": "GENERATE_VERIFY_MAC" }), "KeyUsage"),
        (json!({ "Origin": "EXTERNAL" }), "Origin"),
        (json!({ "MultiRegion": true }), "MultiRegion"),
    ] {
        let fault = world.refused("kms", "CreateKey", input).await;
        assert_eq!(fault.code, "UnsupportedOperationException");
        assert!(fault.message.contains(named), "{fault}");
    }
    let id = key(&world).await;
    let grants = json!({ "KeyId": id, "Plaintext": SECRET, "GrantTokens": ["t"] });
    assert_eq!(code(&world, "Encrypt", grants).await, "InvalidGrantTokenException");
}

#[tokio::test]
async fn services_encrypt_values_of_any_length() {
    let world = world().await;
    let long = "QUFB".repeat(20_000);
    let seal = json!({ "KeyId": "alias/aws/ssm", "Plaintext": long, "EncryptionContext": { "a": "1" } });
    let sealed = world.ask("kms", kms::SEAL, seal).await.unwrap();
    let open = json!({ "CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": { "a": "1" } });
    assert_eq!(world.ask("kms", kms::OPEN, open).await.unwrap(), Value::String(long));
}
