//! Stand-ins for the services that Parameter Store speaks to. Nothing of their behaviour is evidence for the real ones.

use base::{Document, Fault};
use kernel::{Parts, Result, Service, ServiceEvent, Tx};
use serde_json::{Value, json};
use testkit::World;

kernel::keys! {
    /// An event as it came.
    struct PublishedKey(1, large) -> String { number: u64 }
}

/// `kms`: a ciphertext is the plaintext behind four letters. The key `gone` does not exist.
pub(crate) fn kms() -> Service {
    Service::internal_only("kms").internal("SealForService", seal).internal("OpenForService", open)
}

/// `events`: keeps what is published.
pub(crate) fn events() -> Service {
    Service::internal_only("events").internal(kernel::PUBLISH, publish).internal("Published", list)
}

/// The events that were published, in their order.
pub(crate) async fn published(world: &World) -> Vec<Value> {
    let listed = world.ask("events", "Published", json!({})).await.unwrap();
    listed.as_array().unwrap().clone()
}

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

async fn publish(tx: &mut Tx, event: ServiceEvent) -> Result<()> {
    let last = tx.scan_back::<PublishedKey>(Parts::none(), 1).await?;
    let key = PublishedKey { number: last.first().map_or(0, |(key, _)| key.number + 1) };
    tx.get(&key).await?;
    tx.put(&key, &serde_json::to_string(&event)?)
}

async fn list(tx: &mut Tx, _: Document) -> Result<Vec<Value>> {
    let rows = tx.scan::<PublishedKey>(Parts::none(), 100).await?;
    rows.iter().map(|(_, text)| Ok(serde_json::from_str(text)?)).collect()
}
