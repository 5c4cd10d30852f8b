//! Streams as sources: where those who read for others wait until something has come.

use base::Arn;
use kernel::{Parts, SourceKind, Watched};

use super::key_of;
use crate::keys::ChangeKey;

/// A table's stream, by its ARN.
pub(crate) const STREAM: SourceKind = SourceKind {
    service: "dynamodb",
    name: "DynamoDB stream",
    serves: |arn| key_of(arn).is_some(),
    watched,
    next: None,
};

/// A stream's records come by commits of its own log, and in no other way.
fn watched(arn: &Arn) -> Watched {
    let key = key_of(arn);
    let parts = key.map_or_else(Parts::none, |key| Parts::of(&key.table).and(&key.label));
    Watched::rows::<ChangeKey>(parts)
}
