//! The templates of the example systems are understood: all their types, properties and attributes are known.

use std::collections::BTreeMap;

use super::*;
use crate::provider::ResourceType;

#[test]
fn templates_of_the_examples_are_understood() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/recent-actions/templates");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let template = Template::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for (name, resource) in &template.resources {
            let kind = ResourceType::find(&resource.kind);
            let kind = kind.unwrap_or_else(|| panic!("{path:?}: {name}: {}", resource.kind));
            for property in resource.properties.keys() {
                assert!(kind.property(property).is_some(), "{path:?}: {name}: {property}");
            }
        }
        for (name, attribute) in template.attributes() {
            let kind = ResourceType::find(&template.resources[name].kind).unwrap();
            assert!(kind.has_attribute(attribute), "{path:?}: {name}.{attribute}");
        }
        let given = template.parameters.keys().map(|name| (name.clone(), Given::Value("x".to_owned())));
        let given: BTreeMap<String, Given> = given.filter(|(name, _)| name.starts_with("Code")).collect();
        resolve_parameters(&template.parameters, &given, &ParameterValues::new()).unwrap();
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} templates");
}
