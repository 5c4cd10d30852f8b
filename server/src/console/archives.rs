//! Archives, and replays of what is in them.

use askama::Template;
use base::{Fault, Timestamp};
use events::api::{
    Archive, CancelReplay, CancelReplayInput, ListArchives, ListArchivesInput, ListReplays, ListReplaysInput,
    Replay, ReplayDestination, ReplayState, StartReplay, StartReplayInput,
};

use super::desk::{Desk, Frame, last};
use super::html::{Html, Tone, maybe_time, pill};
use super::link::Link;
use super::{Answer, Result};

/// The archives and replays that are listed.
const SHOWN: i32 = 100;

#[derive(Template)]
#[template(path = "archives.html")]
struct ArchivesPage {
    frame: Frame,
    archives: Vec<ShownArchive>,
    replays: Vec<ShownReplay>,
    more: bool,
    start: Link,
    cancel: Link,
}

struct ShownArchive {
    name: String,
    arn: String,
    bus: String,
    bus_arn: String,
    state: Html,
    events: i64,
    bytes: i64,
    retention: String,
    created: Html,
}

struct ShownReplay {
    name: String,
    archive: String,
    state: Html,
    reason: String,
    from: Html,
    to: Html,
    started: Html,
    ended: Html,
    /// How far it has come through its window, of a hundred.
    progress: String,
    tone: &'static str,
    can_cancel: bool,
}

/// The page.
pub(crate) async fn page(desk: &Desk<'_>) -> Result {
    let input = ListArchivesInput { limit: Some(SHOWN), ..Default::default() };
    let archives = desk.call::<ListArchives>(&input).await?;
    let input = ListReplaysInput { limit: Some(SHOWN), ..Default::default() };
    let replays = desk.call::<ListReplays>(&input).await?;
    let more = archives.next_token.is_some() || replays.next_token.is_some();
    let mut replays = replays.replays.unwrap_or_default();
    replays.sort_by_key(|replay| std::cmp::Reverse(replay.replay_start_time));
    let (account, region) = desk.place();
    let arn = |name: &str| format!("arn:aws:events:{region}:{account}:archive/{name}");
    desk.render(&ArchivesPage {
        frame: desk.frame("archives", "Archives and replays"),
        archives: archives
            .archives
            .unwrap_or_default()
            .into_iter()
            .map(|archive| shown_archive(archive, arn))
            .collect(),
        replays: replays.into_iter().map(shown_replay).collect(),
        more,
        start: desk.link("replay/start"),
        cancel: desk.link("replay/cancel"),
    })
}

fn shown_archive(archive: Archive, arn: impl Fn(&str) -> String) -> ShownArchive {
    let name = archive.archive_name.unwrap_or_default();
    let bus_arn = archive.event_source_arn.unwrap_or_default();
    let days = archive.retention_days.unwrap_or_default();
    ShownArchive {
        arn: arn(&name),
        name,
        bus: last(&bus_arn).trim_start_matches("event-bus/").to_owned(),
        bus_arn,
        state: pill(Tone::Good, archive.state.unwrap_or_default().as_str()),
        events: archive.event_count.unwrap_or_default(),
        bytes: archive.size_bytes.unwrap_or_default(),
        retention: if days == 0 { "for ever".to_owned() } else { format!("{days} days") },
        created: maybe_time(archive.creation_time),
    }
}

fn shown_replay(replay: Replay) -> ShownReplay {
    let state = replay.state.unwrap_or_default();
    let tone = match state {
        ReplayState::Completed => Tone::Good,
        ReplayState::Starting | ReplayState::Running => Tone::Busy,
        ReplayState::Cancelling | ReplayState::Cancelled => Tone::Warn,
        ReplayState::Failed => Tone::Bad,
    };
    let done = match state {
        ReplayState::Completed => 100.0,
        _ => progress(replay.event_start_time, replay.event_last_replayed_time, replay.event_end_time),
    };
    ShownReplay {
        name: replay.replay_name.unwrap_or_default(),
        archive: last(&replay.event_source_arn.unwrap_or_default()).trim_start_matches("archive/").to_owned(),
        state: pill(tone, state.as_str()),
        reason: replay.state_reason.unwrap_or_default(),
        from: maybe_time(replay.event_start_time),
        to: maybe_time(replay.event_end_time),
        started: maybe_time(replay.replay_start_time),
        ended: maybe_time(replay.replay_end_time),
        progress: format!("{done:.0}"),
        tone: tone.class(),
        can_cancel: matches!(state, ReplayState::Starting | ReplayState::Running),
    }
}

/// How much of the window lies behind the last event, of a hundred.
fn progress(from: Option<Timestamp>, at: Option<Timestamp>, to: Option<Timestamp>) -> f64 {
    let (Some(from), Some(at), Some(to)) = (from, at, to) else { return 0.0 };
    let (whole, done) = (to.since(from).as_secs_f64(), at.since(from).as_secs_f64());
    if whole > 0.0 { (done * 100.0 / whole).clamp(0.0, 100.0) } else { 0.0 }
}

/// Brings the events of a window again to the rules of the archive's bus.
pub(crate) async fn start(desk: &Desk<'_>) -> Result {
    let moment = |name: &str| {
        let text = desk.form.get(name);
        // What a browser's field for times gives has no zone: it is UTC.
        let iso = if text.len() == 16 { format!("{text}:00Z") } else { text.to_owned() };
        let at = Timestamp::from_iso(&iso).or_else(|| Timestamp::from_iso(&format!("{iso}Z")));
        at.ok_or_else(|| Fault::validation(format!("`{text}` is no time: write 2026-11-22T10:20:00Z.")))
    };
    let input = StartReplayInput {
        replay_name: desk.form.get("name").to_owned(),
        event_source_arn: desk.form.get("archive").to_owned(),
        event_start_time: moment("from")?,
        event_end_time: moment("to")?,
        destination: ReplayDestination { arn: desk.form.get("bus").to_owned(), filter_arns: None },
        ..Default::default()
    };
    desk.call::<StartReplay>(&input).await?;
    Ok(Answer::Goto(desk.link("archives").to_string()))
}

/// Ends a replay before its end.
pub(crate) async fn cancel(desk: &Desk<'_>) -> Result {
    let input = CancelReplayInput { replay_name: desk.form.get("name").to_owned() };
    desk.call::<CancelReplay>(&input).await?;
    Ok(Answer::Goto(desk.link("archives").to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_as_far_as_its_last_event() {
        let at = |seconds: i64| Some(Timestamp::from_millis(seconds * 1_000));
        assert_eq!(progress(at(0), at(25), at(100)) as u32, 25);
        assert_eq!(progress(at(0), None, at(100)) as u32, 0);
        assert_eq!(progress(at(5), at(5), at(5)) as u32, 0);
    }
}
