//! `BatchWriteItem`: up to 25 puts and deletes. Here they commit together, as far as one commit has room for them.

use std::collections::{BTreeMap, HashSet};

use base::Fault;
use kernel::{Result, Tx};

use super::{collection_metrics, wants_capacity};
use crate::api::{BatchWriteItemInput, BatchWriteItemOutput, StreamViewType, WriteRequest};
use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::keys::Address;
use crate::table::Table;
use crate::value::{Item, item_size_bytes};
use crate::write::{Change, Refused, Write};
use crate::{tables, write};

const REQUESTS_MAX: usize = 25;
/// What one commit of the store takes is 10 MB; the rest of a larger batch is left unprocessed.
const COMMIT_BYTES_MAX: usize = 9_000_000;

pub(crate) async fn batch_write_item(
    tx: &mut Tx,
    input: BatchWriteItemInput,
) -> Result<BatchWriteItemOutput> {
    if input.request_items.values().map(Vec::len).sum::<usize>() > REQUESTS_MAX {
        return Err(Fault::validation("Too many items requested for the BatchWriteItem call").into());
    }
    let mut room = COMMIT_BYTES_MAX;
    let mut unprocessed = BTreeMap::new();
    let mut metrics = BTreeMap::new();
    let mut consumed = Vec::new();
    let measured = wants_capacity(input.return_consumed_capacity);
    for (name, requests) in input.request_items {
        let table = tables::for_writing(tx, &name).await?;
        let mut meter = Meter::default();
        let mut left = Vec::new();
        let mut collections = Vec::new();
        for request in plan(&table, requests)? {
            let bytes = request.bytes(&table) + request.record_bytes(tx, &table).await?;
            if bytes > room {
                room = 0;
                left.push(request.into_api());
                continue;
            }
            room -= bytes;
            collections.extend(collection_metrics(
                input.return_item_collection_metrics,
                &table,
                request.attributes(),
            ));
            meter.merge(request.write(tx, &table, measured).await?);
        }
        consumed.extend(meter.report(input.return_consumed_capacity, &table.name, Rate::Write));
        if !left.is_empty() {
            unprocessed.insert(name.clone(), left);
        }
        if !collections.is_empty() {
            metrics.insert(name, collections);
        }
    }
    Ok(BatchWriteItemOutput {
        unprocessed_items: Some(unprocessed),
        item_collection_metrics: (!metrics.is_empty()).then_some(metrics),
        consumed_capacity: (!consumed.is_empty()).then_some(consumed),
    })
}

enum Request {
    Put(Address, Item),
    Delete(Address, Item),
}

/// Accepts all requests for one table, each for another item.
fn plan(table: &Table, requests: Vec<WriteRequest>) -> Result<Vec<Request>, Fault> {
    let mut seen = HashSet::new();
    let mut planned = Vec::with_capacity(requests.len());
    for request in requests {
        let accept = |form: ItemForm| form.accept();
        let request = match (request.put_request, request.delete_request) {
            (Some(put), None) => {
                let item = accept(put.item)?;
                // A batch words a wrong key as a key that does not match, whatever is wrong with it.
                Request::Put(table.address_of_key(&table.key_of(&item, None))?, item)
            }
            (None, Some(delete)) => {
                let key = accept(delete.key)?;
                Request::Delete(table.address_of_key(&key)?, key)
            }
            _ => {
                let text = "Supplied WriteRequest must contain exactly one of PutRequest and DeleteRequest";
                return Err(Fault::validation(text));
            }
        };
        if !seen.insert(request.address().clone()) {
            return Err(Fault::validation("Provided list of item keys contains duplicates"));
        }
        planned.push(request);
    }
    Ok(planned)
}

impl Request {
    fn address(&self) -> &Address {
        match self {
            Request::Put(address, _) | Request::Delete(address, _) => address,
        }
    }

    fn attributes(&self) -> &Item {
        match self {
            Request::Put(_, item) | Request::Delete(_, item) => item,
        }
    }

    /// About what the request adds to a commit: the item and its entries.
    fn bytes(&self, table: &Table) -> usize {
        match self {
            Request::Put(_, item) => {
                let size = item_size_bytes(item) + 1_000;
                size + table
                    .indexes
                    .iter()
                    .map(|index| if index.projects_all() { size } else { 8_000.min(size) })
                    .sum::<usize>()
            }
            Request::Delete(..) => 8_000 * (1 + table.indexes.len()),
        }
    }

    /// About what the table's stream and history add to it: the images that their records carry.
    async fn record_bytes(&self, tx: &mut Tx, table: &Table) -> Result<usize> {
        let view = table.stream.as_ref().and_then(|latest| latest.view);
        let streams_old = matches!(view, Some(StreamViewType::OldImage | StreamViewType::NewAndOldImages));
        let before = match streams_old || table.history.is_some() {
            true => tx.peek(&self.address().item_key(table.space)).await?.map_or(0, |row| row.size as usize),
            false => 0,
        };
        let history = table.history.map_or(0, |_| before + 4_000);
        let Some(view) = view else { return Ok(history) };
        let new = match self {
            Request::Put(_, item) if view != StreamViewType::KeysOnly => item_size_bytes(item),
            _ => 0,
        };
        let old = if streams_old { before } else { 0 };
        Ok(history + new + old + 4_000)
    }

    fn into_api(self) -> WriteRequest {
        match self {
            Request::Put(_, item) => WriteRequest {
                put_request: Some(crate::api::PutRequest { item: item.into() }),
                delete_request: None,
            },
            Request::Delete(_, key) => WriteRequest {
                put_request: None,
                delete_request: Some(crate::api::DeleteRequest { key: key.into() }),
            },
        }
    }

    async fn write(self, tx: &mut Tx, table: &Table, measured: bool) -> Result<Meter> {
        let (address, change) = match self {
            Request::Put(address, item) => (address, Change::Put(item)),
            Request::Delete(address, _) => (address, Change::Delete),
        };
        let one = Write {
            table,
            address,
            key: Item::new(),
            condition: None,
            change,
            wants_before: measured,
            rate: Rate::Write,
        };
        match write::write(tx, one).await? {
            Ok(written) => Ok(written.meter),
            Err(Refused::Fault(fault)) => Err(fault.into()),
            Err(Refused::Condition(_)) => Err(kernel::Error::bug("write a batch: it has no conditions")),
        }
    }
}
