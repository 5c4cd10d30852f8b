//! A state machine as the target of a delivery: what is delivered is an execution's input.

use base::{Arn, Fault};
use kernel::{Call, Delivery, TargetKind};

use crate::arn::check_name;
use crate::ops::deliver::{DELIVER, Deliver};

/// State machines, their versions and their aliases by their ARNs.
pub(crate) const STATE_MACHINE: TargetKind =
    TargetKind { service: "states", name: "Step Functions state machine", serves, call, at_once: |_| false };

fn serves(arn: &Arn) -> bool {
    arn.resource_after("stateMachine").is_some_and(|name| !name.is_empty())
}

fn call(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let input = Deliver {
        machine_arn: arn.to_string(),
        name: name_of(&delivery.idempotency_key),
        input: delivery.payload,
    };
    Call::new("states", DELIVER, &input).map_err(|error| Fault::validation(error.to_string()))
}

/// The execution's name: the key itself where it may be one, else something that only this key gives.
fn name_of(key: &str) -> String {
    if check_name(key).is_ok() {
        return key.to_owned();
    }
    // Two hashes of different starts, since a key of any length becomes a name of 80 characters.
    let hash = |start: u64| {
        key.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_names() {
        let id = "01890c5e-7a3b-7000-8000-000000000001";
        assert_eq!(name_of(id), id);
        let (one, other) = (name_of("rule/a b:1"), name_of("rule/a b:2"));
        assert_eq!(one, name_of("rule/a b:1"));
        assert_ne!(one, other);
        assert!(check_name(&one).is_ok());
    }
}
