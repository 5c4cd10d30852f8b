use kernel::{Result, Tx};

use crate::api::{CreateQueueInput, CreateQueueOutput, QueueAttributeName};
use crate::keys::{PurgedKey, QueueKey};
use crate::ops::{expire, tags};
use crate::queue::{Fifo, NAME_BYTES_MAX, Queue, Settings, arn, check_dead_letter, url};

/// Makes a queue; a queue that is already there with the same attributes is given back.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>
pub(crate) async fn create_queue(tx: &mut Tx, input: CreateQueueInput) -> Result<CreateQueueOutput> {
    let name = input.queue_name;
    let attributes = input.attributes.unwrap_or_default();
    let wants_fifo = attributes.get(&QueueAttributeName::FifoQueue).is_some_and(|value| value == "true");
    check_name(&name, wants_fifo)?;
    let mut settings = Settings { fifo: wants_fifo.then(Fifo::default), ..Settings::default() };
    settings.set(&attributes, &arn(tx, &name).to_string())?;
    let key = QueueKey { name: name.clone() };
    if let Some(existing) = tx.get(&key).await? {
        let mut wanted = existing.settings.clone();
        wanted.set(&attributes, &arn(tx, &name).to_string())?;
        if wanted != existing.settings {
            return Err(already_exists(&existing.settings, &wanted).into());
        }
    } else {
        let tags = input.tags.unwrap_or_default().into_iter().collect();
        tags::check(&name, &tags)?;
        check_dead_letter(tx, &attributes, &settings).await?;
        let queue =
            Queue { generation: tx.id(), created_at: tx.now(), modified_at: tx.now(), settings, tags };
        tx.delete(&PurgedKey { queue: name.clone() });
        expire::schedule(tx, &name, &queue)?;
        tx.put(&key, &queue)?;
    }
    Ok(CreateQueueOutput { queue_url: Some(url(tx, &name)) })
}

fn check_name(name: &str, wants_fifo: bool) -> Result<()> {
    let stem = if wants_fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let ok = (1..=NAME_BYTES_MAX).contains(&name.len())
        && stem.is_some_and(|stem| {
            !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
    if ok {
        return Ok(());
    }
    let message = match wants_fifo {
        true => {
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end \
             with .fifo suffix and be 1 to 80 in length"
        }
        false => "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    };
    Err(base::Fault::new("InvalidParameterValue", message).into())
}

fn already_exists(existing: &Settings, wanted: &Settings) -> base::Fault {
    let existing = existing.to_attributes();
    let differs = wanted.to_attributes().into_iter().find(|attribute| !existing.contains(attribute));
    let name = differs.map_or("RedrivePolicy", |(name, _)| name.as_str());
    let message =
        format!("A queue already exists with the same name and a different value for attribute {name}");
    base::Fault::new("QueueNameExists", message)
}
