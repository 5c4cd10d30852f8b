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
            remove: Some(call(
                "UpdateTimeToLive",
                &[
                    ("TableName", Source::Id),
                    ("TimeToLiveSpecification", Source::Item("")),
                    ("TimeToLiveSpecification.Enabled", Source::Function(off)),
                ],
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
    objection: Some(index_objection),
    already: &[
        "TimeToLive is already enabled",
        "TimeToLive is already disabled",
        "Duplicate index name: ",
        "Requested resource not found: Index: ",
    ],
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
    // Time to live that is off is as if it had not been written: the operation refuses what is so already.
    let lives = |specification: &Document| {
        let enabled = &specification["Enabled"];
        *enabled == true || *enabled == "true"
    };
    if !properties.get("TimeToLiveSpecification").is_some_and(lives) {
        properties.remove("TimeToLiveSpecification");
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

fn off(_: &Known<'_>) -> Option<Document> {
    Some(false.into())
}

fn no_recovery(_: &Known<'_>) -> Option<Document> {
    Some(json!({"PointInTimeRecoveryEnabled": false}))
}

fn index_list(properties: &Properties) -> &[Document] {
    properties.get("GlobalSecondaryIndexes").and_then(Document::as_array).map_or(&[], Vec::as_slice)
}

fn named<'i>(items: &'i [Document], name: &Document) -> Option<&'i Document> {
    items.iter().find(|item| item["IndexName"] == *name)
}

/// What of the indexes cannot be changed, or not at once.
fn index_objection(change: &Changed<'_>) -> Option<String> {
    let (old, new) = (index_list(change.old), index_list(change.new));
    let fixed = |index: &Document| {
        let mut index = index.clone();
        if let Some(members) = index.as_object_mut() {
            THROUGHPUT.iter().for_each(|name| drop(members.remove(*name)));
        }
        index
    };
    let changed =
        |index: &&Document| named(old, &index["IndexName"]).is_some_and(|old| fixed(old) != fixed(index));
    if new.iter().any(|index| changed(&index)) {
        let text = "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights \
                    Specification. You can create a new GSI with a different name.";
        return Some(text.to_owned());
    }
    let without = |one: &[Document], other: &[Document]| {
        one.iter().filter(|i| named(other, &i["IndexName"]).is_none()).count()
    };
    let text = "Cannot perform more than one GSI creation or deletion in a single update";
    (without(old, new) + without(new, old) > 1).then(|| text.to_owned())
}

/// One UpdateTable for each index that goes, changes or comes: the operation takes one at a time, and none while an index is
/// being filled.
fn indexes(change: &Changed<'_>) -> Vec<Request> {
    let (old, new) = (index_list(change.old), index_list(change.new));
    let mut actions = Vec::new();
    for index in old.iter().filter(|index| named(new, &index["IndexName"]).is_none()) {
        actions.push(json!({"Delete": {"IndexName": index["IndexName"]}}));
    }
    let (known, created): (Vec<_>, Vec<_>) =
        new.iter().partition(|index| named(old, &index["IndexName"]).is_some());
    for index in known.into_iter().filter(|index| named(old, &index["IndexName"]) != Some(index)) {
        actions.push(json!({"Update": throughput_of(index)}));
    }
    actions.extend(created.into_iter().map(|index| json!({"Create": index})));
    let request = |action: Document| {
        let mut input = json!({"TableName": change.id, "GlobalSecondaryIndexUpdates": [action]});
        if let Some(definitions) = change.new.get("AttributeDefinitions") {
            input["AttributeDefinitions"] = definitions.clone();
        }
        Request { operation: "UpdateTable", input }
    };
    actions.into_iter().map(request).collect()
}

const THROUGHPUT: [&str; 3] = ["ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"];

/// The only thing of an index that can be changed in place.
fn throughput_of(index: &Document) -> Document {
    let member = |name: &&str| Some(((*name).to_owned(), index.get(*name)?.clone()));
    Document::Object(["IndexName"].iter().chain(&THROUGHPUT).filter_map(member).collect::<Map<_, _>>())
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
    fn indexes_that_cannot_change_are_refused() {
        let properties = |indexes: &[Document]| {
            let list = Document::from(indexes.to_vec());
            [("GlobalSecondaryIndexes".to_owned(), list)].into_iter().collect::<Properties>()
        };
        let index = |name: &str, key: &str, units: u32| json!({"IndexName": name, "KeySchema": [key], "ProvisionedThroughput": units});
        let (a, b, c) = (index("a", "k", 1), index("b", "k", 1), index("c", "k", 1));
        let several = Some("Cannot perform more than one GSI");
        for (old, new, expected) in [
            (vec![a.clone()], vec![a.clone(), b.clone()], None),
            (vec![a.clone()], vec![], None),
            (vec![a.clone()], vec![index("a", "k", 2), b.clone()], None),
            (vec![a.clone()], vec![a.clone(), b.clone(), c.clone()], several),
            (vec![a.clone()], vec![b], several),
            (vec![a.clone(), c], vec![], several),
            (vec![a], vec![index("a", "other", 1)], Some("Cannot update GSI's properties other than")),
        ] {
            let (old, new) = (properties(&old), properties(&new));
            let objection = index_objection(&Changed { id: "t", old: &old, new: &new });
            match (&objection, expected) {
                (None, None) => {}
                (Some(text), Some(begin)) => assert!(text.starts_with(begin), "{text}"),
                _ => panic!("{old:?} {new:?}: {objection:?}"),
            }
        }
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
