use std::collections::HashSet;

use base::Fault;
use kernel::{Result, Tx};
use uuid::Uuid;

use crate::access::Who;
use crate::api::{
    BatchResultErrorEntry, PublishBatchInput, PublishBatchOutput, PublishBatchRequestEntry,
    PublishBatchResultEntry, PublishInput, PublishOutput,
};
use crate::fan_out::Room;
use crate::message::{BYTES_MAX, Draft, Message};
use crate::topic::{Topic, find};
use crate::{fan_out, fault, order};

/// The most entries of a batch.
const ENTRIES_MAX: usize = 10;

/// Publishes one message. Its deliveries are on disk when the answer comes, or the message with what gives it to the
/// others, if they do not fit into one commit.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub(crate) async fn publish(tx: &mut Tx, input: PublishInput) -> Result<PublishOutput> {
    if input.phone_number.is_some() {
        return Err(fault::not_served("PhoneNumber").into());
    }
    let Some(arn) = input.topic_arn.or(input.target_arn) else {
        return Err(fault::invalid("TopicArn or TargetArn Reason: no value for required parameter").into());
    };
    let (name, topic) = find(tx, &arn, Who::Allowed("Publish")).await?;
    let draft = Draft {
        body: input.message,
        subject: input.subject,
        structure: input.message_structure,
        attributes: input.message_attributes,
        group: input.message_group_id,
        deduplication: input.message_deduplication_id,
    };
    let message = draft.check(&topic, tx.id())?;
    let mut room = Room::default();
    let (id, number) = send(tx, (&name, &topic), message, &mut room).await?;
    Ok(PublishOutput { message_id: Some(id.to_string()), sequence_number: number })
}

/// Publishes up to ten messages in one commit; those that may not be published are named in the answer.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
pub(crate) async fn publish_batch(tx: &mut Tx, input: PublishBatchInput) -> Result<PublishBatchOutput> {
    let (name, topic) = find(tx, &input.topic_arn, Who::Allowed("Publish")).await?;
    check_ids(&input.publish_batch_request_entries)?;
    let (mut successful, mut failed, mut checked) = (Vec::new(), Vec::new(), Vec::new());
    for entry in input.publish_batch_request_entries {
        let draft = Draft {
            body: entry.message,
            subject: entry.subject,
            structure: entry.message_structure,
            attributes: entry.message_attributes,
            group: entry.message_group_id,
            deduplication: entry.message_deduplication_id,
        };
        match draft.check(&topic, tx.id()) {
            Ok(message) => checked.push((entry.id, message)),
            Err(fault) => failed.push(refused(entry.id, fault)),
        }
    }
    let bytes: usize = checked.iter().map(|(_, message)| message.len()).sum();
    if bytes > BYTES_MAX {
        let message = format!(
            "The length of all the batch messages put together is more than the limit of {BYTES_MAX}."
        );
        return Err(Fault::new("BatchRequestTooLongException", message).into());
    }
    let mut room = Room::default();
    for (id, message) in checked {
        let (message_id, sequence_number) = send(tx, (&name, &topic), message, &mut room).await?;
        let message_id = Some(message_id.to_string());
        successful.push(PublishBatchResultEntry { id: Some(id), message_id, sequence_number });
    }
    Ok(PublishBatchOutput { successful: Some(successful), failed: Some(failed) })
}

/// Gives the message to its subscribers, unless a FIFO topic knows it already.
async fn send(
    tx: &mut Tx,
    (name, topic): (&str, &Topic),
    mut message: Message,
    room: &mut Room,
) -> Result<(Uuid, Option<String>)> {
    if let Some(accepted) = order::place(tx, name, topic, &mut message).await? {
        tx.remark("duplicate message", &accepted.id.to_string(), None);
        return Ok((accepted.id, Some(order::sequence_number(accepted.number))));
    }
    let answer = (message.id, message.number.map(order::sequence_number));
    fan_out::publish(tx, name, topic, message, room).await?;
    Ok(answer)
}

fn refused(id: String, fault: Fault) -> BatchResultErrorEntry {
    let sender_fault = fault.status < 500;
    let code = fault.code.strip_suffix("Exception").unwrap_or(&fault.code).to_owned();
    BatchResultErrorEntry { id, code, message: Some(fault.message), sender_fault }
}

fn check_ids(entries: &[PublishBatchRequestEntry]) -> Result<(), Fault> {
    if entries.is_empty() {
        let message = "The batch request doesn't contain any entries.";
        return Err(Fault::new("EmptyBatchRequestException", message));
    }
    if entries.len() > ENTRIES_MAX {
        let message = "The batch request contains more entries than permissible.";
        return Err(Fault::new("TooManyEntriesInBatchRequestException", message));
    }
    let mut seen = HashSet::new();
    for entry in entries {
        let letters = entry.id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !letters || !(1..=80).contains(&entry.id.len()) {
            let message = "The Id of a batch entry in a batch request doesn't abide by the specification.";
            return Err(Fault::new("InvalidBatchEntryIdException", message));
        }
        if !seen.insert(&entry.id) {
            let message = "Two or more batch entries in the request have the same Id.";
            return Err(Fault::new("BatchEntryIdsNotDistinctException", message));
        }
    }
    Ok(())
}
