//! ARNs: `event-busv2/name/id`, `subscriber/name/id` and `event-sourcev2/kind/name/id`, whose ids are random.

use base::{Arn, Fault};
use kernel::{Result, Tx};

use crate::fault;

/// Characters of an id.
const ID_CHARS: usize = 25;
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A fresh id.
pub(crate) fn fresh_id(tx: &Tx) -> String {
    (0..ID_CHARS).map(|_| char::from(ALPHABET[(tx.random() % 36) as usize])).collect()
}

fn arn(tx: &Tx, resource: String) -> String {
    Arn::new("events", &tx.scope().region, &tx.scope().account, resource).to_string()
}

/// A bus's ARN in the transaction's scope.
pub(crate) fn of_bus(tx: &Tx, name: &str, id: &str) -> String {
    arn(tx, format!("event-busv2/{name}/{id}"))
}

/// A subscriber's.
pub(crate) fn of_subscriber(tx: &Tx, name: &str, id: &str) -> String {
    arn(tx, format!("subscriber/{name}/{id}"))
}

/// The ARN of a source of AWS's events.
pub(crate) fn of_source(tx: &Tx, name: &str, id: &str) -> String {
    arn(tx, format!("event-sourcev2/aws.service/{name}/{id}"))
}

/// What an ARN of this API names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Bus { name: String, id: String },
    Subscriber { name: String, id: String },
    Source { name: String, id: String },
}

/// The resource that `arn` names; `None` if it is of another API.
pub(crate) fn named(arn: &Arn) -> Option<Named> {
    let parts: Vec<&str> = arn.resource.split('/').collect();
    let text = |text: &str| text.to_owned();
    match parts[..] {
        _ if arn.service != "events" => None,
        ["event-busv2", name, id] => Some(Named::Bus { name: text(name), id: text(id) }),
        ["subscriber", name, id] => Some(Named::Subscriber { name: text(name), id: text(id) }),
        ["event-sourcev2", _, name, id] => Some(Named::Source { name: text(name), id: text(id) }),
        _ => None,
    }
}

/// The same of an input's ARN, which the schema has held against its pattern and which must be of the caller's account
/// and region. Resource policies, by which other accounts get in at AWS, are not here.
pub(crate) fn parse(tx: &Tx, text: &str) -> Result<Named, Fault> {
    let arn: Arn = text.parse().map_err(|_| fault::invalid(format!("{text} is not a valid ARN.")))?;
    let scope = tx.scope();
    if arn.account != scope.account.as_str() {
        return Err(fault::access_denied(scope.account.as_str(), text));
    }
    if arn.region != scope.region.as_str() {
        return Err(fault::invalid(format!("{text} is not of the region {}.", scope.region)));
    }
    named(&arn).ok_or_else(|| fault::invalid(format!("{text} is not a valid ARN.")))
}
