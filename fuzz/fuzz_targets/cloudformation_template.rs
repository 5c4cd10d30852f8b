//! Any text is a template or a refusal; a template evaluates to values or a refusal. Nothing panics, nothing hangs.
#![no_main]

use std::collections::BTreeMap;

use cloudformation::template::{
    Draft, Environment, ParameterValues, Pseudo, Scope, Template, TemplateError, resolve_parameters,
};
use libfuzzer_sys::fuzz_target;

struct World;

impl Environment for World {
    fn reference(&self, logical_id: &str) -> Option<serde_json::Value> {
        Some(logical_id.into())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<serde_json::Value, TemplateError> {
        Ok(format!("{logical_id}.{attribute}").into())
    }

    fn import(&self, name: &str) -> Option<String> {
        Some(name.to_owned())
    }
}

fuzz_target!(|text: &str| {
    if let Ok(draft) = Draft::read(text) {
        let _ = draft.glance(&Pseudo::default());
    }
    let Ok(template) = Template::parse(text) else { return };
    let given = BTreeMap::new();
    let Ok(parameters) = resolve_parameters(&template.parameters, &given, &ParameterValues::new()) else { return };
    let pseudo = Pseudo {
        account_id: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        stack_name: "stack".to_owned(),
        stack_id: "arn:aws:cloudformation:us-east-1:000000000000:stack/stack/1".to_owned(),
        notification_arns: Vec::new(),
    };
    let Ok(conditions) = template.judge(&parameters, &pseudo) else { return };
    let _ = template.assert_rules(&parameters, &pseudo);
    let _ = template.check_existing(&conditions);
    let scope = Scope {
        mappings: &template.mappings,
        parameters: &parameters,
        pseudo: &pseudo,
        conditions: &conditions,
        environment: &World,
    };
    for (name, resource) in &template.resources {
        template.needs(name, Some(&conditions));
        for property in resource.properties.values() {
            let _ = scope.value(property);
        }
    }
    for output in template.outputs.values() {
        let _ = scope.value(&output.value);
    }
});
