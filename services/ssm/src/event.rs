//! The event 'Parameter Store Change'.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html>

use kernel::{Event, Result, Tx};
use serde::Serialize;

use crate::keys::Version;
use crate::name;

#[derive(Serialize)]
struct Detail<'a> {
    operation: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

/// Tells the default bus what happened to a parameter. A parameter's events reach a target in their order.
pub(crate) fn emit(tx: &mut Tx, operation: &str, name: &str, version: &Version) -> Result<()> {
    let description = version.description.as_deref();
    let detail = Detail { operation, name, kind: version.kind.as_str(), description };
    let arn = name::arn(tx.scope(), name);
    let event = Event {
        source: "aws.ssm".to_owned(),
        detail_type: "Parameter Store Change".to_owned(),
        resources: vec![arn.clone()],
        detail: serde_json::to_string(&detail)?,
        order: Some(arn),
        begins_order: false,
    };
    tx.emit(event)?;
    Ok(())
}
