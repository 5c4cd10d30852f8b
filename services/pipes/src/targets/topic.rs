//! A topic: a message for each event.

use serde_json::{Value, json};

use super::{ENTRIES_MAX, Item, Missed, Shot, failed_entries, missed_chunk};
use crate::record::text;
use crate::source::ask;

pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, base::Fault> {
    let target = &shot.pipe.target;
    let mut missed = Missed::default();
    for (chunk, start) in items.chunks(ENTRIES_MAX).zip((0..).step_by(ENTRIES_MAX)) {
        let entry = |(number, item): (usize, &Item)| json!({ "Id": number.to_string(), "Message": text(&item.payload) });
        let entries: Vec<Value> = chunk.iter().enumerate().map(entry).collect();
        let input = json!({ "TopicArn": target.to_string(), "PublishBatchRequestEntries": entries });
        match ask(shot.effect, shot.caller, target, "sns", "PublishBatch", &input).await {
            Ok(answer) => failed_entries(&answer, start, &mut missed),
            Err(fault) => missed_chunk(&mut missed, start, chunk.len(), &fault),
        }
    }
    Ok(missed)
}
