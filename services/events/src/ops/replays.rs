//! Replays.

use base::{Arn, Fault};
use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    CancelReplayInput, CancelReplayOutput, DescribeReplayInput, DescribeReplayOutput, ListReplaysInput,
    ListReplaysOutput, Replay as Shown, ReplayState, StartReplayInput, StartReplayOutput,
};
use crate::archive;
use crate::bus;
use crate::fault;
use crate::keys::{ArchiveKey, Replay, ReplayKey, RuleKey};
use crate::ops::{after, limit, page};
use crate::replay;
use crate::rule;

/// The most replays at once; AWS's quota.
const RUNNING_MAX: usize = 10;
/// Replays looked at in one call.
const REPLAYS_MAX: usize = 10_000;

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html>
pub(crate) async fn start_replay(tx: &mut Tx, input: StartReplayInput) -> Result<StartReplayOutput> {
    let archive_name = archive_of(&input.event_source_arn)?;
    let Some(archive) = tx.get(&ArchiveKey { name: archive_name.clone() }).await? else {
        return Err(fault::no_such("Archive", &archive_name).into());
    };
    if input.destination.arn != bus::arn(tx, &archive.bus) {
        let reason = "Cross event bus replay is not permitted.";
        return Err(fault::invalid_parameter("Destination.Arn", reason).into());
    }
    if input.event_start_time >= input.event_end_time {
        let message =
            "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.";
        return Err(fault::invalid(message).into());
    }
    let key = ReplayKey { name: input.replay_name };
    if tx.get(&key).await?.is_some() {
        return Err(fault::already_exists("Replay", &key.name).into());
    }
    let others = tx.scan::<ReplayKey>(Parts::none(), REPLAYS_MAX).await?;
    if others.iter().filter(|(_, replay)| replay::is_open(replay)).count() >= RUNNING_MAX {
        return Err(fault::limit_exceeded().into());
    }
    let only = rules_named(tx, &archive.bus, input.destination.filter_arns.as_deref()).await?;
    let replay = Replay {
        archive: archive_name,
        space: archive.space,
        description: input.description,
        destination: input.destination,
        only,
        from: input.event_start_time,
        until: input.event_end_time,
        state: ReplayState::Starting,
        reason: None,
        last: None,
        started_at: tx.now(),
        ended_at: None,
    };
    tx.put(&key, &replay)?;
    replay::start(tx, &key.name)?;
    Ok(StartReplayOutput {
        replay_arn: Some(replay::arn(tx, &key.name)),
        state: Some(replay.state),
        state_reason: None,
        replay_start_time: Some(replay.started_at),
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeReplay.html>
pub(crate) async fn describe_replay(tx: &mut Tx, input: DescribeReplayInput) -> Result<DescribeReplayOutput> {
    let (key, replay) = find(tx, input.replay_name).await?;
    Ok(DescribeReplayOutput {
        replay_arn: Some(replay::arn(tx, &key.name)),
        replay_name: Some(key.name),
        description: replay.description,
        state: Some(replay.state),
        state_reason: replay.reason,
        event_source_arn: Some(archive::arn(tx, &replay.archive)),
        destination: Some(replay.destination),
        event_start_time: Some(replay.from),
        event_end_time: Some(replay.until),
        event_last_replayed_time: replay.last,
        replay_start_time: Some(replay.started_at),
        replay_end_time: replay.ended_at,
    })
}

/// The pages that are under way are the last ones; then the replay is cancelled.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CancelReplay.html>
pub(crate) async fn cancel_replay(tx: &mut Tx, input: CancelReplayInput) -> Result<CancelReplayOutput> {
    let (key, replay) = find(tx, input.replay_name).await?;
    if !matches!(replay.state, ReplayState::Starting | ReplayState::Running) {
        let message = format!(
            "Replay {} is not in a valid state for this operation: it is {}.",
            key.name,
            replay.state.as_str()
        );
        return Err(Fault::new("IllegalStatusException", message).into());
    }
    tx.put(&key, &Replay { state: ReplayState::Cancelling, ..replay })?;
    Ok(CancelReplayOutput {
        replay_arn: Some(replay::arn(tx, &key.name)),
        state: Some(ReplayState::Cancelling),
        state_reason: None,
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListReplays.html>
pub(crate) async fn list_replays(tx: &mut Tx, input: ListReplaysInput) -> Result<ListReplaysOutput> {
    let given = [input.name_prefix.is_some(), input.event_source_arn.is_some(), input.state.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        let message = "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix.";
        return Err(fault::invalid(message).into());
    }
    let limit = limit(input.limit);
    let parts = Parts::none().and_starting_with(&input.name_prefix.unwrap_or_default());
    let rows = match after(input.next_token)? {
        None => tx.scan::<ReplayKey>(parts, REPLAYS_MAX).await?,
        Some(name) => tx.scan_after(parts, &ReplayKey { name }, REPLAYS_MAX, Direction::Forward).await?,
    };
    let wanted = |replay: &Replay, tx: &Tx| {
        input.event_source_arn.as_ref().is_none_or(|arn| *arn == archive::arn(tx, &replay.archive))
            && input.state.is_none_or(|state| state == replay.state)
    };
    let rows = rows.into_iter().filter(|(_, replay)| wanted(replay, tx)).take(limit + 1).collect();
    let (rows, next_token) = page(rows, limit, |(key, _): &(ReplayKey, Replay)| key.name.clone());
    let show = |(key, replay): (ReplayKey, Replay)| Shown {
        replay_name: Some(key.name),
        event_source_arn: Some(archive::arn(tx, &replay.archive)),
        state: Some(replay.state),
        state_reason: replay.reason,
        event_start_time: Some(replay.from),
        event_end_time: Some(replay.until),
        event_last_replayed_time: replay.last,
        replay_start_time: Some(replay.started_at),
        replay_end_time: replay.ended_at,
    };
    Ok(ListReplaysOutput { replays: Some(rows.into_iter().map(show).collect()), next_token })
}

async fn find(tx: &mut Tx, name: String) -> Result<(ReplayKey, Replay)> {
    let key = ReplayKey { name };
    match tx.get(&key).await? {
        Some(replay) => Ok((key, replay)),
        None => Err(fault::no_such("Replay", &key.name).into()),
    }
}

fn archive_of(arn: &str) -> Result<String, Fault> {
    let parsed: Option<Arn> = arn.parse().ok();
    let name = parsed.as_ref().and_then(archive::name_of).map(str::to_owned);
    name.ok_or_else(|| fault::invalid_parameter("EventSourceArn", "Must contain an archive ARN."))
}

/// The names of the rules that `FilterArns` names; they must be rules of the bus.
async fn rules_named(tx: &mut Tx, bus: &str, arns: Option<&[String]>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for text in arns.unwrap_or_default() {
        let parsed: Option<Arn> = text.parse().ok();
        let key = parsed.as_ref().and_then(rule::key_of_arn).filter(|key: &RuleKey| key.bus == bus);
        let Some(key) = key else {
            let reason = format!("{text} is no rule of event bus {bus}.");
            return Err(fault::invalid_parameter("Destination.FilterArns", &reason).into());
        };
        if tx.get(&key).await?.is_none() {
            return Err(fault::no_such_rule(&key.name, bus).into());
        }
        names.push(key.name);
    }
    Ok(names)
}
