//! `AWS::Serverless::Function`.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html>

use base::Document;
use serde_json::json;

use super::policy::{Policies, managed};
use super::{Declared, Made, Members, after, event, package, role, tag_list};
use crate::template::error::TemplateError;

/// Properties that go to the function as they are.
const SAME: [(&str, &str); 17] = [
    ("Architectures", "Architectures"),
    ("Description", "Description"),
    ("Environment", "Environment"),
    ("EphemeralStorage", "EphemeralStorage"),
    ("FunctionName", "FunctionName"),
    ("Handler", "Handler"),
    ("ImageConfig", "ImageConfig"),
    ("KmsKeyArn", "KmsKeyArn"),
    ("Layers", "Layers"),
    ("LoggingConfig", "LoggingConfig"),
    ("MemorySize", "MemorySize"),
    ("PackageType", "PackageType"),
    ("ReservedConcurrentExecutions", "ReservedConcurrentExecutions"),
    ("Runtime", "Runtime"),
    ("SnapStart", "SnapStart"),
    ("Timeout", "Timeout"),
    ("VpcConfig", "VpcConfig"),
];

/// Properties that something is made of.
const MORE: [&str; 16] = [
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "CodeUri",
    "DeadLetterQueue",
    "EventInvokeConfig",
    "Events",
    "FunctionUrlConfig",
    "ImageUri",
    "InlineCode",
    "PermissionsBoundary",
    "Policies",
    "Role",
    "RolePath",
    "Tags",
    "Tracing",
    "VersionDescription",
];

pub(super) fn make(declared: &Declared, made: &mut Made) -> Result<(), TemplateError> {
    let known: Vec<&str> = SAME.iter().map(|(name, _)| *name).chain(MORE).collect();
    declared.check(&known)?;
    let id = &declared.logical_id;
    let mut properties = declared.copied(&SAME);
    properties.insert("Code".to_owned(), code(declared)?);
    if let Some(tags) = declared.get("Tags") {
        properties.insert("Tags".to_owned(), tag_list(tags));
    }
    if let Some(mode) = declared.get("Tracing").filter(|mode| **mode != "Disabled") {
        properties.insert("TracingConfig".to_owned(), json!({ "Mode": mode }));
    }
    if let Some(arn) = declared.get("DeadLetterQueue").and_then(|queue| queue.get("TargetArn")) {
        properties.insert("DeadLetterConfig".to_owned(), json!({ "TargetArn": arn }));
    }
    let mut policies = Policies::read(declared, &base(declared))?;
    let target = publish(declared, made, &properties)?;
    event::of_function(declared, &target, &mut policies, made)?;
    let given = declared.get("Role").cloned();
    let own = given.unwrap_or_else(|| json!({ "Fn::GetAtt": [format!("{id}Role"), "Arn"] }));
    properties.insert("Role".to_owned(), own);
    if declared.get("Role").is_none() {
        made.put(format!("{id}Role"), role(declared, "lambda.amazonaws.com", policies));
    }
    beside(declared, &target, made)?;
    made.put(id.clone(), declared.itself("AWS::Lambda::Function", properties));
    Ok(())
}

fn base(declared: &Declared) -> Vec<&'static str> {
    let mut names = vec!["AWSLambdaBasicExecutionRole"];
    if declared.get("VpcConfig").is_some() {
        names.push("AWSLambdaVPCAccessExecutionRole");
    }
    if declared.get("Tracing").is_some_and(|mode| mode != "Disabled") {
        names.push("AWSXrayWriteOnlyAccess");
    }
    names
}

fn code(declared: &Declared) -> Result<Document, TemplateError> {
    if let Some(code) = declared.get("InlineCode") {
        return Ok(json!({ "ZipFile": code }));
    }
    if let Some(uri) = declared.get("ImageUri") {
        return Ok(json!({ "ImageUri": uri }));
    }
    let packaged = package(declared, "CodeUri")?;
    packaged.ok_or_else(|| declared.invalid("One of 'CodeUri', 'InlineCode' or 'ImageUri' must be set."))
}

/// What events are delivered to: the function, or the alias under which it is published.
pub(super) enum Target {
    Function(String),
    Alias(String),
}

impl Target {
    pub(super) fn reference(&self) -> Document {
        match self {
            Target::Function(id) | Target::Alias(id) => json!({ "Ref": id }),
        }
    }

    /// `Ref` of a function is its name, that of an alias is its ARN.
    pub(super) fn arn(&self) -> Document {
        match self {
            Target::Function(id) => json!({ "Fn::GetAtt": [id, "Arn"] }),
            Target::Alias(id) => json!({ "Ref": id }),
        }
    }
}

/// With `AutoPublishAlias`, a version for each package, and an alias that leads to it.
fn publish(declared: &Declared, made: &mut Made, properties: &Members) -> Result<Target, TemplateError> {
    let id = &declared.logical_id;
    let Some(alias) = declared.get("AutoPublishAlias") else { return Ok(Target::Function(id.clone())) };
    let alias = alias.as_str().ok_or_else(|| declared.invalid("'AutoPublishAlias' must be a string."))?;
    let version_id = format!("{id}Version{}", digest(&properties["Code"]));
    let alias_id =
        format!("{id}Alias{}", alias.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    let mut version = Members::new();
    version.insert("FunctionName".to_owned(), json!({ "Ref": id }));
    version.extend(declared.get("VersionDescription").map(|text| ("Description".to_owned(), text.clone())));
    let mut resource = declared.beside("AWS::Lambda::Version", version);
    resource["DeletionPolicy"] = "Retain".into();
    made.put(version_id.clone(), resource);
    let properties = json!({
        "Name": alias,
        "FunctionName": { "Ref": id },
        "FunctionVersion": { "Fn::GetAtt": [version_id, "Version"] },
    });
    let properties = properties.as_object().cloned().unwrap_or_default();
    made.put(alias_id.clone(), declared.beside("AWS::Lambda::Alias", properties));
    made.aliases.push((format!("{id}.Version"), version_id));
    made.aliases.push((format!("{id}.Alias"), alias_id.clone()));
    Ok(Target::Alias(alias_id))
}

/// Ten digits that another package changes: FNV-1a, because it needs to be the same for ever, not to be safe.
fn digest(code: &Document) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = code.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")[..10].to_owned()
}

/// The URL and the configuration of asynchronous invocation.
fn beside(declared: &Declared, target: &Target, made: &mut Made) -> Result<(), TemplateError> {
    let id = &declared.logical_id;
    let qualifier = match (target, declared.get("AutoPublishAlias")) {
        (Target::Alias(_), Some(alias)) => Some(alias.clone()),
        _ => None,
    };
    // They name the alias by its name, which says nothing of the order.
    let put = |made: &mut Made, logical_id: String, mut resource: Document| {
        if let Target::Alias(alias) = target {
            after(&mut resource, alias);
        }
        made.put(logical_id, resource);
    };
    if let Some(config) = declared.get("FunctionUrlConfig") {
        let mut properties = config.as_object().cloned().unwrap_or_default();
        properties.insert("TargetFunctionArn".to_owned(), json!({ "Ref": id }));
        properties.extend(qualifier.clone().map(|name| ("Qualifier".to_owned(), name)));
        let open = properties.get("AuthType").is_some_and(|kind| kind == "NONE");
        put(made, format!("{id}Url"), declared.beside("AWS::Lambda::Url", properties));
        if open {
            let permission = json!({
                "Action": "lambda:InvokeFunctionUrl",
                "FunctionName": target.reference(),
                "FunctionUrlAuthType": "NONE",
                "Principal": "*",
            });
            let permission = permission.as_object().cloned().unwrap_or_default();
            let permission = declared.beside("AWS::Lambda::Permission", permission);
            put(made, format!("{id}UrlPublicPermissions"), permission);
        }
    }
    if let Some(config) = declared.get("EventInvokeConfig") {
        let mut properties = config.as_object().cloned().unwrap_or_default();
        if let Some(destinations) = properties.get_mut("DestinationConfig").and_then(Document::as_object_mut)
        {
            for end in destinations.values_mut() {
                let arn = end.get("Destination").cloned().ok_or_else(|| {
                    declared.unsupported("a destination that the transform makes: give its Destination")
                })?;
                *end = json!({ "Destination": arn });
            }
        }
        properties.insert("FunctionName".to_owned(), json!({ "Ref": id }));
        properties.insert("Qualifier".to_owned(), qualifier.unwrap_or_else(|| "$LATEST".into()));
        let config = declared.beside("AWS::Lambda::EventInvokeConfig", properties);
        put(made, format!("{id}EventInvokeConfig"), config);
    }
    Ok(())
}

/// A managed policy that a source needs.
pub(super) fn reader(name: &str) -> Document {
    managed(name)
}
