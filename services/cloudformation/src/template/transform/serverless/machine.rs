//! `AWS::Serverless::StateMachine`.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-statemachine.html>

use serde_json::json;

use super::policy::Policies;
use super::{Declared, Made, event, role, tag_list};
use crate::template::error::TemplateError;

const SAME: [(&str, &str); 6] = [
    ("Definition", "Definition"),
    ("DefinitionSubstitutions", "DefinitionSubstitutions"),
    ("Logging", "LoggingConfiguration"),
    ("Name", "StateMachineName"),
    ("Tracing", "TracingConfiguration"),
    ("Type", "StateMachineType"),
];

pub(super) fn make(declared: &Declared, made: &mut Made) -> Result<(), TemplateError> {
    let more = ["Events", "PermissionsBoundary", "Policies", "Role", "RolePath", "Tags"];
    let known: Vec<&str> = SAME.iter().map(|(name, _)| *name).chain(more).collect();
    declared.check(&known)?;
    let id = &declared.logical_id;
    let mut properties = declared.copied(&SAME);
    if !properties.contains_key("Definition") {
        return Err(declared.invalid("'Definition' must be set."));
    }
    if let Some(tags) = declared.get("Tags") {
        properties.insert("Tags".to_owned(), tag_list(tags));
    }
    let own = declared.get("Role").cloned();
    properties.insert(
        "RoleArn".to_owned(),
        own.unwrap_or_else(|| json!({ "Fn::GetAtt": [format!("{id}Role"), "Arn"] })),
    );
    if declared.get("Role").is_none() {
        let policies = Policies::read(declared, &[])?;
        made.put(format!("{id}Role"), role(declared, "states.amazonaws.com", policies));
    }
    let arn = json!({ "Ref": id });
    for event in event::each(declared)? {
        match event.kind() {
            "EventBridgeRule" | "CloudWatchEvent" | "Schedule" => {
                let role = event.role("states:StartExecution", &arn, made);
                event::rule(&event, arn.clone(), Some(role), made)?;
            }
            "ScheduleV2" => event::schedule(&event, arn.clone(), "states:StartExecution", made)?,
            kind => return Err(declared.unsupported(&format!("the event type {kind}"))),
        }
    }
    made.put(id.clone(), declared.itself("AWS::StepFunctions::StateMachine", properties));
    Ok(())
}
