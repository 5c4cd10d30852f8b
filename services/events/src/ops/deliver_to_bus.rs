use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::bus;
use crate::event;
use crate::publish::{Arrival, Asked, arrive};

/// An event that a rule of another bus sends here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeliverToBus {
    bus: String,
    envelope: String,
    /// Events of one order stay in order on this bus too.
    #[serde(default)]
    order: Option<String>,
}

/// Takes an event from another bus as it is: id, account, region and time stay those of where it came from.
pub(crate) async fn deliver_to_bus(tx: &mut Tx, input: DeliverToBus) -> Result<()> {
    let found = bus::find(tx, &input.bus).await?;
    let mut event = event::open(&input.envelope, tx.now())?;
    if let Some(account) = event::account_of(&input.envelope).filter(|_| found.policy.is_some()) {
        let (source, detail_type) = (Some(event.source.as_str()), Some(event.detail_type.as_str()));
        bus::check_sender(tx, &input.bus, &found, &account, source, detail_type)?;
    }
    event.order = input.order;
    let place = tx.id();
    arrive(tx, Arrival { bus: &input.bus, event, envelope: input.envelope, place, asked: Asked::All })
        .await
        .map(drop)
}
