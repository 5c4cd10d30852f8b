//! A bucket's configurations: from the words of templates to those of S3's operations. Pure.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html>

use base::Document;
use serde_json::{Map, json};

use super::super::{Place, Properties};

/// Members by their template's name, and by the operation's.
type Names = [(&'static str, &'static str)];

/// Every configuration in the form of its operation.
pub(super) fn configurations(properties: &mut Properties, _: &Place) -> Result<(), String> {
    if let Some(control) = properties.get("AccessControl").and_then(Document::as_str)
        && control != "Private"
    {
        return Err(format!("AccessControl {control} is not supported by Buswork: give the bucket a policy"));
    }
    each(properties, "WebsiteConfiguration", website);
    each(properties, "PublicAccessBlockConfiguration", switches);
    each(properties, "BucketEncryption", encryption);
    each(properties, "CorsConfiguration", cors);
    each(properties, "NotificationConfiguration", notification);
    match properties.get_mut("LifecycleConfiguration") {
        Some(Document::Object(lifecycle)) => self::lifecycle(lifecycle),
        _ => Ok(()),
    }
}

fn each(properties: &mut Properties, name: &str, change: fn(&mut Properties)) {
    if let Some(Document::Object(configuration)) = properties.get_mut(name) {
        change(configuration);
    }
}

/// The objects of a list member.
fn items<'d>(object: &'d mut Properties, name: &str) -> impl Iterator<Item = &'d mut Properties> {
    let list = object.get_mut(name).and_then(Document::as_array_mut);
    list.into_iter().flatten().filter_map(Document::as_object_mut)
}

fn rename(object: &mut Properties, names: &Names) {
    for (from, to) in names {
        if let Some(value) = object.remove(*from) {
            object.insert((*to).to_owned(), value);
        }
    }
}

/// S3 shows no schema, so what templates write as text becomes numbers and booleans here.
fn typed(value: &mut Document) {
    let Some(text) = value.as_str() else { return };
    let found = match text {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        text => text.parse::<i64>().ok().map(Document::from),
    };
    if let Some(found) = found {
        *value = found;
    }
}

fn switches(configuration: &mut Properties) {
    configuration.values_mut().for_each(typed);
}

/// A template gives documents by name; the operation wants each in an object of its own.
fn website(website: &mut Properties) {
    for (name, member) in [("IndexDocument", "Suffix"), ("ErrorDocument", "Key")] {
        if let Some(Document::String(document)) = website.get(name) {
            let wrapped = json!({ member: document });
            website.insert(name.to_owned(), wrapped);
        }
    }
    for rule in items(website, "RoutingRules") {
        rename(rule, &[("RedirectRule", "Redirect"), ("RoutingRuleCondition", "Condition")]);
    }
}

fn encryption(encryption: &mut Properties) {
    rename(encryption, &[("ServerSideEncryptionConfiguration", "Rules")]);
    for rule in items(encryption, "Rules") {
        rename(rule, &[("ServerSideEncryptionByDefault", "ApplyServerSideEncryptionByDefault")]);
        if let Some(enabled) = rule.get_mut("BucketKeyEnabled") {
            typed(enabled);
        }
    }
}

fn cors(cors: &mut Properties) {
    rename(cors, &[("CorsRules", "CORSRules")]);
    for rule in items(cors, "CORSRules") {
        rename(rule, &[("Id", "ID"), ("ExposedHeaders", "ExposeHeaders"), ("MaxAge", "MaxAgeSeconds")]);
        if let Some(age) = rule.get_mut("MaxAgeSeconds") {
            typed(age);
        }
    }
}

fn notification(notification: &mut Properties) {
    rename(notification, &[("LambdaConfigurations", "LambdaFunctionConfigurations")]);
    for (list, from, to) in [
        ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "Topic", "TopicArn"),
    ] {
        for entry in items(notification, list) {
            rename(entry, &[(from, to)]);
            if let Some(event) = entry.remove("Event") {
                entry.insert("Events".to_owned(), json!([event]));
            }
            if let Some(Document::Object(filter)) = entry.get_mut("Filter") {
                rename(filter, &[("S3Key", "Key")]);
                if let Some(Document::Object(key)) = filter.get_mut("Key") {
                    rename(key, &[("Rules", "FilterRules")]);
                }
            }
        }
    }
    // The operation's object is empty: that it is there says all.
    if let Some(bus) = notification.remove("EventBridgeConfiguration") {
        let off = bus["EventBridgeEnabled"] == false || bus["EventBridgeEnabled"] == "false";
        if !off {
            notification.insert("EventBridgeConfiguration".to_owned(), json!({}));
        }
    }
}

fn lifecycle(lifecycle: &mut Properties) -> Result<(), String> {
    for rule in items(lifecycle, "Rules") {
        let given = std::mem::take(rule);
        *rule = lifecycle_rule(given)?;
    }
    Ok(())
}

/// A rule of a template has its parts side by side; that of the operation has them inside each other.
fn lifecycle_rule(mut given: Properties) -> Result<Properties, String> {
    let mut take = |name: &str| {
        given.remove(name).map(|mut value| {
            typed(&mut value);
            value
        })
    };
    let mut rule = Map::new();
    let mut put = |name: &str, value: Option<Document>| {
        if let Some(value) = value {
            rule.insert(name.to_owned(), value);
        }
    };
    put("ID", take("Id"));
    put("Status", take("Status"));
    let expiration = [
        ("Days", take("ExpirationInDays")),
        ("Date", take("ExpirationDate")),
        ("ExpiredObjectDeleteMarker", take("ExpiredObjectDeleteMarker")),
    ];
    put("Expiration", object(expiration));
    let days = take("NoncurrentVersionExpirationInDays").map(|days| json!({ "NoncurrentDays": days }));
    put("NoncurrentVersionExpiration", take("NoncurrentVersionExpiration").or(days).map(numbers));
    put("AbortIncompleteMultipartUpload", take("AbortIncompleteMultipartUpload").map(numbers));
    let several = |list: Option<Document>, one: Option<Document>, names: &Names| {
        let list = list.or_else(|| one.map(|one| json!([one])))?;
        let mut list = json!({ "L": list });
        for item in items(list.as_object_mut()?, "L") {
            rename(item, names);
            item.values_mut().for_each(typed);
        }
        Some(list["L"].take())
    };
    let names = [("TransitionInDays", "Days"), ("TransitionDate", "Date")];
    put("Transitions", several(take("Transitions"), take("Transition"), &names));
    let old = (take("NoncurrentVersionTransitions"), take("NoncurrentVersionTransition"));
    put("NoncurrentVersionTransitions", several(old.0, old.1, &[("TransitionInDays", "NoncurrentDays")]));
    let filter = filter([
        ("Prefix", take("Prefix")),
        ("ObjectSizeGreaterThan", take("ObjectSizeGreaterThan")),
        ("ObjectSizeLessThan", take("ObjectSizeLessThan")),
        ("Tags", take("TagFilters")),
    ]);
    put("Filter", Some(filter));
    match given.keys().next() {
        Some(unknown) => {
            Err(format!("#/LifecycleConfiguration/Rules: extraneous key [{unknown}] is not permitted"))
        }
        None => Ok(rule),
    }
}

fn numbers(mut value: Document) -> Document {
    value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(typed);
    value
}

/// An object of the members that there are; `None` if there are none.
fn object<const N: usize>(members: [(&str, Option<Document>); N]) -> Option<Document> {
    let members: Map<String, Document> =
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (!members.is_empty()).then_some(members.into())
}

/// One condition stands alone, several stand in `And`.
fn filter<const N: usize>(conditions: [(&str, Option<Document>); N]) -> Document {
    let tests = conditions.iter().filter(|(_, value)| value.is_some()).count();
    let tags = conditions.iter().find(|(name, _)| *name == "Tags").and_then(|(_, tags)| tags.clone());
    let one_tag = tags.as_ref().and_then(Document::as_array).filter(|tags| tags.len() == 1);
    match (tests, one_tag) {
        (0, _) => json!({ "Prefix": "" }),
        (1, Some(tags)) => json!({ "Tag": tags[0] }),
        (1, None) if tags.is_none() => object(conditions).unwrap_or_default(),
        _ => json!({ "And": object(conditions) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: Document, expected: Document) {
        let place = Place { account: "1".into(), region: "r".into(), endpoint: String::new() };
        let mut properties = given.as_object().unwrap().clone();
        configurations(&mut properties, &place).unwrap();
        assert_eq!(Document::Object(properties), expected);
    }

    #[test]
    fn configurations_take_the_operations_form() {
        check(
            json!({"WebsiteConfiguration": {
                "IndexDocument": "i.html", "ErrorDocument": "e.html",
                "RoutingRules": [{"RedirectRule": {"HostName": "h"}, "RoutingRuleCondition": {"KeyPrefixEquals": "k"}}]
            }, "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true", "IgnorePublicAcls": false}}),
            json!({"WebsiteConfiguration": {
                "IndexDocument": {"Suffix": "i.html"}, "ErrorDocument": {"Key": "e.html"},
                "RoutingRules": [{"Redirect": {"HostName": "h"}, "Condition": {"KeyPrefixEquals": "k"}}]
            }, "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": false}}),
        );
        check(
            json!({"BucketEncryption": {"ServerSideEncryptionConfiguration": [
                {"BucketKeyEnabled": "true", "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}),
            json!({"BucketEncryption": {"Rules": [
                {"BucketKeyEnabled": true, "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}),
        );
        check(
            json!({"CorsConfiguration": {"CorsRules": [{"Id": "a", "AllowedMethods": ["GET"], "MaxAge": "5"}]}}),
            json!({"CorsConfiguration": {"CORSRules": [{"ID": "a", "AllowedMethods": ["GET"], "MaxAgeSeconds": 5}]}}),
        );
    }

    #[test]
    fn notifications_take_the_operations_form() {
        check(
            json!({"NotificationConfiguration": {
                "EventBridgeConfiguration": {"EventBridgeEnabled": true},
                "LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": "f",
                    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "p"}]}}}],
                "QueueConfigurations": [{"Event": "e", "Queue": "q"}]}}),
            json!({"NotificationConfiguration": {
                "EventBridgeConfiguration": {},
                "LambdaFunctionConfigurations": [{"Events": ["s3:ObjectCreated:*"], "LambdaFunctionArn": "f",
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "p"}]}}}],
                "QueueConfigurations": [{"Events": ["e"], "QueueArn": "q"}]}}),
        );
    }

    #[test]
    fn lifecycles_take_the_operations_form() {
        check(
            json!({"LifecycleConfiguration": {"Rules": [
                {"Id": "a", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": "30"}},
                {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, "Prefix": "p"},
                {"Status": "Enabled", "ExpirationInDays": 3, "TagFilters": [{"Key": "k", "Value": "v"}],
                    "Transitions": [{"TransitionInDays": 1, "StorageClass": "GLACIER"}]},
                {"Status": "Disabled", "Prefix": "p", "TagFilters": [{"Key": "k", "Value": "v"}]}]}}),
            json!({"LifecycleConfiguration": {"Rules": [
                {"ID": "a", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}, "Filter": {"Prefix": ""}},
                {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, "Filter": {"Prefix": "p"}},
                {"Status": "Enabled", "Expiration": {"Days": 3}, "Filter": {"Tag": {"Key": "k", "Value": "v"}},
                    "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
                {"Status": "Disabled", "Filter": {"And": {"Prefix": "p", "Tags": [{"Key": "k", "Value": "v"}]}}}]}}),
        );
    }
}
