//! State machines.

use base::Document;
use serde_json::json;

use super::super::{
    Facet, Known, Life, Naming, Place, Properties, ResourceType, Source, Takes, Update, aside, call, fixed,
    open, path, tags,
};

pub(super) const STATE_MACHINE: ResourceType = ResourceType {
    name: "AWS::StepFunctions::StateMachine",
    service: "states",
    properties: &[
        fixed("StateMachineName").to("name"),
        fixed("StateMachineType").to("type"),
        open("DefinitionString").to("definition"),
        open("Definition"),
        open("DefinitionSubstitutions"),
        open("RoleArn").to("roleArn"),
        open("LoggingConfiguration").to("loggingConfiguration").reset(r#"{"level": "OFF"}"#),
        open("TracingConfiguration").to("tracingConfiguration").reset(r#"{"enabled": false}"#),
        open("EncryptionConfiguration").to("encryptionConfiguration").reset(r#"{"type": "AWS_OWNED_KEY"}"#),
        aside("Tags").to("tags"),
    ],
    naming: Some(Naming::new("StateMachineName", 80)),
    create: Some(call("CreateStateMachine", &[])),
    updates: &[Update {
        call: call("UpdateStateMachine", &[("stateMachineArn", Source::Id)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteStateMachine", &[("stateMachineArn", Source::Id)])),
    read: Some(call("DescribeStateMachine", &[("stateMachineArn", Source::Id)])),
    id: Source::Text("arn:aws:states:{region}:{account}:stateMachine:{name}"),
    attributes: &[("Arn", Source::Id), ("Name", Source::Name)],
    facets: &[Facet {
        property: "Tags",
        key: "Key",
        put: Some(call("TagResource", &[("resourceArn", Source::Id), ("tags.0", Source::Item(""))])),
        remove: Some(call(
            "UntagResource",
            &[("resourceArn", Source::Id), ("tagKeys.0", Source::Item("Key"))],
        )),
        life: Life::Changes,
        ..Facet::BASE
    }],
    shape: Some(definition),
    ..ResourceType::BASE
};

const ACTIVITY_ARN: Source = Source::Text("arn:aws:states:{region}:{account}:activity:{name}");

pub(super) const ACTIVITY: ResourceType = ResourceType {
    name: "AWS::StepFunctions::Activity",
    service: "states",
    properties: &[
        fixed("Name").to("name"),
        fixed("EncryptionConfiguration").to("encryptionConfiguration"),
        aside("Tags").to("tags"),
    ],
    naming: Some(Naming::new("Name", 80)),
    create: Some(call("CreateActivity", &[])),
    delete: Some(call("DeleteActivity", &[("activityArn", Source::Id)])),
    read: Some(call("DescribeActivity", &[("activityArn", ACTIVITY_ARN)])),
    id: ACTIVITY_ARN,
    attributes: &[("Arn", Source::Id), ("Name", Source::Name)],
    facets: &[tags(
        call("TagResource", &[("resourceArn", Source::Id), ("tags.0", Source::Item(""))]),
        call("UntagResource", &[("resourceArn", Source::Id), ("tagKeys.0", Source::Item("Key"))]),
    )],
    ..ResourceType::BASE
};

pub(super) const STATE_MACHINE_VERSION: ResourceType = ResourceType {
    name: "AWS::StepFunctions::StateMachineVersion",
    service: "states",
    properties: &[
        fixed("StateMachineArn").to("stateMachineArn"),
        fixed("StateMachineRevisionId").to("revisionId"),
        fixed("Description").to("description"),
    ],
    create: Some(call("PublishStateMachineVersion", &[])),
    delete: Some(call("DeleteStateMachineVersion", &[("stateMachineVersionArn", Source::Id)])),
    id: Source::Function(version_arn),
    attributes: &[("Arn", Source::Id)],
    ..ResourceType::BASE
};

/// Publishing again what has not changed answers the version that there is, so a second run finds the first one's.
fn version_arn(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "stateMachineVersionArn").cloned().or_else(|| known.id.map(Document::from))
}

pub(super) const STATE_MACHINE_ALIAS: ResourceType = ResourceType {
    name: "AWS::StepFunctions::StateMachineAlias",
    service: "states",
    properties: &[
        fixed("Name").to("name"),
        open("Description").to("description").reset("\"\""),
        open("RoutingConfiguration").to("routingConfiguration"),
        open("DeploymentPreference"),
    ],
    naming: Some(Naming::new("Name", 80)),
    create: Some(call("CreateStateMachineAlias", &[])),
    updates: &[Update {
        call: call("UpdateStateMachineAlias", &[("stateMachineAliasArn", Source::Id)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteStateMachineAlias", &[("stateMachineAliasArn", Source::Id)])),
    read: Some(call("DescribeStateMachineAlias", &[("stateMachineAliasArn", Source::Id)])),
    id: Source::Function(alias_arn),
    attributes: &[("Arn", Source::Id)],
    shape: Some(routing),
    ..ResourceType::BASE
};

fn alias_arn(known: &Known<'_>) -> Option<Document> {
    let routes = known.properties.get("RoutingConfiguration");
    let version = routes.and_then(|routes| path::get(routes, "0.StateMachineVersionArn")?.as_str());
    let machine = version.and_then(|version| version.rsplit_once(':')).map(|(machine, _)| machine);
    known.id.map(Document::from).or_else(|| Some(format!("{}:{}", machine?, known.name?).into()))
}

/// A preference for all at once is a route to one version; the gradual ones take a clock that turns them.
fn routing(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let Some(preference) = properties.remove("DeploymentPreference") else { return Ok(()) };
    let kind = preference.get("Type").and_then(Document::as_str).unwrap_or_default();
    if kind != "ALL_AT_ONCE" {
        return Err(format!("DeploymentPreference of the type {kind} is not supported by Buswork"));
    }
    let version = preference.get("StateMachineVersionArn").cloned().unwrap_or_default();
    let route = json!([{ "StateMachineVersionArn": version, "Weight": 100 }]);
    properties.insert("RoutingConfiguration".to_owned(), route);
    Ok(())
}

/// One text of the definition, whichever way it is given, its substitutions made.
fn definition(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let text = properties.remove("DefinitionString");
    let object = properties.remove("Definition");
    let substitutions = properties.remove("DefinitionSubstitutions");
    let mut definition = match (text, object) {
        (Some(_), Some(_)) => return Err("Definition and DefinitionString exclude each other".to_owned()),
        (Some(given), None) | (None, Some(given)) => given,
        (None, None) => return Ok(()),
    };
    if let Some(Document::Object(substitutions)) = &substitutions {
        substitute(&mut definition, substitutions);
    }
    let text = match definition {
        Document::String(text) => text,
        object => object.to_string(),
    };
    properties.insert("DefinitionString".to_owned(), text.into());
    Ok(())
}

/// Puts the values for `${name}` into every text.
fn substitute(definition: &mut Document, substitutions: &Properties) {
    match definition {
        Document::String(text) => {
            for (name, value) in substitutions {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                *text = text.replace(&format!("${{{name}}}"), &value);
            }
        }
        Document::Array(items) => items.iter_mut().for_each(|item| substitute(item, substitutions)),
        Document::Object(members) => {
            members.values_mut().for_each(|member| substitute(member, substitutions))
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_become_one_text() {
        let place = Place { account: "1".into(), region: "r".into(), endpoint: String::new() };
        for (given, expected) in [
            (json!({"DefinitionString": "{}"}), json!({"DefinitionString": "{}"})),
            (
                json!({"Definition": {"StartAt": "A", "N": "${N}"}, "DefinitionSubstitutions": {"N": 5}}),
                json!({"DefinitionString": r#"{"StartAt":"A","N":"5"}"#}),
            ),
            (
                json!({"DefinitionString": r#"{"R":"${F}"}"#, "DefinitionSubstitutions": {"F": "arn:f"}}),
                json!({"DefinitionString": r#"{"R":"arn:f"}"#}),
            ),
        ] {
            let mut properties = given.as_object().unwrap().clone();
            definition(&mut properties, &place).unwrap();
            assert_eq!(Document::Object(properties), expected);
        }
    }
}
