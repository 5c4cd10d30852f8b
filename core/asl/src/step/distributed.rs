//! Hands runs of distributed maps out, and takes their ends.

use std::sync::Arc;

use serde_json::Value;

use super::data::Data;
use super::fail::Failure;
use super::run::Progress;
use super::{Engine, assign};
use crate::command::{Command, MapRunRequest};
use crate::distributed::{
    BatchPlan, Batcher, Distributed, InputType, Item, ItemFormat, ItemSource, ManifestType, MapRunEnd,
    MapRunPlan, Reader, ResultExport, SelectorScope, Source,
};
use crate::execution::{Doing, Frame, MapRunLink};
use crate::history::{EventDetails, HistoryEventType as Event};
use crate::intrinsic::uuid;
use crate::machine::{Quantity, State};
use crate::scope::EvalError;

const NUMBER_MAX: i64 = 99_999_999;

/// The errors of a run that a redrive takes up again; after any other it begins a new one.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html>
const TAKEN_UP_AGAIN: [&str; 3] =
    ["States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed", "States.ResultWriterFailed"];

impl Engine<'_, '_, '_, '_> {
    /// Hands out the run of a distributed map: everything that the state says is evaluated now.
    pub(super) fn start_map_run(
        &mut self,
        frame: &mut Frame,
        state: &State,
        distributed: &Distributed,
        max_concurrency: i64,
        (effective, items, keys): (Arc<Value>, Vec<Value>, Vec<String>),
    ) -> Result<Progress, Failure> {
        let mut plan = self.plan(frame, state, distributed, &effective)?;
        plan.max_concurrency = u64::try_from(max_concurrency).unwrap_or_default();
        let details = EventDetails::MapStateStarted { length: items.len() as u64 };
        self.advance(frame, Event::MapStateStarted, Some(details));
        let map_run_arn = self.map_run_arn(&distributed.label);
        let details = EventDetails::MapRunStarted { map_run_arn: map_run_arn.clone() };
        self.advance(frame, Event::MapRunStarted, Some(details));
        let wait_id = self.next_wait();
        let mut keys = keys.into_iter();
        let items = items.into_iter().map(|value| Item { key: keys.next(), ..Item::of(value) }).collect();
        let state_name = state.name.to_string();
        frame.map_run = Some(MapRunLink { arn: map_run_arn.clone(), redrives: 0 });
        let request = MapRunRequest { wait_id, state_name, map_run_arn, plan, items };
        self.commands.push(Command::StartMapRun(Box::new(request)));
        frame.doing = Doing::MapRun(wait_id);
        Ok(Progress::Waiting)
    }

    /// `arn:aws:states:region:account:mapRun:machine/label:uuid`.
    fn map_run_arn(&mut self, label: &str) -> String {
        let machine = self.ctx.execution.machine_arn.replacen(":stateMachine:", ":mapRun:", 1);
        format!("{machine}/{label}:{}", uuid((self.ctx.random)(), (self.ctx.random)()))
    }

    fn plan(
        &mut self,
        frame: &Frame,
        state: &State,
        distributed: &Distributed,
        effective: &Arc<Value>,
    ) -> Result<MapRunPlan, Failure> {
        let tolerated_failure_count = match &distributed.tolerated_count {
            None => None,
            Some(count) => {
                let range = (0, i64::MAX);
                let count = self.quantity(frame, count, "ToleratedFailureCountPath", range, effective)?;
                u64::try_from(count).ok()
            }
        };
        let tolerated_failure_percentage = match &distributed.tolerated_percentage {
            None => None,
            Some(percentage) => Some(self.percentage(frame, percentage, effective)?),
        };
        let (source, max_items) = match &distributed.reader {
            None => (ItemSource::Given, None),
            Some(reader) => self.source(frame, reader, effective)?,
        };
        let export = match &distributed.writer {
            None => None,
            Some(writer) => {
                let parameters = match &writer.arguments {
                    None => None,
                    Some(template) => Some(self.template(frame, template, Data::of(effective))?),
                };
                let (transformation, output) = (writer.transformation, writer.output);
                Some(ResultExport { parameters, transformation, output })
            }
        };
        let batch = match &distributed.batcher {
            None => None,
            Some(batcher) => Some(self.batch(frame, batcher, effective)?),
        };
        let selector = state.data.parameters.is_some().then(|| self.selector_scope(frame, effective));
        Ok(MapRunPlan {
            label: distributed.label.clone(),
            express: distributed.express,
            max_concurrency: 0,
            tolerated_failure_count,
            tolerated_failure_percentage,
            source,
            max_items,
            export,
            batch,
            selector,
        })
    }

    pub(super) fn source(
        &mut self,
        frame: &Frame,
        reader: &Reader,
        effective: &Arc<Value>,
    ) -> Result<(ItemSource, Option<u64>), Failure> {
        let parameters = self.template(frame, &reader.arguments, Data::of(effective))?;
        let config = &reader.config;
        let max_items = match &config.max_items {
            None => None,
            Some(most) => {
                let range = (0, 100_000_000);
                let most = self.quantity(frame, most, "MaxItemsPath", range, effective)?;
                // AWS takes 0 for no bound.
                u64::try_from(most).ok().filter(|most| *most > 0)
            }
        };
        let format = match config.input_type {
            Some(InputType::Csv) => {
                ItemFormat::Csv { headers: config.headers.clone(), delimiter: config.delimiter }
            }
            Some(InputType::JsonLines) => ItemFormat::JsonLines,
            Some(InputType::Parquet) => ItemFormat::Parquet,
            Some(InputType::Manifest) => ItemFormat::Inventory,
            Some(InputType::Json) | None => ItemFormat::Json { pointer: config.pointer.clone() },
        };
        let format = match config.manifest_type {
            None => format,
            Some(ManifestType::S3Inventory) => ItemFormat::Inventory,
            Some(ManifestType::AthenaData) => ItemFormat::Athena { of: Box::new(format) },
        };
        let source = match reader.source {
            Source::Object => ItemSource::Object { parameters, format },
            Source::Objects if config.load => ItemSource::Contents { parameters, format },
            Source::Objects => ItemSource::Objects { parameters },
        };
        Ok((source, max_items))
    }

    pub(super) fn batch(
        &mut self,
        frame: &Frame,
        batcher: &Batcher,
        effective: &Arc<Value>,
    ) -> Result<BatchPlan, Failure> {
        let mut number = |quantity: &Option<Quantity>, field: &str| match quantity {
            None => Ok(None),
            Some(quantity) => self
                .quantity(frame, quantity, field, (1, NUMBER_MAX), effective)
                .map(|number| u64::try_from(number).ok().filter(|number| *number > 0)),
        };
        let max_items = number(&batcher.max_items, "MaxItemsPerBatchPath")?;
        let max_bytes = number(&batcher.max_bytes, "MaxInputBytesPerBatchPath")?;
        let input = match &batcher.input {
            None => None,
            Some(template) => Some(self.template(frame, template, Data::of(effective))?),
        };
        Ok(BatchPlan { max_items, max_bytes, input })
    }

    pub(super) fn percentage(
        &mut self,
        frame: &Frame,
        percentage: &Quantity<f64>,
        effective: &Arc<Value>,
    ) -> Result<f64, Failure> {
        let (found, field) = match percentage {
            Quantity::Fixed(number) => return Ok(*number),
            Quantity::Path(path) => {
                let field = "ToleratedFailurePercentagePath";
                (self.find(frame, path, field, effective)?, field)
            }
            Quantity::Query(query) => {
                let found = self.query(frame, query, "number", Value::is_number, effective)?;
                return found.as_f64().filter(|number| (0.0..=100.0).contains(number)).ok_or_else(|| {
                    let field = query.field.clone();
                    let message = format!("{field} must be between 0 and 100 but was: {found}");
                    Failure::of(frame, &EvalError::QueryRange { field, message }, effective)
                });
            }
        };
        found.as_f64().filter(|number| (0.0..=100.0).contains(number)).ok_or_else(|| {
            let cause = format!("The {field} parameter does not reference a percentage: {found}");
            Failure::interpreter(frame, "States.Runtime", &cause)
        })
    }

    /// What `ItemSelector` will be evaluated against, item by item, when this execution is not at hand.
    fn selector_scope(&mut self, frame: &Frame, effective: &Arc<Value>) -> SelectorScope {
        let context =
            self.evaluate(frame, Data::of(effective), |scope| scope.reading.context.value().clone());
        let variables = assign::visible(&self.run.frames, frame)
            .all()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        SelectorScope { input: (**effective).clone(), context, variables }
    }

    /// The run has ended.
    pub(super) fn map_run_ended(
        &mut self,
        frame: &mut Frame,
        state: &State,
        end: MapRunEnd,
    ) -> Result<Progress, Failure> {
        let (error, cause) = match end {
            MapRunEnd::Succeeded { output } => {
                self.advance(frame, Event::MapRunSucceeded, None);
                self.event(Event::MapStateSucceeded, frame.last_event, None);
                // If its result cannot be processed, a redrive needs another run.
                frame.map_run = None;
                return self.result(frame, state, Arc::new(output));
            }
            MapRunEnd::Failed { error, cause } => (error, cause),
            MapRunEnd::Aborted => ("States.Runtime".to_owned(), "The map run was aborted".to_owned()),
        };
        let details = EventDetails::Failure { error: Some(error.clone()), cause: Some(cause.clone()) };
        self.advance(frame, Event::MapRunFailed, Some(details));
        self.advance(frame, Event::MapStateFailed, None);
        if !TAKEN_UP_AGAIN.contains(&&*error) {
            frame.map_run = None;
        }
        Err(Failure::reported(Some(error), Some(cause)))
    }
}
