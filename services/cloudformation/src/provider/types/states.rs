//! State machines.

use base::Document;

use super::super::{
    Facet, Life, Naming, Place, Properties, ResourceType, Source, Takes, Update, aside, call, fixed, open,
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
    use serde_json::json;

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
