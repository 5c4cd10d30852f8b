//! What a target is given: its configured input with the attributes of the call filled in, or a standard event.
//!
//! Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>

use base::Timestamp;
use serde_json::json;

/// The attribute that differs between the attempts of one call.
const ATTEMPT_NUMBER: &str = "<aws.scheduler.attempt-number>";

/// One call of a target.
pub(crate) struct Context<'a> {
    pub schedule_arn: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    pub scheduled_at: Timestamp,
    pub execution_id: &'a str,
    /// 1 is the first.
    pub attempt: u32,
}

/// Whether each attempt is given something else.
pub(crate) fn depends_on_attempt(input: Option<&str>) -> bool {
    input.is_some_and(|input| input.contains(ATTEMPT_NUMBER))
}

/// The payload of one attempt.
pub(crate) fn render(input: Option<&str>, context: &Context<'_>) -> String {
    let Some(input) = input else { return standard(context) };
    if !input.contains("<aws.scheduler.") {
        return input.to_owned();
    }
    input
        .replace("<aws.scheduler.schedule-arn>", context.schedule_arn)
        .replace("<aws.scheduler.scheduled-time>", &context.scheduled_at.to_iso_seconds())
        .replace("<aws.scheduler.execution-id>", context.execution_id)
        .replace(ATTEMPT_NUMBER, &context.attempt.to_string())
}

/// What a target without an input is given.
fn standard(context: &Context<'_>) -> String {
    json!({
        "version": "0",
        "id": context.execution_id,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": context.account,
        "time": context.scheduled_at.to_iso_seconds(),
        "region": context.region,
        "resources": [context.schedule_arn],
        "detail": "{}",
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_filled_in() {
        let context = Context {
            schedule_arn: "arn:aws:scheduler:r:a:schedule/default/s",
            account: "a",
            region: "r",
            scheduled_at: Timestamp::from_millis(1_500),
            execution_id: "00000000000000ff",
            attempt: 3,
        };
        let template = r#"{"a":"<aws.scheduler.schedule-arn>","t":"<aws.scheduler.scheduled-time>","i":"<aws.scheduler.execution-id>","n":"<aws.scheduler.attempt-number>","x":"<aws.other>"}"#;
        assert_eq!(
            render(Some(template), &context),
            r#"{"a":"arn:aws:scheduler:r:a:schedule/default/s","t":"1970-01-01T00:00:01Z","i":"00000000000000ff","n":"3","x":"<aws.other>"}"#
        );
        assert!(
            depends_on_attempt(Some(template))
                && !depends_on_attempt(Some("{}"))
                && !depends_on_attempt(None)
        );
        assert_eq!(
            render(None, &context),
            r#"{"version":"0","id":"00000000000000ff","detail-type":"Scheduled Event","source":"aws.scheduler","account":"a","time":"1970-01-01T00:00:01Z","region":"r","resources":["arn:aws:scheduler:r:a:schedule/default/s"],"detail":"{}"}"#
        );
    }
}
