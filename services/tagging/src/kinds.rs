//! The table of what can have tags, and of the operations that tell and change them.

use base::{Arn, Document};
use kernel::Caller;

/// A kind of resource.
pub(crate) struct Kind {
    /// In ARNs, and in filters by type.
    pub namespace: &'static str,
    /// What the resource part of its ARNs begins with.
    pub prefix: &'static str,
    /// Its name in filters by type, behind the namespace.
    pub name: &'static str,
    /// For the router.
    pub service: &'static str,
    /// How they are enumerated; AWS tags some that it does not list.
    pub list: Option<List>,
    /// How its tags are handled.
    pub verbs: Verbs,
    /// It is in no region: the first one lists it.
    pub global: bool,
}

/// How the resources of a kind are enumerated.
pub(crate) struct List {
    /// The operation.
    pub operation: Operation,
    /// What it is asked besides.
    pub fixed: &'static [(&'static str, &'static str)],
    /// A page's token: in the input, and in the output.
    pub token: (&'static str, &'static str),
    /// The member that holds the items.
    pub items: &'static str,
    /// The ARN of an item.
    pub arn: ArnOf,
    /// What they stand in: another list, the member of its items, and that of this one's input.
    pub within: Option<(&'static List, &'static str, &'static str)>,
}

/// An operation.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    /// AWS's.
    Api(&'static str),
    /// One that clients cannot call.
    Internal(&'static str),
}

/// Where an item of a list has its ARN.
pub(crate) enum ArnOf {
    /// In a member.
    Member(&'static str),
    /// It is made of the item, or of a member of it, whose last part is the name.
    Made(fn(&Caller, &str) -> String),
}

/// How operations name a resource: by its ARN, made into what they take; the text is where clients reach the server.
pub(crate) type Naming = fn(&Caller, &str, &Arn) -> String;

/// How a kind's tags are read and changed.
pub(crate) struct Verbs {
    /// The member of all inputs that names the resource, and its value.
    pub id: (&'static str, Naming),
    /// A member of all inputs besides.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The operation that tells the tags, and where its output has them; none if they cannot be told by ARN.
    pub read: Option<(&'static str, &'static str)>,
    /// The operation that adds some, and its member.
    pub add: Option<(Operation, &'static str)>,
    /// The operation that removes some, and its member.
    pub remove: Option<(Operation, &'static str)>,
    /// How tags are written.
    pub shape: Shape,
}

/// How tags are written.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// An object.
    Map,
    /// An array of objects with these two members.
    Pairs(&'static str, &'static str),
}

use Operation::{Api, Internal};

const KEY_VALUE: Shape = Shape::Pairs("Key", "Value");
const LOWER: Shape = Shape::Pairs("key", "value");

fn arn(_: &Caller, _: &str, arn: &Arn) -> String {
    arn.to_string()
}

/// What follows the last slash or colon.
fn last(_: &Caller, _: &str, arn: &Arn) -> String {
    arn.resource.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
}

fn queue_url(_: &Caller, endpoint: &str, arn: &Arn) -> String {
    format!("{endpoint}/{}/{}", arn.account, arn.resource)
}

/// Names with further slashes begin with one, which their ARNs lack.
fn parameter(_: &Caller, _: &str, arn: &Arn) -> String {
    let name = arn.resource.strip_prefix("parameter/").unwrap_or_default();
    if name.contains('/') { format!("/{name}") } else { name.to_owned() }
}

const BASE: Kind =
    Kind { namespace: "", prefix: "", name: "", service: "", list: None, verbs: ARN_PAIRS, global: false };

const fn list(operation: &'static str, items: &'static str, member: &'static str) -> List {
    List {
        operation: Api(operation),
        fixed: &[],
        token: ("NextToken", "NextToken"),
        items,
        arn: ArnOf::Member(member),
        within: None,
    }
}

/// Most services' operations: `ResourceArn`, and tags as pairs.
const ARN_PAIRS: Verbs = Verbs {
    id: ("ResourceArn", arn),
    fixed: &[],
    read: Some(("ListTagsForResource", "/Tags")),
    add: Some((Api("TagResource"), "Tags")),
    remove: Some((Api("UntagResource"), "TagKeys")),
    shape: KEY_VALUE,
};
const ARN_MAP: Verbs = Verbs { shape: Shape::Map, ..ARN_PAIRS };
/// The same in lower case.
const LOWER_PAIRS: Verbs = Verbs {
    id: ("resourceArn", arn),
    read: Some(("ListTagsForResource", "/tags")),
    add: Some((Api("TagResource"), "tags")),
    remove: Some((Api("UntagResource"), "tagKeys")),
    shape: LOWER,
    ..ARN_PAIRS
};
const LOWER_MAP: Verbs = Verbs { shape: Shape::Map, ..LOWER_PAIRS };
const EVENTS: Verbs = Verbs { id: ("ResourceARN", arn), ..ARN_PAIRS };
const LAMBDA: Verbs = Verbs { id: ("Resource", arn), read: Some(("ListTags", "/Tags")), ..ARN_MAP };

const EVENT_BUSES: List = list("ListEventBuses", "EventBuses", "Arn");
const REGISTRIES: List =
    List { fixed: &[("Scope", "LOCAL")], ..list("ListRegistries", "Registries", "RegistryArn") };

/// Every kind; of two whose prefixes fit, the first.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        namespace: "cloudformation",
        prefix: "stack/",
        name: "stack",
        service: "cloudformation",
        list: Some(list("DescribeStacks", "Stacks", "StackId")),
        verbs: Verbs {
            id: ("StackName", arn),
            read: Some(("DescribeStacks", "/Stacks/0/Tags")),
            add: None,
            remove: None,
            ..ARN_PAIRS
        },
        ..BASE
    },
    Kind {
        namespace: "dynamodb",
        prefix: "table/",
        name: "table",
        service: "dynamodb",
        list: Some(List {
            token: ("ExclusiveStartTableName", "LastEvaluatedTableName"),
            arn: ArnOf::Made(table),
            ..list("ListTables", "TableNames", "")
        }),
        verbs: Verbs { read: Some(("ListTagsOfResource", "/Tags")), ..ARN_PAIRS },
        ..BASE
    },
    Kind {
        namespace: "ecr",
        prefix: "repository/",
        name: "repository",
        service: "ecr",
        list: Some(List {
            token: ("nextToken", "nextToken"),
            ..list("DescribeRepositories", "repositories", "repositoryArn")
        }),
        verbs: Verbs { shape: KEY_VALUE, ..LOWER_PAIRS },
        ..BASE
    },
    Kind {
        namespace: "events",
        prefix: "event-bus/",
        name: "event-bus",
        service: "events",
        list: Some(EVENT_BUSES),
        verbs: EVENTS,
        ..BASE
    },
    Kind {
        namespace: "events",
        prefix: "rule/",
        name: "rule",
        service: "events",
        list: Some(List {
            within: Some((&EVENT_BUSES, "Name", "EventBusName")),
            ..list("ListRules", "Rules", "Arn")
        }),
        verbs: EVENTS,
        ..BASE
    },
    Kind {
        namespace: "events",
        prefix: "event-busv2/",
        name: "event-busv2",
        service: "eventsv2",
        list: Some(list("ListEventBuses", "EventBuses", "EventBusArn")),
        verbs: ARN_MAP,
        ..BASE
    },
    Kind {
        namespace: "events",
        prefix: "event-sourcev2/",
        name: "event-sourcev2",
        service: "eventsv2",
        list: Some(list("ListEventSources", "EventSources", "EventSourceArn")),
        verbs: ARN_MAP,
        ..BASE
    },
    Kind {
        namespace: "events",
        prefix: "subscriber/",
        name: "subscriber",
        service: "eventsv2",
        list: Some(list("ListSubscribers", "Subscribers", "SubscriberArn")),
        verbs: ARN_MAP,
        ..BASE
    },
    Kind {
        namespace: "iam",
        prefix: "policy/",
        name: "policy",
        service: "iam",
        list: Some(List {
            token: ("Marker", "Marker"),
            fixed: &[("Scope", "Local")],
            ..list("ListPolicies", "Policies", "Arn")
        }),
        verbs: Verbs {
            id: ("PolicyArn", arn),
            read: Some(("ListPolicyTags", "/Tags")),
            add: Some((Api("TagPolicy"), "Tags")),
            remove: Some((Api("UntagPolicy"), "TagKeys")),
            ..ARN_PAIRS
        },
        global: true,
    },
    // Roles and users take tags here, but are not listed.
    // <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html>
    Kind {
        namespace: "iam",
        prefix: "role/",
        name: "role",
        service: "iam",
        verbs: Verbs {
            id: ("RoleName", last),
            read: None,
            add: Some((Api("TagRole"), "Tags")),
            remove: Some((Api("UntagRole"), "TagKeys")),
            ..ARN_PAIRS
        },
        global: true,
        ..BASE
    },
    Kind {
        namespace: "iam",
        prefix: "user/",
        name: "user",
        service: "iam",
        verbs: Verbs {
            id: ("UserName", last),
            read: None,
            add: Some((Api("TagUser"), "Tags")),
            remove: Some((Api("UntagUser"), "TagKeys")),
            ..ARN_PAIRS
        },
        global: true,
        ..BASE
    },
    Kind {
        namespace: "kms",
        prefix: "key/",
        name: "key",
        service: "kms",
        list: Some(List { token: ("Marker", "NextMarker"), ..list("ListKeys", "Keys", "KeyArn") }),
        verbs: Verbs {
            id: ("KeyId", arn),
            read: Some(("ListResourceTags", "/Tags")),
            shape: Shape::Pairs("TagKey", "TagValue"),
            ..ARN_PAIRS
        },
        ..BASE
    },
    Kind {
        namespace: "lambda",
        prefix: "function:",
        name: "function",
        service: "lambda",
        list: Some(List {
            token: ("Marker", "NextMarker"),
            ..list("ListFunctions", "Functions", "FunctionArn")
        }),
        verbs: LAMBDA,
        ..BASE
    },
    Kind {
        namespace: "lambda",
        prefix: "event-source-mapping:",
        name: "event-source-mapping",
        service: "lambda",
        list: Some(List {
            token: ("Marker", "NextMarker"),
            ..list("ListEventSourceMappings", "EventSourceMappings", "EventSourceMappingArn")
        }),
        verbs: LAMBDA,
        ..BASE
    },
    Kind {
        namespace: "logs",
        prefix: "log-group:",
        name: "log-group",
        service: "logs",
        list: Some(List {
            token: ("nextToken", "nextToken"),
            ..list("DescribeLogGroups", "logGroups", "logGroupArn")
        }),
        verbs: LOWER_MAP,
        ..BASE
    },
    Kind {
        namespace: "pipes",
        prefix: "pipe/",
        name: "pipe",
        service: "pipes",
        list: Some(list("ListPipes", "Pipes", "Arn")),
        verbs: LOWER_MAP,
        ..BASE
    },
    Kind {
        namespace: "s3",
        name: "bucket",
        service: "s3",
        list: Some(List { operation: Internal("ListOwnBuckets"), ..list("", "Buckets", "Arn") }),
        verbs: Verbs {
            id: ("Bucket", last),
            read: Some(("GetBucketTagging", "/TagSet")),
            add: Some((Internal("TagBucket"), "Tags")),
            remove: Some((Internal("UntagBucket"), "TagKeys")),
            ..ARN_PAIRS
        },
        ..BASE
    },
    Kind {
        namespace: "scheduler",
        prefix: "schedule-group/",
        name: "schedule-group",
        service: "scheduler",
        list: Some(list("ListScheduleGroups", "ScheduleGroups", "Arn")),
        ..BASE
    },
    Kind {
        namespace: "schemas",
        prefix: "registry/",
        name: "registry",
        service: "schemas",
        list: Some(REGISTRIES),
        verbs: ARN_MAP,
        ..BASE
    },
    Kind {
        namespace: "schemas",
        prefix: "discoverer/",
        name: "discoverer",
        service: "schemas",
        list: Some(list("ListDiscoverers", "Discoverers", "DiscovererArn")),
        verbs: ARN_MAP,
        ..BASE
    },
    Kind {
        namespace: "schemas",
        prefix: "schema/",
        name: "schema",
        service: "schemas",
        list: Some(List {
            within: Some((&REGISTRIES, "RegistryName", "RegistryName")),
            ..list("ListSchemas", "Schemas", "SchemaArn")
        }),
        verbs: ARN_MAP,
        ..BASE
    },
    Kind {
        namespace: "secretsmanager",
        prefix: "secret:",
        name: "secret",
        service: "secretsmanager",
        list: Some(list("ListSecrets", "SecretList", "ARN")),
        verbs: Verbs { id: ("SecretId", arn), read: Some(("DescribeSecret", "/Tags")), ..ARN_PAIRS },
        ..BASE
    },
    Kind {
        namespace: "sns",
        name: "topic",
        service: "sns",
        list: Some(list("ListTopics", "Topics", "TopicArn")),
        ..BASE
    },
    Kind {
        namespace: "sqs",
        name: "queue",
        service: "sqs",
        list: Some(List {
            arn: ArnOf::Made(queue),
            fixed: &[("MaxResults", "1000")],
            ..list("ListQueues", "QueueUrls", "")
        }),
        verbs: Verbs {
            id: ("QueueUrl", queue_url),
            read: Some(("ListQueueTags", "/Tags")),
            add: Some((Api("TagQueue"), "Tags")),
            remove: Some((Api("UntagQueue"), "TagKeys")),
            ..ARN_MAP
        },
        ..BASE
    },
    Kind {
        namespace: "ssm",
        prefix: "parameter/",
        name: "parameter",
        service: "ssm",
        list: Some(list("DescribeParameters", "Parameters", "ARN")),
        verbs: Verbs {
            id: ("ResourceId", parameter),
            fixed: &[("ResourceType", "Parameter")],
            read: Some(("ListTagsForResource", "/TagList")),
            add: Some((Api("AddTagsToResource"), "Tags")),
            remove: Some((Api("RemoveTagsFromResource"), "TagKeys")),
            ..ARN_PAIRS
        },
        ..BASE
    },
    Kind {
        namespace: "states",
        prefix: "stateMachine:",
        name: "stateMachine",
        service: "states",
        list: Some(List {
            token: ("nextToken", "nextToken"),
            ..list("ListStateMachines", "stateMachines", "stateMachineArn")
        }),
        verbs: LOWER_PAIRS,
        ..BASE
    },
    Kind {
        namespace: "states",
        prefix: "activity:",
        name: "activity",
        service: "states",
        list: Some(List {
            token: ("nextToken", "nextToken"),
            ..list("ListActivities", "activities", "activityArn")
        }),
        verbs: LOWER_PAIRS,
        ..BASE
    },
];

fn table(caller: &Caller, name: &str) -> String {
    Arn::new("dynamodb", &caller.region, &caller.account, format!("table/{name}")).to_string()
}

fn queue(caller: &Caller, url: &str) -> String {
    let name = url.rsplit('/').next().unwrap_or_default();
    Arn::new("sqs", &caller.region, &caller.account, name).to_string()
}

impl Kind {
    /// The kind that an ARN is of.
    pub(crate) fn of(arn: &Arn) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.namespace == arn.service && arn.resource.starts_with(kind.prefix))
    }

    /// Whether one of `types` (`service` or `service:type`) names this kind; none names all.
    pub(crate) fn is_of(&self, types: &[String]) -> bool {
        let named = |wanted: &String| match wanted.split_once(':') {
            None => wanted == self.namespace,
            Some((namespace, name)) => namespace == self.namespace && name == self.name,
        };
        types.is_empty() || types.iter().any(named)
    }
}

impl Shape {
    /// Tags as they are read.
    pub(crate) fn read(self, tags: &Document) -> Option<Vec<(String, String)>> {
        let text = |value: &Document| value.as_str().map(str::to_owned);
        match self {
            Shape::Map => {
                tags.as_object()?.iter().map(|(key, value)| Some((key.clone(), text(value)?))).collect()
            }
            Shape::Pairs(key, value) => {
                tags.as_array()?.iter().map(|tag| Some((text(&tag[key])?, text(&tag[value])?))).collect()
            }
        }
    }

    /// Tags as they are written.
    pub(crate) fn write<'t>(self, tags: impl Iterator<Item = (&'t String, &'t String)>) -> Document {
        match self {
            Shape::Map => tags.map(|(key, value)| (key.clone(), Document::from(value.as_str()))).collect(),
            Shape::Pairs(key, value) => {
                tags.map(|(name, text)| serde_json::json!({ key: name, value: text })).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_of_one_kind() {
        let cases = [
            ("arn:aws:events:eu-west-1:000000000000:rule/bus/name", Some("rule")),
            ("arn:aws:events:eu-west-1:000000000000:event-busv2/name/id", Some("event-busv2")),
            ("arn:aws:events:eu-west-1:000000000000:archive/name", None),
            ("arn:aws:sqs:eu-west-1:000000000000:name", Some("queue")),
            ("arn:aws:s3:::bucket", Some("bucket")),
            ("arn:aws:ec2:eu-west-1:000000000000:instance/i-1", None),
        ];
        for (text, name) in cases {
            let arn: Arn = text.parse().unwrap();
            assert_eq!(Kind::of(&arn).map(|kind| kind.name), name, "{text}");
        }
    }

    #[test]
    fn a_type_is_a_service_or_one_kind_of_it() {
        let named = |types: &[&str]| {
            let types: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
            KINDS.iter().filter(|kind| kind.is_of(&types)).map(|kind| kind.name).collect::<Vec<_>>()
        };
        assert_eq!(named(&["states"]), ["stateMachine", "activity"]);
        assert_eq!(named(&["events:rule", "sns"]), ["rule", "topic"]);
        assert_eq!(named(&["ec2:instance"]), Vec::<&str>::new());
        assert_eq!(named(&[]).len(), KINDS.len());
    }
}
