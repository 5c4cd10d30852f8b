//! The state of a run: a tree of frames, one for the machine and one for each live branch or iteration.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::{EXECUTION_WAIT, WaitId};
use crate::variables::Variables;

pub(crate) type FrameId = u32;

/// The frame of the machine itself.
pub(crate) const ROOT: FrameId = 0;

/// A run of a machine between two steps: a value that is stored with the execution and given back to
/// [`step`](crate::step) with the same [`Machine`](crate::Machine). It serialises with serde; its fields are private,
/// and no part of it is skipped when empty, so that positional formats work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    pub(crate) last_event_id: i64,
    pub(crate) last_wait_id: WaitId,
    pub(crate) last_frame_id: FrameId,
    pub(crate) transitions: u64,
    pub(crate) closed: bool,
    pub(crate) frames: BTreeMap<FrameId, Frame>,
    /// Frames that can go on without a stimulus, in turn.
    pub(crate) ready: VecDeque<FrameId>,
    /// When it was last redriven, in milliseconds since the epoch.
    #[serde(default)]
    pub(crate) redriven_ms: Option<i64>,
}

impl Execution {
    /// One that has not begun.
    pub(crate) fn empty() -> Self {
        Self {
            last_event_id: 0,
            last_wait_id: EXECUTION_WAIT,
            last_frame_id: ROOT,
            transitions: 0,
            closed: false,
            frames: BTreeMap::new(),
            ready: VecDeque::new(),
            redriven_ms: None,
        }
    }

    /// Whether [`redrive`](crate::redrive) finds something to do: it has ended, and not well.
    pub fn can_be_redriven(&self) -> bool {
        self.closed && !self.frames.is_empty()
    }

    /// Has the execution ended?
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many events its history has; also the id of the last.
    pub fn history_events(&self) -> i64 {
        self.last_event_id
    }

    /// How many states it has entered.
    pub fn transitions(&self) -> u64 {
        self.transitions
    }

    /// What it waits for, with the name of the state, in no particular order: for the console and for repair.
    pub fn waits(&self) -> Vec<(WaitId, String)> {
        self.frames
            .values()
            .filter_map(|frame| Some((frame.doing.wait_id()?, frame.state_name.to_string())))
            .collect()
    }
}

/// Where a branch or an iteration hangs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// The frame whose current state is the Parallel or the Map.
    pub(crate) parent: FrameId,
    /// The branch or the item.
    pub(crate) index: u32,
}

/// One line of control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub(crate) link: Option<Link>,
    /// The event that the next event of this line follows.
    pub(crate) last_event: i64,
    /// The current state: its place in its flow, and its name for those who look at the value without the machine.
    pub(crate) state: u32,
    pub(crate) state_name: Arc<str>,
    /// The state's input, before `InputPath`.
    pub(crate) input: Arc<Value>,
    /// The same as text, while it is at hand.
    #[serde(skip)]
    pub(crate) input_text: InputText,
    pub(crate) entered_event: i64,
    pub(crate) entered_ms: i64,
    /// How often each retrier of this state has been used during this visit.
    pub(crate) retries: Vec<u32>,
    pub(crate) doing: Doing,
    /// The workflow variables of this line's scope.
    #[serde(default)]
    pub(crate) variables: Variables,
    /// The run of the distributed map that the current state is, if it began one that a redrive takes up again.
    #[serde(default)]
    pub(crate) map_run: Option<MapRunLink>,
}

/// A run of a distributed map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MapRunLink {
    pub(crate) arn: String,
    /// How often it was redriven.
    pub(crate) redrives: u32,
}

/// A cache of a text that can always be made again: two executions are equal whatever it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct InputText(pub(crate) Option<Arc<str>>);

impl PartialEq for InputText {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Frame {
    pub(crate) fn retry_count(&self) -> u32 {
        self.retries.iter().sum()
    }
}

/// What a frame does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Doing {
    /// About to enter its state.
    Enter,
    /// About to run its state, which it has entered: the first time or again.
    Run,
    /// Sits in a Wait state.
    Wait(WaitId),
    /// Pauses before it runs its state again.
    Retry(WaitId),
    /// Waits for a task.
    Task(TaskWait),
    /// Waits for its branches or iterations.
    Fork(Fork),
    /// Waits for a run of its distributed map.
    MapRun(WaitId),
}

impl Doing {
    pub(crate) fn wait_id(&self) -> Option<WaitId> {
        match self {
            Self::Wait(id) | Self::Retry(id) | Self::MapRun(id) => Some(*id),
            Self::Task(task) => Some(task.wait_id),
            Self::Enter | Self::Run | Self::Fork(_) => None,
        }
    }
}

/// A task that was handed out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskWait {
    pub(crate) wait_id: WaitId,
    pub(crate) started: bool,
    pub(crate) timeout_at_ms: Option<i64>,
    pub(crate) heartbeat_ms: Option<i64>,
    pub(crate) heartbeat_at_ms: Option<i64>,
}

/// Branches or iterations under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fork {
    /// One place per branch or item; the output once it is there.
    pub(crate) outputs: Vec<Option<Arc<Value>>>,
    /// The items of a Map that have no output yet; empty for a Parallel.
    pub(crate) items: Vec<Option<Arc<Value>>>,
    /// What `ItemSelector` is applied to: the Map's effective input.
    pub(crate) effective: Option<Arc<Value>>,
    pub(crate) next_item: u32,
    pub(crate) live: u32,
    /// The names of the items, if they are the members of an object.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
}
