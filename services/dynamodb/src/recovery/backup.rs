//! Backups: items in a space of their own with the settings of their table, and how the API shows them.

use std::time::Duration;

use base::{Arn, Fault, Timestamp};
use kernel::{Call, NewTask, Result, Scope, Tx};
use serde::{Deserialize, Serialize};

use super::rows::BackupRow;
use crate::api::{self, BackupStatus, BackupType, error};
use crate::keys::{BackupKey, HistoryKey};
use crate::table::{Estimate, Index, Table, arn as table_arn, key_schema, sse_description};

/// How long the backup of a deleted table is kept, which had point-in-time recovery.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html>
const SYSTEM_LIFE: Duration = Duration::from_secs(35 * 86_400);
/// The internal operation that ends it.
pub(crate) const EXPIRE: &str = "ExpireBackup";

/// The input of [`EXPIRE`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Expire {
    /// The table's name.
    pub(crate) table: String,
    /// The backup's id.
    pub(crate) id: String,
}

/// A key for a new backup of the table.
pub(crate) fn new_key(tx: &Tx, table: &Table) -> BackupKey {
    let id = format!("{:014}-{:08x}", tx.now().as_millis(), tx.random() as u32);
    BackupKey { table: table.name.clone(), id }
}

/// A backup of the table that is asked for; its items are still to come.
pub(crate) fn asked_for(tx: &Tx, table: &Table, name: String, size: Estimate) -> BackupRow {
    BackupRow {
        name,
        kind: BackupType::User,
        status: BackupStatus::Creating,
        created: tx.now(),
        expires: None,
        space: tx.random(),
        table: Table { history: None, ..table.clone() },
        items: size.items,
        bytes: size.bytes,
        restores: 0,
        log: None,
    }
}

/// Makes a backup of a table that is being deleted: it takes over the table's items.
pub(crate) fn of_deleted(tx: &mut Tx, table: &Table, size: Estimate, log: Option<u64>) -> Result<()> {
    let expires = tx.now() + SYSTEM_LIFE;
    let row = BackupRow {
        kind: BackupType::System,
        status: BackupStatus::Available,
        expires: Some(expires),
        space: table.space,
        log,
        ..asked_for(tx, table, format!("{}$DeletedTableBackup", table.name), size)
    };
    let key = new_key(tx, table);
    tx.put(&key, &row)?;
    plan_expiry(tx, &key, expires)
}

/// Deletes a backup at `at`.
pub(crate) fn plan_expiry(tx: &mut Tx, key: &BackupKey, at: Timestamp) -> Result<()> {
    let input = Expire { table: key.table.clone(), id: key.id.clone() };
    tx.enqueue_quietly(at, NewTask::new(Call::new("dynamodb", EXPIRE, &input)?))?;
    Ok(())
}

/// The ARN of a backup.
pub(crate) fn arn(scope: &Scope, key: &BackupKey) -> String {
    let resource = format!("table/{}/backup/{}", key.table, key.id);
    Arn::new("dynamodb", &scope.region, &scope.account, resource).to_string()
}

/// The row that a backup's ARN names.
pub(crate) fn key_of(arn: &Arn) -> Option<BackupKey> {
    let (table, id) = arn.resource_after("table")?.split_once("/backup/")?;
    (arn.service == "dynamodb" && !id.is_empty())
        .then(|| BackupKey { table: table.to_owned(), id: id.to_owned() })
}

/// The backup that an ARN names, in the caller's account and region.
pub(crate) async fn find(tx: &mut Tx, text: &str) -> Result<(BackupKey, BackupRow)> {
    let arn: Option<Arn> = text.parse().ok();
    let Some((arn, key)) = arn.and_then(|arn| key_of(&arn).map(|key| (arn, key))) else {
        return Err(Fault::validation(format!("Invalid BackupArn: {text}")).into());
    };
    let here = arn.account == tx.scope().account.as_str() && arn.region == tx.scope().region.as_str();
    match tx.get(&key).await? {
        Some(row) if here => Ok((key, row)),
        _ => Err(error::backup_not_found_exception(format!("Backup not found: {text}")).into()),
    }
}

/// Whether a backup is being made, or a copy of its items.
pub(crate) async fn in_use(tx: &mut Tx, row: &BackupRow) -> Result<bool> {
    if row.restores > 0 || row.status != BackupStatus::Available {
        return Ok(true);
    }
    let Some(log) = row.log else { return Ok(false) };
    Ok(tx.get(&HistoryKey { log }).await?.is_some_and(|history| !history.holds.is_empty()))
}

/// `BackupDetails`
pub(crate) fn details(scope: &Scope, key: &BackupKey, row: &BackupRow) -> api::BackupDetails {
    api::BackupDetails {
        backup_arn: arn(scope, key),
        backup_name: row.name.clone(),
        backup_size_bytes: Some(row.bytes),
        backup_status: row.status,
        backup_type: row.kind,
        backup_creation_date_time: row.created,
        backup_expiry_date_time: row.expires,
    }
}

/// `BackupSummary`
pub(crate) fn summary(scope: &Scope, key: &BackupKey, row: &BackupRow) -> api::BackupSummary {
    api::BackupSummary {
        table_name: Some(row.table.name.clone()),
        table_id: Some(row.table.id.to_string()),
        table_arn: Some(table_arn(scope, &row.table.name)),
        backup_arn: Some(arn(scope, key)),
        backup_name: Some(row.name.clone()),
        backup_creation_date_time: Some(row.created),
        backup_expiry_date_time: row.expires,
        backup_status: Some(row.status),
        backup_type: Some(row.kind),
        backup_size_bytes: Some(row.bytes),
    }
}

/// `BackupDescription`
pub(crate) fn describe(scope: &Scope, key: &BackupKey, row: &BackupRow) -> api::BackupDescription {
    let table = &row.table;
    let none = api::ProvisionedThroughput { read_capacity_units: 0, write_capacity_units: 0 };
    api::BackupDescription {
        backup_details: Some(details(scope, key, row)),
        source_table_details: Some(api::SourceTableDetails {
            table_name: table.name.clone(),
            table_id: table.id.to_string(),
            table_arn: Some(table_arn(scope, &table.name)),
            table_size_bytes: Some(row.bytes),
            key_schema: key_schema(&table.keys),
            table_creation_date_time: table.created,
            provisioned_throughput: table.billing.provisioned.clone().unwrap_or(none),
            on_demand_throughput: table.billing.on_demand.clone(),
            item_count: Some(row.items),
            billing_mode: Some(table.billing.mode),
        }),
        source_table_feature_details: Some(features(scope, table)),
    }
}

fn features(scope: &Scope, table: &Table) -> api::SourceTableFeatureDetails {
    let (local, global): (Vec<&Index>, Vec<&Index>) = table.indexes.iter().partition(|index| index.local);
    let local: Vec<_> = local.into_iter().map(local_info).collect();
    let global: Vec<_> = global.into_iter().map(global_info).collect();
    let view = table.stream.as_ref().and_then(|latest| latest.view);
    api::SourceTableFeatureDetails {
        local_secondary_indexes: (!local.is_empty()).then_some(local),
        global_secondary_indexes: (!global.is_empty()).then_some(global),
        stream_description: view
            .map(|view| api::StreamSpecification { stream_enabled: true, stream_view_type: Some(view) }),
        time_to_live_description: table.ttl_attribute.as_ref().map(|name| api::TimeToLiveDescription {
            time_to_live_status: Some(api::TimeToLiveStatus::Enabled),
            attribute_name: Some(name.clone()),
        }),
        sse_description: sse_description(table, scope),
        ..api::SourceTableFeatureDetails::default()
    }
}

fn local_info(index: &Index) -> api::LocalSecondaryIndexInfo {
    api::LocalSecondaryIndexInfo {
        index_name: Some(index.name.clone()),
        key_schema: Some(key_schema(&index.keys)),
        projection: Some(index.projection.clone()),
    }
}

fn global_info(index: &Index) -> api::GlobalSecondaryIndexInfo {
    api::GlobalSecondaryIndexInfo {
        index_name: Some(index.name.clone()),
        key_schema: Some(key_schema(&index.keys)),
        projection: Some(index.projection.clone()),
        provisioned_throughput: index.provisioned.clone(),
        on_demand_throughput: index.on_demand.clone(),
    }
}
