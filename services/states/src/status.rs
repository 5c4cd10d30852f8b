//! The event 'Step Functions Execution Status Change'.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>

use base::Timestamp;
use kernel::{Event, Scope};
use serde::Serialize;

use crate::arn::ExecutionId;
use crate::execution::Execution;
use crate::redrive;

/// Escaped input and output together beyond which the input is left out, and escaped output beyond which the output is.
const DATA_BYTES_MAX: usize = 248 * 1024;

/// The members of `detail` in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    execution_arn: &'a str,
    state_machine_arn: String,
    state_machine_version_arn: Option<&'a str>,
    state_machine_alias_arn: Option<&'a str>,
    name: &'a str,
    status: &'static str,
    /// Milliseconds since the epoch.
    start_date: i64,
    stop_date: Option<i64>,
    input: Option<&'a str>,
    output: Option<&'a str>,
    input_details: Option<Included>,
    output_details: Option<Included>,
    error: Option<&'a str>,
    cause: Option<&'a str>,
    redrive_count: u32,
    redrive_date: Option<i64>,
    redrive_status: &'static str,
    redrive_status_reason: Option<String>,
}

#[derive(Serialize)]
struct Included {
    included: bool,
}

/// The event about the status that the execution has now.
pub(crate) fn changed(
    scope: &Scope,
    id: &ExecutionId,
    execution: &Execution,
    now: Timestamp,
) -> Result<Event, serde_json::Error> {
    let arn = id.arn(scope);
    let (version_arn, alias_arn) = (execution.version_arn(scope, id), execution.alias_arn(scope, id));
    let status = execution.status();
    let end = execution.end.as_ref();
    let output = end.and_then(|end| end.output.as_deref());
    let (redrive_status, redrive_status_reason) = redrive::status(execution, now);
    let (with_input, with_output) = included(&execution.input, output);
    let detail = Detail {
        execution_arn: &arn,
        state_machine_arn: id.machine_arn(scope),
        state_machine_version_arn: version_arn.as_deref(),
        state_machine_alias_arn: alias_arn.as_deref(),
        name: id.name(),
        status: status.as_str(),
        start_date: execution.started_at.as_millis(),
        stop_date: end.map(|end| end.at.as_millis()),
        input: Some(execution.input.as_str()).filter(|_| with_input),
        output: output.filter(|_| with_output),
        input_details: Some(Included { included: with_input }),
        output_details: output.map(|_| Included { included: with_output }),
        error: end.and_then(|end| end.error.as_deref()),
        cause: end.and_then(|end| end.cause.as_deref()),
        redrive_count: execution.redrive_count(),
        redrive_date: execution.redrive_date().map(Timestamp::as_millis),
        redrive_status: redrive_status.as_str(),
        redrive_status_reason,
    };
    let detail = serde_json::to_string(&detail)?;
    Ok(Event {
        source: "aws.states".to_owned(),
        detail_type: "Step Functions Execution Status Change".to_owned(),
        resources: vec![arn.clone()],
        detail,
        order: Some(arn),
        begins_order: false,
    })
}

/// Whether input and output fit into an event.
fn included(input: &str, output: Option<&str>) -> (bool, bool) {
    // Escaping at most sextuples a text; small ones need no counting.
    if (input.len() + output.map_or(0, str::len)) * 6 <= DATA_BYTES_MAX {
        return (true, true);
    }
    let output_bytes = output.map_or(0, escaped);
    (escaped(input) + output_bytes <= DATA_BYTES_MAX, output_bytes <= DATA_BYTES_MAX)
}

/// The bytes of a text as a JSON string, without its quotes.
fn escaped(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_left_out() {
        let check = |input: usize, output: usize, expected: (bool, bool)| {
            let text = |bytes: usize| "x".repeat(bytes);
            assert_eq!(included(&text(input), Some(&text(output))), expected, "{input} {output}");
        };
        check(10, 10, (true, true));
        check(124 * 1024, 124 * 1024, (true, true));
        check(124 * 1024 + 1, 124 * 1024, (false, true));
        check(1, 248 * 1024, (false, true));
        check(1, 248 * 1024 + 1, (false, false));
        // Quotation marks count twice.
        assert_eq!(included(&"\"".repeat(124 * 1024), None), (true, true));
        assert_eq!(included(&"\"".repeat(124 * 1024 + 1), None), (false, true));
    }

    #[test]
    fn escaping_is_counted_as_it_is_done() {
        let text = "plain \"quoted\" back\\slash \n\r\t\u{8}\u{c}\u{1}\u{1f} ünï";
        assert_eq!(escaped(text) + 2, serde_json::to_string(text).unwrap().len());
    }
}
