//! Functions.

use std::io::{Cursor, Write as _};

use base::Document;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use super::super::{
    Facet, Life, Naming, Place, Properties, ResourceType, Source, Takes, Update, aside, call, fixed, open,
};

const ARN: Source = Source::Text("arn:aws:lambda:{region}:{account}:function:{name}");

pub(super) const FUNCTION: ResourceType = ResourceType {
    name: "AWS::Lambda::Function",
    service: "lambda",
    properties: &[
        fixed("FunctionName"),
        fixed("PackageType"),
        open("Code").by(1),
        open("Architectures").by(1),
        open("DeadLetterConfig").reset(r#"{"TargetArn": ""}"#),
        open("Description").reset("\"\""),
        open("Environment").reset(r#"{"Variables": {}}"#),
        open("EphemeralStorage").reset(r#"{"Size": 512}"#),
        open("Handler"),
        open("ImageConfig"),
        open("KmsKeyArn").reset("\"\"").to("KMSKeyArn"),
        open("Layers").reset("[]"),
        open("LoggingConfig"),
        open("MemorySize").reset("128"),
        open("Role"),
        open("Runtime"),
        open("SnapStart"),
        open("Timeout").reset("3"),
        open("TracingConfig").reset(r#"{"Mode": "PassThrough"}"#),
        open("VpcConfig"),
        aside("ReservedConcurrentExecutions"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("FunctionName", 64)),
    create: Some(call("CreateFunction", &[])),
    updates: &[
        Update {
            call: call("UpdateFunctionConfiguration", &[("FunctionName", Source::Id)]),
            takes: Takes::All,
        },
        Update {
            call: call(
                "UpdateFunctionCode",
                &[
                    ("FunctionName", Source::Id),
                    ("Architectures", Source::Property("Architectures")),
                    ("ImageUri", Source::Property("Code.ImageUri")),
                    ("S3Bucket", Source::Property("Code.S3Bucket")),
                    ("S3Key", Source::Property("Code.S3Key")),
                    ("S3ObjectVersion", Source::Property("Code.S3ObjectVersion")),
                    ("ZipFile", Source::Property("Code.ZipFile")),
                ],
            ),
            takes: Takes::Nothing,
        },
    ],
    delete: Some(call("DeleteFunction", &[("FunctionName", Source::Id)])),
    read: Some(call("GetFunction", &[("FunctionName", Source::Name)])),
    attributes: &[("Arn", ARN)],
    facets: &[
        Facet {
            property: "ReservedConcurrentExecutions",
            many: false,
            put: Some(call(
                "PutFunctionConcurrency",
                &[("FunctionName", Source::Id), ("ReservedConcurrentExecutions", Source::Item(""))],
            )),
            remove: Some(call("DeleteFunctionConcurrency", &[("FunctionName", Source::Id)])),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "Tags",
            key: "Key",
            put: Some(call("TagResource", &[("Resource", ARN), ("Tags.0", Source::Item(""))])),
            remove: Some(call("UntagResource", &[("Resource", ARN), ("TagKeys.0", Source::Item("Key"))])),
            life: Life::Changes,
            ..Facet::BASE
        },
    ],
    shape: Some(package),
    ready: Some(("Configuration.State", &["Active"])),
    ..ResourceType::BASE
};

/// Inline code is the text of one file, which the operation wants as an archive.
fn package(properties: &mut Properties, _: &Place) -> Result<(), String> {
    let runtime = properties.get("Runtime").and_then(Document::as_str).unwrap_or_default();
    let file = match runtime {
        runtime if runtime.starts_with("nodejs") => "index.js",
        runtime if runtime.starts_with("python") => "index.py",
        _ => "",
    };
    let Some(Document::Object(code)) = properties.get_mut("Code") else { return Ok(()) };
    let Some(Document::String(source)) = code.get("ZipFile") else { return Ok(()) };
    if file.is_empty() {
        return Err("ZipFile can only be used when Runtime is set to a nodejs or python runtime".to_owned());
    }
    let mut files = vec![(file, source.as_str())];
    files.extend(
        RESPONSES.iter().filter(|(name, ..)| source.contains(name)).map(|(_, at, text)| (*at, *text)),
    );
    let archive = zipped(&files).map_err(|error| format!("ZipFile cannot be packed: {error}"))?;
    code.insert("ZipFile".to_owned(), STANDARD.encode(archive).into());
    Ok(())
}

/// Modules by which functions of custom resources answer, beside inline code that names them.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html>
const RESPONSES: [(&str, &str, &str); 2] = [
    ("cfnresponse", "cfnresponse.py", include_str!("response/cfnresponse.py")),
    ("cfn-response", "node_modules/cfn-response/index.js", include_str!("response/cfn-response.js")),
];

/// An archive. Its time stamps are fixed: the same texts give the same bytes, and the same digest.
fn zipped(files: &[(&str, &str)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().last_modified_time(DateTime::default()).unix_permissions(0o644);
    for (file, text) in files {
        archive.start_file(*file, options)?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use serde_json::json;

    use super::*;

    fn packed(properties: Document) -> Result<Document, String> {
        let place = Place { account: "1".into(), region: "r".into(), endpoint: String::new() };
        let mut properties = properties.as_object().unwrap().clone();
        package(&mut properties, &place).map(|()| Document::Object(properties))
    }

    #[test]
    fn answering_modules_stand_beside_the_code_that_names_them() {
        for (runtime, code, expected) in [
            ("python3.13", "import cfnresponse", &["index.py", "cfnresponse.py"][..]),
            ("nodejs22.x", "require('cfn-response')", &["index.js", "node_modules/cfn-response/index.js"]),
            ("nodejs22.x", "exports.handler = 1", &["index.js"]),
        ] {
            let properties = packed(json!({"Runtime": runtime, "Code": {"ZipFile": code}})).unwrap();
            let bytes = STANDARD.decode(properties["Code"]["ZipFile"].as_str().unwrap()).unwrap();
            let archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            let names: Vec<_> = archive.file_names().map(Result::unwrap).collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn inline_code_becomes_an_archive_of_one_file() {
        for (runtime, file) in [("nodejs22.x", "index.js"), ("python3.13", "index.py")] {
            let given = json!({"Runtime": runtime, "Code": {"ZipFile": "code"}});
            let properties = packed(given.clone()).unwrap();
            assert_eq!(packed(given).unwrap(), properties);
            let bytes = STANDARD.decode(properties["Code"]["ZipFile"].as_str().unwrap()).unwrap();
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            let mut text = String::new();
            archive.by_name(file).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "code");
        }
        assert!(packed(json!({"Runtime": "java21", "Code": {"ZipFile": "x"}})).is_err());
        let from_bucket = json!({"Code": {"S3Bucket": "b", "S3Key": "k"}});
        assert_eq!(packed(from_bucket.clone()), Ok(from_bucket));
    }
}
