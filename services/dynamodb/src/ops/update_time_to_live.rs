//! `UpdateTimeToLive`: says which attribute tells when an item expires, or that none does.

use base::Fault;
use kernel::{Result, Tx};

use super::backfill::Backfill;
use super::purge::{Purge, Rows};
use crate::api::{UpdateTimeToLiveInput, UpdateTimeToLiveOutput};
use crate::keys::{SweepKey, SweepRow};
use crate::table::Table;
use crate::tables;

pub(crate) async fn update_time_to_live(
    tx: &mut Tx,
    input: UpdateTimeToLiveInput,
) -> Result<UpdateTimeToLiveOutput> {
    let table = tables::itself(tx, &input.table_name).await?;
    tables::check_created(&table)?;
    let wanted = input.time_to_live_specification;
    let refused = |text: String| Err(Fault::validation(text).into());
    match (&table.ttl_attribute, wanted.enabled) {
        (Some(_), true) => return refused("TimeToLive is already enabled".to_owned()),
        (None, false) => return refused("TimeToLive is already disabled".to_owned()),
        (Some(current), false) if *current != wanted.attribute_name => {
            return refused(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {current}"
            ));
        }
        _ => {}
    }
    let mut changed = Table::clone(&table);
    changed.ttl_attribute = wanted.enabled.then(|| wanted.attribute_name.clone());
    tables::put(tx, &changed)?;
    if wanted.enabled {
        Backfill::of(&changed, None).enqueue(tx)?;
    } else {
        let plan = SweepKey { space: table.space };
        if let Some(SweepRow::Scheduled { task, .. }) = tx.get(&plan).await? {
            tx.cancel(&task);
        }
        tx.delete(&plan);
        Purge { rows: Rows::Expiries, space: table.space }.enqueue(tx)?;
    }
    Ok(UpdateTimeToLiveOutput { time_to_live_specification: Some(wanted) })
}
