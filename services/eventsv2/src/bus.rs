//! Buses: where they stand, what is attached to them, and what is forgotten when they are old or gone.

use base::{Fault, Timestamp};
use kernel::{Result, Tx};

use crate::api::{BusState, StorageConfigurationOutput};
use crate::arn::{self, Named};
use crate::fault;
use crate::keys::{Attached, AttachedKey, Bus, BusKey};

/// How long events are kept where the caller does not say.
pub(crate) const RETENTION_DAYS_DEFAULT: u32 = 1;

/// The bus of an ARN, guarded: who uses it does so only as long as it is there.
pub(crate) async fn find(tx: &mut Tx, bus_arn: &str) -> Result<(BusKey, Bus)> {
    let Named::Bus { name, id } = arn::parse(tx, bus_arn)? else {
        return Err(fault::invalid(format!("{bus_arn} is no ARN of an event bus.")).into());
    };
    let key = BusKey { name };
    match tx.get(&key).await?.filter(|bus| bus.id == id) {
        Some(bus) => Ok((key, bus)),
        None => Err(fault::not_found("Event bus", bus_arn).into()),
    }
}

/// The id in the ARN of a bus, as rows have it.
pub(crate) fn id_of(bus_arn: &str) -> &str {
    bus_arn.rsplit('/').next().unwrap_or_default()
}

/// What is attached to the bus, guarded.
pub(crate) async fn attached(tx: &mut Tx, bus: &str) -> Result<Attached> {
    Ok(tx.get(&AttachedKey { bus: bus.to_owned() }).await?.unwrap_or_default())
}

/// Counts what is attached, and has everybody who publishes to the bus look at its subscribers anew.
pub(crate) async fn attach(tx: &mut Tx, bus: &str, subscribers: i32, sources: i32) -> Result<Attached> {
    let before = attached(tx, bus).await?;
    let count = |count: u32, by: i32| count.saturating_add_signed(by);
    let after = Attached {
        subscribers: count(before.subscribers, subscribers),
        sources: count(before.sources, sources),
    };
    tx.put(&AttachedKey { bus: bus.to_owned() }, &after)?;
    Ok(after)
}

impl Bus {
    /// The earliest time from which events are kept.
    pub(crate) fn window_start(&self, now: Timestamp) -> Timestamp {
        let kept = std::time::Duration::from_secs(u64::from(self.retention_days) * 86_400);
        self.created_at.max(now - kept)
    }

    pub(crate) fn storage(&self, now: Timestamp) -> StorageConfigurationOutput {
        StorageConfigurationOutput {
            retention_period_in_days: i32::try_from(self.retention_days).ok(),
            retention_window_start_time: Some(self.window_start(now)),
        }
    }
}

/// A bus is ready when the request that makes it is answered.
pub(crate) const STATE: BusState = BusState::Active;

/// Refuses what would have no effect.
pub(crate) fn check_encryption(given: Option<&crate::api::EncryptionConfiguration>) -> Result<(), Fault> {
    let key = given.and_then(|encryption| encryption.kms_key_identifier.as_ref());
    if key.is_some_and(|key| !key.is_empty()) {
        return Err(fault::not_honoured("EncryptionConfiguration.KmsKeyIdentifier"));
    }
    Ok(())
}
