//! The results of map runs: gathered for the state's output, or exported to S3.

use asl::{MapRunStimulus, OutputType, ResultExport, Transformation};
use base::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Direction, Effect, Outcome, Parts, ReplyInput, Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::create_state_machine::scope_of;
use super::map_items::call;
use crate::api::ExecutionStatus as Status;
use crate::arn::map_run_arn;
use crate::keys::{Compact, MapResultKey, MapRunKey};
use crate::map_run::{LiveRun, MapResult};
use crate::redrive;

/// The internal operation that gathers the results of a run.
pub(crate) const COLLECT: &str = "CollectMapResults";
/// The internal operation that exports them.
pub(crate) const EXPORT: &str = "ExportMapResults";
/// The internal operation that takes the place to which they were exported.
pub(crate) const EXPORTED: &str = "MapResultsExported";

/// The bytes of a state's output.
const OUTPUT_BYTES_MAX: usize = 262_144;
/// Results read at once.
const PAGE: usize = 100;
/// The bytes after which an export begins another file.
const FILE_BYTES_MAX: usize = 5_000_000;

/// Where the results of a run were written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Exported {
    output: Value,
    written: u64,
}

/// Tells the run the outputs of its children, in order.
pub(crate) async fn collect(tx: &mut Tx, run: String) -> Result<()> {
    let Some(mut live) = LiveRun::load(tx, &run).await? else { return Ok(()) };
    let export = live.row().run.plan().export.clone();
    let (mut outputs, mut bytes) = (Vec::new(), 2);
    let mut page = tx.scan::<MapResultKey>(Parts::of(&run), PAGE).await?;
    while let Some((last, _)) = page.last() {
        let last = last.clone();
        for (_, result) in &page {
            let values = shaped(tx.scope(), result, export.as_ref());
            bytes += values.iter().map(|value| value.to_string().len() + 1).sum::<usize>();
            outputs.extend(values);
        }
        if bytes > OUTPUT_BYTES_MAX {
            break;
        }
        page = tx.scan_after(Parts::of(&run), &last, PAGE, Direction::Forward).await?;
    }
    let stimulus = if bytes > OUTPUT_BYTES_MAX {
        let cause = "The state/task 'Map' returned a result with a size exceeding the maximum number of bytes \
                     service limit.";
        let error = "States.DataLimitExceeded".to_owned();
        MapRunStimulus::ResultsFailed { error, cause: cause.to_owned() }
    } else {
        MapRunStimulus::Results { output: Value::Array(outputs), written: 0 }
    };
    live.step(tx, stimulus)?;
    live.store(tx).await
}

/// What a result adds to the output.
fn shaped(scope: &Scope, result: &MapResult, export: Option<&ResultExport>) -> Vec<Value> {
    let end = result.execution.end.as_ref();
    let output = end.and_then(|end| end.output.as_deref());
    let output = || output.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    match export.map(|export| export.transformation) {
        None | Some(Transformation::Compact) => vec![output()],
        Some(Transformation::Flatten) => match output() {
            Value::Array(items) => items,
            other => vec![other],
        },
        Some(Transformation::None) => vec![described(scope, result)],
    }
}

/// A result with the metadata of its execution.
fn described(scope: &Scope, result: &MapResult) -> Value {
    let MapResult { id, execution, .. } = result;
    let end = execution.end.as_ref();
    let redrive_status = match end {
        // Those run again from their beginning, whatever happened to them.
        Some(end) if id.is_express() && end.status != Status::Succeeded => "REDRIVABLE_BY_MAP_RUN",
        _ => redrive::status(execution, end.map_or(execution.started_at, |end| end.at)).0.as_str(),
    };
    let mut shown = json!({
        "ExecutionArn": id.arn(scope),
        "Input": execution.input,
        "InputDetails": { "Included": true },
        "Name": id.name(),
        "RedriveCount": execution.redrive_count(),
        "RedriveStatus": redrive_status,
        "StartDate": execution.started_at.to_iso_millis(),
        "StateMachineArn": id.machine_arn(scope),
        "Status": execution.status().as_str(),
        "StopDate": end.map(|end| end.at.to_iso_millis()),
    });
    if let (Some(end), Some(members)) = (end, shown.as_object_mut()) {
        if let Some(output) = &end.output {
            members.insert("Output".to_owned(), json!(output));
            members.insert("OutputDetails".to_owned(), json!({ "Included": true }));
        }
        members.extend(end.error.iter().map(|error| ("Error".to_owned(), json!(error))));
        members.extend(end.cause.iter().map(|cause| ("Cause".to_owned(), json!(cause))));
        members.sort_keys();
    }
    shown
}

/// Writes the results to S3, and a manifest that names the files.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>
pub(crate) async fn export(effect: &Effect, run: String) -> Result<Exported> {
    let Some(export) = effect.transact("ExportMapResults", plan, run.clone()).await? else {
        return Err(Fault::validation("the map run exports nothing").into());
    };
    let mut writer = Writer::new(scope_of(effect), &run, &export);
    let mut after = None;
    loop {
        let page = effect.transact("ExportMapResults", page, (run.clone(), after)).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (_, result) in &page {
            writer.add(effect, result).await?;
        }
    }
    Ok(writer.finish(effect).await?)
}

async fn plan(tx: &mut Tx, run: String) -> Result<Option<ResultExport>> {
    let row = tx.peek(&MapRunKey { id: run }).await?;
    Ok(row.and_then(|Compact(row)| row.run.plan().export.clone()))
}

async fn page(tx: &mut Tx, (run, after): (String, Option<u64>)) -> Result<Vec<(u64, MapResult)>> {
    let parts = Parts::of(&run);
    let rows = match after {
        None => tx.scan::<MapResultKey>(parts, PAGE).await?,
        Some(number) => {
            let last = MapResultKey { run: run.clone(), number };
            tx.scan_after(parts, &last, PAGE, Direction::Forward).await?
        }
    };
    Ok(rows.into_iter().map(|(key, result)| (key.number, result)).collect())
}

/// Tells the run where its results are.
pub(crate) async fn exported(tx: &mut Tx, reply: ReplyInput<String>) -> Result<()> {
    let Some(mut live) = LiveRun::load(tx, &reply.context).await? else { return Ok(()) };
    let stimulus = match reply.outcome {
        Outcome::Succeeded(exported) => {
            let Exported { output, written } = serde_json::from_str(&exported)?;
            MapRunStimulus::Results { output, written }
        }
        Outcome::Failed(fault) => {
            let error = "States.ResultWriterFailed".to_owned();
            MapRunStimulus::ResultsFailed { error, cause: fault.message }
        }
    };
    live.step(tx, stimulus)?;
    live.store(tx).await
}

/// An export under way: one file of each kind is open.
struct Writer<'a> {
    scope: Scope,
    run: &'a str,
    export: &'a ResultExport,
    bucket: String,
    folder: String,
    kinds: [Kind; 3],
    written: u64,
}

/// The files of one kind.
struct Kind {
    name: &'static str,
    open: String,
    files: Vec<Value>,
}

impl<'a> Writer<'a> {
    fn new(scope: Scope, run: &'a str, export: &'a ResultExport) -> Writer<'a> {
        let parameters = export.parameters.as_ref();
        let text = |name: &str| {
            parameters.and_then(|given| given.get(name)).and_then(Value::as_str).unwrap_or_default()
        };
        let prefix = text("Prefix").trim_end_matches('/');
        let id = run.rsplit(':').next().unwrap_or_default();
        let folder = if prefix.is_empty() { id.to_owned() } else { format!("{prefix}/{id}") };
        let kind = |name| Kind { name, open: String::new(), files: Vec::new() };
        let kinds = ["FAILED", "PENDING", "SUCCEEDED"].map(kind);
        Writer { scope, run, export, bucket: text("Bucket").to_owned(), folder, kinds, written: 0 }
    }

    async fn add(&mut self, effect: &Effect, result: &MapResult) -> Result<(), Fault> {
        let place = match result.execution.status() {
            Status::Succeeded => 2,
            _ if result.never_began => 1,
            Status::Running | Status::PendingRedrive => 1,
            Status::Failed | Status::TimedOut | Status::Aborted => 0,
        };
        // What failed is always described: it has no output.
        let values = if place == 2 {
            shaped(&self.scope, result, Some(self.export))
        } else {
            vec![described(&self.scope, result)]
        };
        self.written += 1;
        for value in values {
            let open = &mut self.kinds[place].open;
            if !open.is_empty() {
                open.push(if self.export.output == OutputType::Json { ',' } else { '\n' });
            }
            open.push_str(&value.to_string());
        }
        if self.kinds[place].open.len() > FILE_BYTES_MAX {
            self.close(effect, place).await?;
        }
        Ok(())
    }

    /// Writes the open file of a kind.
    async fn close(&mut self, effect: &Effect, place: usize) -> Result<(), Fault> {
        let kind = &mut self.kinds[place];
        let open = std::mem::take(&mut kind.open);
        if open.is_empty() {
            return Ok(());
        }
        let (body, extension) = match self.export.output {
            OutputType::Json => (format!("[{open}]"), "json"),
            OutputType::JsonLines => (format!("{open}\n"), "jsonl"),
        };
        let key = format!("{}/{}_{}.{extension}", self.folder, kind.name, kind.files.len());
        kind.files.push(json!({ "Key": key, "Size": body.len() }));
        self.put(effect, &key, &body).await
    }

    async fn put(&self, effect: &Effect, key: &str, body: &str) -> Result<(), Fault> {
        let input = json!({ "Bucket": self.bucket, "Key": key, "Body": STANDARD.encode(body),
            "ContentType": "application/json" });
        call(effect, "PutObject", &input).await.map(|_| ())
    }

    async fn finish(mut self, effect: &Effect) -> Result<Exported, Fault> {
        for place in 0..self.kinds.len() {
            self.close(effect, place).await?;
        }
        let arn = map_run_arn(&self.scope, self.run);
        let files: serde_json::Map<String, Value> =
            self.kinds.iter().map(|kind| (kind.name.to_owned(), json!(kind.files))).collect();
        let manifest = json!({ "DestinationBucket": self.bucket, "MapRunArn": arn, "ResultFiles": files });
        let key = format!("{}/manifest.json", self.folder);
        self.put(effect, &key, &manifest.to_string()).await?;
        let details = json!({ "Bucket": self.bucket, "Key": key });
        let output = json!({ "MapRunArn": arn, "ResultWriterDetails": details });
        Ok(Exported { output, written: self.written })
    }
}
