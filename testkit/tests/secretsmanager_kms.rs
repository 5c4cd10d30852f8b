//! Secrets Manager with the real KMS.

use serde_json::json;
use testkit::World;

#[tokio::test]
async fn a_secret_is_as_safe_as_its_key() {
    let world = World::new(|| vec![secretsmanager::service(), kms::service()]).await;
    let key = world.ok("kms", "CreateKey", json!({})).await["KeyMetadata"]["KeyId"].clone();
    let long = "x".repeat(60_000);
    let create = json!({ "Name": "s", "SecretString": long, "KmsKeyId": key });
    world.ok("secretsmanager", "CreateSecret", create).await;
    let of = json!({ "SecretId": "s" });
    assert_eq!(world.ok("secretsmanager", "GetSecretValue", of.clone()).await["SecretString"], long);
    world.ok("kms", "DisableKey", json!({ "KeyId": key })).await;
    assert_eq!(world.refused("secretsmanager", "GetSecretValue", of.clone()).await.code, "DecryptionFailure");
    let next = json!({ "SecretId": "s", "SecretString": "v" });
    assert_eq!(world.refused("secretsmanager", "PutSecretValue", next).await.code, "EncryptionFailure");
    let moved = json!({ "SecretId": "s", "SecretString": "v", "KmsKeyId": "alias/aws/secretsmanager" });
    world.ok("secretsmanager", "UpdateSecret", moved).await;
    assert_eq!(world.ok("secretsmanager", "GetSecretValue", of).await["SecretString"], "v");
}
