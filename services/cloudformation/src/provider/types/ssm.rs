//! Parameters of Systems Manager.

use base::Document;
use serde_json::json;

use super::super::{
    Naming, Place, Properties, ResourceType, Source, Takes, Update, aside, call, fixed, open, tags,
};

pub(super) const PARAMETER: ResourceType = ResourceType {
    name: "AWS::SSM::Parameter",
    service: "ssm",
    properties: &[
        fixed("Name"),
        open("AllowedPattern"),
        open("DataType"),
        open("Description").reset("\"\""),
        open("Policies"),
        open("Tier"),
        open("Type"),
        open("Value"),
        aside("Tags").to("Tags"),
    ],
    // Names of parameters may not begin with these.
    naming: Some(Naming { reserved: &["aws", "ssm"], ..Naming::new("Name", 1011) }),
    create: Some(call("PutParameter", &[])),
    updates: &[Update {
        call: call("PutParameter", &[("Name", Source::Id), ("Overwrite", Source::Text("true"))]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteParameter", &[("Name", Source::Id)])),
    read: Some(call("GetParameter", &[("Name", Source::Name)])),
    attributes: &[("Type", Source::Property("Type")), ("Value", Source::Property("Value"))],
    facets: &[tags(
        call(
            "AddTagsToResource",
            &[
                ("ResourceType", Source::Text("Parameter")),
                ("ResourceId", Source::Id),
                ("Tags.0", Source::Item("")),
            ],
        ),
        call(
            "RemoveTagsFromResource",
            &[
                ("ResourceType", Source::Text("Parameter")),
                ("ResourceId", Source::Id),
                ("TagKeys.0", Source::Item("Key")),
            ],
        ),
    )],
    shape: Some(plain),
    ..ResourceType::BASE
};

/// Secrets do not stand in templates. Tags of this type are an object in the template, and a list everywhere else.
fn plain(properties: &mut Properties, _: &Place) -> Result<(), String> {
    if properties.get("Type").is_some_and(|kind| kind == "SecureString") {
        return Err("SSM Parameters of type SecureString cannot be created using CloudFormation".to_owned());
    }
    if let Some(Document::Object(tags)) = properties.get("Tags") {
        let list = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        properties.insert("Tags".to_owned(), Document::Array(list));
    }
    Ok(())
}
