//! Groups.

use std::collections::BTreeMap;

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    CreateLogGroupInput, CreateLogGroupOutput, DeleteLogGroupInput, DeleteLogGroupOutput,
    DescribeLogGroupsInput, DescribeLogGroupsOutput, LogGroup, LogGroupClass,
};
use crate::fault;
use crate::keys::{Group, GroupKey, StreamKey};
use crate::ops::remove;

/// The page size if none is asked for, and the largest.
const PAGE: usize = 50;
/// Streams removed with their group in one transaction.
const STREAMS_MAX: usize = 5_000;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
pub(crate) async fn create_log_group(
    tx: &mut Tx,
    input: CreateLogGroupInput,
) -> Result<CreateLogGroupOutput> {
    if input.kms_key_id.is_some() {
        return Err(fault::not_honoured("kmsKeyId").into());
    }
    if input.deletion_protection_enabled == Some(true) {
        return Err(fault::not_honoured("deletionProtectionEnabled").into());
    }
    let infrequent_access = match input.log_group_class {
        None | Some(LogGroupClass::Standard) => false,
        Some(LogGroupClass::InfrequentAccess) => true,
        Some(_) => return Err(fault::not_honoured("This logGroupClass").into()),
    };
    let key = GroupKey { name: input.log_group_name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("group").into());
    }
    let group = Group {
        generation: tx.id(),
        created_at: tx.now(),
        retention_days: None,
        infrequent_access,
        tags: input.tags.unwrap_or_default(),
        subscriptions: BTreeMap::new(),
    };
    tx.put(&key, &group)?;
    Ok(CreateLogGroupOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html>
pub(crate) async fn delete_log_group(
    tx: &mut Tx,
    input: DeleteLogGroupInput,
) -> Result<DeleteLogGroupOutput> {
    let key = GroupKey { name: input.log_group_name };
    if tx.get(&key).await?.is_none() {
        return Err(fault::no_such_group().into());
    }
    tx.delete(&key);
    for (stream, _) in tx.scan::<StreamKey>(Parts::of(&key.name), STREAMS_MAX).await? {
        tx.delete(&stream);
        remove::events_of(tx, &stream)?;
    }
    Ok(DeleteLogGroupOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>
pub(crate) async fn describe_log_groups(
    tx: &mut Tx,
    input: DescribeLogGroupsInput,
) -> Result<DescribeLogGroupsOutput> {
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        let why = "Both logGroupNamePrefix and logGroupNamePattern cannot be specified.";
        return Err(fault::invalid(why).into());
    }
    let own = tx.scope().account.to_string();
    if input.account_identifiers.is_some_and(|accounts| accounts.iter().any(|account| *account != own)) {
        return Err(fault::not_honoured("accountIdentifiers other than the caller's own account").into());
    }
    if input.include_linked_accounts == Some(true) {
        return Err(fault::not_honoured("includeLinkedAccounts").into());
    }
    let limit = input.limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let class_wanted = input.log_group_class;
    let prefix = input.log_group_name_prefix.unwrap_or_default();
    let pattern = input.log_group_name_pattern.unwrap_or_default().to_lowercase();
    let named = input.log_group_identifiers.unwrap_or_default();
    let wanted = |name: &str| {
        name.to_lowercase().contains(&pattern)
            && (named.is_empty() || named.iter().any(|identifier| super::name_of(identifier) == name))
    };
    let mut groups = Vec::new();
    let mut after = input.next_token.map(|name| GroupKey { name });
    let more = loop {
        let parts = Parts::none().and_starting_with(&prefix);
        let rows = match &after {
            None => tx.scan::<GroupKey>(parts, PAGE).await?,
            Some(key) => tx.scan_after(parts, key, PAGE, Direction::Forward).await?,
        };
        let Some((last, _)) = rows.last() else { break false };
        after = Some(last.clone());
        groups.extend(rows.into_iter().filter(|(key, group)| {
            wanted(&key.name) && class_wanted.is_none_or(|wanted| wanted == class(group))
        }));
        if groups.len() > limit {
            break true;
        }
    };
    groups.truncate(limit);
    let next_token = groups.last().filter(|_| more).map(|(key, _)| key.name.clone());
    let groups = groups.iter().map(|(key, group)| show(tx, key, group)).collect();
    Ok(DescribeLogGroupsOutput { log_groups: Some(groups), next_token })
}

/// The group's ARN without `:*`.
pub(crate) fn arn(tx: &Tx, name: &str) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{name}", tx.scope().region, tx.scope().account)
}

fn class(group: &Group) -> LogGroupClass {
    if group.infrequent_access { LogGroupClass::InfrequentAccess } else { LogGroupClass::Standard }
}

fn show(tx: &Tx, key: &GroupKey, group: &Group) -> LogGroup {
    let arn = arn(tx, &key.name);
    LogGroup {
        log_group_name: Some(key.name.clone()),
        creation_time: Some(group.created_at.as_millis()),
        retention_in_days: group.retention_days,
        metric_filter_count: Some(0),
        arn: Some(format!("{arn}:*")),
        log_group_arn: Some(arn),
        log_group_class: Some(class(group)),
        ..LogGroup::default()
    }
}
