//! `TransactWriteItems`: up to 100 writes that all become true together, or none of them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use base::Fault;
use kernel::{Parts, Result, Tx};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::collection_metrics;
use crate::api::{
    self, ItemCollectionMetrics, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use crate::border::ItemForm;
use crate::capacity::{Meter, Rate};
use crate::expression::Kind;
use crate::keys::{TokenAgeKey, TokenKey, TokenRow};
use crate::value::Item;
use crate::write::{self, Change, Refused, Write};
use crate::{request, tables};

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
        Some(_) => Sha256::digest(serde_json::to_vec(&input.transact_items)?).to_vec(),
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

/// What becomes of one write: nothing to say, or a cancellation reason.
type Reason = Option<serde_json::Value>;

async fn write_all(tx: &mut Tx, input: TransactWriteItemsInput) -> Result<TransactWriteItemsOutput> {
    let parts = input.transact_items.into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
    let mut reasons: Vec<Reason> = Vec::with_capacity(parts.len());
    let mut meters: BTreeMap<String, Meter> = BTreeMap::new();
    let mut metrics: BTreeMap<String, Vec<ItemCollectionMetrics>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for part in parts {
        let parsed = part.given.parse()?;
        let item = part.item.accept()?;
        let table = tables::for_writing(tx, &part.table_name).await?;
        let address = match part.what {
            What::Put => table.address_of_item(&item),
            _ => table.address_of_key(&item),
        };
        let address = match address {
            Ok(address) => address,
            Err(fault) => {
                reasons.push(Some(validation_error(&fault)));
                continue;
            }
        };
        if !seen.insert((table.space, address.clone())) {
            let text = "Transaction request cannot include multiple operations on one item";
            return Err(Fault::validation(text).into());
        }
        let update = parsed.update.unwrap_or_default();
        write::check_keys_untouched(&table, &update)?;
        let collection = collection_metrics(input.return_item_collection_metrics, &table, &item);
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
                reasons.push(None);
                meters.entry(table.name.clone()).or_default().merge(written.meter);
                if part.what != What::Check {
                    metrics.entry(table.name.clone()).or_default().extend(collection);
                }
            }
            Err(refused) => reasons.push(Some(reason(refused, part.shown))),
        }
    }
    if reasons.iter().any(Option::is_some) {
        return Err(cancelled(&reasons).into());
    }
    metrics.retain(|_, collections| !collections.is_empty());
    let report = |(name, meter): (&String, &Meter)| {
        meter.report(input.return_consumed_capacity, name, Rate::TransactionalWrite)
    };
    let consumed: Vec<_> = meters.iter().filter_map(report).collect();
    Ok(TransactWriteItemsOutput {
        consumed_capacity: (!consumed.is_empty()).then_some(consumed),
        item_collection_metrics: (!metrics.is_empty()).then_some(metrics),
    })
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

fn validation_error(fault: &Fault) -> serde_json::Value {
    json!({ "Code": "ValidationError", "Message": fault.message })
}

fn cancelled(reasons: &[Reason]) -> Fault {
    let none = json!({ "Code": "None" });
    let all: Vec<&serde_json::Value> =
        reasons.iter().map(|reason| reason.as_ref().unwrap_or(&none)).collect();
    let codes: Vec<&str> = all.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let text = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    api::error::transaction_canceled_exception(text).with_members(json!({ "CancellationReasons": all }))
}
