//! Groups: where they stand, and the default one, which is always there.

use std::collections::BTreeMap;

use base::Arn;
use kernel::{Result, Scope, Tx};

use crate::api::{ScheduleGroupState, ScheduleGroupSummary};
use crate::fault;
use crate::keys::{Group, GroupKey};

/// The group of schedules that name none.
pub(crate) const DEFAULT: &str = "default";

/// The group's ARN.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    Arn::new("scheduler", &scope.region, &scope.account, format!("schedule-group/{name}")).to_string()
}

/// The group, guarded. The default one is made when it is needed first.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<(GroupKey, Group)> {
    let key = GroupKey { name: name.to_owned() };
    if let Some(group) = tx.get(&key).await? {
        return Ok((key, group));
    }
    if name != DEFAULT {
        return Err(fault::no_such_group(name).into());
    }
    let group = fresh(tx, None);
    tx.put(&key, &group)?;
    Ok((key, group))
}

/// A group that may take schedules, guarded.
pub(crate) async fn find_active(tx: &mut Tx, name: &str) -> Result<()> {
    let (_, group) = find(tx, name).await?;
    if group.deleting { Err(fault::group_is_deleting(name).into()) } else { Ok(()) }
}

/// A group that is made now.
pub(crate) fn fresh(tx: &Tx, client_token: Option<String>) -> Group {
    let now = tx.now();
    Group {
        generation: tx.id(),
        created_at: now,
        modified_at: now,
        deleting: false,
        tags: BTreeMap::new(),
        client_token,
    }
}

impl Group {
    pub(crate) fn state(&self) -> ScheduleGroupState {
        if self.deleting { ScheduleGroupState::Deleting } else { ScheduleGroupState::Active }
    }

    pub(crate) fn summary(self, scope: &Scope, name: String) -> ScheduleGroupSummary {
        ScheduleGroupSummary {
            arn: Some(arn(scope, &name)),
            state: Some(self.state()),
            creation_date: Some(self.created_at),
            last_modification_date: Some(self.modified_at),
            name: Some(name),
        }
    }
}
