//! Registries, schemas, versions, code bindings through the router.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{Cursor, Read as _};

use base::schema::Blob;
use serde_json::{Value, json};
use testkit::World;
use zip::ZipArchive;

async fn world() -> World {
    World::new(|| vec![schemas::service()]).await
}

/// A schema of the detail's members.
fn draft_4(properties: &Value) -> String {
    json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "properties": properties })
        .to_string()
}

async fn registry(world: &World) {
    world.ok("schemas", "CreateRegistry", json!({ "RegistryName": "shop" })).await;
}

async fn create(world: &World, name: &str, content: &str) -> Value {
    let input =
        json!({ "RegistryName": "shop", "SchemaName": name, "Type": "JSONSchemaDraft4", "Content": content });
    world.ok("schemas", "CreateSchema", input).await
}

async fn update(world: &World, name: &str, extra: Value) -> Value {
    let mut input = json!({ "RegistryName": "shop", "SchemaName": name });
    input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    world.ok("schemas", "UpdateSchema", input).await
}

#[tokio::test]
async fn registries_are_made_changed_listed_and_deleted() {
    let world = world().await;
    let made = world
        .ok(
            "schemas",
            "CreateRegistry",
            json!({ "RegistryName": "shop", "Description": "d", "Tags": { "a": "b" } }),
        )
        .await;
    assert_eq!(made["RegistryArn"], "arn:aws:schemas:eu-central-1:000000000000:registry/shop");
    let again = world.refused("schemas", "CreateRegistry", json!({ "RegistryName": "shop" })).await;
    assert_eq!((again.code.as_ref(), again.status), ("ConflictException", 409));
    for name in ["aws.mine", "a b"] {
        let fault = world.refused("schemas", "CreateRegistry", json!({ "RegistryName": name })).await;
        assert!(["ForbiddenException", "BadRequestException"].contains(&fault.code.as_ref()), "{fault}");
    }
    world.ok("schemas", "UpdateRegistry", json!({ "RegistryName": "shop", "Description": "new" })).await;
    let found = world.ok("schemas", "DescribeRegistry", json!({ "RegistryName": "shop" })).await;
    assert_eq!((&found["Description"], &found["Tags"]), (&json!("new"), &json!({ "a": "b" })));
    let listed = world.ok("schemas", "ListRegistries", json!({ "Limit": 1 })).await;
    assert_eq!(listed["Registries"][0]["RegistryArn"], "arn:aws:schemas:eu-central-1::registry/aws.events");
    let rest = world.ok("schemas", "ListRegistries", json!({ "NextToken": listed["NextToken"] })).await;
    assert_eq!((&rest["Registries"][0]["RegistryName"], &rest["NextToken"]), (&json!("shop"), &Value::Null));
    let local = world.ok("schemas", "ListRegistries", json!({ "Scope": "LOCAL" })).await;
    assert_eq!(local["Registries"].as_array().unwrap().len(), 1);
    create(&world, "a", &draft_4(&json!({}))).await;
    let full = world.refused("schemas", "DeleteRegistry", json!({ "RegistryName": "shop" })).await;
    assert_eq!(full.code, "BadRequestException");
    world.ok("schemas", "DeleteSchema", json!({ "RegistryName": "shop", "SchemaName": "a" })).await;
    world.ok("schemas", "DeleteRegistry", json!({ "RegistryName": "shop" })).await;
    let gone = world.refused("schemas", "DescribeRegistry", json!({ "RegistryName": "shop" })).await;
    assert_eq!((gone.code.as_ref(), gone.status), ("NotFoundException", 404));
}

#[tokio::test]
async fn versions_are_numbered_once_and_never_again() {
    let world = world().await;
    registry(&world).await;
    let one = draft_4(&json!({ "a": { "type": "string" } }));
    let two = draft_4(&json!({ "a": { "type": "number" } }));
    assert_eq!(create(&world, "s", &one).await["SchemaVersion"], "1");
    assert_eq!(
        update(&world, "s", json!({ "Content": two, "ClientTokenId": "t" })).await["SchemaVersion"],
        "2"
    );
    assert_eq!(
        update(&world, "s", json!({ "Content": one, "ClientTokenId": "t" })).await["SchemaVersion"],
        "2",
        "sent again"
    );
    assert_eq!(update(&world, "s", json!({ "Content": two })).await["SchemaVersion"], "2", "nothing is new");
    assert_eq!(update(&world, "s", json!({ "Description": "d" })).await["Description"], "d");
    let schema = json!({ "RegistryName": "shop", "SchemaName": "s" });
    let with = |version: &str| json!({ "RegistryName": "shop", "SchemaName": "s", "SchemaVersion": version });
    world.ok("schemas", "DeleteSchemaVersion", with("2")).await;
    let newest = world.ok("schemas", "DescribeSchema", schema.clone()).await;
    assert_eq!((&newest["SchemaVersion"], &newest["Content"]), (&json!("1"), &json!(one)));
    assert_eq!(update(&world, "s", json!({ "Content": two })).await["SchemaVersion"], "3");
    let page = world
        .ok("schemas", "ListSchemaVersions", json!({ "RegistryName": "shop", "SchemaName": "s", "Limit": 1 }))
        .await;
    assert_eq!((&page["SchemaVersions"][0]["SchemaVersion"], &page["NextToken"]), (&json!("1"), &json!("1")));
    for version in ["2", "x", "0"] {
        let fault = world.refused("schemas", "DescribeSchema", with(version)).await;
        assert_eq!(fault.code, "NotFoundException", "{version}");
    }
    world.ok("schemas", "DeleteSchemaVersion", with("3")).await;
    let last = world.refused("schemas", "DeleteSchemaVersion", with("1")).await;
    assert!(last.message.contains("the last"), "{last}");
}

#[tokio::test]
async fn content_that_is_no_schema_is_refused() {
    let world = world().await;
    registry(&world).await;
    for (kind, content) in [("JSONSchemaDraft4", r#"{"type":"text"}"#), ("OpenApi3", r#"{"type":"object"}"#)]
    {
        let input = json!({ "RegistryName": "shop", "SchemaName": "s", "Type": kind, "Content": content });
        let fault = world.refused("schemas", "CreateSchema", input).await;
        assert_eq!(fault.code, "BadRequestException", "{fault}");
    }
    let missing =
        json!({ "RegistryName": "none", "SchemaName": "s", "Type": "JSONSchemaDraft4", "Content": "{}" });
    assert!(
        world.refused("schemas", "CreateSchema", missing).await.message.contains("Registry with name none")
    );
    let schema = json!({ "RegistryName": "aws.events", "SchemaName": "s", "Type": "JSONSchemaDraft4", "Content": "{}" });
    assert_eq!(world.refused("schemas", "CreateSchema", schema).await.code, "ForbiddenException");
}

#[tokio::test]
async fn aws_schemas_are_found_searched_and_exported() {
    let world = world().await;
    let name = "aws.states@StepFunctionsExecutionStatusChange";
    let found = world
        .ok("schemas", "DescribeSchema", json!({ "RegistryName": "aws.events", "SchemaName": name }))
        .await;
    assert_eq!((&found["Type"], &found["SchemaVersion"]), (&json!("OpenApi3"), &json!("1")));
    let search = json!({ "RegistryName": "aws.events", "Keywords": "S3 sequencer" });
    let searched = world.ok("schemas", "SearchSchemas", search).await;
    let names: Vec<&Value> =
        searched["Schemas"].as_array().unwrap().iter().map(|found| &found["SchemaName"]).collect();
    assert_eq!(names, ["aws.s3@ObjectCreated", "aws.s3@ObjectDeleted"]);
    assert_eq!(searched["Schemas"][0]["SchemaVersions"][0]["SchemaVersion"], "1");
    let export = json!({ "RegistryName": "aws.events", "SchemaName": name, "Type": "JSONSchemaDraft4" });
    let exported = world.ok("schemas", "ExportSchema", export).await;
    let schema: Value = serde_json::from_str(exported["Content"].as_str().unwrap()).unwrap();
    assert_eq!(schema["properties"]["detail"]["$ref"], "#/definitions/StepFunctionsExecutionStatusChange");
    let other = json!({ "RegistryName": "aws.events", "SchemaName": name, "Type": "OpenApi3" });
    assert_eq!(world.refused("schemas", "ExportSchema", other).await.code, "BadRequestException");
    let listed = world
        .ok("schemas", "ListSchemas", json!({ "RegistryName": "aws.events", "SchemaNamePrefix": "aws.cl" }))
        .await;
    assert_eq!(listed["Schemas"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn own_schemas_are_listed_and_searched_by_version() {
    let world = world().await;
    registry(&world).await;
    for name in ["shop@Placed", "shop@Sent"] {
        create(&world, name, &draft_4(&json!({ "orderId": { "type": "string" } }))).await;
    }
    update(&world, "shop@Sent", json!({ "Content": draft_4(&json!({ "parcel": {} })) })).await;
    let search = |words: &str| {
        world.ok("schemas", "SearchSchemas", json!({ "RegistryName": "shop", "Keywords": words, "Limit": 1 }))
    };
    let first = search("ORDERID").await;
    assert_eq!(
        (&first["Schemas"][0]["SchemaName"], &first["NextToken"]),
        (&json!("shop@Placed"), &json!("shop@Placed"))
    );
    let second = search("sent parcel").await;
    assert_eq!(
        second["Schemas"][0]["SchemaVersions"],
        json!([{ "SchemaVersion": "2", "Type": "JSONSchemaDraft4",
        "CreatedDate": second["Schemas"][0]["SchemaVersions"][0]["CreatedDate"] }])
    );
    let listed = world.ok("schemas", "ListSchemas", json!({ "RegistryName": "shop" })).await;
    let counts: Vec<&Value> =
        listed["Schemas"].as_array().unwrap().iter().map(|schema| &schema["VersionCount"]).collect();
    assert_eq!(counts, [1, 2]);
}

#[tokio::test]
async fn policies_and_tags_are_kept() {
    let world = world().await;
    registry(&world).await;
    create(&world, "s", "{}").await;
    let policy = json!({ "RegistryName": "shop", "Policy": r#"{"Version":"2012-10-17","Statement":[]}"# });
    let put = world.ok("schemas", "PutResourcePolicy", policy.clone()).await;
    let mut stale = policy.clone();
    stale["RevisionId"] = "other".into();
    assert_eq!(
        world.refused("schemas", "PutResourcePolicy", stale).await.code,
        "PreconditionFailedException"
    );
    let got = world.ok("schemas", "GetResourcePolicy", json!({ "RegistryName": "shop" })).await;
    assert_eq!(got["RevisionId"], put["RevisionId"]);
    world.ok("schemas", "DeleteResourcePolicy", json!({ "RegistryName": "shop" })).await;
    assert_eq!(
        world.refused("schemas", "GetResourcePolicy", json!({ "RegistryName": "shop" })).await.code,
        "NotFoundException"
    );
    for kind in ["registry/shop", "schema/shop/s"] {
        let arn = format!("arn:aws:schemas:eu-central-1:000000000000:{kind}");
        world
            .ok("schemas", "TagResource", json!({ "ResourceArn": arn, "Tags": { "a": "1", "b": "2" } }))
            .await;
        world.ok("schemas", "UntagResource", json!({ "ResourceArn": arn, "TagKeys": ["a"] })).await;
        let tags = world.ok("schemas", "ListTagsForResource", json!({ "ResourceArn": arn })).await;
        assert_eq!(tags["Tags"], json!({ "b": "2" }), "{kind}");
    }
}

#[tokio::test]
async fn a_schema_is_discovered_from_given_events() {
    let world = world().await;
    let event =
        |detail: Value| json!({ "source": "shop", "detail-type": "Placed", "detail": detail }).to_string();
    let events = json!([event(json!({ "id": "1" })), event(json!({ "id": 2 }))]);
    let found = world
        .ok("schemas", "GetDiscoveredSchema", json!({ "Type": "JSONSchemaDraft4", "Events": events }))
        .await;
    let schema: Value = serde_json::from_str(found["Content"].as_str().unwrap()).unwrap();
    assert_eq!(
        schema["definitions"]["Placed"]["properties"]["id"],
        json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] })
    );
    let other = json!({ "Type": "OpenApi3", "Events": ["{}"] });
    assert_eq!(world.refused("schemas", "GetDiscoveredSchema", other).await.code, "BadRequestException");
}

/// All that a listing gives, page by page with one item each.
async fn listed(world: &World, operation: &str, filter: &Value, list: &str, name: &str) -> Vec<String> {
    let (mut names, mut input) = (Vec::new(), filter.clone());
    input["Limit"] = json!(1);
    for _ in 0..10 {
        let answer = world.ok("schemas", operation, input.clone()).await;
        let page = answer[list].as_array().unwrap();
        assert!(page.len() <= 1, "{operation}: {page:?}");
        names.extend(page.iter().map(|item| item[name].as_str().unwrap().to_owned()));
        if answer["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = answer["NextToken"].clone();
    }
    names
}

#[tokio::test]
async fn what_is_listed_is_filtered_and_paged() {
    let world = world().await;
    registry(&world).await;
    world.ok("schemas", "CreateRegistry", json!({ "RegistryName": "shop-2" })).await;
    world.ok("schemas", "CreateRegistry", json!({ "RegistryName": "other" })).await;
    for name in ["x1", "x2", "y"] {
        create(&world, name, &draft_4(&json!({ name[..1].to_owned(): {} }))).await;
    }
    update(&world, "y", json!({ "Content": draft_4(&json!({ "z": {} })) })).await;
    let of = |more: Value| {
        let mut filter = json!({ "RegistryName": "shop" });
        filter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        filter
    };
    for (operation, filter, list, name, expected) in [
        (
            "ListRegistries",
            json!({ "RegistryNamePrefix": "shop" }),
            "Registries",
            "RegistryName",
            ["shop", "shop-2"],
        ),
        ("ListSchemas", of(json!({ "SchemaNamePrefix": "x" })), "Schemas", "SchemaName", ["x1", "x2"]),
        ("SearchSchemas", of(json!({ "Keywords": "x" })), "Schemas", "SchemaName", ["x1", "x2"]),
        (
            "ListSchemaVersions",
            of(json!({ "SchemaName": "y" })),
            "SchemaVersions",
            "SchemaVersion",
            ["1", "2"],
        ),
    ] {
        assert_eq!(listed(&world, operation, &filter, list, name).await, expected, "{operation}");
    }
}

#[tokio::test]
async fn what_is_set_is_shown_and_versions_are_told_apart() {
    let world = world().await;
    registry(&world).await;
    let one = draft_4(&json!({ "a": { "type": "string" } }));
    let made = json!({
        "RegistryName": "shop", "SchemaName": "s", "Type": "JSONSchemaDraft4", "Content": one,
        "Description": "d", "Tags": { "k": "v" },
    });
    world.ok("schemas", "CreateSchema", made).await;
    let open = json!({ "openapi": "3.0.0", "info": { "title": "t", "version": "1" }, "paths": {},
        "components": { "schemas": { "S": { "type": "object", "properties": { "b": {} } } } } });
    update(&world, "s", json!({ "Type": "OpenApi3", "Content": open.to_string() })).await;
    let schema = json!({ "RegistryName": "shop", "SchemaName": "s" });
    let at = |version: &str, more: Value| {
        let mut input = schema.clone();
        input["SchemaVersion"] = version.into();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let shown = world.ok("schemas", "DescribeSchema", schema.clone()).await;
    assert_eq!((&shown["Description"], &shown["Tags"]), (&json!("d"), &json!({ "k": "v" })));
    assert_eq!((&shown["Type"], &shown["SchemaVersion"]), (&json!("OpenApi3"), &json!("2")));
    for (version, kind, member) in [("1", "JSONSchemaDraft4", "a"), ("2", "OpenApi3", "b")] {
        let shown = world.ok("schemas", "DescribeSchema", at(version, json!({}))).await;
        assert_eq!(shown["Type"], kind);
        let draft = json!({ "Type": "JSONSchemaDraft4" });
        let exported = world.ok("schemas", "ExportSchema", at(version, draft)).await;
        let content: Value = serde_json::from_str(exported["Content"].as_str().unwrap()).unwrap();
        assert!(content["properties"][member].is_object(), "{content}");
        let code = at(version, json!({ "Language": "Python" }));
        for operation in ["DescribeCodeBinding", "GetCodeBindingSource"] {
            let fault = world.refused("schemas", operation, code.clone()).await;
            assert_eq!(fault.code, "NotFoundException", "version {version} has no code yet");
        }
        world.ok("schemas", "PutCodeBinding", code.clone()).await;
        assert_eq!(world.ok("schemas", "DescribeCodeBinding", code.clone()).await["SchemaVersion"], version);
        assert!(world.ok("schemas", "GetCodeBindingSource", code).await["Body"].is_string());
    }
    for operation in ["PutCodeBinding", "DescribeCodeBinding", "GetCodeBindingSource"] {
        for place in ["RegistryName", "SchemaName", "Language"] {
            let mut elsewhere = at("1", json!({ "Language": "Python" }));
            elsewhere[place] = json!("none");
            world.refused("schemas", operation, elsewhere).await;
        }
    }
}

/// The files of a code binding.
async fn source(world: &World, language: &str) -> Vec<(String, String)> {
    let input = json!({ "RegistryName": "shop", "SchemaName": "shop@Placed", "Language": language });
    let put = world.ok("schemas", "PutCodeBinding", input.clone()).await;
    assert_eq!((&put["Status"], &put["SchemaVersion"]), (&json!("CREATE_COMPLETE"), &json!("1")));
    world.ok("schemas", "DescribeCodeBinding", input.clone()).await;
    let got = world.ok("schemas", "GetCodeBindingSource", input).await;
    let bytes = Blob::from_base64(got["Body"].as_str().unwrap()).unwrap();
    let mut archive = ZipArchive::new(Cursor::new(bytes.as_bytes().to_vec())).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.push((name, text));
    }
    files
}

/// Names that are keywords, types and records of themselves, in one schema.
fn awkward() -> String {
    json!({
        "type": "object", "required": ["type", "detail-type", "next", "self"],
        "properties": {
            "type": { "type": "string", "enum": ["A", "B \"quoted\""] },
            "detail-type": { "type": "string" }, "detailType": { "type": "integer" },
            "next": { "anyOf": [{ "$ref": "#/definitions/Node" }, { "type": "null" }] },
            "self": { "type": "array", "items": { "type": "array", "items": { "$ref": "#/definitions/Node" } } },
            "option": { "type": "object", "properties": { "x": { "type": ["number", "null"] } } },
            "by name": { "type": "object", "additionalProperties": { "$ref": "#/definitions/Node" } },
            "any": {}, "2nd": { "type": "boolean" },
        },
        "definitions": { "Node": { "type": "object", "required": ["in"], "properties": {
            "in": { "$ref": "#/definitions/Node" }, "class": { "type": "string" }, "from": { "type": "number" },
        } } },
    })
    .to_string()
}

#[tokio::test]
async fn code_is_made_that_parses() {
    let world = world().await;
    registry(&world).await;
    create(&world, "shop@Placed", &awkward()).await;
    let rust = source(&world, "Rust").await;
    assert_eq!(rust[0].0, "Cargo.toml");
    let parsed = syn::parse_file(&rust[1].1).unwrap();
    let structs = parsed.items.iter().filter(|item| matches!(item, syn::Item::Struct(_))).count();
    assert_eq!(structs, 3, "{}", rust[1].1);
    assert!(rust[1].1.contains("pub r#in") || rust[1].1.contains("pub in_: Box<Node>"), "{}", rust[1].1);
    let script = source(&world, "TypeScript3").await;
    assert_eq!(script[0].1, include_str!("golden/index.ts"));
    assert_eq!(source(&world, "Python36").await, source(&world, "Python").await);
    let python = source(&world, "Python").await;
    assert_eq!(python[0].0, "shop_placed/__init__.py");
    compiles(&python[0].1);
    for language in ["Java8", "Go1", "Perl"] {
        let input = json!({ "RegistryName": "shop", "SchemaName": "shop@Placed", "Language": language });
        let fault = world.refused("schemas", "PutCodeBinding", input).await;
        assert!(fault.code == "BadRequestException" && fault.message.contains("TypeScript"), "{fault}");
    }
    let asked_never =
        json!({ "RegistryName": "aws.events", "SchemaName": "aws.s3@ObjectCreated", "Language": "Rust" });
    assert_eq!(world.refused("schemas", "GetCodeBindingSource", asked_never).await.code, "NotFoundException");
}

/// Python reads the module and a value goes through it and back; where there is no Python, nothing is said.
#[expect(clippy::disallowed_methods, reason = "the test asks the language itself")]
fn compiles(module: &str) {
    let trial = r#"
value = {"type": "A", "detail-type": "x", "next": {"in": None}, "self": [[]], "option": {"x": 1.5}, "any": [1]}
value["next"]["in"] = {"in": {}}
try:
    Placed.from_dict(value)
    raise SystemExit("a node without its member was read")
except KeyError:
    pass
value["next"] = None
assert Placed.from_dict(value).to_dict() == value, Placed.from_dict(value).to_dict()
"#;
    let program = format!("{module}\n{trial}");
    let Ok(output) = std::process::Command::new("python3").arg("-c").arg(program).output() else { return };
    assert!(output.status.success(), "{}\n{module}", String::from_utf8_lossy(&output.stderr));
}
