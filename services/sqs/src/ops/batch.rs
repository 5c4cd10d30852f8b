//! What all batch operations have in common.

use std::collections::HashSet;

use base::Fault;

use crate::api::BatchResultErrorEntry;

/// The most entries of a batch.
const ENTRIES_MAX: usize = 10;

/// Refuses batches that are empty, too long or have an id twice.
pub(crate) fn check_ids<'a>(
    request: &str,
    ids: impl ExactSizeIterator<Item = &'a String> + Clone,
) -> Result<(), Fault> {
    if ids.len() == 0 {
        let message = format!("There should be at least one {request} in the request.");
        return Err(Fault::new("EmptyBatchRequest", message));
    }
    if ids.len() > ENTRIES_MAX {
        let message =
            format!("Maximum number of entries per request are {ENTRIES_MAX}. You have sent {}.", ids.len());
        return Err(Fault::new("TooManyEntriesInBatchRequest", message));
    }
    let mut seen = HashSet::new();
    for id in ids {
        let letters = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !letters || !(1..=80).contains(&id.len()) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                           It can be at most 80 letters long.";
            return Err(Fault::new("InvalidBatchEntryId", message));
        }
        if !seen.insert(id) {
            return Err(Fault::new("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    Ok(())
}

/// The answer for an entry that was refused.
pub(crate) fn refused(id: String, fault: Fault) -> BatchResultErrorEntry {
    let sender_fault = fault.status < 500;
    BatchResultErrorEntry { id, sender_fault, code: fault.code.into_owned(), message: Some(fault.message) }
}

/// Splits a result into what succeeded and what was refused; errors that are no faults end the whole batch.
pub(crate) fn sort<T>(
    id: String,
    result: kernel::Result<T>,
    successful: &mut Vec<T>,
    failed: &mut Vec<BatchResultErrorEntry>,
) -> kernel::Result<()> {
    match result {
        Ok(entry) => successful.push(entry),
        Err(kernel::Error::Fault(fault)) => failed.push(refused(id, fault)),
        Err(error) => return Err(error),
    }
    Ok(())
}
