//! Log groups, their streams and subscription filters, and resource policies.

use super::super::{Facet, Life, Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open};

const ARN: Source = Source::Text("arn:aws:logs:{region}:{account}:log-group:{name}");

const IN_GROUP: (&str, Source) = ("logGroupName", Source::Property("LogGroupName"));

pub(super) const LOG_GROUP: ResourceType = ResourceType {
    name: "AWS::Logs::LogGroup",
    service: "logs",
    properties: &[
        fixed("LogGroupName").to("logGroupName"),
        fixed("LogGroupClass").to("logGroupClass"),
        fixed("KmsKeyId").to("kmsKeyId"),
        aside("RetentionInDays"),
        aside("Tags").to("tags"),
    ],
    naming: Some(Naming::new("LogGroupName", 512)),
    create: Some(call("CreateLogGroup", &[])),
    delete: Some(call("DeleteLogGroup", &[("logGroupName", Source::Id)])),
    // The group of that very name comes first.
    read: Some(call("DescribeLogGroups", &[("logGroupNamePrefix", Source::Name)])),
    among: Some(("logGroups", "logGroupName")),
    attributes: &[("Arn", Source::Text("arn:aws:logs:{region}:{account}:log-group:{name}:*"))],
    facets: &[
        Facet {
            property: "RetentionInDays",
            many: false,
            put: Some(call(
                "PutRetentionPolicy",
                &[("logGroupName", Source::Id), ("retentionInDays", Source::Item(""))],
            )),
            remove: Some(call("DeleteRetentionPolicy", &[("logGroupName", Source::Id)])),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "Tags",
            key: "Key",
            put: Some(call("TagResource", &[("resourceArn", ARN), ("tags.0", Source::Item(""))])),
            remove: Some(call("UntagResource", &[("resourceArn", ARN), ("tagKeys.0", Source::Item("Key"))])),
            life: Life::Changes,
            ..Facet::BASE
        },
    ],
    ..ResourceType::BASE
};

pub(super) const LOG_STREAM: ResourceType = ResourceType {
    name: "AWS::Logs::LogStream",
    service: "logs",
    properties: &[fixed("LogGroupName").to("logGroupName"), fixed("LogStreamName").to("logStreamName")],
    naming: Some(Naming::new("LogStreamName", 512)),
    create: Some(call("CreateLogStream", &[])),
    delete: Some(call("DeleteLogStream", &[IN_GROUP, ("logStreamName", Source::Id)])),
    read: Some(call("DescribeLogStreams", &[IN_GROUP, ("logStreamNamePrefix", Source::Name)])),
    among: Some(("logStreams", "logStreamName")),
    ..ResourceType::BASE
};

pub(super) const RESOURCE_POLICY: ResourceType = ResourceType {
    name: "AWS::Logs::ResourcePolicy",
    service: "logs",
    properties: &[fixed("PolicyName").to("policyName"), open("PolicyDocument").to("policyDocument")],
    naming: Some(Naming::new("PolicyName", 255)),
    create: Some(call("PutResourcePolicy", &[])),
    updates: &[Update { call: call("PutResourcePolicy", &[("policyName", Source::Id)]), takes: Takes::All }],
    delete: Some(call("DeleteResourcePolicy", &[("policyName", Source::Id)])),
    read: Some(call("DescribeResourcePolicies", &[])),
    among: Some(("resourcePolicies", "policyName")),
    ..ResourceType::BASE
};

pub(super) const SUBSCRIPTION_FILTER: ResourceType = ResourceType {
    name: "AWS::Logs::SubscriptionFilter",
    service: "logs",
    properties: &[
        fixed("LogGroupName").to("logGroupName"),
        fixed("FilterName").to("filterName"),
        open("DestinationArn").to("destinationArn"),
        open("Distribution").to("distribution").reset("\"ByLogStream\""),
        open("FilterPattern").to("filterPattern"),
        open("RoleArn").to("roleArn"),
    ],
    naming: Some(Naming::new("FilterName", 512)),
    create: Some(call("PutSubscriptionFilter", &[])),
    updates: &[Update {
        call: call("PutSubscriptionFilter", &[IN_GROUP, ("filterName", Source::Id)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteSubscriptionFilter", &[IN_GROUP, ("filterName", Source::Id)])),
    read: Some(call("DescribeSubscriptionFilters", &[IN_GROUP, ("filterNamePrefix", Source::Name)])),
    among: Some(("subscriptionFilters", "filterName")),
    ..ResourceType::BASE
};
