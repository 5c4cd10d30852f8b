use base::Fault;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

/// The internal operation that fails: a delivery whose call could not be made.
pub(crate) const FAIL: &str = "FailDelivery";

/// With what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FailDelivery {
    pub fault: Fault,
}

/// Fails, so that the delivery takes the same way as one that its target refuses.
pub(crate) async fn fail_delivery(_tx: &mut Tx, input: FailDelivery) -> Result<()> {
    Err(input.fault.into())
}
