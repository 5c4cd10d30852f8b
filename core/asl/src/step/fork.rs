//! Parallel and Map: lines of control that begin, join and fail together.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Engine;
use super::context::ItemAt;
use super::data::Data;
use super::fail::Failure;
use super::run::Progress;
use crate::execution::{Doing, Fork, Frame, FrameId, Link};
use crate::history::{EventDetails, HistoryEventType as Event};
use crate::machine::{Flow, Items, Kind, MapState, Mode, State};
use crate::scope::EvalError;
use crate::template::{Expression, Template};

/// The iterations of an inline Map that run at once, whatever its `MaxConcurrency`.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html>
const ITERATIONS_MAX: u32 = 40;

impl Engine<'_, '_, '_, '_> {
    pub(super) fn start_branches(
        &mut self,
        id: FrameId,
        frame: &mut Frame,
        state: &State,
        branches: &[Flow],
    ) -> Result<Progress, Failure> {
        let effective = self.effective(frame, state)?;
        let input = self.parameters(frame, state, effective, None)?;
        self.advance(frame, Event::ParallelStateStarted, None);
        for (branch, index) in branches.iter().zip(0..) {
            let child = self.next_frame();
            self.spawn(child, Some(Link { parent: id, index }), frame.last_event, branch, Arc::clone(&input));
        }
        frame.doing = Doing::Fork(Fork {
            outputs: vec![None; branches.len()],
            items: Vec::new(),
            effective: None,
            next_item: 0,
            live: u32::try_from(branches.len()).unwrap_or(u32::MAX),
            keys: Vec::new(),
        });
        Ok(Progress::Waiting)
    }

    pub(super) fn start_map(
        &mut self,
        id: FrameId,
        frame: &mut Frame,
        state: &State,
        map: &MapState,
    ) -> Result<Progress, Failure> {
        let effective = self.effective(frame, state)?;
        let most = self.max_concurrency(frame, map, &effective)?;
        let (items, keys) = self.items(frame, map, &effective)?;
        if let Mode::Distributed(distributed) = &map.mode {
            return self.start_map_run(frame, state, distributed, most, (effective, items, keys));
        }
        let details = EventDetails::MapStateStarted { length: items.len() as u64 };
        self.advance(frame, Event::MapStateStarted, Some(details));
        if items.is_empty() {
            return self.all_joined(frame, state, Value::Array(Vec::new()));
        }
        let mut fork = Fork {
            outputs: vec![None; items.len()],
            items: items.into_iter().map(|item| Some(Arc::new(item))).collect(),
            effective: state.data.parameters.as_ref().map(|_| effective),
            next_item: 0,
            live: 0,
            keys,
        };
        for _ in 0..iterations_at_once(most) {
            if let Err(failure) = self.start_item(id, frame, state, &mut fork, frame.last_event) {
                frame.doing = Doing::Fork(fork);
                return Err(self.abort_children(id, frame, state, frame.last_event, failure));
            }
        }
        frame.doing = Doing::Fork(fork);
        Ok(Progress::Waiting)
    }

    /// Begins the next iteration, if there is an item left.
    pub(super) fn start_item(
        &mut self,
        id: FrameId,
        frame: &Frame,
        state: &State,
        fork: &mut Fork,
        previous: i64,
    ) -> Result<(), Failure> {
        let index = fork.next_item;
        let Some(Some(item)) = fork.items.get(index as usize) else { return Ok(()) };
        let Kind::Map(map) = &state.kind else { return Ok(()) };
        let key = fork.keys.get(index as usize).map(String::as_str);
        let input = match (&state.data.parameters, &fork.effective, key) {
            (Some(selector), Some(effective), _) => {
                let item = Some(ItemAt { index, value: item, key });
                Arc::new(self.template(frame, selector, Data { item, ..Data::of(effective) })?)
            }
            (_, _, Some(key)) => Arc::new(json!({ "Key": key, "Value": &**item })),
            _ => Arc::clone(item),
        };
        let details = EventDetails::MapIteration { name: state.name.to_string(), index: u64::from(index) };
        let started = self.event(Event::MapIterationStarted, previous, Some(details));
        let child = self.next_frame();
        self.spawn(child, Some(Link { parent: id, index }), started, map.processor(), input);
        fork.next_item += 1;
        fork.live += 1;
        Ok(())
    }

    /// A branch or an iteration ended well. Its last event is what the next iteration, or the end of the state, follows:
    /// `…Succeeded` events lead to nothing.
    pub(super) fn joined(&mut self, link: Link, last_event: i64, output: Arc<Value>) {
        let Some(mut frame) = self.run.frames.remove(&link.parent) else { return };
        let (Some(state), Doing::Fork(fork)) = (self.state(&frame), &mut frame.doing) else {
            self.run.frames.insert(link.parent, frame);
            return;
        };
        let mut fork = std::mem::replace(fork, empty_fork());
        let index = link.index as usize;
        if let Some(place) = fork.outputs.get_mut(index) {
            *place = Some(output);
        }
        if let Some(item) = fork.items.get_mut(index) {
            *item = None;
        }
        fork.live = fork.live.saturating_sub(1);
        if let Kind::Map(_) = state.kind {
            let details =
                EventDetails::MapIteration { name: state.name.to_string(), index: u64::from(link.index) };
            self.event(Event::MapIterationSucceeded, last_event, Some(details));
            if let Err(failure) = self.start_item(link.parent, &frame, state, &mut fork, last_event) {
                frame.doing = Doing::Fork(fork);
                let failure = self.abort_children(link.parent, &mut frame, state, last_event, failure);
                self.settle(link.parent, frame, state, Err(failure));
                return;
            }
        }
        if fork.live > 0 {
            frame.doing = Doing::Fork(fork);
            self.run.frames.insert(link.parent, frame);
            return;
        }
        let own = |output: Arc<Value>| Arc::try_unwrap(output).unwrap_or_else(|shared| (*shared).clone());
        let outputs = fork.outputs.into_iter().map(|output| output.map(own).unwrap_or_default()).collect();
        frame.last_event = last_event;
        let progress = self.all_joined(&mut frame, state, Value::Array(outputs));
        self.settle(link.parent, frame, state, progress);
    }

    fn all_joined(&mut self, frame: &mut Frame, state: &State, outputs: Value) -> Result<Progress, Failure> {
        let map = matches!(state.kind, Kind::Map(_));
        let event = if map { Event::MapStateSucceeded } else { Event::ParallelStateSucceeded };
        self.event(event, frame.last_event, None);
        frame.doing = Doing::Run;
        self.result(frame, state, Arc::new(outputs))
    }

    pub(super) fn max_concurrency(
        &mut self,
        frame: &Frame,
        map: &MapState,
        effective: &Value,
    ) -> Result<i64, Failure> {
        self.quantity(frame, &map.max_concurrency, "MaxConcurrencyPath", (0, i64::MAX), effective)
    }

    /// The items of a Map state, with their names if they are the members of an object.
    pub(super) fn items(
        &mut self,
        frame: &Frame,
        map: &MapState,
        effective: &Arc<Value>,
    ) -> Result<(Vec<Value>, Vec<String>), Failure> {
        if let Mode::Distributed(distributed) = &map.mode
            && distributed.reader.is_some()
        {
            return Ok((Vec::new(), Vec::new()));
        }
        let found = match &map.items {
            Items::Path(path) => self.find(frame, path, "ItemsPath", effective)?,
            Items::Template(template) => self.template(frame, template, Data::of(effective))?,
            Items::Input => (**effective).clone(),
        };
        let found = match found {
            Value::Array(items) => return Ok((items, Vec::new())),
            Value::Object(members) => {
                let (keys, values) = members.into_iter().unzip();
                return Ok((values, keys));
            }
            other => other,
        };
        if let Items::Template(template) = &map.items {
            let expression = match template {
                Template::Dynamic { expression: Expression::Jsonata(query), .. } => query.text.clone(),
                _ => String::new(),
            };
            let field = "Items".to_owned();
            let error = EvalError::QueryType { expression, field, expected: "array", found: Box::new(found) };
            return Err(Failure::of(frame, &error, effective));
        }
        let path = if let Items::Path(path) = &map.items { path.text() } else { "$" };
        let cause = format!("Reference path \"{path}\" must point to array.");
        Err(Failure::interpreter(frame, "States.Runtime", &cause))
    }

    /// A frame failed for good: the execution fails, or the state that forked it.
    pub(super) fn fail_frame(&mut self, id: FrameId, frame: Frame, state: &State, failure: Failure) {
        let previous = frame.last_event;
        let Some(link) = frame.link else {
            self.fail_all(id, frame, failure);
            return;
        };
        self.fallen.frame(id, frame);
        let Some(mut parent) = self.run.frames.remove(&link.parent) else { return };
        let Some(parent_state) = self.state(&parent) else { return };
        if let Kind::Map(_) = parent_state.kind {
            self.iteration_event(Event::MapIterationFailed, parent_state, link.index, previous);
        }
        if let Some(event) = aborted_leaf(&state.kind) {
            self.event(event, previous, None);
        }
        let failure = self.abort_children(link.parent, &mut parent, parent_state, previous, failure);
        self.settle(link.parent, parent, parent_state, Err(failure));
    }

    fn iteration_event(&mut self, event: Event, state: &State, index: u32, previous: i64) {
        let details = EventDetails::MapIteration { name: state.name.to_string(), index: u64::from(index) };
        self.event(event, previous, Some(details));
    }

    /// Aborts what is left of a fork and writes that its state failed.
    pub(super) fn abort_children(
        &mut self,
        id: FrameId,
        frame: &mut Frame,
        state: &State,
        previous: i64,
        mut failure: Failure,
    ) -> Failure {
        if failure.fatal {
            return failure;
        }
        self.abort_fork(id, state, previous);
        let rest = std::mem::replace(&mut frame.doing, Doing::Run);
        self.fallen.rest(id, rest);
        let (event, also) = match state.kind {
            Kind::Map(_) => (Event::MapStateFailed, "States.ExceedToleratedFailureThreshold"),
            _ => (Event::ParallelStateFailed, "States.BranchFailed"),
        };
        frame.last_event = self.event(event, previous, None);
        failure.also.push(also);
        failure
    }

    /// Aborts the frames that hang on a fork, in the order in which they began.
    fn abort_fork(&mut self, id: FrameId, state: &State, previous: i64) {
        let hangs = |frame: &Frame| frame.link.filter(|link| link.parent == id);
        let children: Vec<(FrameId, u32)> =
            self.run.frames.iter().filter_map(|(child, frame)| Some((*child, hangs(frame)?.index))).collect();
        for (child, index) in children {
            if let Kind::Map(_) = state.kind {
                self.iteration_event(Event::MapIterationAborted, state, index, previous);
            }
            let Some(frame) = self.run.frames.remove(&child) else { continue };
            self.run.ready.retain(|ready| *ready != child);
            let flow = match &state.kind {
                Kind::Parallel { branches } => branches.get(index as usize),
                Kind::Map(map) => Some(map.processor()),
                _ => None,
            };
            if let Some(state) = flow.and_then(|flow| flow.state(frame.state)) {
                self.abort_frame(child, &frame, state, previous);
            }
            self.fallen.frame(child, frame);
        }
    }

    fn abort_frame(&mut self, id: FrameId, frame: &Frame, state: &State, previous: i64) {
        if frame.doing == Doing::Enter {
            return;
        }
        self.let_go(&frame.doing);
        self.abort_fork(id, state, previous);
        if let Doing::MapRun(_) = frame.doing {
            self.event(Event::MapRunAborted, previous, None);
        }
        let event = match state.kind {
            Kind::Parallel { .. } => Some(Event::ParallelStateAborted),
            Kind::Map(_) => Some(Event::MapStateAborted),
            _ => aborted_leaf(&state.kind),
        };
        if let Some(event) = event {
            self.event(event, previous, None);
        }
    }
}

/// The event for a state without branches that is cut short.
fn aborted_leaf(kind: &Kind) -> Option<Event> {
    match kind {
        Kind::Task(_) => Some(Event::TaskStateAborted),
        Kind::Wait(_) => Some(Event::WaitStateAborted),
        _ => None,
    }
}

/// The iterations that run at once under this `MaxConcurrency`.
pub(super) fn iterations_at_once(max_concurrency: i64) -> u32 {
    match u32::try_from(max_concurrency).unwrap_or(u32::MAX) {
        0 => ITERATIONS_MAX,
        most => most.min(ITERATIONS_MAX),
    }
}

fn empty_fork() -> Fork {
    Fork { outputs: Vec::new(), items: Vec::new(), effective: None, next_item: 0, live: 0, keys: Vec::new() }
}
