//! Archives.

use base::Fault;
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    Archive as Shown, ArchiveState, CreateArchiveInput, CreateArchiveOutput, DeleteArchiveInput,
    DeleteArchiveOutput, DescribeArchiveInput, DescribeArchiveOutput, ListArchivesInput, ListArchivesOutput,
    UpdateArchiveInput, UpdateArchiveOutput,
};
use crate::archive;
use crate::bus;
use crate::fault;
use crate::keys::{Archive, ArchiveKey};
use crate::ops::{after, limit, page};
use crate::rule;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html>
pub(crate) async fn create_archive(tx: &mut Tx, input: CreateArchiveInput) -> Result<CreateArchiveOutput> {
    check(input.event_pattern.as_deref(), input.kms_key_identifier.as_deref())?;
    let bus = bus::of_arn(tx, "EventSourceArn", &input.event_source_arn)?;
    bus::find_guarded(tx, &bus).await?;
    let key = ArchiveKey { name: input.archive_name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("Archive", &key.name).into());
    }
    let archive = Archive {
        space: tx.random(),
        bus,
        description: input.description,
        pattern: input.event_pattern,
        retention_days: days(input.retention_days),
        created_at: tx.now(),
    };
    tx.put(&key, &archive)?;
    archive::put_rule(tx, &key.name, &archive).await?;
    Ok(CreateArchiveOutput {
        archive_arn: Some(archive::arn(tx, &key.name)),
        state: Some(ArchiveState::Enabled),
        state_reason: None,
        creation_time: Some(archive.created_at),
    })
}

/// The counts are those of this moment; AWS's lag behind.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeArchive.html>
pub(crate) async fn describe_archive(
    tx: &mut Tx,
    input: DescribeArchiveInput,
) -> Result<DescribeArchiveOutput> {
    let (key, archive) = find(tx, input.archive_name).await?;
    let tally = archive::count(tx, archive.space).await?;
    Ok(DescribeArchiveOutput {
        archive_arn: Some(archive::arn(tx, &key.name)),
        archive_name: Some(key.name),
        event_source_arn: Some(bus::arn(tx, &archive.bus)),
        description: archive.description,
        event_pattern: archive.pattern,
        state: Some(ArchiveState::Enabled),
        retention_days: i32::try_from(archive.retention_days).ok(),
        size_bytes: Some(tally.bytes),
        event_count: Some(tally.events),
        creation_time: Some(archive.created_at),
        ..DescribeArchiveOutput::default()
    })
}

/// What is not given stays.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html>
pub(crate) async fn update_archive(tx: &mut Tx, input: UpdateArchiveInput) -> Result<UpdateArchiveOutput> {
    check(input.event_pattern.as_deref(), input.kms_key_identifier.as_deref())?;
    let (key, before) = find(tx, input.archive_name).await?;
    let archive = Archive {
        description: input.description.or(before.description),
        pattern: input.event_pattern.or(before.pattern),
        retention_days: input.retention_days.map_or(before.retention_days, |given| days(Some(given))),
        ..before
    };
    tx.put(&key, &archive)?;
    archive::put_rule(tx, &key.name, &archive).await?;
    Ok(UpdateArchiveOutput {
        archive_arn: Some(archive::arn(tx, &key.name)),
        state: Some(ArchiveState::Enabled),
        state_reason: None,
        creation_time: Some(archive.created_at),
    })
}

/// The events are removed afterwards, page by page.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteArchive.html>
pub(crate) async fn delete_archive(tx: &mut Tx, input: DeleteArchiveInput) -> Result<DeleteArchiveOutput> {
    let (key, archive) = find(tx, input.archive_name).await?;
    archive::delete(tx, &key.name, &archive).await?;
    Ok(DeleteArchiveOutput {})
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListArchives.html>
pub(crate) async fn list_archives(tx: &mut Tx, input: ListArchivesInput) -> Result<ListArchivesOutput> {
    let given = [input.name_prefix.is_some(), input.event_source_arn.is_some(), input.state.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        let message = "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.";
        return Err(fault::invalid(message).into());
    }
    let limit = limit(input.limit);
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    let rows = match after(input.next_token)? {
        None => tx.scan::<ArchiveKey>(parts, ARCHIVES_MAX).await?,
        Some(name) => tx.scan_after(parts, &ArchiveKey { name }, ARCHIVES_MAX, Direction::Forward).await?,
    };
    let wanted = |archive: &Archive, tx: &Tx| {
        input.event_source_arn.as_ref().is_none_or(|arn| *arn == bus::arn(tx, &archive.bus))
            && input.state.is_none_or(|state| state == ArchiveState::Enabled)
    };
    let rows = rows.into_iter().filter(|(_, archive)| wanted(archive, tx)).take(limit + 1).collect();
    let (rows, next_token) = page(rows, limit, |(key, _): &(ArchiveKey, Archive)| key.name.clone());
    let mut archives = Vec::with_capacity(rows.len());
    for (key, archive) in rows {
        let tally = archive::count(tx, archive.space).await?;
        archives.push(Shown {
            archive_name: Some(key.name),
            event_source_arn: Some(bus::arn(tx, &archive.bus)),
            state: Some(ArchiveState::Enabled),
            state_reason: None,
            retention_days: i32::try_from(archive.retention_days).ok(),
            size_bytes: Some(tally.bytes),
            event_count: Some(tally.events),
            creation_time: Some(archive.created_at),
        });
    }
    Ok(ListArchivesOutput { archives: Some(archives), next_token })
}

/// Archives read in one listing.
const ARCHIVES_MAX: usize = 1_000;

async fn find(tx: &mut Tx, name: String) -> Result<(ArchiveKey, Archive)> {
    let key = ArchiveKey { name };
    match tx.get(&key).await? {
        Some(archive) => Ok((key, archive)),
        None => Err(fault::no_such("Archive", &key.name).into()),
    }
}

fn check(pattern: Option<&str>, key: Option<&str>) -> Result<(), Fault> {
    if key.is_some_and(|key| !key.is_empty()) {
        return Err(fault::not_honoured("KmsKeyIdentifier"));
    }
    pattern.map_or(Ok(()), rule::check_pattern)
}

fn days(given: Option<i32>) -> u32 {
    given.map_or(0, |days| u32::try_from(days).unwrap_or(0))
}
