use kernel::{Direction, Parts, Result, Tx};

use super::page_size;
use crate::api::{ListSchedulesInput, ListSchedulesOutput};
use crate::keys::ScheduleKey;
use crate::{fault, group};

/// Rows read in one step.
const STEP: usize = 200;

/// Schedules of one group or of all, by group and name.
///
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html>
pub(crate) async fn list_schedules(tx: &mut Tx, input: ListSchedulesInput) -> Result<ListSchedulesOutput> {
    let size = page_size(input.max_results);
    let prefix = input.name_prefix.unwrap_or_default();
    let parts = match &input.group_name {
        Some(name) => {
            group::find(tx, name).await?;
            Parts::of(name).and_starting_with(&prefix)
        }
        None => Parts::none(),
    };
    let mut after = input.next_token.as_deref().map(place).transpose()?;
    let scope = tx.scope().clone();
    let mut schedules = Vec::new();
    loop {
        let rows = match &after {
            None => tx.scan::<ScheduleKey>(parts.clone(), STEP).await?,
            Some(key) => tx.scan_after(parts.clone(), key, STEP, Direction::Forward).await?,
        };
        let read = rows.len();
        for (key, schedule) in rows {
            let wanted =
                key.name.starts_with(&prefix) && input.state.is_none_or(|state| state == schedule.state());
            if wanted && schedules.len() == size {
                return Ok(ListSchedulesOutput { schedules, next_token: after.as_ref().map(token) });
            }
            after = Some(key.clone());
            if wanted {
                schedules.push(schedule.summary(&scope, key));
            }
        }
        if read < STEP {
            return Ok(ListSchedulesOutput { schedules, next_token: None });
        }
    }
}

/// A token names the last schedule that was looked at; names have no slash.
fn token(key: &ScheduleKey) -> String {
    format!("{}/{}", key.group, key.name)
}

fn place(token: &str) -> Result<ScheduleKey> {
    match token.split_once('/') {
        Some((group, name)) => Ok(ScheduleKey { group: group.to_owned(), name: name.to_owned() }),
        None => Err(fault::invalid("Invalid NextToken.").into()),
    }
}
