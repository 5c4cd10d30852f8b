//! A target that fails as often as it is told, under the name of state machines.

use std::sync::{Arc, Mutex};

use base::{Arn, Fault};
use kernel::{Call, Delivery, Result, Service, TargetKind, Tx};

pub(crate) const ARN: &str = "arn:aws:states:eu-central-1:000000000000:stateMachine:flaky";

/// What it was given, and how many more attempts fail.
#[derive(Default)]
pub(crate) struct Log {
    pub given: Mutex<Vec<String>>,
    pub failures: Mutex<u32>,
}

pub(crate) fn service(log: &Arc<Log>) -> Service {
    Service::internal_only("states").state(Arc::clone(log)).internal("Take", take).targets(&[TargetKind {
        at_once: |_| false,
        service: "states",
        name: "flaky",
        serves: |_| true,
        call,
    }])
}

fn call(_: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    Call::new("states", "Take", &delivery.payload).map_err(|error| Fault::validation(error.to_string()))
}

async fn take(tx: &mut Tx, payload: String) -> Result<()> {
    let log = tx.state::<Log>()?;
    log.given.lock().unwrap().push(payload);
    let mut failures = log.failures.lock().unwrap();
    if *failures == 0 {
        return Ok(());
    }
    *failures -= 1;
    Err(Fault::new("ServiceException", "not now").with_status(500).into())
}
