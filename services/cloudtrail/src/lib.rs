//! AWS CloudTrail: the question what happened, and the honest answer that no trail is kept.
//!
//! Knows nothing: calls are not recorded as CloudTrail's events. What happened is told by the trace (`buswork trace`).
//! Deployment tools ask after a failed deployment and go on when nothing is found.

pub mod api;

use base::Fault;
use kernel::{Result, Service, Tx};

use crate::api::{LookupEventsInput, LookupEventsOutput};

/// The service.
pub fn service() -> Service {
    Service::new(&api::SERVICE).transact::<api::LookupEvents, _>(lookup_events)
}

/// No event was recorded, whatever is looked for.
///
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>
async fn lookup_events(_: &mut Tx, input: LookupEventsInput) -> Result<LookupEventsOutput> {
    if let (Some(start), Some(end)) = (input.start_time, input.end_time)
        && start > end
    {
        let message = "Invalid time range: the start time is after the end time.";
        return Err(Fault::new("InvalidTimeRangeException", message).into());
    }
    if input.next_token.is_some() {
        // No answer has one, so this one is none of ours.
        return Err(Fault::new("InvalidNextTokenException", "Invalid nextToken.").into());
    }
    Ok(LookupEventsOutput { events: Some(Vec::new()), next_token: None })
}
