//! Redrives: an execution that ended without success goes on from where it ended.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>
//!
//! While a failure is on its way up, nobody knows whether something will handle it. What it cuts short is therefore laid
//! aside ([`Fallen`]); if the failure is handled it is forgotten, and if it ends the execution it stays with it, at rest.

use std::collections::BTreeMap;

use super::Engine;
use super::fail::Failure;
use super::fork::iterations_at_once;
use crate::command::{Command, StepContext};
use crate::execution::{Doing, Execution, Fork, Frame, FrameId};
use crate::history::{EventDetails, HistoryEventType as Event};
use crate::machine::{Kind, Machine, MapState, State};

/// How often a map run can be redriven.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html>
const MAP_RUN_REDRIVES_MAX: u32 = 1_000;

/// What a failure has cut short.
#[derive(Default)]
pub(super) struct Fallen {
    frames: Vec<(FrameId, Frame)>,
    /// What frames did that are among the others, or will be.
    rest: Vec<(FrameId, Doing)>,
}

impl Fallen {
    pub(super) fn frame(&mut self, id: FrameId, frame: Frame) {
        self.frames.push((id, frame));
    }

    pub(super) fn rest(&mut self, id: FrameId, doing: Doing) {
        self.rest.push((id, doing));
    }

    /// The failure was handled.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.rest.clear();
    }

    /// These frames and those that fell, at rest.
    pub(super) fn with(self, mut frames: BTreeMap<FrameId, Frame>) -> BTreeMap<FrameId, Frame> {
        frames.extend(self.frames);
        for (id, doing) in self.rest {
            if let Some(frame) = frames.get_mut(&id) {
                frame.doing = doing;
            }
        }
        for frame in frames.values_mut() {
            frame.doing = match std::mem::replace(&mut frame.doing, Doing::Run) {
                kept @ (Doing::Enter | Doing::Fork(_)) => kept,
                // What waited runs again; a pause before a retry is over.
                Doing::Run | Doing::Wait(_) | Doing::Retry(_) | Doing::Task(_) | Doing::MapRun(_) => {
                    Doing::Run
                }
            };
        }
        frames
    }
}

/// Runs an execution again from the steps in which it ended, if it [can be](Execution::can_be_redriven): writes
/// `ExecutionRedriven` with `ctx.execution.redrive_count`, which counts this redrive, and goes on as [`step`](crate::step)
/// does. The machine's timeout and the counts of retries begin anew. No commands: there is nothing to go on from.
pub fn redrive(machine: &Machine, execution: &mut Execution, ctx: &mut StepContext<'_>) -> Vec<Command> {
    if !execution.can_be_redriven() {
        return Vec::new();
    }
    execution.closed = false;
    execution.redriven_ms = Some(ctx.now_ms);
    execution.transitions += 1;
    let redrive_count = ctx.execution.redrive_count.unwrap_or_default();
    let mut engine = Engine::new(machine, execution, ctx);
    let previous = engine.run.last_event_id;
    engine.event(Event::ExecutionRedriven, previous, Some(EventDetails::ExecutionRedriven { redrive_count }));
    engine.time_execution();
    engine.drop_orphans();
    let ids: Vec<FrameId> = engine.run.frames.keys().copied().collect();
    for id in ids {
        if !engine.run.closed {
            engine.take_up(id);
        }
    }
    engine.run_ready();
    engine.commands
}

impl Engine<'_, '_, '_, '_> {
    /// Forgets the frames that hang on a state that does not wait for them: it will run from its beginning.
    fn drop_orphans(&mut self) {
        let frames = std::mem::take(&mut self.run.frames);
        for (id, frame) in frames {
            // A parent's id is smaller than its children's.
            let hangs = frame.link.is_none_or(|link| {
                self.run.frames.get(&link.parent).is_some_and(|parent| matches!(parent.doing, Doing::Fork(_)))
            });
            if hangs {
                self.run.frames.insert(id, frame);
            }
        }
    }

    /// Has a frame go on from where it stood.
    fn take_up(&mut self, id: FrameId) {
        let Some(mut frame) = self.run.frames.remove(&id) else { return };
        let Some(state) = self.state(&frame) else {
            self.run.frames.insert(id, frame);
            self.run.ready.push_back(id);
            return;
        };
        frame.retries = vec![0; state.retry.len()];
        match (std::mem::replace(&mut frame.doing, Doing::Run), &state.kind) {
            (Doing::Fork(fork), Kind::Map(map)) => self.refill(id, frame, state, map, fork),
            (doing @ Doing::Fork(_), _) => {
                frame.doing = doing;
                self.run.frames.insert(id, frame);
            }
            (Doing::Run, Kind::Map(_)) if frame.map_run.is_some() => self.redrive_map_run(id, frame, state),
            (doing, kind) => {
                // AWS enters Fail states again.
                frame.doing = if matches!(kind, Kind::Fail { .. }) { Doing::Enter } else { doing };
                self.run.frames.insert(id, frame);
                self.run.ready.push_back(id);
            }
        }
    }

    /// Starts the iterations that the failure kept from starting.
    fn refill(&mut self, id: FrameId, mut frame: Frame, state: &State, map: &MapState, mut fork: Fork) {
        let hangs = |frame: &&Frame| frame.link.is_some_and(|link| link.parent == id);
        let live = self.run.frames.values().filter(hangs).count();
        fork.live = u32::try_from(live).unwrap_or(u32::MAX);
        let most =
            self.effective(&frame, state).and_then(|effective| self.max_concurrency(&frame, map, &effective));
        let started = most.and_then(|most| {
            let room = iterations_at_once(most).saturating_sub(fork.live);
            (0..room).try_for_each(|_| self.start_item(id, &frame, state, &mut fork, frame.last_event))
        });
        frame.doing = Doing::Fork(fork);
        match started {
            Ok(()) => {
                self.run.frames.insert(id, frame);
            }
            Err(failure) => {
                let previous = frame.last_event;
                let failure = self.abort_children(id, &mut frame, state, previous, failure);
                self.fail(id, frame, state, failure);
            }
        }
    }

    fn redrive_map_run(&mut self, id: FrameId, mut frame: Frame, state: &State) {
        let Some(link) = &mut frame.map_run else { return };
        if link.redrives >= MAP_RUN_REDRIVES_MAX {
            let cause =
                format!("The map run reached the maximum number of redrives ({MAP_RUN_REDRIVES_MAX}).");
            self.fail(id, frame, state, Failure::fatal("States.Runtime", cause));
            return;
        }
        link.redrives += 1;
        let (map_run_arn, redrive_count) = (link.arn.clone(), link.redrives);
        let details = EventDetails::MapRunRedriven { map_run_arn: map_run_arn.clone(), redrive_count };
        self.advance(&mut frame, Event::MapRunRedriven, Some(details));
        let wait_id = self.next_wait();
        self.commands.push(Command::RedriveMapRun { wait_id, map_run_arn });
        frame.doing = Doing::MapRun(wait_id);
        self.run.frames.insert(id, frame);
    }
}
