//! Secrets.

use base::Document;

use super::super::{
    Draw, Known, Naming, Place, Properties, ResourceType, Source, Takes, Update, aside, call, fixed, open,
    path, tags,
};

pub(super) const SECRET: ResourceType = ResourceType {
    name: "AWS::SecretsManager::Secret",
    service: "secretsmanager",
    properties: &[
        fixed("Name"),
        open("Description").reset("\"\""),
        open("KmsKeyId").reset("\"\""),
        open("SecretString"),
        open("GenerateSecretString").to(""),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("Name", 512)),
    create: Some(call("CreateSecret", &[])),
    updates: &[Update { call: call("UpdateSecret", &[("SecretId", Source::Id)]), takes: Takes::All }],
    delete: Some(call(
        "DeleteSecret",
        &[("SecretId", Source::Id), ("ForceDeleteWithoutRecovery", Source::Text("true"))],
    )),
    read: Some(call("DescribeSecret", &[("SecretId", Source::Name)])),
    id: Source::Function(arn),
    attributes: &[("Id", Source::Id)],
    facets: &[tags(
        call("TagResource", &[("SecretId", Source::Id), ("Tags.0", Source::Item(""))]),
        call("UntagResource", &[("SecretId", Source::Id), ("TagKeys.0", Source::Item("Key"))]),
    )],
    shape: Some(one_source),
    draw: Some(Draw {
        property: "GenerateSecretString",
        call: call(
            "GetRandomPassword",
            &[
                ("PasswordLength", Source::Property("GenerateSecretString.PasswordLength")),
                ("ExcludeCharacters", Source::Property("GenerateSecretString.ExcludeCharacters")),
                ("ExcludeNumbers", Source::Property("GenerateSecretString.ExcludeNumbers")),
                ("ExcludePunctuation", Source::Property("GenerateSecretString.ExcludePunctuation")),
                ("ExcludeUppercase", Source::Property("GenerateSecretString.ExcludeUppercase")),
                ("ExcludeLowercase", Source::Property("GenerateSecretString.ExcludeLowercase")),
                ("IncludeSpace", Source::Property("GenerateSecretString.IncludeSpace")),
                ("RequireEachIncludedType", Source::Property("GenerateSecretString.RequireEachIncludedType")),
            ],
        ),
        into: take_password,
    }),
    ..ResourceType::BASE
};

fn arn(known: &Known<'_>) -> Option<Document> {
    let arn = path::get(known.created, "ARN").or_else(|| path::get(known.read, "ARN"));
    arn.cloned().or_else(|| known.id.map(Document::from))
}

fn one_source(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let both = properties.contains_key("SecretString") && properties.contains_key("GenerateSecretString");
    if both { Err("SecretString and GenerateSecretString exclude each other".to_owned()) } else { Ok(()) }
}

/// The password itself, or a template's object with it under the key that the template names.
fn take_password(properties: &mut Properties, answer: &Document) -> Result<(), String> {
    let password = answer.get("RandomPassword").cloned().ok_or("no password was made up")?;
    let asked = &properties["GenerateSecretString"];
    let text = |member: &str| asked.get(member).and_then(Document::as_str);
    let secret = match (text("SecretStringTemplate"), text("GenerateStringKey")) {
        (None, None) => password,
        (Some(template), Some(key)) => {
            let mut object: Document = serde_json::from_str(template)
                .ok()
                .filter(Document::is_object)
                .ok_or("SecretStringTemplate is no JSON object")?;
            object[key] = password;
            object.to_string().into()
        }
        _ => return Err("SecretStringTemplate and GenerateStringKey need each other".to_owned()),
    };
    properties.insert("SecretString".to_owned(), secret);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passwords_go_where_the_template_says() {
        for (asked, expected) in [
            (json!({"PasswordLength": 8}), Ok("pw")),
            (
                json!({"SecretStringTemplate": r#"{"user":"u"}"#, "GenerateStringKey": "p"}),
                Ok(r#"{"user":"u","p":"pw"}"#),
            ),
            (
                json!({"SecretStringTemplate": "[]", "GenerateStringKey": "p"}),
                Err("SecretStringTemplate is no JSON object"),
            ),
            (
                json!({"GenerateStringKey": "p"}),
                Err("SecretStringTemplate and GenerateStringKey need each other"),
            ),
        ] {
            let mut properties = json!({"GenerateSecretString": asked}).as_object().unwrap().clone();
            let taken = take_password(&mut properties, &json!({"RandomPassword": "pw"}));
            match expected {
                Err(message) => assert_eq!(taken.unwrap_err(), message),
                Ok(secret) => assert_eq!((taken, &properties["SecretString"]), (Ok(()), &json!(secret))),
            }
        }
    }
}
