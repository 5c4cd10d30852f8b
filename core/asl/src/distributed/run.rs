//! A map run under way.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batch::{self, Taken};
use super::redrive::{Redrive, Unsuccessful};
use super::{ChildOutcome, Counts, Item, ItemSource, MapRunPlan};
use crate::machine::{Machine, State};
use crate::scope::{Converted, EvalError, LazyContext, Reading, Scope};
use crate::variables::{Variables, Visible};

/// The items of one page. A service may hand in fewer, and should where they are large: a page is part of the run's value.
const PAGE_ITEMS: u32 = 200;
/// The children that one step starts: what a step writes must fit into one transaction.
const STARTS_MAX: usize = 100;
/// The children that run at once whatever `MaxConcurrency` says.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>
const CONCURRENCY_MAX: u64 = 10_000;
/// Bytes of a child execution's input.
const INPUT_BYTES_MAX: usize = 262_144;

/// `status` of `DescribeMapRun`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapRunStatus {
    /// RUNNING.
    Running,
    /// SUCCEEDED.
    Succeeded,
    /// FAILED.
    Failed,
    /// ABORTED.
    Aborted,
}

impl MapRunStatus {
    /// AWS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }
}

/// Something that happened to a map run. After its end, only children that end late are counted, until it is redriven.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MapRunStimulus {
    /// Go on after [`MapRunCommand::Continue`].
    Continue,
    /// The page that [`MapRunCommand::ReadItems`] asked for.
    Items {
        /// In order.
        items: Vec<Item>,
        /// Where the next page begins; `None` at the end.
        cursor: Option<String>,
    },
    /// The items cannot be read.
    ItemsFailed {
        /// Why.
        cause: String,
    },
    /// A child execution ended.
    ChildEnded {
        /// How many items it had, as [`MapRunCommand::StartChild`] said.
        items: u64,
        /// How it ended.
        outcome: ChildOutcome,
    },
    /// What [`MapRunCommand::CollectResults`] asked for.
    Results {
        /// The outputs of all children in order; or, if they were exported, where to (`ResultWriterDetails`).
        output: Value,
        /// How many children's results were exported.
        written: u64,
    },
    /// The results cannot be gathered or exported.
    ResultsFailed {
        /// `States.ResultWriterFailed`, `States.DataLimitExceeded`.
        error: String,
        /// Why.
        cause: String,
    },
    /// `UpdateMapRun`.
    Update {
        /// The new `MaxConcurrency`.
        max_concurrency: Option<u64>,
        /// The new `ToleratedFailureCount`.
        tolerated_failure_count: Option<u64>,
        /// The new `ToleratedFailurePercentage`.
        tolerated_failure_percentage: Option<f64>,
    },
    /// The execution, or what the Map state is in, has ended otherwise.
    Abort,
    /// The execution is redriven: children that did not succeed run again, and what has not begun begins. If the run is
    /// not at rest yet, it goes on when it is.
    Redrive,
    /// What [`MapRunCommand::FindUnsuccessful`] asked for.
    Unsuccessful {
        /// By number.
        children: Vec<Unsuccessful>,
        /// Behind which number to look next; `None` if there are none.
        next: Option<u64>,
    },
    /// [`MapRunCommand::RedriveChild`] is not possible: the child stays as it ended.
    ChildNotRedrivable {
        /// How many items it has.
        items: u64,
        /// How it had ended.
        outcome: ChildOutcome,
    },
}

/// What the caller of a step must do, in order, in the transaction that stores the run.
#[derive(Clone, Debug, PartialEq)]
pub enum MapRunCommand {
    /// Read the items from this cursor (`None`: from the beginning); answer with [`MapRunStimulus::Items`].
    ReadItems {
        /// The cursor of the page before.
        cursor: Option<String>,
        /// The most items of the answer.
        at_most: u32,
    },
    /// Start a child execution of [`Machine::child`].
    StartChild {
        /// 0, 1, 2 …: the place of its output among all.
        number: u64,
        /// Its input.
        input: Value,
        /// How many items are in it.
        items: u64,
    },
    /// The run is redriven: children may start again after [`MapRunCommand::StopChildren`].
    BeginRedrive,
    /// Find children that ended without success; answer with [`MapRunStimulus::Unsuccessful`].
    FindUnsuccessful {
        /// Only those behind this number.
        after: Option<u64>,
        /// The most children of the answer.
        at_most: u32,
    },
    /// Redrive a child, or start it again if it is EXPRESS or had never begun; its end is to be told like any other.
    RedriveChild(Unsuccessful),
    /// Stop all children that run; each end is still to be told.
    StopChildren,
    /// Gather the children's outputs, or export them; answer with [`MapRunStimulus::Results`].
    CollectResults,
    /// The run has ended: tell the execution with [`Stimulus::MapRunEnded`](crate::Stimulus::MapRunEnded).
    Finish(MapRunEnd),
    /// So much for one transaction: commit, then send [`MapRunStimulus::Continue`]. Always the last command.
    Continue,
}

/// How a map run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MapRunEnd {
    /// SUCCEEDED.
    Succeeded {
        /// The Map state's result.
        output: Value,
    },
    /// FAILED.
    Failed {
        /// The error name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// ABORTED.
    Aborted,
}

/// Where the items stand that have not been read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Cursor {
    At(Option<String>),
    End,
}

/// A map run: its plan, its counters, a cursor into its items and the page that is being worked off. A value to be stored
/// in a row of its own; it serialises with serde, and no part of it is skipped when empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapRun {
    plan: MapRunPlan,
    pub(super) status: MapRunStatus,
    pub(super) items: Counts,
    pub(super) executions: Counts,
    cursor: Cursor,
    /// A page is on its way.
    pub(super) reading: bool,
    /// Results are being gathered.
    pub(super) collecting: bool,
    /// Inputs that wait for a child.
    pub(super) queue: VecDeque<Value>,
    next_index: u64,
    next_child: u64,
    pub(super) failure: Option<(String, String)>,
    /// The children have been told to stop.
    pub(super) stopping: bool,
    #[serde(default)]
    pub(super) redrive: Redrive,
}

impl MapRun {
    /// A run of this plan. `given`: the items of [`ItemSource::Given`]. Send [`MapRunStimulus::Continue`] first.
    pub fn new(plan: MapRunPlan, given: Vec<Item>, machine: &Machine, step: &mut MapRunContext<'_>) -> Self {
        let end = plan.source == ItemSource::Given;
        let mut run = Self {
            plan,
            status: MapRunStatus::Running,
            items: Counts::default(),
            executions: Counts::default(),
            cursor: if end { Cursor::End } else { Cursor::At(None) },
            reading: false,
            collecting: false,
            queue: VecDeque::new(),
            next_index: 0,
            next_child: 0,
            failure: None,
            stopping: false,
            redrive: Redrive::default(),
        };
        run.arrive(given, machine, step);
        run
    }

    /// Its plan.
    pub fn plan(&self) -> &MapRunPlan {
        &self.plan
    }

    /// RUNNING until [`MapRunCommand::Finish`].
    pub fn status(&self) -> MapRunStatus {
        self.status
    }

    /// `itemCounts`.
    pub fn item_counts(&self) -> Counts {
        self.items
    }

    /// `executionCounts`.
    pub fn execution_counts(&self) -> Counts {
        self.executions
    }

    /// Tells the run what happened, and says what is to be done. No commands: only counters have changed, if anything.
    pub fn step(
        &mut self,
        machine: &Machine,
        stimulus: MapRunStimulus,
        step: &mut MapRunContext<'_>,
    ) -> Vec<MapRunCommand> {
        let mut commands = Vec::new();
        if let MapRunStimulus::ChildEnded { items, outcome } = &stimulus {
            self.items.end(*items, *outcome);
            self.executions.end(1, *outcome);
        }
        if let MapRunStimulus::ChildNotRedrivable { items, outcome } = &stimulus {
            self.not_redrivable(*items, *outcome);
        }
        if self.status != MapRunStatus::Running {
            self.while_at_rest(&stimulus, &mut commands);
            return commands;
        }
        if self.take(stimulus, machine, step, &mut commands) {
            self.go_on(&mut commands);
        }
        commands
    }

    /// What happens to a run that is under way; whether it goes on.
    fn take(
        &mut self,
        stimulus: MapRunStimulus,
        machine: &Machine,
        step: &mut MapRunContext<'_>,
        commands: &mut Vec<MapRunCommand>,
    ) -> bool {
        match stimulus {
            MapRunStimulus::Continue
            | MapRunStimulus::ChildEnded { .. }
            | MapRunStimulus::ChildNotRedrivable { .. }
            | MapRunStimulus::Redrive => {}
            MapRunStimulus::Unsuccessful { children, next } => self.redrive.found(children, next),
            MapRunStimulus::Items { items, cursor } => {
                self.reading = false;
                self.cursor = cursor.map_or(Cursor::End, |cursor| Cursor::At(Some(cursor)));
                self.arrive(items, machine, step);
            }
            MapRunStimulus::ItemsFailed { cause } => {
                self.reading = false;
                self.fail("States.ItemReaderFailed", cause);
            }
            MapRunStimulus::Results { output, written } => {
                self.executions.results_written = written;
                self.items.results_written = written;
                self.finish(output, commands);
                return false;
            }
            MapRunStimulus::ResultsFailed { error, cause } => {
                self.collecting = false;
                self.end(MapRunEnd::Failed { error, cause }, MapRunStatus::Failed, commands);
                return false;
            }
            MapRunStimulus::Update {
                max_concurrency,
                tolerated_failure_count,
                tolerated_failure_percentage,
            } => {
                self.plan.max_concurrency = max_concurrency.unwrap_or(self.plan.max_concurrency);
                self.plan.tolerated_failure_count =
                    tolerated_failure_count.or(self.plan.tolerated_failure_count);
                self.plan.tolerated_failure_percentage =
                    tolerated_failure_percentage.or(self.plan.tolerated_failure_percentage);
            }
            MapRunStimulus::Abort => {
                self.give_up();
                commands.push(MapRunCommand::StopChildren);
                self.end(MapRunEnd::Aborted, MapRunStatus::Aborted, commands);
                return false;
            }
        }
        true
    }

    pub(super) fn go_on(&mut self, commands: &mut Vec<MapRunCommand>) {
        if self.failure.is_none() && self.exceeds_tolerance() {
            let cause = "The specified tolerated failure threshold was exceeded".to_owned();
            self.fail("States.ExceedToleratedFailureThreshold", cause);
        }
        if self.failure.is_none() {
            self.start_children(commands);
        }
        if self.failure.is_some()
            && self.executions.running > 0
            && !std::mem::replace(&mut self.stopping, true)
        {
            commands.push(MapRunCommand::StopChildren);
        }
        let all_begun = self.cursor == Cursor::End && self.queue.is_empty() && self.redrive.is_over();
        let over = self.failure.is_some() || all_begun;
        if over && self.executions.running == 0 && !self.collecting && !self.reading {
            match (&self.failure, &self.plan.export) {
                (Some((error, cause)), None) => {
                    let end = MapRunEnd::Failed { error: error.clone(), cause: cause.clone() };
                    self.end(end, MapRunStatus::Failed, commands);
                }
                _ => {
                    self.collecting = true;
                    commands.push(MapRunCommand::CollectResults);
                }
            }
        }
    }

    fn start_children(&mut self, commands: &mut Vec<MapRunCommand>) {
        let most = match self.plan.max_concurrency {
            0 => CONCURRENCY_MAX,
            most => most.min(CONCURRENCY_MAX),
        };
        for _ in 0..STARTS_MAX {
            if self.executions.running >= most {
                return;
            }
            if !self.redrive.is_over() {
                if !self.redrive_child(commands) {
                    return;
                }
                continue;
            }
            match batch::take(&mut self.queue, self.plan.batch.as_ref(), self.cursor == Cursor::End) {
                Taken::Input(input, items) => {
                    self.items.begin(items);
                    self.executions.total += 1;
                    self.executions.running += 1;
                    commands.push(MapRunCommand::StartChild { number: self.next_child, input, items });
                    self.next_child += 1;
                }
                Taken::Incomplete => {
                    self.read_on(commands);
                    return;
                }
                Taken::TooLarge => {
                    let cause = "An item is larger than MaxInputBytesPerBatch allows".to_owned();
                    self.fail("States.DataLimitExceeded", cause);
                    return;
                }
            }
        }
        commands.push(MapRunCommand::Continue);
    }

    fn read_on(&mut self, commands: &mut Vec<MapRunCommand>) {
        if let (Cursor::At(cursor), false) = (&self.cursor, self.reading) {
            let left = self.plan.max_items.map_or(u64::MAX, |most| most.saturating_sub(self.next_index));
            let at_most = u32::try_from(left).unwrap_or(u32::MAX).min(PAGE_ITEMS);
            commands.push(MapRunCommand::ReadItems { cursor: cursor.clone(), at_most });
            self.reading = true;
        }
    }

    /// Items have come: what `ItemSelector` makes of each waits for a child.
    fn arrive(&mut self, items: Vec<Item>, machine: &Machine, step: &mut MapRunContext<'_>) {
        let state = machine.map_state(&self.plan.label);
        for item in items {
            if self.is_full() {
                break;
            }
            let index = self.next_index;
            self.next_index += 1;
            self.items.arrive(1);
            match self.select(&item, index, state, step) {
                Ok(input) if input.to_string().len() <= INPUT_BYTES_MAX => self.queue.push_back(input),
                Ok(_) => {
                    let cause = format!("The input of item {index} is larger than {INPUT_BYTES_MAX} bytes");
                    self.failure = Some(("States.DataLimitExceeded".to_owned(), cause));
                }
                Err(error) => {
                    let cause = error.cause(&item.value);
                    self.failure = Some((error.name().to_owned(), cause));
                }
            }
        }
        if self.is_full() {
            self.cursor = Cursor::End;
        }
        if self.failure.is_some() {
            self.give_up();
        }
    }

    /// Are there as many items as `MaxItems` allows?
    fn is_full(&self) -> bool {
        self.plan.max_items.is_some_and(|most| self.next_index >= most)
    }

    fn select(
        &self,
        item: &Item,
        index: u64,
        state: Option<&State>,
        step: &mut MapRunContext<'_>,
    ) -> Result<Value, EvalError> {
        let (Some(scope), Some(template)) =
            (&self.plan.selector, state.and_then(|state| state.data.parameters.as_ref()))
        else {
            return Ok(item.input());
        };
        let make = || {
            let mut context = scope.context.clone();
            let source = item.source.clone().unwrap_or_else(|| self.plan.source.uri());
            context["Map"] = crate::step::map_context(index, &item.value, item.key.as_deref(), &source);
            context
        };
        let context = LazyContext::new(&make);
        let mut variables = Variables::default();
        for (name, value) in &scope.variables {
            variables.set(name.clone(), value.clone().into(), 0);
        }
        let reading =
            Reading { input: &scope.input, context: &context, variables: Visible(vec![&variables]) };
        template.evaluate(&mut Scope {
            reading,
            result: None,
            error_output: None,
            now_ms: step.now_ms,
            random: step.random,
            converted: Converted::default(),
        })
    }

    /// Percentages are judged once all items are known: before, every item to come would lower them.
    fn exceeds_tolerance(&self) -> bool {
        let bad = self.items.bad().saturating_sub(self.redrive.bad_before);
        let (count, percentage) = (self.plan.tolerated_failure_count, self.plan.tolerated_failure_percentage);
        let over_count = match (count, percentage) {
            (Some(most), _) => bad > most,
            (None, Some(_)) => false,
            (None, None) => bad > 0,
        };
        let over_percentage = percentage.is_some_and(|most| {
            self.cursor == Cursor::End && bad as f64 * 100.0 > most * self.items.total as f64
        });
        over_count || over_percentage
    }

    fn fail(&mut self, error: &str, cause: String) {
        self.failure.get_or_insert_with(|| (error.to_owned(), cause));
        self.give_up();
    }

    /// What waits for a child keeps waiting: a redrive would start it.
    fn give_up(&mut self) {
        self.items.give_up();
        self.items.pending_redrive = 0;
        self.executions.pending_redrive = 0;
        self.redrive.stop();
    }

    fn finish(&mut self, output: Value, commands: &mut Vec<MapRunCommand>) {
        self.collecting = false;
        match self.failure.clone() {
            Some((error, cause)) => {
                self.end(MapRunEnd::Failed { error, cause }, MapRunStatus::Failed, commands)
            }
            None => self.end(MapRunEnd::Succeeded { output }, MapRunStatus::Succeeded, commands),
        }
    }

    fn end(&mut self, end: MapRunEnd, status: MapRunStatus, commands: &mut Vec<MapRunCommand>) {
        self.status = status;
        commands.push(MapRunCommand::Finish(end));
    }
}

/// Time and chance for one step of a map run.
pub struct MapRunContext<'a> {
    /// The time of this step, in milliseconds since the epoch.
    pub now_ms: i64,
    /// Chance, for what `ItemSelector` computes.
    pub random: &'a mut dyn FnMut() -> u64,
}
