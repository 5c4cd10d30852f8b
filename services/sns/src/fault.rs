//! The faults of SNS, in its codes and words.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html> and the operations' pages.

use base::Fault;

pub(crate) fn invalid(what: impl std::fmt::Display) -> Fault {
    Fault::new("InvalidParameterException", format!("Invalid parameter: {what}"))
}

pub(crate) fn invalid_value(message: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValueException", message)
}

/// Something that AWS has and that is not honoured here.
pub(crate) fn not_served(what: impl std::fmt::Display) -> Fault {
    invalid(format!("{what} is not supported by Buswork"))
}

pub(crate) fn no_topic() -> Fault {
    Fault::new("NotFoundException", "Topic does not exist").with_status(404)
}

pub(crate) fn no_subscription() -> Fault {
    Fault::new("NotFoundException", "Subscription does not exist").with_status(404)
}
