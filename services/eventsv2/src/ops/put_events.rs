use base::Fault;
use kernel::{Result, Tx};

use crate::api::{PutEventsInput, PutEventsOutput, PutEventsRequestEntry, PutEventsResultEntry, SuccessCode};
use crate::event::{NewEvent, Origin, of_entry};
use crate::publish::{Publisher, Told};
use crate::{bus, fault};

/// The most bytes of the events of one request.
pub(crate) const REQUEST_BYTES_MAX: usize = 1_048_576;

/// Takes up to a hundred events; all that are taken are on disk, in the order of the request, in one commit.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_PutEvents.html>
pub(crate) async fn put_events(tx: &mut Tx, input: PutEventsInput) -> Result<PutEventsOutput> {
    let size = |entry: &PutEventsRequestEntry| {
        let resources: usize = entry.resources.iter().flatten().map(String::len).sum();
        entry.source.len()
            + entry.detail_type.len()
            + entry.detail.as_ref().map_or(0, String::len)
            + resources
    };
    check_size(input.entries.iter().map(size).sum())?;
    let by_content = input.deduplication_config();
    let (_, found) = bus::find(tx, &input.event_bus_arn).await?;
    let mut publisher = Publisher::open(tx, &found.id).await?;
    let alone = input.entries.len() == 1;
    let mut entries = Vec::with_capacity(input.entries.len());
    for entry in input.entries {
        let told =
            take(tx, &mut publisher, by_content, alone, |id, origin| of_entry(entry, id, origin)).await?;
        entries.push(match told {
            Ok(told) => PutEventsResultEntry {
                event_id: Some(told.id.to_string()),
                success_code: Some(code(&told)),
                sequence_number: told.sequence,
                ..PutEventsResultEntry::default()
            },
            Err(fault) => PutEventsResultEntry {
                error_code: Some(fault.code.into_owned()),
                error_message: Some(fault.message),
                ..PutEventsResultEntry::default()
            },
        });
    }
    publisher.close(tx)?;
    let failed = entries.iter().filter(|entry| entry.error_code.is_some()).count();
    let failed_entry_count = i32::try_from(failed).ok();
    Ok(PutEventsOutput { failed_entry_count, entries: Some(entries) })
}

impl PutEventsInput {
    fn deduplication_config(&self) -> bool {
        // There is one type: by content.
        self.deduplication_configuration.is_some()
    }
}

/// Refuses a request whose events are too large together.
pub(crate) fn check_size(bytes: usize) -> Result<(), Fault> {
    if bytes > REQUEST_BYTES_MAX {
        let message = format!("The events of a request can have at most {REQUEST_BYTES_MAX} bytes together.");
        return Err(fault::invalid(message));
    }
    Ok(())
}

/// Takes the event that an entry makes, or says what is wrong with the entry.
pub(crate) async fn take(
    tx: &mut Tx,
    publisher: &mut Publisher,
    by_content: bool,
    alone: bool,
    event_of: impl FnOnce(uuid::Uuid, &Origin<'_>) -> Result<NewEvent, Fault>,
) -> Result<Result<Told, Fault>> {
    let scope = tx.scope().clone();
    let origin =
        Origin { account: scope.account.as_str(), region: scope.region.as_str(), now: tx.now(), by_content };
    let id = tx.id();
    let event = match event_of(id, &origin) {
        Ok(event) => event,
        Err(fault) => return Ok(Err(fault)),
    };
    // An event that nothing on the trace caused, alone in its request, begins a chain of its own.
    if alone && tx.caller().trace.parent == 0 {
        tx.set_trace(kernel::TraceCx::root(id));
    }
    let trace = tx.trace();
    Ok(Ok(publisher.take(tx, event, trace).await?))
}

pub(crate) fn code(told: &Told) -> SuccessCode {
    if told.duplicate { SuccessCode::Deduplicated } else { SuccessCode::Published }
}
