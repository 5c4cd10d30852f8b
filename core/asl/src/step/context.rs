//! The context object (`$$`).
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::command::ExecutionInfo;
use crate::execution::{Doing, Frame, FrameId};
use crate::timestamp;

/// What the context object is made from.
pub(super) struct Sources<'a> {
    pub(super) execution: ExecutionInfo<'a>,
    /// Parse the execution's input?
    pub(super) with_input: bool,
    pub(super) frame: &'a Frame,
    pub(super) frames: &'a BTreeMap<FrameId, Frame>,
    /// The item whose `ItemSelector` is evaluated.
    pub(super) item: Option<(u32, &'a Value)>,
    pub(super) token: Option<&'a str>,
}

impl Sources<'_> {
    pub(super) fn object(&self) -> Value {
        let info = &self.execution;
        let input =
            if self.with_input { serde_json::from_str(info.input).unwrap_or_default() } else { Value::Null };
        let mut context = json!({
            "Execution": {
                "Id": info.arn,
                "Input": input,
                "StartTime": timestamp::format(info.start_ms),
                "Name": info.name,
                "RoleArn": info.role_arn,
                "RedriveCount": info.redrive_count,
            },
            "StateMachine": { "Id": info.machine_arn, "Name": info.machine_name },
            "State": {
                "Name": &*self.frame.state_name,
                "EnteredTime": timestamp::format(self.frame.entered_ms),
                "RetryCount": self.frame.retry_count(),
            },
        });
        if let Some(token) = self.token {
            context["Task"] = json!({ "Token": token });
        }
        if let Some((index, value)) = self.item.or_else(|| self.enclosing_item()) {
            context["Map"] = json!({ "Item": { "Index": index, "Value": value } });
        }
        context
    }

    /// The item of the innermost iteration that this frame is in.
    fn enclosing_item(&self) -> Option<(u32, &Value)> {
        let mut link = self.frame.link;
        while let Some(at) = link {
            let parent = self.frames.get(&at.parent)?;
            if let Doing::Fork(fork) = &parent.doing
                && let Some(Some(item)) = fork.items.get(at.index as usize)
            {
                return Some((at.index, item));
            }
            link = parent.link;
        }
        None
    }
}
