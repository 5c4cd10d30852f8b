use base::Fault;
use kernel::{Effect, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::log::Record;

/// The internal operation that appends records to a log stream.
pub(crate) const WRITE_LOGS: &str = "WriteExecutionLogs";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WriteLogs {
    pub group: String,
    pub stream: String,
    pub records: Vec<Record>,
}

/// Appends the records, and makes the stream if it is not there.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
pub(crate) async fn write_logs(effect: &Effect, input: WriteLogs) -> Result<()> {
    let WriteLogs { group, stream, records } = input;
    let put = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": records });
    match call(effect, "PutLogEvents", &put).await {
        Err(Fault { code, .. }) if code == "ResourceNotFoundException" => {}
        outcome => return Ok(outcome?),
    }
    let create = json!({ "logGroupName": group, "logStreamName": stream });
    match call(effect, "CreateLogStream", &create).await {
        Err(fault) if fault.code != "ResourceAlreadyExistsException" => return Err(fault.into()),
        _ => {}
    }
    Ok(call(effect, "PutLogEvents", &put).await?)
}

async fn call(effect: &Effect, operation: &str, input: &Value) -> Result<(), Fault> {
    effect.call("logs", operation, input.to_string().into()).await.map(|_| ())
}
