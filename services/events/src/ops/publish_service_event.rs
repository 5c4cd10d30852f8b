use kernel::{Result, ServiceEvent, Tx};

use crate::bus::DEFAULT;
use crate::event::NewEvent;
use crate::publish::publish;

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
    publish(tx, DEFAULT, event).await
}
