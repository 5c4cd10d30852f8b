//! A small world around a machine: tasks are answered from a table, timers fire in the order of their times.

use std::collections::{BTreeMap, HashMap, VecDeque};

use asl::{
    Command, Execution, ExecutionInfo, FailureStage, HistoryEvent, Machine, MapRunRequest, MapRunStimulus,
    Outcome, StepContext, Stimulus, TaskRequest, TimerKind, WaitId, redrive, start, step,
};
use serde_json::Value;

use crate::map_runs;

pub(crate) const MACHINE_ARN: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:m";
const START_MS: i64 = 1_700_000_000_000;

/// What becomes of the execution value between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    InMemory,
    AsJson,
    AsMsgpack,
}

pub(crate) struct World<'m> {
    machine: &'m Machine,
    input: String,
    /// Per state name: the answers of its attempts, the last one for all further ones.
    answers: &'m Value,
    keep: Keep,
    history_events_max: Option<i64>,
    now_ms: i64,
    seed: u64,
    asked: HashMap<String, usize>,
    tasks: VecDeque<TaskRequest>,
    stimuli: VecDeque<Stimulus>,
    timers: BTreeMap<(i64, WaitId, u8), TimerKind>,
    continues: usize,
    pub(crate) events: Vec<HistoryEvent>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) cancelled: Vec<WaitId>,
    pub(crate) steps: usize,
    /// How often it was redriven.
    redrives: u32,
    map_runs: HashMap<String, map_runs::Driven>,
}

impl<'m> World<'m> {
    pub(crate) fn new(machine: &'m Machine, input: &str, answers: &'m Value, keep: Keep) -> Self {
        Self {
            machine,
            input: input.to_owned(),
            answers,
            keep,
            history_events_max: Some(25_000),
            now_ms: START_MS,
            seed: 0,
            asked: HashMap::new(),
            tasks: VecDeque::new(),
            stimuli: VecDeque::new(),
            timers: BTreeMap::new(),
            continues: 0,
            events: Vec::new(),
            outcome: None,
            cancelled: Vec::new(),
            steps: 0,
            redrives: 0,
            map_runs: HashMap::new(),
        }
    }

    pub(crate) fn history_events_max(mut self, most: i64) -> Self {
        self.history_events_max = Some(most);
        self
    }

    pub(crate) fn continues(&self) -> usize {
        self.continues
    }

    /// Runs to the end; `stop` after so many steps, if given.
    pub(crate) fn run(self, stop: Option<usize>) -> Self {
        self.run_and_redrive(stop, 0)
    }

    /// The same; what ends without success is redriven a minute later, at most so often.
    pub(crate) fn run_and_redrive(mut self, stop: Option<usize>, redrives: u32) -> Self {
        let input = serde_json::from_str(&self.input).expect("input is JSON");
        let (mut execution, commands) = self.with_context(|machine, ctx| start(machine, input, ctx));
        self.obey(commands);
        loop {
            if let Some(outcome) = &self.outcome {
                if matches!(outcome, Outcome::Succeeded { .. }) || self.redrives == redrives {
                    break;
                }
                execution = self.redriven(execution);
                continue;
            }
            assert!(self.steps < 5_000, "the execution does not end");
            let stimulus = match stop {
                Some(at) if at == self.steps => {
                    Stimulus::Stop { error: Some("Stopped".into()), cause: Some("by hand".into()) }
                }
                _ => self.next_stimulus().unwrap_or_else(|| panic!("stuck: {:?}", execution.waits())),
            };
            self.steps += 1;
            execution = self.stored(execution);
            let commands = self.with_context(|machine, ctx| step(machine, &mut execution, stimulus, ctx));
            self.obey(commands);
        }
        assert!(execution.is_closed());
        assert_eq!(execution.history_events(), self.events.len() as i64);
        self
    }

    fn redriven(&mut self, execution: Execution) -> Execution {
        assert!(execution.can_be_redriven());
        self.outcome = None;
        self.redrives += 1;
        self.now_ms += 60_000;
        self.tasks.clear();
        self.stimuli.clear();
        self.timers.clear();
        let mut execution = self.stored(execution);
        let commands = self.with_context(|machine, ctx| redrive(machine, &mut execution, ctx));
        self.obey(commands);
        execution
    }

    fn with_context<R>(&mut self, work: impl FnOnce(&Machine, &mut StepContext<'_>) -> R) -> R {
        let seed = &mut self.seed;
        let mut random = || {
            *seed += 1;
            *seed
        };
        let mut task_token = |wait_id| format!("token-{wait_id}");
        let execution = ExecutionInfo {
            arn: "arn:aws:states:eu-west-1:123456789012:execution:m:e",
            name: "e",
            input: &self.input,
            start_ms: START_MS,
            role_arn: "arn:aws:iam::123456789012:role/r",
            redrive_count: Some(self.redrives),
            machine_arn: MACHINE_ARN,
            machine_name: "m",
            machine_version_arn: None,
            machine_alias_arn: None,
            history_events_max: self.history_events_max,
        };
        let mut ctx =
            StepContext { now_ms: self.now_ms, execution, random: &mut random, task_token: &mut task_token };
        work(self.machine, &mut ctx)
    }

    fn stored(&self, execution: Execution) -> Execution {
        let copy = match self.keep {
            Keep::InMemory => return execution,
            Keep::AsJson => serde_json::from_str(&serde_json::to_string(&execution).unwrap()).unwrap(),
            Keep::AsMsgpack => rmp_serde::from_slice(&rmp_serde::to_vec(&execution).unwrap()).unwrap(),
        };
        assert_eq!(execution, copy, "an execution survives its storage");
        copy
    }

    fn obey(&mut self, commands: Vec<Command>) {
        let count = commands.len();
        for (place, command) in commands.into_iter().enumerate() {
            match command {
                Command::History(event) => self.events.push(event),
                Command::Schedule(task) => self.tasks.push_back(*task),
                Command::StartTimer { wait_id, kind, at_ms } => {
                    self.timers.retain(|(_, id, _), other| (*id, *other) != (wait_id, kind));
                    self.timers.insert((at_ms, wait_id, kind as u8), kind);
                }
                Command::CancelTimer { wait_id, kind } => {
                    self.timers.retain(|(_, id, _), other| (*id, *other) != (wait_id, kind));
                }
                Command::CancelTask { wait_id } | Command::StopMapRun { wait_id } => {
                    self.cancelled.push(wait_id)
                }
                Command::StartMapRun(request) => self.start_map_run(*request),
                Command::RedriveMapRun { wait_id, map_run_arn } => {
                    self.redrive_map_run(wait_id, &map_run_arn)
                }
                Command::Finish(outcome) => {
                    assert_eq!(place + 1, count, "the end is the last command");
                    self.outcome = Some(outcome);
                }
                Command::Continue => {
                    assert_eq!(place + 1, count);
                    self.continues += 1;
                    self.stimuli.push_front(Stimulus::Continue);
                }
            }
        }
    }

    /// Drives a map run to its end at once; the answers of the children's tasks come from the same table.
    fn start_map_run(&mut self, request: MapRunRequest) {
        let files = self.answers.get(&request.state_name).cloned().unwrap_or_default();
        let child = self.machine.child(&request.plan.label).expect("a child machine").clone();
        let (wait_id, arn, answers) = (request.wait_id, request.map_run_arn.clone(), self.answers);
        let driven = map_runs::drive_to_end(self.machine, request, &files, &mut |input| {
            let world = World::new(&child, &input.to_string(), answers, Keep::AsMsgpack).run(None);
            world.outcome.expect("an outcome")
        });
        self.stimuli.push_back(Stimulus::MapRunEnded { wait_id, end: driven.end.clone() });
        self.map_runs.insert(arn, driven);
    }

    /// The same for one that is redriven: its children get what is in the table under `redriven`, and so do its items.
    fn redrive_map_run(&mut self, wait_id: WaitId, arn: &str) {
        let mut driven = self.map_runs.remove(arn).expect("a map run");
        let answers = &self.answers["redriven"];
        let label = driven.run.plan().label.clone();
        let child = self.machine.child(&label).expect("a child machine").clone();
        driven.go_on(self.machine, MapRunStimulus::Redrive, answers, &mut |input| {
            let world = World::new(&child, &input.to_string(), answers, Keep::AsMsgpack).run(None);
            world.outcome.expect("an outcome")
        });
        self.stimuli.push_back(Stimulus::MapRunEnded { wait_id, end: driven.end.clone() });
        self.map_runs.insert(arn.to_owned(), driven);
    }

    fn next_stimulus(&mut self) -> Option<Stimulus> {
        while let Some(task) = self.tasks.pop_front() {
            self.answer(&task);
        }
        if let Some(stimulus) = self.stimuli.pop_front() {
            return Some(stimulus);
        }
        let ((at_ms, wait_id, _), kind) = self.timers.pop_first()?;
        self.now_ms = self.now_ms.max(at_ms);
        Some(Stimulus::TimerFired { wait_id, kind })
    }

    fn answer(&mut self, task: &TaskRequest) {
        let attempt = self.asked.entry(task.state_name.clone()).or_default();
        let answers = self.answers[&task.state_name].as_array().expect("a task has answers");
        let answer = answers.get(*attempt).or_else(|| answers.last()).expect("at least one answer").clone();
        *attempt += 1;
        self.push_answer(task, &answer);
    }

    /// `{"ok": …}`, `{"error": …, "cause": …}`, with `"stage"` for a task that did not start; `"started"` with the
    /// worker's name, `"submitted"` with an output and `"beats"` with a number come before; `{}` is silence.
    fn push_answer(&mut self, task: &TaskRequest, answer: &Value) {
        let wait_id = task.wait_id;
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        if answer.get("started").is_some() {
            self.stimuli.push_back(Stimulus::TaskStarted { wait_id, worker_name: text("started") });
        }
        if let Some(output) = answer.get("submitted") {
            self.stimuli.push_back(Stimulus::TaskSubmitted { wait_id, output: output.clone() });
        }
        for _ in 0..answer["beats"].as_u64().unwrap_or_default() {
            self.stimuli.push_back(Stimulus::Heartbeat { wait_id });
        }
        if let Some(output) = answer.get("ok") {
            let output = if output == "$parameters" { task.parameters.clone() } else { output.clone() };
            self.stimuli.push_back(Stimulus::TaskSucceeded { wait_id, output });
        }
        let (error, cause) = (text("error"), text("cause"));
        if let Some(stage) = answer.get("stage") {
            let stage: FailureStage = serde_json::from_value(stage.clone()).unwrap();
            self.stimuli.push_back(Stimulus::TaskNotStarted { wait_id, stage, error, cause });
        } else if error.is_some() {
            self.stimuli.push_back(Stimulus::TaskFailed { wait_id, error, cause });
        }
    }
}

/// One event on one line: `4<3 TaskStarted {"resourceType":"sqs",…}`.
pub(crate) fn line(event: &HistoryEvent) -> String {
    let shown = event.to_aws(true);
    let details = shown.as_object().unwrap().iter().find(|(name, _)| name.ends_with("Details"));
    let details = details.map_or(String::new(), |(name, details)| {
        let mut details = details.clone();
        let members = details.as_object_mut().unwrap();
        for data in ["inputDetails", "outputDetails"] {
            if let Some(shown) = members.remove(data) {
                assert_eq!(shown, serde_json::json!({ "truncated": false }));
            }
        }
        let member = name.strip_suffix("EventDetails").unwrap();
        let word = event.event_type.as_str();
        let own = member.eq_ignore_ascii_case(word) || matches!(member, "stateEntered" | "stateExited");
        assert!(own, "{member} in {word}");
        format!(" {details}")
    });
    let seconds = (event.timestamp_ms - START_MS) as f64 / 1000.0;
    format!("{}<{} +{seconds}s {}{details}", event.id, event.previous_event_id, event.event_type.as_str())
}
