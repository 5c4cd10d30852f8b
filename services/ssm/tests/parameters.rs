//! Parameter Store through the router.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod neighbours;

use serde_json::{Value, json};
use testkit::World;

async fn world() -> World {
    World::new(|| vec![ssm::service(), neighbours::kms(), neighbours::events()]).await
}

async fn put(world: &World, name: &str, value: &str) -> Value {
    let input = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
    world.ok("ssm", "PutParameter", input).await
}

async fn code(world: &World, operation: &str, input: Value) -> String {
    world.refused("ssm", operation, input).await.code.into_owned()
}

async fn get(world: &World, name: &str) -> Value {
    world.ok("ssm", "GetParameter", json!({ "Name": name })).await["Parameter"].clone()
}

fn names(answer: &Value) -> Vec<&str> {
    answer["Parameters"].as_array().unwrap().iter().map(|it| it["Name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_parameter_has_versions() {
    let world = world().await;
    let create = json!({ "Name": "/app/url", "Value": "one", "Type": "String", "Description": "d" });
    let made = world.ok("ssm", "PutParameter", create.clone()).await;
    assert_eq!((&made["Version"], &made["Tier"]), (&json!(1), &json!("Standard")));
    assert_eq!(code(&world, "PutParameter", create).await, "ParameterAlreadyExists");
    assert_eq!(put(&world, "/app/url", "two").await["Version"], 2);
    let latest = get(&world, "/app/url").await;
    assert_eq!((&latest["Value"], &latest["DataType"]), (&json!("two"), &json!("text")));
    assert_eq!(latest["ARN"], "arn:aws:ssm:eu-central-1:000000000000:parameter/app/url");
    let first = get(&world, "/app/url:1").await;
    assert_eq!((&first["Value"], &first["Selector"]), (&json!("one"), &json!(":1")));
    assert_eq!(get(&world, latest["ARN"].as_str().unwrap()).await["Value"], "two");
    assert_eq!(
        code(&world, "GetParameter", json!({ "Name": "/app/url:9" })).await,
        "ParameterVersionNotFound"
    );
    let history =
        world.ok("ssm", "GetParameterHistory", json!({ "Name": "/app/url", "MaxResults": 1 })).await;
    assert_eq!((&history["Parameters"][0]["Value"], &history["NextToken"]), (&json!("one"), &json!("2")));
    let rest = json!({ "Name": "/app/url", "NextToken": "2" });
    let rest = world.ok("ssm", "GetParameterHistory", rest).await;
    assert_eq!(rest["Parameters"][0]["Description"], "d", "what a request does not say stays as it was");
    assert_eq!(rest["Parameters"][0]["LastModifiedUser"], "arn:aws:iam::000000000000:root");
    world.ok("ssm", "DeleteParameter", json!({ "Name": "/app/url" })).await;
    assert_eq!(code(&world, "GetParameter", json!({ "Name": "/app/url" })).await, "ParameterNotFound");
    assert_eq!(code(&world, "DeleteParameter", json!({ "Name": "/app/url" })).await, "ParameterNotFound");
    assert_eq!(put(&world, "/app/url", "new").await["Version"], 1);
    assert_eq!(
        code(&world, "GetParameter", json!({ "Name": "/app/url:2" })).await,
        "ParameterVersionNotFound"
    );
}

#[tokio::test]
async fn a_hundred_versions_are_kept_unless_a_label_holds_the_oldest() {
    let world = world().await;
    for _ in 0..101 {
        put(&world, "p", "v").await;
    }
    assert_eq!(code(&world, "GetParameter", json!({ "Name": "p:1" })).await, "ParameterVersionNotFound");
    let label = json!({ "Name": "p", "ParameterVersion": 2, "Labels": ["kept"] });
    world.ok("ssm", "LabelParameterVersion", label).await;
    let next = json!({ "Name": "p", "Value": "v", "Type": "String", "Overwrite": true });
    assert_eq!(code(&world, "PutParameter", next).await, "ParameterMaxVersionLimitExceeded");
    let move_on = json!({ "Name": "p", "Labels": ["kept"] });
    assert_eq!(world.ok("ssm", "LabelParameterVersion", move_on).await["ParameterVersion"], 101);
    assert_eq!(put(&world, "p", "v").await["Version"], 102);
    assert_eq!(get(&world, "p:3").await["Version"], 3);
}

#[tokio::test]
async fn labels_name_versions() {
    let world = world().await;
    put(&world, "p", "one").await;
    put(&world, "p", "two").await;
    let label = json!({ "Name": "p", "ParameterVersion": 1, "Labels": ["live", "1st", "awsome"] });
    let labelled = world.ok("ssm", "LabelParameterVersion", label).await;
    assert_eq!(labelled["InvalidLabels"], json!(["1st", "awsome"]));
    let live = get(&world, "p:live").await;
    assert_eq!((&live["Value"], &live["Selector"]), (&json!("one"), &json!(":live")));
    world.ok("ssm", "LabelParameterVersion", json!({ "Name": "p", "Labels": ["live"] })).await;
    assert_eq!(get(&world, "p:live").await["Value"], "two");
    let many: Vec<String> = (0..10).map(|n| format!("l{n}")).collect();
    let many = json!({ "Name": "p", "Labels": many });
    assert_eq!(code(&world, "LabelParameterVersion", many).await, "ParameterVersionLabelLimitExceeded");
    let off = json!({ "Name": "p", "ParameterVersion": 2, "Labels": ["live", "none"] });
    let off = world.ok("ssm", "UnlabelParameterVersion", off).await;
    assert_eq!((&off["RemovedLabels"], &off["InvalidLabels"]), (&json!(["live"]), &json!(["none"])));
    assert_eq!(code(&world, "GetParameter", json!({ "Name": "p:live" })).await, "ParameterVersionNotFound");
}

#[tokio::test]
async fn parameters_are_found_by_path_in_pages() {
    let world = world().await;
    for name in ["/a/1", "/a/2", "/a/b/3", "/ab/4", "root"] {
        put(&world, name, name).await;
    }
    let by = |input: Value| world.ok("ssm", "GetParametersByPath", input);
    assert_eq!(names(&by(json!({ "Path": "/a" })).await), ["/a/1", "/a/2"]);
    let first = by(json!({ "Path": "/a/", "Recursive": true, "MaxResults": 2 })).await;
    assert_eq!(names(&first), ["/a/1", "/a/2"]);
    let rest = json!({ "Path": "/a", "Recursive": true, "NextToken": first["NextToken"] });
    let rest = by(rest).await;
    assert_eq!((names(&rest), rest.get("NextToken")), (vec!["/a/b/3"], None));
    assert_eq!(names(&by(json!({ "Path": "/" })).await), ["root"]);
    assert!(names(&by(json!({ "Path": "/aws/service" })).await).is_empty());
    world.ok("ssm", "LabelParameterVersion", json!({ "Name": "/a/1", "Labels": ["live"] })).await;
    put(&world, "/a/1", "changed").await;
    let filter = json!([{ "Key": "Label", "Values": ["live"] }]);
    let labelled = by(json!({ "Path": "/a", "ParameterFilters": filter })).await;
    assert_eq!(labelled["Parameters"][0]["Value"], "/a/1", "the version that the label names");
    assert_eq!(code(&world, "GetParametersByPath", json!({ "Path": "a" })).await, "ValidationException");
    let foreign = json!({ "Path": "/a", "NextToken": "x" });
    assert_eq!(code(&world, "GetParametersByPath", foreign).await, "InvalidNextToken");
}

#[tokio::test]
async fn parameters_are_described_by_filters() {
    let world = world().await;
    put(&world, "/a/1", "x").await;
    put(&world, "/a/b/2", "x").await;
    let tagged = json!({ "Name": "list", "Value": "x,y", "Type": "StringList", "Tier": "Advanced",
        "Tags": [{ "Key": "team", "Value": "blue" }] });
    world.ok("ssm", "PutParameter", tagged).await;
    for (filter, expected) in [
        (json!({ "Key": "Name", "Values": ["list"] }), vec!["list"]),
        (json!({ "Key": "Name", "Option": "BeginsWith", "Values": ["/a/b"] }), vec!["/a/b/2"]),
        (json!({ "Key": "Name", "Option": "Contains", "Values": ["/b/", "is"] }), vec!["/a/b/2", "list"]),
        (json!({ "Key": "Path", "Values": ["/a"] }), vec!["/a/1"]),
        (json!({ "Key": "Path", "Option": "Recursive", "Values": ["/a"] }), vec!["/a/1", "/a/b/2"]),
        (json!({ "Key": "Type", "Values": ["StringList"] }), vec!["list"]),
        (json!({ "Key": "Tier", "Values": ["Advanced"] }), vec!["list"]),
        (json!({ "Key": "tag:team", "Values": ["blue"] }), vec!["list"]),
        (json!({ "Key": "tag:team", "Values": ["red"] }), vec![]),
    ] {
        let listed = world.ok("ssm", "DescribeParameters", json!({ "ParameterFilters": [filter] })).await;
        assert_eq!(names(&listed), expected, "{filter}");
    }
    let old = json!({ "Filters": [{ "Key": "Name", "Values": ["/a"] }], "MaxResults": 1 });
    let page = world.ok("ssm", "DescribeParameters", old).await;
    assert_eq!((names(&page), &page["NextToken"]), (vec!["/a/1"], &json!("/a/1")));
    for (filter, expected) in [
        (json!({ "Key": "Label", "Values": ["x"] }), "InvalidFilterKey"),
        (json!({ "Key": "Type", "Option": "Contains", "Values": ["x"] }), "InvalidFilterOption"),
        (json!({ "Key": "Type" }), "InvalidFilterValue"),
    ] {
        let input = json!({ "ParameterFilters": [filter] });
        assert_eq!(code(&world, "DescribeParameters", input).await, expected);
    }
}

#[tokio::test]
async fn several_are_read_and_deleted_and_the_missing_are_named() {
    let world = world().await;
    put(&world, "a", "1").await;
    put(&world, "b", "2").await;
    let read = world.ok("ssm", "GetParameters", json!({ "Names": ["a", "b:1", "c", "a:7"] })).await;
    assert_eq!(names(&read), ["a", "b"]);
    assert_eq!(read["InvalidParameters"], json!(["c", "a:7"]));
    let gone = world.ok("ssm", "DeleteParameters", json!({ "Names": ["a", "c"] })).await;
    assert_eq!((&gone["DeletedParameters"], &gone["InvalidParameters"]), (&json!(["a"]), &json!(["c"])));
}

#[tokio::test]
async fn values_keep_to_their_tier_and_pattern() {
    let world = world().await;
    let long = "x".repeat(5_000);
    let put = |extra: Value| {
        let mut input = json!({ "Name": "p", "Value": long, "Type": "String", "Overwrite": true });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        input
    };
    assert_eq!(code(&world, "PutParameter", put(json!({}))).await, "ValidationException");
    let made = world.ok("ssm", "PutParameter", put(json!({ "Tier": "Intelligent-Tiering" }))).await;
    assert_eq!(made["Tier"], "Advanced");
    let back = put(json!({ "Tier": "Standard", "Value": "short" }));
    assert!(world.refused("ssm", "PutParameter", back).await.message.contains("downgrade"));
    let digits = put(json!({ "Value": "12", "AllowedPattern": "^\\d+$" }));
    world.ok("ssm", "PutParameter", digits).await;
    for (extra, expected) in [
        (json!({ "Value": "x" }), "ParameterPatternMismatchException"),
        (json!({ "Value": "1", "AllowedPattern": "(" }), "InvalidAllowedPatternException"),
        (json!({ "Value": "1", "Type": "StringList" }), "HierarchyTypeMismatchException"),
        (json!({ "Value": "1", "Tags": [{ "Key": "a", "Value": "b" }] }), "ValidationException"),
        (json!({ "Value": "1", "DataType": "aws:ec2:image" }), "ValidationException"),
        (json!({ "Value": "1", "Policies": "[{\"Type\":\"Expiration\"}]" }), "ValidationException"),
        (json!({ "Value": "{{x}}" }), "ValidationException"),
        (json!({ "Value": "" }), "ValidationException"),
        (json!({ "Value": "1", "KeyId": "k" }), "ValidationException"),
        (json!({ "Value": "1", "Name": "/aws/x" }), "AccessDeniedException"),
    ] {
        assert_eq!(code(&world, "PutParameter", put(extra.clone())).await, expected, "{extra}");
    }
    let typeless = json!({ "Name": "new", "Value": "v" });
    assert_eq!(code(&world, "PutParameter", typeless).await, "ValidationException");
}

#[tokio::test]
async fn secure_strings_are_shown_only_when_decrypted() {
    let world = world().await;
    let secret = json!({ "Name": "/s", "Value": "hidden", "Type": "SecureString" });
    world.ok("ssm", "PutParameter", secret).await;
    let shown = get(&world, "/s").await;
    assert_ne!(shown["Value"], "hidden");
    let open = json!({ "Name": "/s", "WithDecryption": true });
    assert_eq!(world.ok("ssm", "GetParameter", open).await["Parameter"]["Value"], "hidden");
    // The type and the key are those of the version before.
    let next = json!({ "Name": "/s", "Value": "two", "Overwrite": true });
    world.ok("ssm", "PutParameter", next).await;
    let history = json!({ "Name": "/s", "WithDecryption": true });
    let history = world.ok("ssm", "GetParameterHistory", history).await;
    let values: Vec<&Value> =
        history["Parameters"].as_array().unwrap().iter().map(|it| &it["Value"]).collect();
    assert_eq!(values, ["hidden", "two"]);
    assert_eq!(history["Parameters"][1]["KeyId"], "alias/aws/ssm");
    let by_path = json!({ "Path": "/", "WithDecryption": true });
    let by_path = world.ok("ssm", "GetParametersByPath", by_path).await;
    assert_eq!(by_path["Parameters"][0]["Value"], "two");
    let gone = json!({ "Name": "/t", "Value": "v", "Type": "SecureString", "KeyId": "gone" });
    assert_eq!(code(&world, "PutParameter", gone).await, "InvalidKeyId");
}

#[tokio::test]
async fn tags_are_kept_with_the_parameter() {
    let world = world().await;
    put(&world, "p", "v").await;
    let of = json!({ "ResourceType": "Parameter", "ResourceId": "p" });
    let with = |extra: Value| {
        let mut input = of.clone();
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        input
    };
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
    world.ok("ssm", "AddTagsToResource", with(json!({ "Tags": tags }))).await;
    put(&world, "p", "w").await;
    world.ok("ssm", "RemoveTagsFromResource", with(json!({ "TagKeys": ["a"] }))).await;
    let listed = world.ok("ssm", "ListTagsForResource", of.clone()).await;
    assert_eq!(listed["TagList"], json!([{ "Key": "b", "Value": "2" }]));
    let none = json!({ "ResourceType": "Parameter", "ResourceId": "none" });
    assert_eq!(code(&world, "ListTagsForResource", none).await, "InvalidResourceId");
    let other = json!({ "ResourceType": "Document", "ResourceId": "p" });
    assert_eq!(code(&world, "ListTagsForResource", other).await, "InvalidResourceType");
}

#[tokio::test]
async fn changes_are_events() {
    let world = world().await;
    put(&world, "/a/b", "1").await;
    put(&world, "/a/b", "2").await;
    world.ok("ssm", "LabelParameterVersion", json!({ "Name": "/a/b", "Labels": ["x"] })).await;
    world.ok("ssm", "DeleteParameter", json!({ "Name": "/a/b" })).await;
    world.idle().await;
    let events = neighbours::published(&world).await;
    let operations: Vec<Value> = events.iter().map(|event| detail(event)["operation"].clone()).collect();
    assert_eq!(operations, ["Create", "Update", "LabelParameterVersion", "Delete"]);
    assert_eq!(
        (&events[0]["source"], &events[0]["detail_type"]),
        (&json!("aws.ssm"), &json!("Parameter Store Change"))
    );
    assert_eq!(events[0]["resources"], json!(["arn:aws:ssm:eu-central-1:000000000000:parameter/a/b"]));
    assert_eq!(detail(&events[0]), json!({ "operation": "Create", "name": "/a/b", "type": "String" }));
}

fn detail(event: &Value) -> Value {
    event["detail"].clone()
}
