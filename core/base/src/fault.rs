//! Modelled errors: what the caller did or met, in AWS's code and wording.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Document;

/// Whose doing a fault is. Clients retry what the service answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Responsible {
    /// The caller sent what cannot be served (HTTP 4xx).
    Caller,
    /// The service cannot serve it now (HTTP 5xx).
    Service,
}

/// An error as the API knows it: a code, a message, an HTTP status and, for a few, further members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The error's name, e.g. `ResourceNotFoundException`.
    pub code: Cow<'static, str>,
    /// The text shown to the caller, worded as AWS words it.
    pub message: String,
    /// The HTTP status that carries it.
    pub status: u16,
    /// Members of the modelled error besides the message, e.g. `CancellationReasons`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Box<Document>>,
}

impl Fault {
    /// A caller's fault, HTTP 400.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Fault {
        Fault { code: code.into(), message: message.into(), status: 400, members: None }
    }

    /// The same fault under another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Fault {
        self.status = status;
        self
    }

    /// The same fault with further members; `members` is an object.
    #[must_use]
    pub fn with_members(mut self, members: Document) -> Fault {
        self.members = Some(Box::new(members));
        self
    }

    /// `ValidationException`, HTTP 400.
    pub fn validation(message: impl Into<String>) -> Fault {
        Fault::new("ValidationException", message)
    }

    /// `AccessDeniedException`, HTTP 403.
    pub fn access_denied(message: impl Into<String>) -> Fault {
        Fault::new("AccessDeniedException", message).with_status(403)
    }

    /// `ThrottlingException`, HTTP 400: come again later.
    pub fn throttling(message: impl Into<String>) -> Fault {
        Fault::new("ThrottlingException", message)
    }

    /// Our own error: logged once under `id`, which is all that the caller learns.
    pub fn internal(id: impl fmt::Display) -> Fault {
        let message = format!("an internal error occurred, logged as {id}");
        Fault::new("InternalFailure", message).with_status(500)
    }

    /// An operation that AWS has and we do not serve.
    pub fn not_implemented(service: &str, operation: &str) -> Fault {
        let message = format!("{service}:{operation} is not implemented by Buswork");
        Fault::new("NotImplementedException", message).with_status(501)
    }

    /// Who answers for it.
    pub fn responsible(&self) -> Responsible {
        if self.status >= 500 { Responsible::Service } else { Responsible::Caller }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
