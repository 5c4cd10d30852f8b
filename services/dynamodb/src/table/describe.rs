//! A table as `TableDescription` shows it.

use std::collections::BTreeMap;

use kernel::Scope;

use super::{Billing, Index, KeyNames, Table};
use crate::api;
use crate::api::{BillingMode, IndexStatus, KeyType, TableStatus};
use crate::stream;

/// What an on-demand table is warm for from the start. From "Understanding DynamoDB warm throughput".
const WARM_READS: i64 = 12_000;
const WARM_WRITES: i64 = 4_000;

/// How much stands in a table or index, counted or estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Items.
    pub items: i64,
    /// Their bytes.
    pub bytes: i64,
}

/// The description; `sizes` are by space.
pub fn describe(
    table: &Table,
    scope: &Scope,
    status: TableStatus,
    sizes: &BTreeMap<u64, Estimate>,
) -> api::TableDescription {
    let arn = arn(scope, &table.name);
    let status =
        if table.is_restoring() && status == TableStatus::Active { TableStatus::Creating } else { status };
    let size = sizes.get(&table.space).copied().unwrap_or_default();
    let (local, global): (Vec<&Index>, Vec<&Index>) = table.indexes.iter().partition(|index| index.local);
    let updating = status == TableStatus::Active && table.indexes.iter().any(|index| index.backfilling);
    let local: Vec<_> = local.into_iter().map(|index| describe_local(index, &arn, sizes)).collect();
    let global: Vec<_> =
        global.into_iter().map(|index| describe_global(index, &arn, &table.billing, status, sizes)).collect();
    let mut described = api::TableDescription {
        attribute_definitions: Some(attribute_definitions(table)),
        table_name: Some(table.name.clone()),
        key_schema: Some(key_schema(&table.keys)),
        table_status: Some(if updating { TableStatus::Updating } else { status }),
        creation_date_time: Some(table.created),
        provisioned_throughput: Some(throughput(table.billing.provisioned.as_ref())),
        table_size_bytes: Some(size.bytes),
        item_count: Some(size.items),
        table_arn: Some(arn),
        table_id: Some(table.id.to_string()),
        local_secondary_indexes: (!local.is_empty()).then_some(local),
        global_secondary_indexes: (!global.is_empty()).then_some(global),
        deletion_protection_enabled: Some(table.deletion_protection),
        ..api::TableDescription::default()
    };
    describe_settings(table, scope, status, &mut described);
    described
}

fn describe_settings(
    table: &Table,
    scope: &Scope,
    status: TableStatus,
    described: &mut api::TableDescription,
) {
    described.billing_mode_summary = table.billing.on_demand_since.map(|since| api::BillingModeSummary {
        billing_mode: Some(table.billing.mode),
        last_update_to_pay_per_request_date_time: Some(since),
    });
    described.table_class_summary = table.class.map(|class| api::TableClassSummary {
        table_class: Some(class),
        ..api::TableClassSummary::default()
    });
    if let Some(latest) = &table.stream {
        described.latest_stream_arn = Some(stream::arn(scope, &table.name, &latest.label));
        described.latest_stream_label = Some(latest.label.clone());
        described.stream_specification = latest
            .view
            .map(|view| api::StreamSpecification { stream_enabled: true, stream_view_type: Some(view) });
    }
    described.sse_description = sse_description(table, scope);
    described.restore_summary = table.restored.as_ref().map(|restored| api::RestoreSummary {
        source_backup_arn: restored.backup.clone(),
        source_table_arn: Some(restored.table.clone()),
        restore_date_time: restored.at,
        restore_in_progress: restored.in_progress,
    });
    described.on_demand_throughput = table.billing.on_demand.clone();
    let (reads, writes) =
        warm(&table.billing, table.billing.warm.as_ref(), table.billing.provisioned.as_ref());
    described.warm_throughput = Some(api::TableWarmThroughputDescription {
        read_units_per_second: Some(reads),
        write_units_per_second: Some(writes),
        status: Some(status),
    });
}

/// How the table is encrypted, if by a key of KMS.
pub(crate) fn sse_description(table: &Table, scope: &Scope) -> Option<api::SSEDescription> {
    let encrypted = table.sse.as_ref().filter(|sse| sse.enabled == Some(true));
    encrypted.map(|sse| api::SSEDescription {
        status: Some(api::SSEStatus::Enabled),
        sse_type: Some(sse.sse_type.unwrap_or(api::SSEType::Kms)),
        kms_master_key_arn: Some(sse.kms_master_key_id.clone().unwrap_or_else(|| {
            base::Arn::new("kms", &scope.region, &scope.account, "alias/aws/dynamodb").to_string()
        })),
        ..api::SSEDescription::default()
    })
}

/// The table's ARN.
pub fn arn(scope: &Scope, name: &str) -> String {
    base::Arn::new("dynamodb", &scope.region, &scope.account, format!("table/{name}")).to_string()
}

fn attribute_definitions(table: &Table) -> Vec<api::AttributeDefinition> {
    let definition = |(name, kind): (&String, &api::ScalarAttributeType)| api::AttributeDefinition {
        attribute_name: name.clone(),
        attribute_type: *kind,
    };
    table.attributes.iter().map(definition).collect()
}

/// The keys as `KeySchema` shows them.
pub(crate) fn key_schema(keys: &KeyNames) -> Vec<api::KeySchemaElement> {
    let kinds = [KeyType::Hash, KeyType::Range];
    let element = |(name, kind): (&str, KeyType)| api::KeySchemaElement {
        attribute_name: name.to_owned(),
        key_type: kind,
    };
    keys.iter().zip(kinds).map(element).collect()
}

/// On-demand tables show zeros, as at AWS.
fn throughput(given: Option<&api::ProvisionedThroughput>) -> api::ProvisionedThroughputDescription {
    api::ProvisionedThroughputDescription {
        number_of_decreases_today: Some(0),
        read_capacity_units: Some(given.map_or(0, |given| given.read_capacity_units)),
        write_capacity_units: Some(given.map_or(0, |given| given.write_capacity_units)),
        ..api::ProvisionedThroughputDescription::default()
    }
}

fn warm(
    billing: &Billing,
    given: Option<&api::WarmThroughput>,
    provisioned: Option<&api::ProvisionedThroughput>,
) -> (i64, i64) {
    let (reads, writes) = match (billing.mode, provisioned) {
        (BillingMode::Provisioned, Some(given)) => (given.read_capacity_units, given.write_capacity_units),
        _ => (WARM_READS, WARM_WRITES),
    };
    let wanted = given.cloned().unwrap_or_default();
    (
        wanted.read_units_per_second.unwrap_or(0).max(reads),
        wanted.write_units_per_second.unwrap_or(0).max(writes),
    )
}

fn describe_local(
    index: &Index,
    table_arn: &str,
    sizes: &BTreeMap<u64, Estimate>,
) -> api::LocalSecondaryIndexDescription {
    let size = sizes.get(&index.space).copied().unwrap_or_default();
    api::LocalSecondaryIndexDescription {
        index_name: Some(index.name.clone()),
        key_schema: Some(key_schema(&index.keys)),
        projection: Some(index.projection.clone()),
        index_size_bytes: Some(size.bytes),
        item_count: Some(size.items),
        index_arn: Some(format!("{table_arn}/index/{}", index.name)),
    }
}

fn describe_global(
    index: &Index,
    table_arn: &str,
    billing: &Billing,
    table_status: TableStatus,
    sizes: &BTreeMap<u64, Estimate>,
) -> api::GlobalSecondaryIndexDescription {
    let size = sizes.get(&index.space).copied().unwrap_or_default();
    let status = match table_status {
        TableStatus::Deleting => IndexStatus::Deleting,
        _ if index.backfilling => IndexStatus::Creating,
        _ => IndexStatus::Active,
    };
    let (reads, writes) = warm(billing, index.warm.as_ref(), index.provisioned.as_ref());
    api::GlobalSecondaryIndexDescription {
        index_name: Some(index.name.clone()),
        key_schema: Some(key_schema(&index.keys)),
        projection: Some(index.projection.clone()),
        index_status: Some(status),
        backfilling: index.backfilling.then_some(true),
        provisioned_throughput: Some(throughput(index.provisioned.as_ref())),
        index_size_bytes: Some(size.bytes),
        item_count: Some(size.items),
        index_arn: Some(format!("{table_arn}/index/{}", index.name)),
        on_demand_throughput: index.on_demand.clone(),
        warm_throughput: Some(api::GlobalSecondaryIndexWarmThroughputDescription {
            read_units_per_second: Some(reads),
            write_units_per_second: Some(writes),
            status: Some(status),
        }),
    }
}
