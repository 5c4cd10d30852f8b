//! Tables.

use base::Document;
use serde_json::{Map, json};

use super::super::{
    Changed, Facet, Known, Life, Naming, Place, Properties, Request, ResourceType, Source, Takes, Update,
    aside, call, fixed, open,
};

const ARN: Source = Source::Text("arn:aws:dynamodb:{region}:{account}:table/{name}");

pub(super) const TABLE: ResourceType = ResourceType {
    name: "AWS::DynamoDB::Table",
    service: "dynamodb",
    properties: &[
        fixed("TableName"),
        fixed("KeySchema"),
        fixed("LocalSecondaryIndexes"),
        aside("AttributeDefinitions").to("AttributeDefinitions"),
        aside("GlobalSecondaryIndexes").to("GlobalSecondaryIndexes"),
        open("BillingMode").reset("\"PROVISIONED\""),
        open("DeletionProtectionEnabled").reset("false"),
        open("OnDemandThroughput"),
        open("ProvisionedThroughput"),
        open("SSESpecification").reset(r#"{"Enabled": false}"#),
        open("StreamSpecification").reset(r#"{"StreamEnabled": false}"#),
        open("TableClass").reset("\"STANDARD\""),
        aside("PointInTimeRecoverySpecification"),
        aside("TimeToLiveSpecification"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("TableName", 255)),
    create: Some(call("CreateTable", &[])),
    updates: &[Update { call: call("UpdateTable", &[("TableName", Source::Id)]), takes: Takes::Changed }],
    delete: Some(call("DeleteTable", &[("TableName", Source::Id)])),
    read: Some(call("DescribeTable", &[("TableName", Source::Name)])),
    attributes: &[("Arn", ARN), ("StreamArn", Source::Read("Table.LatestStreamArn"))],
    facets: &[
        Facet {
            property: "TimeToLiveSpecification",
            many: false,
            put: Some(call(
                "UpdateTimeToLive",
                &[("TableName", Source::Id), ("TimeToLiveSpecification", Source::Item(""))],
            )),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "PointInTimeRecoverySpecification",
            many: false,
            // Only what turns recovery off may turn it off: a change of its period must not lose what is kept.
            key: "PointInTimeRecoveryEnabled",
            put: Some(call(
                "UpdateContinuousBackups",
                &[("TableName", Source::Id), ("PointInTimeRecoverySpecification", Source::Item(""))],
            )),
            remove: Some(call(
                "UpdateContinuousBackups",
                &[
                    ("TableName", Source::Id),
                    ("PointInTimeRecoverySpecification", Source::Function(no_recovery)),
                ],
            )),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "Tags",
            key: "Key",
            put: Some(call("TagResource", &[("ResourceArn", ARN), ("Tags.0", Source::Item(""))])),
            remove: Some(call("UntagResource", &[("ResourceArn", ARN), ("TagKeys.0", Source::Item("Key"))])),
            life: Life::Changes,
            ..Facet::BASE
        },
    ],
    shape: Some(specifications),
    changes: Some(indexes),
    ready: Some(("Table.TableStatus", &["ACTIVE"])),
    slow_delete: true,
    ..ResourceType::BASE
};

/// A table with one replica, where the stack is: what CDK makes of a table today.
pub(super) const GLOBAL_TABLE: ResourceType = ResourceType {
    name: "AWS::DynamoDB::GlobalTable",
    properties: &[
        fixed("TableName"),
        fixed("KeySchema"),
        fixed("LocalSecondaryIndexes"),
        aside("AttributeDefinitions").to("AttributeDefinitions"),
        aside("GlobalSecondaryIndexes").to("GlobalSecondaryIndexes"),
        aside("Replicas"),
        open("BillingMode").reset("\"PROVISIONED\""),
        open("DeletionProtectionEnabled").reset("false"),
        open("SSESpecification").reset(r#"{"Enabled": false}"#),
        open("StreamSpecification").reset(r#"{"StreamEnabled": false}"#),
        open("TableClass").reset("\"STANDARD\""),
        aside("PointInTimeRecoverySpecification"),
        aside("TimeToLiveSpecification"),
        aside("Tags").to("Tags"),
    ],
    attributes: &[
        ("Arn", ARN),
        ("StreamArn", Source::Read("Table.LatestStreamArn")),
        ("TableId", Source::Read("Table.TableId")),
    ],
    shape: Some(replica),
    ..TABLE
};

/// The one replica's settings are the table's.
fn replica(properties: &mut Properties, place: &Place) -> Result<(), String> {
    let replicas = properties.remove("Replicas").unwrap_or_default();
    let Some([Document::Object(replica)]) = replicas.as_array().map(Vec::as_slice) else {
        return Err(
            "replicas in other regions are not supported by Buswork: give one, in the stack's region"
                .to_owned(),
        );
    };
    for (name, value) in replica {
        match name.as_str() {
            "Region" if *value == *place.region => {}
            "Region" => return Err(format!("a replica in {value} is not supported by Buswork")),
            "DeletionProtectionEnabled" | "PointInTimeRecoverySpecification" | "TableClass" => {
                properties.insert(name.clone(), value.clone());
            }
            "Tags" => {
                let own = properties.entry("Tags").or_insert_with(|| json!([]));
                if let (Some(own), Some(tags)) = (own.as_array_mut(), value.as_array()) {
                    own.retain(|tag| !tags.iter().any(|other| other["Key"] == tag["Key"]));
                    own.extend(tags.iter().cloned());
                }
            }
            other => return Err(format!("#/Replicas/0: extraneous key [{other}] is not permitted")),
        }
    }
    specifications(properties, place)
}

/// What a template leaves to be understood, the operation wants said.
fn specifications(properties: &mut Properties, _: &Place) -> Result<(), String> {
    if let Some(Document::Object(stream)) = properties.get_mut("StreamSpecification") {
        stream.entry("StreamEnabled").or_insert(true.into());
    }
    if let Some(Document::Object(recovery)) = properties.get_mut("PointInTimeRecoverySpecification") {
        recovery.entry("PointInTimeRecoveryEnabled").or_insert(false.into());
    }
    if let Some(Document::Object(encryption)) = properties.get_mut("SSESpecification")
        && let Some(enabled) = encryption.remove("SSEEnabled")
    {
        encryption.insert("Enabled".to_owned(), enabled);
    }
    Ok(())
}

fn no_recovery(_: &Known<'_>) -> Option<Document> {
    Some(json!({"PointInTimeRecoveryEnabled": false}))
}

/// One UpdateTable for each index that comes, goes or changes: the operation takes one at a time.
fn indexes(change: &Changed<'_>) -> Vec<Request> {
    let list = |properties: &Properties| match properties.get("GlobalSecondaryIndexes") {
        Some(Document::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    let (old, new) = (list(change.old), list(change.new));
    let named =
        |items: &[Document], name: &Document| items.iter().find(|item| item["IndexName"] == *name).cloned();
    let mut actions = Vec::new();
    for index in old.iter().filter(|index| named(&new, &index["IndexName"]).is_none()) {
        actions.push(json!({"Delete": {"IndexName": index["IndexName"]}}));
    }
    for index in &new {
        match named(&old, &index["IndexName"]) {
            None => actions.push(json!({"Create": index})),
            Some(before) if before == *index => {}
            Some(_) => actions.push(json!({"Update": throughput_of(index)})),
        }
    }
    let request = |action: Document| {
        let mut input = json!({"TableName": change.id, "GlobalSecondaryIndexUpdates": [action]});
        if let Some(definitions) = change.new.get("AttributeDefinitions") {
            input["AttributeDefinitions"] = definitions.clone();
        }
        Request { operation: "UpdateTable", input }
    };
    actions.into_iter().map(request).collect()
}

/// The only thing of an index that can be changed in place.
fn throughput_of(index: &Document) -> Document {
    let members = ["IndexName", "ProvisionedThroughput", "OnDemandThroughput"];
    let member = |name: &&str| Some(((*name).to_owned(), index.get(*name)?.clone()));
    Document::Object(members.iter().filter_map(member).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_change_one_at_a_time() {
        let properties = |value: Document| value.as_object().unwrap().clone();
        let old = properties(json!({"GlobalSecondaryIndexes": [{"IndexName": "a"}, {"IndexName": "b"}]}));
        let new = properties(json!({
            "AttributeDefinitions": [1],
            "GlobalSecondaryIndexes": [{"IndexName": "b"}, {"IndexName": "c", "KeySchema": []}]
        }));
        let requests = indexes(&Changed { id: "t", old: &old, new: &new });
        let inputs: Vec<Document> = requests.into_iter().map(|request| request.input).collect();
        let input = |action: Document| json!({"TableName": "t", "GlobalSecondaryIndexUpdates": [action], "AttributeDefinitions": [1]});
        let create = json!({"Create": {"IndexName": "c", "KeySchema": []}});
        assert_eq!(inputs, [input(json!({"Delete": {"IndexName": "a"}})), input(create)]);
    }

    #[test]
    fn recovery_is_turned_off_only_by_what_says_so() {
        let properties = |recovery: Option<Document>| {
            let named = |recovery| ("PointInTimeRecoverySpecification".to_owned(), recovery);
            recovery.map(named).into_iter().collect::<Properties>()
        };
        let on = |days: u32| Some(json!({"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": days}));
        let off = json!({"PointInTimeRecoveryEnabled": false});
        let cases = [
            (on(7), on(7), json!([])),
            (on(7), on(14), json!([on(14)])),
            (on(7), None, json!([off])),
            (on(7), Some(off.clone()), json!([off, off])),
            (None, on(7), json!([on(7)])),
        ];
        let place = Place { account: String::new(), region: String::new(), endpoint: String::new() };
        for (old, new, expected) in cases {
            let (old, new) = (properties(old), properties(new));
            let known = Known {
                id: Some("t"),
                name: None,
                properties: &new,
                created: &Document::Null,
                read: &Document::Null,
                item: &Document::Null,
                place: &place,
            };
            let requests = super::super::super::request::facet(&TABLE.facets[1], &old, &known);
            let said: Vec<Document> = requests
                .into_iter()
                .map(|request| request.input["PointInTimeRecoverySpecification"].clone())
                .collect();
            assert_eq!(Document::Array(said), expected);
        }
    }
}
