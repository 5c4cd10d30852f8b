//! The ARN table: which operation serves which ARN. A target that it does not know is refused when it is configured.

use base::{Arn, Document, Fault};

use crate::task::Call;

/// What is to be delivered to an ARN.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// The payload as text, usually JSON.
    pub payload: String,
    /// Message attributes (name, string value), e.g. of a dead letter.
    pub attributes: Vec<(String, String)>,
    /// The target's own parameters as configured, e.g. `{"MessageGroupId": …}` of `SqsParameters`; null if none.
    pub parameters: Document,
    /// Deliveries of one order take effect one after the other, also where the target goes on after it has accepted one.
    pub order: Option<String>,
    /// The same for every attempt of one delivery: makes a repeated delivery recognisable.
    pub idempotency_key: String,
}

/// A kind of target: which ARNs, and the call that delivers to one of them.
#[derive(Clone, Copy)]
pub struct TargetKind {
    /// The service that serves it: the third field of its ARNs.
    pub service: &'static str,
    /// Its name in messages, e.g. `SQS queue`.
    pub name: &'static str,
    /// Whether this kind serves the ARN.
    pub serves: fn(&Arn) -> bool,
    /// The call that delivers.
    pub call: fn(&Arn, Delivery) -> Result<Call, Fault>,
    /// Whether deliveries to the ARN may share the commit of what causes them ([`crate::NewTask::at_once`]).
    pub at_once: fn(&Arn) -> bool,
}

/// All kinds of targets that the registered services serve.
#[derive(Clone, Default)]
pub struct Targets(Vec<TargetKind>);

impl Targets {
    pub(crate) fn add(&mut self, kinds: &[TargetKind]) {
        self.0.extend_from_slice(kinds);
    }

    /// The kind that serves `arn`; `None` if nothing does.
    pub fn find(&self, arn: &Arn) -> Option<&TargetKind> {
        self.0.iter().find(|kind| kind.service == arn.service && (kind.serves)(arn))
    }

    /// The names of all kinds, for messages that say what would be accepted.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|kind| kind.name).collect()
    }
}
