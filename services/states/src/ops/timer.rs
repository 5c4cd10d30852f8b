use asl::{Stimulus, TimerKind, WaitId};
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::arn::ExecutionId;
use crate::run::Live;

/// The internal operation that a timer is.
pub(crate) const TIMER: &str = "ExecutionTimer";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fired {
    pub execution: ExecutionId,
    pub wait: WaitId,
    pub kind: TimerKind,
}

/// Tells the execution that the time has come. One that waits for something else by now is not touched.
pub(crate) async fn timer(tx: &mut Tx, fired: Fired) -> Result<()> {
    if let Some(mut live) = Live::load(tx, &fired.execution).await? {
        live.run.timers.retain(|timer| timer.wait != fired.wait || timer.kind != fired.kind);
        live.step(tx, Stimulus::TimerFired { wait_id: fired.wait, kind: fired.kind })?;
        if fired.kind == TimerKind::Execution {
            live.expire(tx)?;
        }
        live.store(tx)?;
    }
    Ok(())
}
