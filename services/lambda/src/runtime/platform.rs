//! The platform's own log events of a function: the start of a process, the beginning and the end of an invocation.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>

use serde_json::{Value, json};

use super::logs::{Output, Report};
use super::spec::Logging;
use super::timer;

/// How much an event of the platform matters.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Info,
    Warn,
}

impl Output {
    fn say(&self, level: Level, text: impl FnOnce() -> String, kind: &str, record: impl FnOnce() -> Value) {
        match &self.spec().logging {
            Logging::Text => self.line(text()),
            Logging::Json { system_level, .. } if system_level == "WARN" && level == Level::Info => {}
            Logging::Json { .. } => {
                let event = json!({ "time": timer::now().to_iso_millis(), "type": kind, "record": record() });
                self.line(event.to_string());
            }
        }
    }

    /// A process starts; `runtime` is the version of its interpreter, `warning` what is to be said about it.
    pub(super) fn process_starts(&self, runtime: &str, warning: Option<&str>) {
        let warning = warning.map(|text| format!("\tWARNING: {text}")).unwrap_or_default();
        let text = || format!("INIT_START Runtime Version: {runtime}{warning}");
        self.say(Level::Info, text, "platform.initStart", || {
            json!({
                "initializationType": "on-demand", "phase": "init", "runtimeVersion": format!("{runtime}{warning}"),
                "functionName": self.spec().name, "functionVersion": self.spec().version,
            })
        });
    }

    /// A process could not start.
    pub(super) fn process_failed(&self, init_ms: f64, error_type: &str) {
        let text = || {
            format!(
                "INIT_REPORT Init Duration: {init_ms:.2} ms\tPhase: init\tStatus: error\tError Type: {error_type}"
            )
        };
        self.say(Level::Warn, text, "platform.initReport", || {
            json!({
                "initializationType": "on-demand", "phase": "init", "status": "error", "errorType": error_type,
                "metrics": { "durationMs": init_ms },
            })
        });
    }

    /// An invocation begins.
    pub(super) fn invocation_starts(&self, request_id: &str, version: &str) {
        let text = || format!("START RequestId: {request_id} Version: {version}");
        self.say(
            Level::Info,
            text,
            "platform.start",
            || json!({ "requestId": request_id, "version": version }),
        );
    }

    /// What only lines of text say; in JSON, the report tells it.
    pub(super) fn in_text(&self, text: String) {
        if self.spec().logging == Logging::Text {
            self.line(text);
        }
    }

    /// An invocation has ended; `is_error` whether its code has reported an error.
    pub(super) fn invocation_ends(&self, report: &Report<'_>, is_error: bool) {
        self.in_text(format!("END RequestId: {}", report.request_id));
        let (status, error_type) =
            report.status.unwrap_or((if is_error { "error" } else { "success" }, None));
        let level = if status == "success" { Level::Info } else { Level::Warn };
        self.say(
            level,
            || report.line(),
            "platform.report",
            || {
                let mut metrics = json!({
                    "durationMs": rounded(report.duration_ms), "billedDurationMs": report.billed_ms,
                    "memorySizeMB": report.memory_mb, "maxMemoryUsedMB": report.max_memory_mb,
                });
                if let Some(init_ms) = report.init_ms {
                    metrics["initDurationMs"] = rounded(init_ms).into();
                }
                let mut record =
                    json!({ "requestId": report.request_id, "status": status, "metrics": metrics });
                if let Some(error_type) = error_type {
                    record["errorType"] = error_type.into();
                }
                record
            },
        );
    }
}

fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}
