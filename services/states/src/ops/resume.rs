use asl::Stimulus;
use kernel::{Result, Tx};

use crate::arn::ExecutionId;
use crate::run::Live;

/// The internal operation that runs an execution on after the bound on transitions of one step.
pub(crate) const RESUME: &str = "ResumeExecution";

/// Runs the execution on.
pub(crate) async fn resume(tx: &mut Tx, id: ExecutionId) -> Result<()> {
    if let Some(mut live) = Live::load(tx, &id).await? {
        live.step(tx, Stimulus::Continue)?;
        live.store(tx)?;
    }
    Ok(())
}
