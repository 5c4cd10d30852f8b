//! What belongs to functions: permissions, versions, aliases, URLs, configurations of asynchronous invocation.

use base::Document;
use serde_json::Map;

use super::super::{
    Known, Naming, Place, Properties, ResourceType, Source, Takes, Update, call, fixed, open, path,
};

const FUNCTION: Source = Source::Property("FunctionName");

pub(super) const PERMISSION: ResourceType = ResourceType {
    name: "AWS::Lambda::Permission",
    service: "lambda",
    properties: &[
        fixed("FunctionName"),
        fixed("Action"),
        fixed("Principal"),
        fixed("EventSourceToken"),
        fixed("FunctionUrlAuthType"),
        fixed("InvokedViaFunctionUrl"),
        fixed("PrincipalOrgID"),
        fixed("SourceAccount"),
        fixed("SourceArn"),
    ],
    naming: Some(Naming::new("", 100)),
    create: Some(call("AddPermission", &[("StatementId", Source::Name)])),
    delete: Some(call("RemovePermission", &[("FunctionName", FUNCTION), ("StatementId", Source::Id)])),
    attributes: &[("Id", Source::Id)],
    ..ResourceType::BASE
};

pub(super) const VERSION: ResourceType = ResourceType {
    name: "AWS::Lambda::Version",
    service: "lambda",
    properties: &[fixed("FunctionName"), fixed("CodeSha256"), fixed("Description")],
    create: Some(call("PublishVersion", &[])),
    delete: Some(call(
        "DeleteFunction",
        &[("FunctionName", FUNCTION), ("Qualifier", Source::Function(version_of_id))],
    )),
    id: Source::Function(version_arn),
    attributes: &[("FunctionArn", Source::Id), ("Version", Source::Function(version_of_id))],
    ..ResourceType::BASE
};

/// Publishing again what has not changed answers the version that there is, so a second run finds the first one's.
fn version_arn(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "FunctionArn").cloned().or_else(|| known.id.map(Document::from))
}

fn version_of_id(known: &Known<'_>) -> Option<Document> {
    known.id?.rsplit(':').next().map(Document::from)
}

pub(super) const ALIAS: ResourceType = ResourceType {
    name: "AWS::Lambda::Alias",
    service: "lambda",
    properties: &[
        fixed("FunctionName"),
        fixed("Name"),
        open("Description").reset("\"\""),
        open("FunctionVersion"),
        open("RoutingConfig").reset(r#"{"AdditionalVersionWeights": {}}"#),
    ],
    naming: Some(Naming::new("Name", 128)),
    create: Some(call("CreateAlias", &[])),
    updates: &[Update {
        call: call("UpdateAlias", &[("FunctionName", FUNCTION), ("Name", Source::Name)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteAlias", &[("FunctionName", FUNCTION), ("Name", Source::Name)])),
    read: Some(call("GetAlias", &[("FunctionName", FUNCTION), ("Name", Source::Name)])),
    id: Source::Function(alias_arn),
    attributes: &[("AliasArn", Source::Id)],
    shape: Some(weights),
    ..ResourceType::BASE
};

fn alias_arn(known: &Known<'_>) -> Option<Document> {
    let function = known.properties.get("FunctionName")?.as_str()?;
    let (place, name) = (known.place, known.name?);
    let function = match function.starts_with("arn:") {
        true => function.to_owned(),
        false => format!("arn:aws:lambda:{}:{}:function:{function}", place.region, place.account),
    };
    Some(format!("{function}:{name}").into())
}

/// A template lists the weights; the operation takes them by version.
fn weights(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let Some(routing) = properties.get_mut("RoutingConfig") else { return Ok(()) };
    let Some(Document::Array(list)) = routing.get("AdditionalVersionWeights") else { return Ok(()) };
    let entry = |item: &Document| {
        let version = item.get("FunctionVersion")?.as_str()?.to_owned();
        Some((version, item.get("FunctionWeight")?.clone()))
    };
    let weights: Option<Map<String, Document>> = list.iter().map(entry).collect();
    let weights =
        weights.ok_or("every AdditionalVersionWeights item needs FunctionVersion and FunctionWeight")?;
    routing["AdditionalVersionWeights"] = Document::Object(weights);
    Ok(())
}

const TARGET: Source = Source::Property("TargetFunctionArn");
const QUALIFIER: Source = Source::Property("Qualifier");

pub(super) const URL: ResourceType = ResourceType {
    name: "AWS::Lambda::Url",
    service: "lambda",
    properties: &[
        fixed("TargetFunctionArn").to("FunctionName"),
        fixed("Qualifier"),
        open("AuthType"),
        open("Cors").reset("{}"),
        open("InvokeMode").reset("\"BUFFERED\""),
    ],
    create: Some(call("CreateFunctionUrlConfig", &[])),
    updates: &[Update {
        call: call("UpdateFunctionUrlConfig", &[("FunctionName", TARGET), ("Qualifier", QUALIFIER)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteFunctionUrlConfig", &[("FunctionName", TARGET), ("Qualifier", QUALIFIER)])),
    read: Some(call("GetFunctionUrlConfig", &[("FunctionName", TARGET), ("Qualifier", QUALIFIER)])),
    id: Source::Function(url_id),
    attributes: &[("FunctionArn", Source::Read("FunctionArn")), ("FunctionUrl", Source::Read("FunctionUrl"))],
    ..ResourceType::BASE
};

fn url_id(known: &Known<'_>) -> Option<Document> {
    let arn = path::get(known.created, "FunctionArn").or_else(|| path::get(known.read, "FunctionArn"));
    arn.cloned().or_else(|| known.id.map(Document::from))
}

pub(super) const EVENT_INVOKE_CONFIG: ResourceType = ResourceType {
    name: "AWS::Lambda::EventInvokeConfig",
    service: "lambda",
    properties: &[
        fixed("FunctionName"),
        fixed("Qualifier"),
        open("DestinationConfig"),
        open("MaximumEventAgeInSeconds"),
        open("MaximumRetryAttempts"),
    ],
    naming: Some(Naming::new("", 100)),
    create: Some(call("PutFunctionEventInvokeConfig", &[])),
    updates: &[Update {
        call: call("PutFunctionEventInvokeConfig", &[("FunctionName", FUNCTION), ("Qualifier", QUALIFIER)]),
        takes: Takes::All,
    }],
    delete: Some(call(
        "DeleteFunctionEventInvokeConfig",
        &[("FunctionName", FUNCTION), ("Qualifier", QUALIFIER)],
    )),
    ..ResourceType::BASE
};

/// Each publishing makes a version of its own, so a second run after a crash leaves one version too many.
pub(super) const LAYER_VERSION: ResourceType = ResourceType {
    name: "AWS::Lambda::LayerVersion",
    service: "lambda",
    properties: &[
        fixed("LayerName"),
        fixed("Content"),
        fixed("CompatibleArchitectures"),
        fixed("CompatibleRuntimes"),
        fixed("Description"),
        fixed("LicenseInfo"),
    ],
    naming: Some(Naming { shared: true, ..Naming::new("LayerName", 140) }),
    create: Some(call("PublishLayerVersion", &[])),
    delete: Some(call(
        "DeleteLayerVersion",
        &[("LayerName", Source::Name), ("VersionNumber", Source::Function(version_of_id))],
    )),
    id: Source::Function(layer_arn),
    attributes: &[("LayerVersionArn", Source::Id)],
    ..ResourceType::BASE
};

fn layer_arn(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "LayerVersionArn").cloned().or_else(|| known.id.map(Document::from))
}
