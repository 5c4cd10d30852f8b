//! Cases as data: a template or an expression beside what it gives.

use std::collections::BTreeMap;

use base::Document;
use serde_json::json;

use super::*;

struct World;

impl Environment for World {
    fn reference(&self, logical_id: &str) -> Option<Document> {
        (logical_id == "Queue").then(|| "queue-id".into())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Document, TemplateError> {
        Ok(format!("{logical_id}/{attribute}").into())
    }

    fn import(&self, name: &str) -> Option<String> {
        (name == "net-vpc").then(|| "vpc-1".to_owned())
    }
}

fn pseudo() -> Pseudo {
    Pseudo {
        account_id: "000000000000".into(),
        region: "eu-central-1".into(),
        stack_name: "stack".into(),
        stack_id: "arn:stack".into(),
        notification_arns: Vec::new(),
    }
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, Given> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), Given::Value((*text).to_owned()))).collect()
}

const HEADER: &str = r"
Parameters:
  Stage: {Type: String, Default: dev}
  Count: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList, Default: 'a, b,c'}
Mappings:
  Sizes:
    dev: {Memory: 128, Names: [x, y]}
    prod: {Memory: 1024}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !And [!Condition IsDev, !Equals [!Ref Count, 3]]]
Resources:
  Queue: {Type: 'AWS::SQS::Queue'}
";

/// Evaluates `Value` of an output in the world above.
fn value(yaml: &str) -> Result<Option<Document>, String> {
    let text = format!("{HEADER}Outputs:\n  X:\n    Value: {yaml}\n");
    let template = Template::parse(&text).map_err(|e| e.to_string())?;
    let values = resolve_parameters(&template.parameters, &BTreeMap::new(), &ParameterValues::new()).unwrap();
    let pseudo = pseudo();
    let conditions = template.judge(&values, &pseudo).map_err(|e| e.to_string())?;
    let scope = Scope {
        mappings: &template.mappings,
        parameters: &values,
        pseudo: &pseudo,
        conditions: &conditions,
        environment: &World,
    };
    scope.value(&template.outputs["X"].value).map_err(|e| e.to_string())
}

#[test]
fn expressions_have_values() {
    for (yaml, expected) in [
        ("!Ref Stage", json!("dev")),
        ("!Ref Count", json!("3")),
        ("!Ref Zones", json!(["a", "b", "c"])),
        ("!Ref Queue", json!("queue-id")),
        ("{Ref: 'AWS::Region'}", json!("eu-central-1")),
        ("!GetAtt Queue.Arn", json!("Queue/Arn")),
        ("!GetAtt [Queue, Arn]", json!("Queue/Arn")),
        ("!GetAtt Queue.Endpoint.Port", json!("Queue/Endpoint.Port")),
        ("{'Fn::GetAtt': Queue.Arn}", json!("Queue/Arn")),
        ("!Sub 'a-${Stage}-${Queue.Arn}-${!Kept}-${AWS::StackName}'", json!("a-dev-Queue/Arn-${Kept}-stack")),
        ("!Sub ['${X}${Stage}', {X: !Ref Count}]", json!("3dev")),
        ("!Sub ['${Stage.Name}', {Stage.Name: yes}]", json!("true")),
        ("!Sub '$ ${'", json!("$ ${")),
        ("!Join ['-', [a, !Ref Count, true, 1.5]]", json!("a-3-true-1.5")),
        ("!Join ['', !Ref Zones]", json!("abc")),
        ("!Join [',', [a, !Ref 'AWS::NoValue']]", json!("a")),
        ("!Split ['/', 'a/b//c']", json!(["a", "b", "", "c"])),
        ("!Select [1, !Split [':', 'a:b:c']]", json!("b")),
        ("!Select ['0', !Ref Zones]", json!("a")),
        ("!FindInMap [Sizes, !Ref Stage, Memory]", json!(128)),
        ("!FindInMap [Sizes, dev, Names]", json!(["x", "y"])),
        ("!Base64 hello", json!("aGVsbG8=")),
        ("!GetAZs ''", json!(["eu-central-1a", "eu-central-1b", "eu-central-1c"])),
        ("!Select [0, !GetAZs {Ref: 'AWS::Region'}]", json!("eu-central-1a")),
        ("!Cidr [10.0.0.0/16, 2, 8]", json!(["10.0.0.0/24", "10.0.1.0/24"])),
        ("!Cidr ['2001:db8::/56', 1, 64]", json!(["2001:db8::/64"])),
        ("!ImportValue net-vpc", json!("vpc-1")),
        ("!ImportValue {'Fn::Sub': 'net-vpc'}", json!("vpc-1")),
        ("!If [IsProd, big, !If [Either, small, none]]", json!("small")),
        (
            "{a: 1, b: !Ref 'AWS::NoValue', c: [!If [IsProd, 1, !Ref 'AWS::NoValue'], 2]}",
            json!({"a": 1, "c": [2]}),
        ),
        ("{Condition: {StringEquals: {a: b}}}", json!({"Condition": {"StringEquals": {"a": "b"}}})),
        ("000123456789", json!("000123456789")),
        (
            "[1, -2, 1.5, 1e3, yes, Off, !!str 12, '12', 2012-10-17]",
            json!([1, -2, 1.5, 1000.0, true, false, "12", "12", "2012-10-17"]),
        ),
        ("|\n      line one\n      line two", json!("line one\nline two\n")),
    ] {
        assert_eq!(value(yaml), Ok(Some(expected)), "{yaml}");
    }
}

#[test]
fn wrong_expressions_are_refused() {
    for (yaml, expected) in [
        (
            "!Ref Nowhere",
            "Template format error: Unresolved resource dependencies [Nowhere] in the Outputs block of the template",
        ),
        (
            "!GetAtt Nowhere.Arn",
            "Template error: instance of Fn::GetAtt references undefined resource Nowhere",
        ),
        (
            "!GetAtt Queue",
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
        ),
        (
            "!Sub '${Nowhere}'",
            "Template format error: Unresolved resource dependencies [Nowhere] in the Outputs block of the template",
        ),
        (
            "!Sub '${a-b}'",
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
        ),
        (
            "!Frob 1",
            "Template error: Encountered unsupported function: Fn::Frob Supported functions are: [Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, Fn::Sub, Fn::Cidr]",
        ),
        (
            "!Transform {Name: X}",
            "Template validation error: the function Fn::Transform is not supported by Buswork",
        ),
        (
            "'{{resolve:ssm:/a}}'",
            "Template validation error: [/Outputs/X] a dynamic reference in an output is not supported by Buswork",
        ),
        ("!Select [3, !Ref Zones]", "Template error: Fn::Select cannot select nonexistent value at index 3"),
        ("!FindInMap [Sizes, test, Memory]", "Template error: Unable to get mapping for Sizes::test::Memory"),
        (
            "!FindInMap [Other, test, Memory]",
            "Template error: Mapping named 'Other' is not present in the 'Mappings' section of template.",
        ),
        (
            "!If [Nope, 1, 2]",
            "Template format error: Unresolved condition dependency Nope in the Outputs block of the template",
        ),
        ("!ImportValue other", "No export named other found."),
        (
            "!ImportValue {'Fn::GetAtt': [Queue, Arn]}",
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs",
        ),
        (
            "!ImportValue {Ref: Queue}",
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs",
        ),
        (
            "!Cidr [10.0.0.0/24, 3, 8]",
            "Template error: Fn::Cidr of 10.0.0.0/24: the block is too small for so many subnets",
        ),
        (
            "!Equals [a, b]",
            "Template error: Fn::Equals may only be used in the Conditions and Rules blocks of the template",
        ),
        ("", "[/Outputs/X/Value] 'null' values are not allowed in templates"),
        ("&a 1", ""),
        ("*a", ""),
    ] {
        match (value(yaml), expected) {
            (Ok(_), "") => {}
            (Err(message), "") => assert!(message.starts_with("Template "), "{yaml}: {message}"),
            (got, expected) => assert_eq!(got, Err(expected.to_owned()), "{yaml}"),
        }
    }
}

const ONE: &str = "Resources: {A: {Type: T}}";

const WRONG_TEMPLATES: &[(&str, &str)] = &[
    ("", "Template format error: unsupported structure."),
    ("just text", "Template format error: unsupported structure."),
    ("{\"Resources\": ", "Template format error: JSON not well-formed. (line 1, column 14)"),
    ("Resources:\n  A: [", "Template format error: YAML not well-formed. (line 3, column 1)"),
    ("a: &x 1\nb: *x", "Template error: YAML aliases are not allowed in CloudFormation templates"),
    ("<<: {a: 1}", "Template error: YAML hash merges are not allowed in CloudFormation templates"),
    ("Description: x", "Template format error: At least one Resources member must be defined."),
    ("Resources:\n", "[/Resources] 'null' values are not allowed in templates"),
    (
        "Resources: {A: {Type: T, Properties: {B: {C: }}}}",
        "[/Resources/A/Type/B/C] 'null' values are not allowed in templates",
    ),
    ("Foo: 1\nBar: 2", "Template validation error: Invalid template property or properties [Foo, Bar]"),
    (
        "Transform: AWS::Include",
        "Template validation error: the transform AWS::Include is not supported by Buswork",
    ),
    (
        "AWSTemplateFormatVersion: 2011-01-01\nResources: {}",
        "Template format error: unsupported value for AWSTemplateFormatVersion.",
    ),
    (
        "Resources: {A: {}}",
        "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
    ),
    ("Resources: {A-B: {Type: T}}", "Template format error: Resource name A-B is non alphanumeric."),
    (
        "Resources: {A: {Type: T, Foo: 1}}",
        "Template validation error: Invalid template resource property 'Foo'",
    ),
    (
        "Resources: {A: {Type: T, CreationPolicy: {}}}",
        "Template validation error: [/Resources/A] the resource attribute CreationPolicy of the type T is not supported by Buswork",
    ),
    (
        "Resources: {A: {Type: T, DependsOn: B}}",
        "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
    ),
    (
        "Resources: {A: {Type: T, Condition: C}}",
        "Template format error: Unresolved condition dependency C in the Resources block of the template",
    ),
    (
        "Resources: {A: {Type: T, DeletionPolicy: Snapshot}}",
        "Template validation error: [/Resources/A] DeletionPolicy Snapshot is not supported by Buswork",
    ),
    (
        "Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, DependsOn: [A]}, C: {Type: T, DependsOn: A}, D: {Type: T}}",
        "Circular dependency between resources: [A, B]",
    ),
    (
        "Resources: {A: {Type: T, Properties: {P: !GetAtt A.Arn}}}",
        "Circular dependency between resources: [A]",
    ),
    (
        "Conditions: {A: !Condition B, B: !Condition A}\nResources: {A: {Type: T}}",
        "Template format error: Circular dependency between conditions: [A, B]",
    ),
    (
        "Conditions: {A: !Equals [!Ref Q, 1]}\nResources: {Q: {Type: T}}",
        "Template format error: Unresolved dependencies [Q]. Cannot reference resources in the Conditions block of the template",
    ),
    (
        "Parameters: {P: {Type: Frob}}\nResources: {}",
        "Template format error: Unrecognized parameter type: Frob",
    ),
    (
        "Parameters: {P: {Type: 'AWS::EC2::VPC::Id'}}\nResources: {}",
        "Template validation error: [/Parameters/P] the parameter type AWS::EC2::VPC::Id is not supported by Buswork",
    ),
    (
        "Parameters: {P: {Default: x}}\nResources: {}",
        "Template format error: Every Parameters object must contain a Type member.",
    ),
    (
        "Outputs: {O: {}}\nResources: {A: {Type: T}}",
        "Template format error: Every Outputs member must contain a Value object",
    ),
    (
        "Outputs: {O: {Value: 1, Export: {}}}\nResources: {A: {Type: T}}",
        "Template format error: Output O is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens.",
    ),
];

#[test]
fn wrong_templates_are_refused() {
    for &(text, expected) in WRONG_TEMPLATES {
        let got = Template::parse(text).map_err(|e| e.to_string());
        assert_eq!(got.err().as_deref(), Some(expected), "{text}");
    }
    assert!(Template::parse(ONE).is_ok());
    assert!(Template::parse(&format!("\u{feff}{{{}}}", "\"Resources\": {\"A\": {\"Type\": \"T\"}}")).is_ok());
}

#[test]
fn limits_hold() {
    let resources = |count: usize| {
        let one = |n: usize| format!("  R{n}: {{Type: T}}\n");
        format!("Resources:\n{}", (0..count).map(one).collect::<String>())
    };
    assert!(Template::parse(&resources(500)).is_ok());
    let error = Template::parse(&resources(501)).unwrap_err();
    assert_eq!(
        error.message(),
        "Template format error: Number of resources, 501, is greater than maximum allowed, 500"
    );
    let long = format!("{ONE}\n# {}", "x".repeat(URL_BYTES_MAX));
    assert_eq!(
        Template::parse(&long).unwrap_err().message(),
        "Template may not exceed 1000000 bytes in size."
    );
    let deep = format!("A: {}{}", "[".repeat(500), "]".repeat(500));
    assert!(Template::parse(&deep).unwrap_err().message().contains("YAML not well-formed"));
    let deep = format!("{{\"A\": {}{}}}", "[".repeat(500), "]".repeat(500));
    assert!(Template::parse(&deep).unwrap_err().message().contains("JSON not well-formed"));
    let doubling = |inner: String| format!("{{'Fn::Sub': ['{}', {{a: {inner}}}]}}", "${a}".repeat(100));
    let bomb = (0..20).fold("xxxxxxxxxx".to_owned(), |inner, _| doubling(inner));
    assert_eq!(
        value(&bomb),
        Err("Template error: Fn::Sub expression resolves to more than 1000000 bytes".into())
    );
}

#[test]
fn parameters_obey_their_declarations() {
    let template = |declaration: &str| {
        Template::parse(&format!("Parameters: {{P: {declaration}}}\nResources: {{A: {{Type: T}}}}")).unwrap()
    };
    for (declaration, text, expected) in [
        ("{Type: String}", "x", Ok(json!("x"))),
        ("{Type: Number}", "07", Ok(json!("07"))),
        ("{Type: Number}", "x", Err("Parameter 'P' must be a number.")),
        ("{Type: Number, MinValue: 3}", "2", Err("Parameter 'P' must be a number not less than 3")),
        ("{Type: Number, MaxValue: 3}", "4", Err("Parameter 'P' must be a number not greater than 3")),
        ("{Type: 'List<Number>'}", "1, 2", Ok(json!(["1", "2"]))),
        ("{Type: 'List<Number>'}", "1,b", Err("Parameter 'P' must be a number.")),
        ("{Type: CommaDelimitedList}", "a , b", Ok(json!(["a", "b"]))),
        (
            "{Type: CommaDelimitedList, AllowedValues: [a]}",
            "a,b",
            Err("Parameter 'P' must be one of AllowedValues [a]"),
        ),
        ("{Type: String, AllowedValues: [true, false]}", "true", Ok(json!("true"))),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abc", Ok(json!("abc"))),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abc1", Err("Parameter 'P' must match pattern [a-z]+")),
        (
            "{Type: String, MinLength: 2, ConstraintDescription: be long}",
            "a",
            Err("Parameter 'P' failed to satisfy constraint: be long"),
        ),
        ("{Type: String, MaxLength: 2}", "äöü", Err("Parameter 'P' must contain at most 2 characters")),
    ] {
        let template = template(declaration);
        let got = resolve_parameters(&template.parameters, &given(&[("P", text)]), &ParameterValues::new());
        let got = got.map(|values| values["P"].document()).map_err(|e| e.to_string());
        assert_eq!(got, expected.map_err(str::to_owned), "{declaration} {text}");
    }
    let template = template("{Type: String}");
    let refused = |pairs: &[(&str, &str)]| {
        resolve_parameters(&template.parameters, &given(pairs), &ParameterValues::new())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused(&[]), "Parameters: [P] must have values");
    assert_eq!(refused(&[("P", "1"), ("Q", "2")]), "Parameters: [Q] do not exist in the template");
    let previous =
        resolve_parameters(&template.parameters, &given(&[("P", "old")]), &ParameterValues::new()).unwrap();
    let kept = BTreeMap::from([("P".to_owned(), Given::Previous)]);
    assert_eq!(resolve_parameters(&template.parameters, &kept, &previous).unwrap(), previous);
}

#[test]
fn conditions_choose_what_exists_and_what_is_needed() {
    let template = Template::parse(
        "Parameters: {P: {Type: String}}
Conditions: {Live: !Equals [!Ref P, y]}
Resources:
  A: {Type: T, Condition: Live}
  B: {Type: T, DependsOn: A, Properties: {X: !If [Live, !Ref A, none], Y: !Ref C}}
  C: {Type: T}
  D: {Type: T, Properties: {X: !Ref A}}
",
    )
    .unwrap();
    let under = |text: &str| {
        let values =
            resolve_parameters(&template.parameters, &given(&[("P", text)]), &ParameterValues::new())
                .unwrap();
        template.judge(&values, &pseudo()).unwrap()
    };
    let needs =
        |text: &str| template.needs("B", Some(&under(text))).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!((needs("y"), needs("n")), ("A C".to_owned(), "C".to_owned()));
    assert_eq!(template.check_existing(&under("y")), Ok(()));
    let refused = template.check_existing(&under("n")).unwrap_err();
    assert_eq!(
        refused.message(),
        "Template format error: Unresolved resource dependencies [A] in the Resources block of the template"
    );
}

#[test]
fn rules_are_asserted() {
    let template = Template::parse(
        r#"{"Parameters": {"Version": {"Type": "String"}},
"Rules": {"Check": {"Assertions": [{
  "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}]},
  "AssertDescription": "version 3 or later is needed"}]}},
"Resources": {"A": {"Type": "T"}}}"#,
    )
    .unwrap();
    let judge = |version: &str| {
        let values = resolve_parameters(
            &template.parameters,
            &given(&[("Version", version)]),
            &ParameterValues::new(),
        );
        template.assert_rules(&values.unwrap(), &pseudo()).map_err(|e| e.to_string())
    };
    assert_eq!(judge("33"), Ok(()));
    let refused = "Template validation error: Rule Check failed: version 3 or later is needed";
    assert_eq!(judge("2"), Err(refused.to_owned()));
}

#[test]
fn attributes_asked_for_are_listed() {
    let template = Template::parse(
        "Resources: {A: {Type: T}, B: {Type: T, Properties: {X: !GetAtt A.Arn, Y: !Sub ['${A.Url}${v.x}', {v.x: 1}]}}}",
    )
    .unwrap();
    assert_eq!(template.attributes(), [("A", "Arn"), ("A", "Url")]);
}
