//! A change of an item as its record: written with the change, in the same commit.

use bytes::Bytes;
use kernel::{Result, Tx};
use serde_json::json;

use crate::api::StreamViewType;
use crate::keys::{Change, ChangeKey, EventName, Images, ImagesKey, StreamKey};
use crate::stored;
use crate::table::Table;
use crate::value::{Item, item_size_bytes};

/// A record whose images are larger has them in a row of their own.
const INLINE_BYTES_MAX: usize = 60_000;

/// Who changes an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// A caller of the API.
    Caller,
    /// DynamoDB itself, because the item has expired.
    TimeToLive,
}

/// Writes the record of a change, if the table has a stream and the item does change.
pub(crate) fn write(
    tx: &mut Tx,
    table: &Table,
    before: Option<&Item>,
    after: Option<&Item>,
    author: Author,
) -> Result<()> {
    let Some((key, view)) = stream_of(table) else { return Ok(()) };
    let Some(event) = event(before, after) else { return Ok(()) };
    let keys = before.or(after).map(|item| table.key_of(item, None)).unwrap_or_default();
    let (new, old) = shown(view, before, after);
    let size = [Some(&keys), new, old].into_iter().flatten().map(item_size_bytes).sum::<usize>();
    let encode = |item: &Item| Bytes::copy_from_slice(stored::encode(item).as_bytes());
    let mut images = Images { new: new.map(encode), old: old.map(encode) };
    let mut apart = None;
    if images.bytes() > INLINE_BYTES_MAX {
        let id = tx.random();
        let row = ImagesKey { table: key.table.clone(), label: key.label.clone(), id };
        tx.put(&row, &images)?;
        apart = Some(id);
        images = Images::default();
    }
    let change = Change {
        event,
        at: tx.now(),
        keys: encode(&keys),
        images,
        apart,
        size: size as u64,
        expired: author == Author::TimeToLive,
        trace: tx.trace(),
    };
    let detail = json!({ "eventName": event.as_str(), "Keys": keys });
    tx.fact("stream record", &super::arn(tx.scope(), &key.table, &key.label), Some(detail));
    tx.append(&ChangeKey { table: key.table, label: key.label }, &change)
}

/// The stream that records a table's changes, with what its records carry.
fn stream_of(table: &Table) -> Option<(StreamKey, StreamViewType)> {
    let latest = table.stream.as_ref()?;
    let key = StreamKey { table: table.name.clone(), label: latest.label.clone() };
    Some((key, latest.view?))
}

/// What happened; `None` if nothing did.
fn event(before: Option<&Item>, after: Option<&Item>) -> Option<EventName> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(EventName::Insert),
        (Some(_), None) => Some(EventName::Remove),
        (Some(before), Some(after)) => (before != after).then_some(EventName::Modify),
    }
}

/// The new and the old image, as far as the stream's records carry them.
fn shown<'i>(
    view: StreamViewType,
    before: Option<&'i Item>,
    after: Option<&'i Item>,
) -> (Option<&'i Item>, Option<&'i Item>) {
    match view {
        StreamViewType::KeysOnly => (None, None),
        StreamViewType::NewImage => (after, None),
        StreamViewType::OldImage => (None, before),
        StreamViewType::NewAndOldImages => (after, before),
    }
}

/// Whether a change of an item in `table` must know the item as it was.
pub(crate) fn wants_before(table: &Table) -> bool {
    stream_of(table).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::AttributeValue;

    fn item(value: &str) -> Item {
        Item::from([("pk".to_owned(), AttributeValue::S(value.to_owned()))])
    }

    #[test]
    fn a_change_that_changes_nothing_is_no_event() {
        let (one, other) = (item("1"), item("2"));
        let cases = [
            (None, None, None),
            (None, Some(&one), Some(EventName::Insert)),
            (Some(&one), None, Some(EventName::Remove)),
            (Some(&one), Some(&other), Some(EventName::Modify)),
            (Some(&one), Some(&one), None),
        ];
        for (before, after, expected) in cases {
            assert_eq!(event(before, after), expected);
        }
    }

    #[test]
    fn views_choose_the_images() {
        let (old, new) = (item("old"), item("new"));
        let cases = [
            (StreamViewType::KeysOnly, None, None),
            (StreamViewType::NewImage, Some(&new), None),
            (StreamViewType::OldImage, None, Some(&old)),
            (StreamViewType::NewAndOldImages, Some(&new), Some(&old)),
        ];
        for (view, shown_new, shown_old) in cases {
            assert_eq!(shown(view, Some(&old), Some(&new)), (shown_new, shown_old), "{view:?}");
        }
    }
}
