//! `TransactWriteItems`: up to 100 writes that all become true together, or none of them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use base::Fault;
use kernel::{Parts, Result, Tx};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::cancellation::{Reason, cancelled, validation_error};
use super::collection_metrics;
use crate::api::{
    self, ItemCollectionMetrics, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, TransactWriteItemsInput, TransactWriteItemsOutput,
};
use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::expression::Kind;
use crate::keys::{Address, TokenAgeKey, TokenKey, TokenRow};
use crate::value::{Item, item_size_bytes};
use crate::write::{self, Change, Refused, Write};
use crate::{request, tables};

/// The most bytes of all items together. From "Quotas in Amazon DynamoDB": 4 MB.
pub(super) const ITEMS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why more is refused.
pub(super) const TOO_LARGE: &str =
    "The aggregate size of the items in the transaction exceeds the limit of 4 MB";
/// How long a token stands for its request.
const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// Old tokens that each new one clears away.
const TOKENS_CLEARED: usize = 4;

pub(crate) async fn transact_write_items(
    tx: &mut Tx,
    input: TransactWriteItemsInput,
) -> Result<TransactWriteItemsOutput> {
    let token = input.client_request_token.clone().filter(|token| !token.is_empty());
    let digest = match &token {
        Some(_) => digest_of(&input.transact_items)?,
        None => Vec::new(),
    };
    if let Some(token) = &token
        && let Some(answer) = answered(tx, token, &digest).await?
    {
        return Ok(answer);
    }
    let outcome = write_all(tx, input).await?;
    if let Some(token) = token {
        remember(tx, token, digest, &outcome).await?;
    }
    Ok(outcome)
}

/// What tells two requests apart. A value that is none has no text; what is wrong with it is AWS's message.
fn digest_of(items: &[TransactWriteItem]) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(items).map_err(|error| Fault::validation(error.to_string()))?;
    Ok(Sha256::digest(text).to_vec())
}

/// The answer to the same request under the same token, if it is not too old.
async fn answered(tx: &mut Tx, token: &str, digest: &[u8]) -> Result<Option<TransactWriteItemsOutput>> {
    let row = tx.get(&TokenKey { token: token.to_owned() }).await?;
    let Some(row) = row.filter(|row| tx.now().since(row.at) < TOKEN_LIFE) else { return Ok(None) };
    if row.digest != digest {
        return Err(api::error::idempotent_parameter_mismatch_exception(
            "The request uses the same client token as a previous, but non-identical request",
        )
        .into());
    }
    Ok(Some(serde_json::from_str(&row.answer)?))
}

async fn remember(
    tx: &mut Tx,
    token: String,
    digest: Vec<u8>,
    answer: &TransactWriteItemsOutput,
) -> Result<()> {
    let at = tx.now();
    let row = TokenRow { digest, at, answer: serde_json::to_string(answer)? };
    for (old, ()) in tx.scan_head::<TokenAgeKey>(Parts::none(), TOKENS_CLEARED).await? {
        // Whoever else clears at this moment takes other tokens.
        if at.since(old.at) >= TOKEN_LIFE && tx.reserve(&old) {
            // A token that was used again meanwhile has a younger row, which stays.
            let current = tx.get(&TokenKey { token: old.token.clone() }).await?;
            if current.is_some_and(|row| row.at == old.at) {
                tx.delete(&TokenKey { token: old.token.clone() });
            }
            tx.delete(&old);
        }
    }
    tx.put(&TokenAgeKey { at, token: token.clone() }, &())?;
    tx.put(&TokenKey { token }, &row)
}

/// One write of the transaction.
struct Part {
    table_name: String,
    given: request::Accepted,
    what: What,
    item: ItemForm,
    shown: Option<ReturnValuesOnConditionCheckFailure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Put,
    Update,
    Delete,
    Check,
}

/// What the writes so far come to.
#[derive(Default)]
struct Tally {
    reasons: Vec<Reason>,
    meters: BTreeMap<String, Meter>,
    metrics: BTreeMap<String, Vec<ItemCollectionMetrics>>,
    seen: HashSet<(u64, Address)>,
    bytes: usize,
}

async fn write_all(tx: &mut Tx, input: TransactWriteItemsInput) -> Result<TransactWriteItemsOutput> {
    let parts = input.transact_items.into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
    let mut tally = Tally::default();
    for part in parts {
        let reason = tally.write(tx, part, input.return_item_collection_metrics).await?;
        tally.reasons.push(reason);
    }
    if tally.reasons.iter().any(Option::is_some) {
        return Err(cancelled(&tally.reasons).into());
    }
    if tally.bytes > ITEMS_BYTES_MAX {
        return Err(Fault::validation(TOO_LARGE).into());
    }
    let report = |(name, meter): (&String, &Meter)| {
        meter.report(input.return_consumed_capacity, name, Rate::TransactionalWrite)
    };
    let consumed: Vec<_> = tally.meters.iter().filter_map(report).collect();
    Ok(TransactWriteItemsOutput {
        consumed_capacity: (!consumed.is_empty()).then_some(consumed),
        item_collection_metrics: (!tally.metrics.is_empty()).then_some(tally.metrics),
    })
}

impl Tally {
    /// Makes one write, or says why the transaction is cancelled.
    async fn write(
        &mut self,
        tx: &mut Tx,
        part: Part,
        metrics: Option<ReturnItemCollectionMetrics>,
    ) -> Result<Reason> {
        let parsed = part.given.parse()?;
        let item = part.item.accept()?;
        let table = tables::for_writing(tx, &part.table_name).await?;
        table.check_no_empty_keys(&item)?;
        let address = match part.what {
            What::Put => table.address_of_item(&item),
            _ => table.address_of_key(&item),
        };
        let address = match address {
            Ok(address) => address,
            Err(fault) => return Ok(Some(validation_error(&fault))),
        };
        if !self.seen.insert((table.space, address.clone())) {
            let text = "Transaction request cannot include multiple operations on one item";
            return Err(Fault::validation(text).into());
        }
        let update = parsed.update.unwrap_or_default();
        write::check_keys_untouched(&table, &update)?;
        let collection = collection_metrics(metrics, &table, &item).filter(|_| part.what != What::Check);
        let (key, change) = match part.what {
            What::Put => (Item::new(), Change::Put(item)),
            What::Update => (item, Change::Update(&update)),
            What::Delete => (item, Change::Delete),
            What::Check => (item, Change::Check),
        };
        let one = Write {
            table: &table,
            address,
            key,
            condition: parsed.condition.as_ref(),
            change,
            // Guarded even without a condition: a transaction and a plain write of one item come one after the other.
            wants_before: true,
            rate: Rate::TransactionalWrite,
        };
        match write::write(tx, one).await? {
            Ok(written) => {
                self.bytes += written.after.as_ref().map_or(0, item_size_bytes);
                self.meters.entry(table.name.clone()).or_default().merge(written.meter);
                if let Some(collection) = collection {
                    self.metrics.entry(table.name.clone()).or_default().push(collection);
                }
                Ok(None)
            }
            Err(refused) => Ok(Some(reason(refused, part.shown))),
        }
    }
}

fn part(item: TransactWriteItem) -> Result<Part, Fault> {
    let one = "TransactItems can only contain one of Check, Put, Update or Delete";
    let given = |names, values, condition, update| request::Given {
        names,
        values,
        condition,
        update,
        ..request::Given::default()
    };
    let possible = &[Kind::Condition];
    Ok(match (item.condition_check, item.put, item.delete, item.update) {
        (Some(check), None, None, None) => Part {
            given: given(
                check.expression_attribute_names,
                check.expression_attribute_values,
                Some(check.condition_expression),
                None,
            )
            .accept(possible)?,
            table_name: check.table_name,
            what: What::Check,
            item: check.key,
            shown: check.return_values_on_condition_check_failure,
        },
        (None, Some(put), None, None) => Part {
            given: given(
                put.expression_attribute_names,
                put.expression_attribute_values,
                put.condition_expression,
                None,
            )
            .accept(possible)?,
            table_name: put.table_name,
            what: What::Put,
            item: put.item,
            shown: put.return_values_on_condition_check_failure,
        },
        (None, None, Some(delete), None) => Part {
            given: given(
                delete.expression_attribute_names,
                delete.expression_attribute_values,
                delete.condition_expression,
                None,
            )
            .accept(possible)?,
            table_name: delete.table_name,
            what: What::Delete,
            item: delete.key,
            shown: delete.return_values_on_condition_check_failure,
        },
        (None, None, None, Some(update)) => Part {
            given: given(
                update.expression_attribute_names,
                update.expression_attribute_values,
                update.condition_expression,
                Some(update.update_expression),
            )
            .accept(&[Kind::Update, Kind::Condition])?,
            table_name: update.table_name,
            what: What::Update,
            item: update.key,
            shown: update.return_values_on_condition_check_failure,
        },
        _ => return Err(Fault::validation(one)),
    })
}

fn reason(refused: Refused, shown: Option<ReturnValuesOnConditionCheckFailure>) -> serde_json::Value {
    match refused {
        Refused::Fault(fault) => validation_error(&fault),
        Refused::Condition(item) => {
            let mut reason =
                json!({ "Code": "ConditionalCheckFailed", "Message": "The conditional request failed" });
            let wanted = shown == Some(ReturnValuesOnConditionCheckFailure::AllOld);
            if let (Some(item), true) = (item, wanted) {
                reason["Item"] = json!(item);
            }
            reason
        }
    }
}
