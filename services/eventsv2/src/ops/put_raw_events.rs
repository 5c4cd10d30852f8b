use kernel::{Result, Tx};

use crate::api::{PutRawEventsInput, PutRawEventsOutput, PutRawEventsRequestEntry, PutRawEventsResultEntry};
use crate::event::of_raw_entry;
use crate::ops::put_events::{check_size, code, take};
use crate::publish::Publisher;
use crate::{bus, fault};

/// Takes up to a hundred events as their publishers shaped them. Their data is JSON; what needs a schema registry is
/// refused.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_PutRawEvents.html>
pub(crate) async fn put_raw_events(tx: &mut Tx, input: PutRawEventsInput) -> Result<PutRawEventsOutput> {
    if input.schema_registry_configuration.is_some() {
        return Err(fault::not_honoured("SchemaRegistryConfiguration").into());
    }
    let size = |entry: &PutRawEventsRequestEntry| {
        let pairs = entry.metadata.iter().flatten();
        entry.data.as_bytes().len() + pairs.map(|(name, value)| name.len() + value.len()).sum::<usize>()
    };
    check_size(input.entries.iter().map(size).sum())?;
    let by_content = input.deduplication_configuration.is_some();
    let (_, found) = bus::find(tx, &input.event_bus_arn).await?;
    let mut publisher = Publisher::open(tx, &found.id).await?;
    let alone = input.entries.len() == 1;
    let mut entries = Vec::with_capacity(input.entries.len());
    for entry in input.entries {
        let told =
            take(tx, &mut publisher, by_content, alone, |id, origin| of_raw_entry(entry, id, origin)).await?;
        entries.push(match told {
            Ok(told) => PutRawEventsResultEntry {
                event_id: Some(told.id.to_string()),
                success_code: Some(code(&told)),
                sequence_number: told.sequence,
                ..PutRawEventsResultEntry::default()
            },
            Err(fault) => PutRawEventsResultEntry {
                error_code: Some(fault.code.into_owned()),
                error_message: Some(fault.message),
                ..PutRawEventsResultEntry::default()
            },
        });
    }
    publisher.close(tx)?;
    let failed = entries.iter().filter(|entry| entry.error_code.is_some()).count();
    let failed_entry_count = i32::try_from(failed).ok();
    Ok(PutRawEventsOutput { failed_entry_count, entries: Some(entries) })
}
