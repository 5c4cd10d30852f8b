//! Topics, subscriptions and topic policies.

use base::Document;
use serde_json::json;

use super::super::{
    Changed, Facet, Known, Life, Naming, Place, Properties, Property, Request, ResourceType, Source, aside,
    call, fixed, only, path, tags,
};

const fn attribute(name: &'static str, to: &'static str) -> Property {
    aside(name).to(to)
}

pub(super) const TOPIC: ResourceType = ResourceType {
    name: "AWS::SNS::Topic",
    service: "sns",
    properties: &[
        fixed("TopicName").to("Name"),
        fixed("FifoTopic").to("Attributes.FifoTopic"),
        attribute("ArchivePolicy", "Attributes.ArchivePolicy"),
        attribute("ContentBasedDeduplication", "Attributes.ContentBasedDeduplication"),
        attribute("DisplayName", "Attributes.DisplayName"),
        attribute("FifoThroughputScope", "Attributes.FifoThroughputScope"),
        attribute("KmsMasterKeyId", "Attributes.KmsMasterKeyId"),
        attribute("SignatureVersion", "Attributes.SignatureVersion"),
        attribute("TracingConfig", "Attributes.TracingConfig"),
        aside("Subscription"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming { suffix: Some(("FifoTopic", ".fifo")), ..Naming::new("TopicName", 256) }),
    create: Some(call("CreateTopic", &[])),
    delete: Some(call("DeleteTopic", &[("TopicArn", Source::Id)])),
    read: Some(call("GetTopicAttributes", &[("TopicArn", Source::Text(TOPIC_ARN))])),
    id: Source::Text(TOPIC_ARN),
    attributes: &[("TopicArn", Source::Id), ("TopicName", Source::Name)],
    facets: &[
        // As on AWS, a subscription that leaves the list stays; those of a topic that goes, go with it.
        Facet {
            property: "Subscription",
            put: Some(call(
                "Subscribe",
                &[
                    ("TopicArn", Source::Id),
                    ("Protocol", Source::Item("Protocol")),
                    ("Endpoint", Source::Item("Endpoint")),
                ],
            )),
            life: Life::Set,
            ..Facet::BASE
        },
        tags(
            call("TagResource", &[("ResourceArn", Source::Id), ("Tags.0", Source::Item(""))]),
            call("UntagResource", &[("ResourceArn", Source::Id), ("TagKeys.0", Source::Item("Key"))]),
        ),
    ],
    shape: Some(subscriptions),
    changes: Some(topic_attributes),
    ..ResourceType::BASE
};

/// A subscription inside a topic is a protocol and an endpoint; one with more to it is a resource of its own.
fn subscriptions(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let items = properties.get("Subscription").and_then(Document::as_array);
    for (index, item) in items.into_iter().flatten().enumerate() {
        only(item, &format!("/Subscription/{index}"), &["Endpoint", "Protocol"])?;
    }
    Ok(())
}

const TOPIC_ARN: &str = "arn:aws:sns:{region}:{account}:{name}";

/// One call for each attribute that changes.
fn topic_attributes(change: &Changed<'_>) -> Vec<Request> {
    let attributes = TOPIC.properties.iter().filter(|property| property.to.starts_with("Attributes."));
    let defaults = [
        ("ContentBasedDeduplication", "false"),
        ("SignatureVersion", "1"),
        ("TracingConfig", "PassThrough"),
        ("FifoThroughputScope", "Topic"),
        ("ArchivePolicy", "{}"),
    ];
    each_attribute(change, attributes, &defaults, ("SetTopicAttributes", "TopicArn"))
}

fn each_attribute<'p>(
    change: &Changed<'_>,
    attributes: impl Iterator<Item = &'p Property>,
    defaults: &[(&str, &str)],
    (operation, of): (&'static str, &str),
) -> Vec<Request> {
    let mut requests = Vec::new();
    for property in attributes {
        let (old, new) = (change.old.get(property.name), change.new.get(property.name));
        if old == new {
            continue;
        }
        let default = defaults.iter().find(|(name, _)| *name == property.name).map_or("", |(_, value)| value);
        let name = property.to.strip_prefix("Attributes.").unwrap_or(property.to);
        let value = new.cloned().unwrap_or_else(|| default.into());
        let input = json!({ of: change.id, "AttributeName": name, "AttributeValue": value });
        requests.push(Request { operation, input });
    }
    requests
}

pub(super) const SUBSCRIPTION: ResourceType = ResourceType {
    name: "AWS::SNS::Subscription",
    service: "sns",
    properties: &[
        fixed("TopicArn"),
        fixed("Protocol"),
        fixed("Endpoint"),
        attribute("DeliveryPolicy", "Attributes.DeliveryPolicy"),
        attribute("FilterPolicy", "Attributes.FilterPolicy"),
        attribute("FilterPolicyScope", "Attributes.FilterPolicyScope"),
        attribute("RawMessageDelivery", "Attributes.RawMessageDelivery"),
        attribute("RedrivePolicy", "Attributes.RedrivePolicy"),
        attribute("ReplayPolicy", "Attributes.ReplayPolicy"),
        attribute("SubscriptionRoleArn", "Attributes.SubscriptionRoleArn"),
    ],
    create: Some(call("Subscribe", &[("ReturnSubscriptionArn", Source::Text("true"))])),
    delete: Some(call("Unsubscribe", &[("SubscriptionArn", Source::Id)])),
    id: Source::Function(subscription_arn),
    attributes: &[("Arn", Source::Id)],
    changes: Some(subscription_attributes),
    ..ResourceType::BASE
};

/// Subscribing again answers the subscription that there is, so a second run finds the first one's.
fn subscription_arn(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "SubscriptionArn").cloned().or_else(|| known.id.map(Document::from))
}

fn subscription_attributes(change: &Changed<'_>) -> Vec<Request> {
    let attributes = SUBSCRIPTION.properties.iter().filter(|property| property.to.starts_with("Attributes."));
    let defaults =
        [("FilterPolicy", "{}"), ("FilterPolicyScope", "MessageAttributes"), ("RawMessageDelivery", "false")];
    each_attribute(change, attributes, &defaults, ("SetSubscriptionAttributes", "SubscriptionArn"))
}

pub(super) const TOPIC_POLICY: ResourceType = ResourceType {
    name: "AWS::SNS::TopicPolicy",
    service: "sns",
    properties: &[aside("PolicyDocument"), aside("Topics")],
    naming: Some(Naming::new("", 100)),
    attributes: &[("Id", Source::Id)],
    facets: &[Facet {
        property: "Topics",
        put: Some(call(
            "SetTopicAttributes",
            &[
                ("TopicArn", Source::Item("")),
                ("AttributeName", Source::Text("Policy")),
                ("AttributeValue", Source::Property("PolicyDocument")),
            ],
        )),
        remove: Some(call(
            "SetTopicAttributes",
            &[
                ("TopicArn", Source::Item("")),
                ("AttributeName", Source::Text("Policy")),
                ("AttributeValue", Source::Function(default_policy)),
            ],
        )),
        also_on: &["PolicyDocument"],
        ..Facet::BASE
    }],
    ..ResourceType::BASE
};

/// The policy that a topic has from its beginning: its owner's.
/// <https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html>
fn default_policy(known: &Known<'_>) -> Option<Document> {
    let actions = [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    ];
    let statement = json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": { "AWS": "*" },
        "Action": actions,
        "Resource": known.item,
        "Condition": { "StringEquals": { "AWS:SourceOwner": known.place.account } },
    });
    Some(json!({ "Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_change_one_at_a_time() {
        let properties = |value: Document| value.as_object().unwrap().clone();
        let old = properties(json!({"DisplayName": "a", "SignatureVersion": "2", "KmsMasterKeyId": "k"}));
        let new = properties(json!({"DisplayName": "b", "KmsMasterKeyId": "k"}));
        let requests = topic_attributes(&Changed { id: "arn", old: &old, new: &new });
        let inputs: Vec<Document> = requests.into_iter().map(|request| request.input).collect();
        let input = |name: &str, value: &str| json!({"TopicArn": "arn", "AttributeName": name, "AttributeValue": value});
        assert_eq!(inputs, [input("DisplayName", "b"), input("SignatureVersion", "1")]);
    }
}
