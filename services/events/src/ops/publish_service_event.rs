use std::time::Duration;

use kernel::{Result, ServiceEvent, Tx};

use crate::bus::DEFAULT;
use crate::event::NewEvent;
use crate::publish::{Arrival, Asked, arrive};

/// How long after it happened an event still stands where its id says. What comes later stands where it came: places rise
/// with time, and what is swept from their beginning must not be held up by an event that is old and came just now.
const FRESH: Duration = Duration::from_secs(60);

/// Takes an event that a service emitted to the default bus of the account and region in which it happened.
pub(crate) async fn publish_service_event(tx: &mut Tx, input: ServiceEvent) -> Result<()> {
    let event = NewEvent {
        id: input.id,
        source: input.source,
        detail_type: input.detail_type,
        resources: input.resources,
        time: input.time,
        detail: input.detail,
        order: input.order,
    };
    let envelope = event.envelope(tx.scope().account.as_str(), tx.scope().region.as_str());
    let place = if event.time + FRESH >= tx.now() { event.id } else { tx.id() };
    arrive(tx, Arrival { bus: DEFAULT, event, envelope, place, asked: Asked::All }).await.map(drop)
}
