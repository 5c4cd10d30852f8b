//! The operations: one a file, small ones by noun.

use std::time::Duration;

use kernel::{Result, Tx};

use crate::fault;
use crate::keys::{Group, GroupKey};

pub(crate) mod deliver;
pub(crate) mod filter_log_events;
pub(crate) mod get_log_events;
pub(crate) mod group;
pub(crate) mod put_log_events;
pub(crate) mod remove;
pub(crate) mod resource_policy;
pub(crate) mod retention;
pub(crate) mod stream;
pub(crate) mod subscription;
pub(crate) mod tags;

/// A group by its name or ARN, of which one is given.
pub(crate) async fn find_group(
    tx: &mut Tx,
    name: Option<String>,
    identifier: Option<String>,
) -> Result<(GroupKey, Group)> {
    let name = match (name, identifier) {
        (Some(_), Some(_)) => {
            return Err(
                fault::invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters.").into()
            );
        }
        (Some(name), None) => name,
        (None, Some(identifier)) => name_of(&identifier).to_owned(),
        (None, None) => {
            return Err(fault::invalid("Either LogGroup name or LogGroup ARN must be specified.").into());
        }
    };
    let key = GroupKey { name };
    match tx.peek(&key).await? {
        Some(group) => Ok((key, group)),
        None => Err(fault::no_such_group().into()),
    }
}

/// The group's name in `arn:aws:logs:…:log-group:name[:*]`, or the text itself.
pub(crate) fn name_of(identifier: &str) -> &str {
    let name = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

impl Group {
    /// Events before this time are past the retention.
    pub(crate) fn horizon(&self, tx: &Tx) -> Option<base::Timestamp> {
        let days = u64::try_from(self.retention_days?).unwrap_or(0);
        Some(tx.now() - Duration::from_secs(days * 86_400))
    }
}
