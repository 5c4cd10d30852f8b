//! The error documents that the platform itself answers with, in AWS's words. Pure.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;

/// The largest answer of a buffered invocation, in bytes.
pub(super) const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// The largest answer of a streamed invocation, in bytes.
pub(super) const STREAM_LIMIT: usize = 200 * 1024 * 1024;

/// An error document and the type that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error_type: String,
    pub(super) payload: Bytes,
}

impl Failure {
    fn new(error_type: &str, message: &str) -> Failure {
        let document = serde_json::json!({ "errorType": error_type, "errorMessage": message });
        Failure { error_type: error_type.to_owned(), payload: document.to_string().into() }
    }
}

/// `Task timed out after 3.00 seconds`.
pub(super) fn timeout_text(timeout: Duration) -> String {
    format!("Task timed out after {:.2} seconds", timeout.as_secs_f64())
}

/// The code took longer than the function's timeout.
pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Failure {
    let text = timeout_text(timeout);
    Failure::new("Sandbox.Timedout", &format!("RequestId: {request_id} Error: {text}"))
}

/// The process used more memory than the function has, and was killed.
pub(super) fn out_of_memory(request_id: &str) -> Failure {
    let message = format!("RequestId: {request_id} Error: Runtime exited with error: signal: killed");
    Failure::new("Runtime.OutOfMemory", &message)
}

/// The process ended while it had an invocation.
pub(super) fn exited(request_id: &str, status: Option<ExitStatus>) -> Failure {
    let text = exit_text(status);
    Failure::new("Runtime.ExitError", &format!("RequestId: {request_id} Error: {text}"))
}

/// A custom runtime's package holds no `bootstrap`.
pub(super) fn no_bootstrap(request_id: &str) -> Failure {
    let text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
    Failure::new("Runtime.InvalidEntrypoint", &format!("RequestId: {request_id} Error: {text}"))
}

/// The answer is larger than the invocation may carry.
pub(super) fn too_large(size: usize, limit: usize) -> Failure {
    let message = format!(
        "Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    );
    Failure::new("Function.ResponseSizeTooLarge", &message)
}

fn exit_text(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else { return "Runtime exited without providing a reason".to_owned() };
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        (None, None) => "Runtime exited without providing a reason".to_owned(),
    }
}

/// The names that Go, and so AWS's supervisor, gives the signals that end a process.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn check(failure: &Failure, expected: &str) {
        assert_eq!(std::str::from_utf8(&failure.payload).unwrap(), expected);
    }

    #[test]
    fn failures_speak_as_aws_does() {
        check(
            &timed_out("r1", Duration::from_secs(3)),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r1 Error: Task timed out after 3.00 seconds"}"#,
        );
        check(
            &exited("r1", Some(ExitStatus::from_raw(1 << 8))),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r1 Error: Runtime exited with error: exit status 1"}"#,
        );
        check(
            &exited("r1", Some(ExitStatus::from_raw(0))),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r1 Error: Runtime exited without providing a reason"}"#,
        );
        check(
            &exited("r1", Some(ExitStatus::from_raw(6))),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r1 Error: Runtime exited with error: signal: aborted"}"#,
        );
        check(
            &out_of_memory("r1"),
            r#"{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: r1 Error: Runtime exited with error: signal: killed"}"#,
        );
        check(
            &too_large(7_340_034, RESPONSE_LIMIT),
            r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size (7340034 bytes) exceeded maximum allowed payload size (6291556 bytes)."}"#,
        );
    }
}
