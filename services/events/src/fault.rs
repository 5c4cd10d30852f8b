//! The faults of EventBridge, in its codes and words.

use base::Fault;

pub(crate) fn no_such_bus(name: &str) -> Fault {
    Fault::new("ResourceNotFoundException", format!("Event bus {name} does not exist."))
}

pub(crate) fn no_such_rule(rule: &str, bus: &str) -> Fault {
    Fault::new("ResourceNotFoundException", format!("Rule {rule} does not exist on EventBus {bus}."))
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::validation(message)
}

pub(crate) fn invalid_parameter(name: &str, reason: &str) -> Fault {
    Fault::validation(format!("Parameter {name} is not valid. Reason: {reason}"))
}

pub(crate) fn invalid_pattern(why: &str) -> Fault {
    Fault::new("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {why}"))
}

pub(crate) fn limit_exceeded() -> Fault {
    Fault::new("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
}

pub(crate) fn not_honoured(what: &str) -> Fault {
    Fault::validation(format!("{what} is not implemented by Buswork"))
}

pub(crate) fn managed_rule(name: &str) -> Fault {
    let message = format!("Rule {name} is a managed rule and cannot be modified by users.");
    Fault::new("ManagedRuleException", message)
}

pub(crate) fn no_such(kind: &str, name: &str) -> Fault {
    Fault::new("ResourceNotFoundException", format!("{kind} {name} does not exist."))
}

pub(crate) fn already_exists(kind: &str, name: &str) -> Fault {
    Fault::new("ResourceAlreadyExistsException", format!("{kind} {name} already exists."))
}
