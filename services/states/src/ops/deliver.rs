use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use super::start_execution::{NewExecution, Started, start};

/// The internal operation behind the target of the ARN table.
pub(crate) const DELIVER: &str = "DeliverExecution";

/// Its input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deliver {
    pub machine_arn: String,
    /// The same for every attempt of one delivery.
    pub name: String,
    pub input: String,
}

/// Starts an execution once, however often the delivery is repeated.
pub(crate) async fn deliver(tx: &mut Tx, input: Deliver) -> Result<()> {
    let new = NewExecution {
        machine_arn: input.machine_arn,
        name: Some(input.name),
        input: Some(input.input),
        trace_header: None,
        parent: None,
        only: None,
    };
    match start(tx, new).await? {
        Started::New(..) | Started::Known(..) => Ok(()),
    }
}
