//! The context object (`$$`).
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::state_of;
use crate::command::ExecutionInfo;
use crate::execution::{Doing, Frame, FrameId};
use crate::machine::{Kind, Machine};
use crate::timestamp;

/// An item whose `ItemSelector` is evaluated, or whose iteration this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemAt<'a> {
    pub(super) index: u32,
    pub(super) value: &'a Value,
    pub(super) key: Option<&'a str>,
}

/// What the context object is made from.
pub(super) struct Sources<'a> {
    pub(super) execution: ExecutionInfo<'a>,
    pub(super) machine: &'a Machine,
    pub(super) frame: &'a Frame,
    pub(super) frames: &'a BTreeMap<FrameId, Frame>,
    /// The item whose `ItemSelector` is evaluated.
    pub(super) item: Option<ItemAt<'a>>,
    pub(super) token: Option<&'a str>,
    /// When the execution was last redriven.
    pub(super) redriven_ms: Option<i64>,
    /// Used instead, where it is given.
    pub(super) given: Option<&'a Value>,
}

impl Sources<'_> {
    pub(super) fn object(&self) -> Value {
        let mut context = self.given.cloned().unwrap_or_else(|| self.made());
        if let Some(token) = self.token.filter(|_| self.given.is_none() && context.is_object()) {
            context["Task"] = json!({ "Token": token });
        }
        if let Some(item) = self.item.or_else(|| self.enclosing_item())
            && context.is_object()
        {
            context["Map"] = map_context(u64::from(item.index), item.value, item.key, STATE_DATA);
        }
        context
    }

    fn made(&self) -> Value {
        let info = &self.execution;
        let with_input = self.machine.reads_execution_input;
        let input =
            if with_input { serde_json::from_str(info.input).unwrap_or_default() } else { Value::Null };
        let mut context = json!({
            "Execution": {
                "Id": info.arn,
                "Input": input,
                "StartTime": timestamp::format(info.start_ms),
                "Name": info.name,
                "RoleArn": info.role_arn,
            },
            "StateMachine": { "Id": info.machine_arn, "Name": info.machine_name },
            "State": {
                "Name": &*self.frame.state_name,
                "EnteredTime": timestamp::format(self.frame.entered_ms),
            },
        });
        if let Some(count) = info.redrive_count {
            context["Execution"]["RedriveCount"] = json!(count);
        }
        if let Some(redriven_ms) = self.redriven_ms {
            context["Execution"]["RedriveTime"] = json!(timestamp::format(redriven_ms));
        }
        let kind = state_of(self.machine, self.frames, self.frame).map(|state| &state.kind);
        if matches!(kind, Some(Kind::Task(_) | Kind::Parallel { .. } | Kind::Map(_))) {
            context["State"]["RetryCount"] = json!(self.frame.retry_count());
        }
        context
    }

    /// The item of the innermost iteration that this frame is in.
    fn enclosing_item(&self) -> Option<ItemAt<'_>> {
        let mut link = self.frame.link;
        while let Some(at) = link {
            let parent = self.frames.get(&at.parent)?;
            if let Doing::Fork(fork) = &parent.doing
                && let Some(Some(item)) = fork.items.get(at.index as usize)
            {
                let key = fork.keys.get(at.index as usize).map(String::as_str);
                return Some(ItemAt { index: at.index, value: item, key });
            }
            link = parent.link;
        }
        None
    }
}

/// `$$.Map.Item.Source` of items that the state's input holds.
pub(crate) const STATE_DATA: &str = "STATE_DATA";

/// `$$.Map`.
pub(crate) fn map_context(index: u64, value: &Value, key: Option<&str>, source: &str) -> Value {
    let mut item = json!({ "Index": index, "Value": value, "Source": source });
    if let Some(key) = key {
        item["Key"] = json!(key);
    }
    json!({ "Item": item })
}
