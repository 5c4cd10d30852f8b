//! A queue: a message for each event.

use serde_json::{Value, json};

use super::{ENTRIES_MAX, Item, Missed, Shot, dynamic, failed_entries, missed_chunk};
use crate::record::text;
use crate::source::ask;

pub(super) async fn call(shot: &Shot<'_>, items: &[Item]) -> Result<Missed, base::Fault> {
    let target = &shot.pipe.target;
    let parameters = shot.pipe.settings.target_parameters.sqs_queue_parameters.clone().unwrap_or_default();
    let mut missed = Missed::default();
    for (chunk, start) in items.chunks(ENTRIES_MAX).zip((0..).step_by(ENTRIES_MAX)) {
        let entry = |(number, item): (usize, &Item)| {
            let mut entry = json!({ "Id": number.to_string(), "MessageBody": text(&item.payload) });
            let chosen = [
                ("MessageGroupId", &parameters.message_group_id),
                ("MessageDeduplicationId", &parameters.message_deduplication_id),
            ];
            for (name, parameter) in chosen {
                if let Some(value) = parameter.as_deref().and_then(|value| dynamic(value, &item.view)) {
                    entry[name] = value.into();
                }
            }
            entry
        };
        let entries: Vec<Value> = chunk.iter().enumerate().map(entry).collect();
        let input = json!({ "QueueUrl": target.to_string(), "Entries": entries });
        match ask(shot.effect, shot.caller, target, "sqs", "SendMessageBatch", &input).await {
            Ok(answer) => failed_entries(&answer, start, &mut missed),
            Err(fault) => missed_chunk(&mut missed, start, chunk.len(), &fault),
        }
    }
    Ok(missed)
}
