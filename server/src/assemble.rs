//! All services in one kernel.

use std::sync::Arc;

use kernel::{Chance, Clock, Kernel, Service};
use store::SharedEngine;

use crate::config::Config;

/// What runs besides the store: the services, and what some of them hold outside it.
pub struct House {
    /// The router and the runner.
    pub kernel: Kernel,
}

/// Every service over `engine`. Nothing runs until the kernel is started.
pub fn assemble(engine: SharedEngine, _config: &Config) -> House {
    let kernel = Kernel::new(engine, Clock::real(), Chance::from_os(), services());
    House { kernel }
}

fn services() -> Vec<Service> {
    vec![sqs::service()]
}

/// A house that several connections share.
pub type SharedHouse = Arc<House>;
