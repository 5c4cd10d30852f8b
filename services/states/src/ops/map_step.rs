use asl::MapRunStimulus;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::map_run::LiveRun;

/// The internal operation by which something happens to a map run.
pub(crate) const MAP_STEP: &str = "StepMapRun";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MapStep {
    pub run: String,
    pub stimulus: MapRunStimulus,
}

/// Tells the run what happened.
pub(crate) async fn map_step(tx: &mut Tx, input: MapStep) -> Result<()> {
    let MapStep { run, stimulus } = input;
    if let Some(mut live) = LiveRun::load(tx, &run).await? {
        live.step(tx, stimulus)?;
        live.store(tx).await?;
    }
    Ok(())
}
