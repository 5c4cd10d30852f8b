//! A batch with its function: one synchronous invocation, on the chain of what caused its first record.

use base::{Document, Fault};
use bytes::Bytes;
use kernel::{Caller, Effect, Error, Result, TraceCx};
use serde_json::json;

use super::batch::{Undone, undone};
use crate::NAME;
use crate::keys::Mapping;
use crate::run::{Order, Ran, run_recorded};
use crate::state::Functions;

/// How an invocation went.
pub(crate) struct Called {
    pub request_id: String,
    pub end: End,
}

/// How it ended.
pub(crate) enum End {
    /// The function answered, and has left this undone.
    Answered(Box<Ran>, Undone),
    /// It was not run: no room, no such function, or our own fault.
    Refused(Fault),
}

impl Called {
    /// What the trace tells of it.
    pub(crate) fn detail(&self, records: usize) -> Document {
        match &self.end {
            End::Answered(ran, undone) => json!({
                "requestId": self.request_id, "records": records,
                "functionError": ran.invoked.function_error.map(crate::runtime::ErrorKind::as_str),
                "undone": match undone {
                    Undone::Nothing => 0,
                    Undone::Some(ids) => ids.len(),
                    Undone::All => records,
                },
            }),
            End::Refused(fault) => json!({
                "requestId": self.request_id, "records": records, "refused": fault.to_string(),
            }),
        }
    }
}

/// Invokes the mapping's function with these records. `known` says whether an identifier is one of theirs.
pub(crate) async fn invoke(
    effect: &Effect,
    mapping: &Mapping,
    cause: TraceCx,
    records: &[&Document],
    known: impl Fn(&str) -> bool,
) -> Result<Called> {
    let id = effect.id();
    let own = effect.caller();
    let caller = Caller {
        trace: TraceCx { hop: cause.hop.saturating_add(1), ..cause },
        request_id: id,
        ..own.as_service(&format!("{NAME}.amazonaws.com"), own.account.clone(), own.region.clone())
    };
    let order = Order {
        wanted: mapping.function.clone(),
        payload: Bytes::from(json!({ "Records": records }).to_string()),
        client_context: None,
        request_id: id.to_string(),
    };
    let functions = effect.state::<Functions>()?;
    let end = match Box::pin(run_recorded(effect.kernel(), &functions, &caller, order)).await {
        Ok(ran) => {
            let undone = match (&ran.invoked.function_error, mapping.settings.reports_failures) {
                (Some(_), _) => Undone::All,
                (None, true) => undone(&ran.invoked.payload, known),
                (None, false) => Undone::Nothing,
            };
            End::Answered(Box::new(ran), undone)
        }
        Err(Error::Fault(fault)) => End::Refused(fault),
        Err(error) => return Err(error),
    };
    Ok(Called { request_id: id.to_string(), end })
}
