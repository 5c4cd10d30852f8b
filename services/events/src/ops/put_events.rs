use base::Fault;
use kernel::{Error, Result, Scope, TraceCx, Tx};

use crate::api::{PutEventsInput, PutEventsOutput, PutEventsRequestEntry, PutEventsResultEntry};
use crate::bus;
use crate::event::{BYTES_MAX, NewEvent, check_detail, check_entry, size, trace_root};
use crate::fault;
use crate::publish::publish;
use crate::validation;

/// Takes up to ten events; all that are taken are matched and on disk, with what must follow, in one commit.
///
/// Unlike AWS, an entry for a bus that does not exist fails instead of vanishing.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
pub(crate) async fn put_events(tx: &mut Tx, input: PutEventsInput) -> Result<PutEventsOutput> {
    if input.endpoint_id.is_some() {
        return Err(fault::not_honoured("EndpointId (a global endpoint)").into());
    }
    if input.entries.iter().map(size).sum::<usize>() > BYTES_MAX {
        return Err(fault::invalid("Total size of the entries in the request is over the limit.").into());
    }
    let scope = tx.scope().clone();
    let mut entries = Vec::with_capacity(input.entries.len());
    // Events that nothing on the trace caused begin chains of their own.
    let uncaused = tx.caller().trace.parent == 0;
    for (n, entry) in input.entries.into_iter().enumerate() {
        if n > 0 {
            tx.next_part("PutEvents")?;
        }
        entries.push(match put(tx, &scope, entry, uncaused).await {
            Ok(id) => PutEventsResultEntry { event_id: Some(id), ..PutEventsResultEntry::default() },
            Err(Error::Fault(fault)) => PutEventsResultEntry {
                event_id: None,
                error_code: Some(fault.code.into_owned()),
                error_message: Some(fault.message),
            },
            Err(error) => return Err(error),
        });
    }
    let failed = entries.iter().filter(|entry| entry.error_code.is_some()).count();
    Ok(PutEventsOutput {
        failed_entry_count: Some(i32::try_from(failed).unwrap_or(0)),
        entries: Some(entries),
    })
}

async fn put(tx: &mut Tx, home: &Scope, entry: PutEventsRequestEntry, uncaused: bool) -> Result<String> {
    check_entry(&entry)?;
    let required =
        |value: Option<String>| value.ok_or_else(|| Fault::new("InvalidArgument", "A parameter is missing."));
    tx.enter(home.clone());
    let bus = bus::enter(tx, entry.event_bus_name.as_deref())?;
    let found = bus::find(tx, &bus).await?;
    let (source, detail_type) = (entry.source.as_deref(), entry.detail_type.as_deref());
    bus::check_sender(tx, &bus, &found, home.account.as_str(), source, detail_type)?;
    let event = NewEvent {
        id: tx.id(),
        detail: check_detail(&required(entry.detail)?)?,
        source: required(entry.source)?,
        detail_type: required(entry.detail_type)?,
        resources: entry.resources.unwrap_or_default(),
        time: entry.time.unwrap_or_else(|| tx.now()),
        order: None,
    };
    let id = event.id.to_string();
    if uncaused {
        tx.set_trace(TraceCx::root(event.id));
    }
    if let Some(root) = entry.trace_header.as_deref().and_then(trace_root) {
        tx.note("trace header", root, Some(serde_json::Value::from(id.clone())));
    }
    if validation::admit(tx, &bus, &event).await? {
        publish(tx, &bus, event).await?;
    }
    Ok(id)
}
