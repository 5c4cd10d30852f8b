//! The faults of SQS, in its codes and words.
//!
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html> and the operations'
//! pages.

use base::Fault;

pub(crate) fn queue_does_not_exist() -> Fault {
    Fault::new("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(crate) fn access_denied(resource: &str) -> Fault {
    Fault::new("AccessDenied", format!("Access to the resource {resource} is denied.")).with_status(403)
}

pub(crate) fn invalid_value(value: impl std::fmt::Display, parameter: &str, reason: &str) -> Fault {
    let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
    Fault::new("InvalidParameterValue", message)
}

pub(crate) fn invalid_attribute_value(name: &str) -> Fault {
    Fault::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(crate) fn invalid_attribute_name(name: &str) -> Fault {
    Fault::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(crate) fn missing(parameter: &str) -> Fault {
    Fault::new("MissingParameter", format!("The request must contain the parameter {parameter}."))
}

pub(crate) fn invalid_receipt_handle(handle: &str) -> Fault {
    Fault::new(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
    )
    .with_status(400)
}

pub(crate) fn not_in_flight(handle: &str) -> Fault {
    let message = format!(
        "Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for \
         visibility timeout change."
    );
    Fault::new("MessageNotInflight", message)
}

pub(crate) fn not_for_this_queue(value: impl std::fmt::Display, parameter: &str) -> Fault {
    invalid_value(value, parameter, "The request include parameter that is not valid for this queue type")
}

pub(crate) fn too_long(bytes_max: u32) -> Fault {
    let message = format!(
        "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."
    );
    Fault::new("InvalidParameterValue", message)
}

pub(crate) fn batch_too_long(bytes: usize) -> Fault {
    let message = format!(
        "Batch requests cannot be longer than {} bytes. You have sent {bytes} bytes.",
        crate::message::BYTES_MAX
    );
    Fault::new("BatchRequestTooLong", message)
}

pub(crate) fn unsupported(what: &str) -> Fault {
    Fault::new("UnsupportedOperation", format!("{what} is not implemented by Buswork"))
}
