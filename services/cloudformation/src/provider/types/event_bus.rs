//! What belongs to event buses: archives, policies, and the way to endpoints outside.

use base::Document;
use serde_json::json;

use super::super::{
    Known, Naming, Place, Properties, ResourceType, Source, Takes, Update, call, fixed, open,
};

pub(super) const ARCHIVE: ResourceType = ResourceType {
    name: "AWS::Events::Archive",
    service: "events",
    properties: &[
        fixed("ArchiveName"),
        fixed("SourceArn").to("EventSourceArn"),
        open("Description").reset("\"\""),
        open("EventPattern").reset("\"\""),
        open("KmsKeyIdentifier").reset("\"\""),
        open("RetentionDays").reset("0"),
    ],
    naming: Some(Naming::new("ArchiveName", 48)),
    create: Some(call("CreateArchive", &[])),
    updates: &[Update { call: call("UpdateArchive", &[("ArchiveName", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteArchive", &[("ArchiveName", Source::Id)])),
    read: Some(call("DescribeArchive", &[("ArchiveName", Source::Name)])),
    attributes: &[
        ("ArchiveName", Source::Id),
        ("Arn", Source::Text("arn:aws:events:{region}:{account}:archive/{name}")),
    ],
    ..ResourceType::BASE
};

pub(super) const CONNECTION: ResourceType = ResourceType {
    name: "AWS::Events::Connection",
    service: "events",
    properties: &[
        fixed("Name"),
        open("AuthorizationType"),
        open("AuthParameters"),
        open("Description").reset("\"\""),
        open("InvocationConnectivityParameters"),
        open("KmsKeyIdentifier").reset("\"\""),
    ],
    naming: Some(Naming::new("Name", 64)),
    create: Some(call("CreateConnection", &[])),
    updates: &[Update { call: call("UpdateConnection", &[("Name", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteConnection", &[("Name", Source::Id)])),
    read: Some(call("DescribeConnection", &[("Name", Source::Name)])),
    attributes: &[
        ("Arn", Source::Read("ConnectionArn")),
        ("ArnForPolicy", Source::Text("arn:aws:events:{region}:{account}:connection/{name}")),
        ("SecretArn", Source::Read("SecretArn")),
    ],
    slow_delete: true,
    ..ResourceType::BASE
};

pub(super) const API_DESTINATION: ResourceType = ResourceType {
    name: "AWS::Events::ApiDestination",
    service: "events",
    properties: &[
        fixed("Name"),
        open("ConnectionArn"),
        open("Description").reset("\"\""),
        open("HttpMethod"),
        open("InvocationEndpoint"),
        open("InvocationRateLimitPerSecond").reset("300"),
    ],
    naming: Some(Naming::new("Name", 64)),
    create: Some(call("CreateApiDestination", &[])),
    updates: &[Update { call: call("UpdateApiDestination", &[("Name", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteApiDestination", &[("Name", Source::Id)])),
    read: Some(call("DescribeApiDestination", &[("Name", Source::Name)])),
    attributes: &[
        ("Arn", Source::Read("ApiDestinationArn")),
        ("ArnForPolicy", Source::Text("arn:aws:events:{region}:{account}:api-destination/{name}")),
    ],
    ..ResourceType::BASE
};

/// A statement of a bus's policy. The operation takes the simple ones: one principal, at most one condition.
pub(super) const EVENT_BUS_POLICY: ResourceType = ResourceType {
    name: "AWS::Events::EventBusPolicy",
    service: "events",
    properties: &[
        fixed("EventBusName"),
        fixed("StatementId"),
        open("Action"),
        open("Condition"),
        open("Principal"),
        open("Statement"),
    ],
    naming: Some(Naming { shared: true, ..Naming::new("StatementId", 64) }),
    create: Some(call("PutPermission", &[])),
    updates: &[Update {
        call: call(
            "PutPermission",
            &[("StatementId", Source::Name), ("EventBusName", Source::Property("EventBusName"))],
        ),
        takes: Takes::All,
    }],
    delete: Some(call(
        "RemovePermission",
        &[("StatementId", Source::Name), ("EventBusName", Source::Property("EventBusName"))],
    )),
    id: Source::Function(policy_id),
    shape: Some(statement),
    ..ResourceType::BASE
};

fn policy_id(known: &Known<'_>) -> Option<Document> {
    let bus = known.properties.get("EventBusName").and_then(Document::as_str).unwrap_or("default");
    Some(format!("{bus}|{}", known.name?).into())
}

/// The parts of a whole statement that the operation takes one by one.
fn statement(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let Some(statement) = properties.remove("Statement") else { return Ok(()) };
    let beyond = |what: &str| {
        Err(format!(
            "Statement with {what} is not supported by Buswork: use the Policy of AWS::Events::EventBus"
        ))
    };
    if statement.get("Effect").is_some_and(|effect| effect != "Allow") {
        return beyond("another Effect than Allow");
    }
    let principal = match statement.get("Principal") {
        Some(Document::String(principal)) => principal.clone(),
        Some(Document::Object(principals)) => match principals.get("AWS").and_then(Document::as_str) {
            Some(principal) if principals.len() == 1 => principal.to_owned(),
            _ => return beyond("such a Principal"),
        },
        _ => return beyond("such a Principal"),
    };
    // The whole account is what its root stands for.
    let account = principal.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    let Some(action) = statement.get("Action").and_then(Document::as_str) else {
        return beyond("several actions");
    };
    if let Some(condition) = statement.get("Condition") {
        let Some(condition) = one_condition(condition) else { return beyond("such a Condition") };
        properties.insert("Condition".to_owned(), condition);
    }
    properties.insert("Principal".to_owned(), account.unwrap_or(&principal).into());
    properties.insert("Action".to_owned(), action.into());
    Ok(())
}

/// `{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}` as the operation writes it.
fn one_condition(condition: &Document) -> Option<Document> {
    let single = |document: &Document| -> Option<(String, Document)> {
        let members = document.as_object().filter(|members| members.len() == 1)?;
        members.iter().next().map(|(name, value)| (name.clone(), value.clone()))
    };
    let (kind, test) = single(condition)?;
    let (key, value) = single(&test)?;
    Some(json!({ "Type": kind, "Key": key, "Value": value.as_str()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_taken_apart() {
        let place = Place { account: "1".into(), region: "r".into(), endpoint: String::new() };
        for (given, expected) in [
            (
                json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "events:PutEvents"}),
                Ok(json!({"Principal": "123456789012", "Action": "events:PutEvents"})),
            ),
            (
                json!({"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents",
                    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
                Ok(json!({"Principal": "*", "Action": "events:PutEvents",
                    "Condition": {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"}})),
            ),
            (json!({"Effect": "Deny", "Principal": "*", "Action": "a"}), Err("another Effect")),
            (json!({"Effect": "Allow", "Principal": "*", "Action": ["a"]}), Err("several actions")),
        ] {
            let mut properties = json!({ "Statement": given }).as_object().unwrap().clone();
            match (statement(&mut properties, &place), expected) {
                (Ok(()), Ok(expected)) => assert_eq!(Document::Object(properties), expected),
                (Err(message), Err(expected)) => assert!(message.contains(expected), "{message}"),
                (found, expected) => panic!("{found:?} is not {expected:?}"),
            }
        }
    }
}
