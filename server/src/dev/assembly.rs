//! A cloud assembly: the directory that `cdk synth` writes, and SST with it.
//!
//! <https://docs.aws.amazon.com/cdk/v2/guide/deploy.html> names it; its form is that of the package `@aws-cdk/cloud-assembly-schema`.
//!
//! A resource says where its code is by metadata, which CDK can be told to leave out and SST leaves out always. Without it, the
//! lists of what is uploaded say it: they name the file or directory behind each key in the bucket.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

/// Where tools leave the assembly below the app's directory: CDK, SST v2, SST v1.
const USUAL: [&str; 3] = ["cdk.out", ".sst/dist", ".build/cdk.out"];

/// Assemblies and stacks inside one another; deeper ones are not looked for.
const DEPTH_MAX: usize = 8;

/// A function of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The name of its stack.
    pub stack: String,
    /// The logical ids of the stacks inside it that lead to the function's.
    pub inner: Vec<String>,
    /// Its logical id.
    pub logical_id: String,
    /// The region that the app names; none if it leaves it open.
    pub region: Option<String>,
    /// `Handler`, empty where it is no plain text.
    pub handler: String,
    /// `Runtime`, likewise.
    pub runtime: String,
    /// Its code as it was deployed.
    pub code: Code,
}

/// Digits of the UUID in the logical id of a function that CDK shares in a stack.
const UUID_DIGITS: usize = 32;

impl Declared {
    /// Whether CDK or SST has brought the function along for its own work: custom resources and what provides them, log
    /// retention. Only what it is called tells.
    pub(crate) fn is_of_the_tool(&self) -> bool {
        let id = self.logical_id.as_str();
        let digits = id.as_bytes().chunk_by(|a, b| a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
        self.handler.starts_with("framework.on")
            || self.handler == "framework.isComplete"
            || self.handler == "__entrypoint__.handler"
            || id.starts_with("CustomResourceHandler")
            || id.contains("CustomResourceProviderHandler")
            || digits.map(<[u8]>::len).any(|length| length >= UUID_DIGITS)
    }
}

/// A function's code in an assembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// A directory that is zipped.
    Directory(PathBuf),
    /// A file that is uploaded as it is.
    Archive(PathBuf),
    /// In the template, or where the assembly does not say.
    Unseen,
}

/// The assembly of an app: `directory` itself, or where its tool leaves it.
///
/// # Errors
/// None of these directories has a manifest.
pub(crate) fn find(directory: &Path) -> anyhow::Result<PathBuf> {
    let configured = read(&directory.join("cdk.json")).ok();
    let configured = configured.as_ref().and_then(|settings| settings["output"].as_str());
    let candidates = ["."].into_iter().chain(configured).chain(USUAL);
    let mut found = candidates.map(|name| directory.join(name));
    match found.find(|candidate| candidate.join("manifest.json").is_file()) {
        Some(found) => Ok(found.canonicalize()?),
        None => bail!(
            "{} has no cloud assembly ({}): deploy the app with `cdk deploy` or `sst deploy` first, or name functions \
             with --function NAME=PATH",
            directory.display(),
            USUAL.join(", ")
        ),
    }
}

/// All functions of an assembly, by stack and logical id.
///
/// # Errors
/// Its files cannot be read or are not what a cloud assembly has.
pub(crate) fn functions(assembly: &Path) -> anyhow::Result<Vec<Declared>> {
    let mut found = Vec::new();
    gather(assembly, DEPTH_MAX, &mut found)?;
    Ok(found)
}

fn gather(assembly: &Path, depth: usize, found: &mut Vec<Declared>) -> anyhow::Result<()> {
    let manifest = read(&assembly.join("manifest.json"))?;
    let uploads = uploads(assembly, &manifest);
    let place = Place { assembly, uploads: &uploads };
    for (id, artifact) in manifest["artifacts"].as_object().into_iter().flatten() {
        let text = |name: &str| artifact["properties"][name].as_str();
        match artifact["type"].as_str() {
            Some("aws:cloudformation:stack") => {
                let file = text("templateFile").context("a stack of the assembly has no template")?;
                let of_stack = Declared {
                    stack: text("stackName").unwrap_or(id).to_owned(),
                    inner: Vec::new(),
                    logical_id: String::new(),
                    region: artifact["environment"].as_str().and_then(region),
                    handler: String::new(),
                    runtime: String::new(),
                    code: Code::Unseen,
                };
                place.of_template(&assembly.join(file), &of_stack, found)?;
            }
            Some("cdk:cloud-assembly") if depth > 0 => {
                let directory = text("directoryName").context("an inner assembly has no directory")?;
                gather(&assembly.join(directory), depth - 1, found)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The region of `aws://account/region`.
fn region(environment: &str) -> Option<String> {
    let region = environment.rsplit('/').next()?;
    (region != "unknown-region").then(|| region.to_owned())
}

/// What is uploaded, by its key in the bucket. A list that cannot be read names nothing.
fn uploads(assembly: &Path, manifest: &Value) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for artifact in manifest["artifacts"].as_object().into_iter().flatten().map(|(_, artifact)| artifact) {
        let list = artifact["properties"]["file"].as_str();
        let list = list.filter(|_| artifact["type"] == "cdk:asset-manifest").map(|file| assembly.join(file));
        let Some(list) = list.and_then(|list| read(&list).ok()) else { continue };
        for (_, file) in list["files"].as_object().into_iter().flatten() {
            let Some(path) = file["source"]["path"].as_str() else { continue };
            let destinations = file["destinations"].as_object().into_iter().flatten();
            let keys = destinations.filter_map(|(_, destination)| destination["objectKey"].as_str());
            found.extend(keys.map(|key| (key.to_owned(), assembly.join(path))));
        }
    }
    found
}

/// An assembly and what is uploaded from it.
struct Place<'a> {
    assembly: &'a Path,
    uploads: &'a BTreeMap<String, PathBuf>,
}

impl Place<'_> {
    fn of_template(
        &self,
        template: &Path,
        of_stack: &Declared,
        found: &mut Vec<Declared>,
    ) -> anyhow::Result<()> {
        let template = read(template)?;
        for (logical_id, resource) in template["Resources"].as_object().into_iter().flatten() {
            let properties = &resource["Properties"];
            let text = |name: &str| properties[name].as_str().unwrap_or_default().to_owned();
            match resource["Type"].as_str() {
                Some("AWS::Lambda::Function") => found.push(Declared {
                    logical_id: logical_id.clone(),
                    handler: text("Handler"),
                    runtime: text("Runtime"),
                    code: self.asset(resource, &properties["Code"]["S3Key"]).map_or(Code::Unseen, code),
                    ..of_stack.clone()
                }),
                Some("AWS::CloudFormation::Stack") if of_stack.inner.len() < DEPTH_MAX => {
                    let Some(inner) = self.asset(resource, &properties["TemplateURL"]) else { continue };
                    let mut of_stack = of_stack.clone();
                    of_stack.inner.push(logical_id.clone());
                    self.of_template(&inner, &of_stack, found)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a resource is made from: as its metadata says, or as its key in the bucket does.
    fn asset(&self, resource: &Value, key: &Value) -> Option<PathBuf> {
        if let Some(path) = resource["Metadata"]["aws:asset:path"].as_str() {
            return Some(self.assembly.join(path));
        }
        let key = ending(key)?;
        let mut named = self.uploads.iter();
        let is_named = |known: &str| {
            key.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        named.find(|(known, _)| is_named(known)).map(|(_, path)| path.clone())
    }
}

/// The end of a text that a template gives, joins or fills in.
fn ending(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(parts) => parts.last().and_then(ending),
        Value::Object(function) => match function.iter().next() {
            Some((name, Value::Array(parts))) if name == "Fn::Sub" => parts.first().and_then(ending),
            Some((name, inner)) if matches!(name.as_str(), "Fn::Join" | "Fn::Sub") => ending(inner),
            _ => None,
        },
        _ => None,
    }
}

fn code(path: PathBuf) -> Code {
    match path.is_dir() {
        true => Code::Directory(path),
        false => Code::Archive(path),
    }
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn write(path: &Path, document: &Value) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, document.to_string()).unwrap();
    }

    fn function(asset: &str) -> Value {
        json!({
            "Type": "AWS::Lambda::Function",
            "Properties": { "Handler": "index.handler", "Runtime": "nodejs22.x", "Role": { "Ref": "R" } },
            "Metadata": { "aws:asset:path": asset },
        })
    }

    #[test]
    fn functions_are_found_in_stacks_stages_and_stacks_inside_stacks() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("cdk.out");
        let stack = |file: &str, environment: &str| {
            json!({ "type": "aws:cloudformation:stack", "environment": environment,
                "properties": { "templateFile": file, "stackName": format!("dev-{}", &file[..1]) } })
        };
        let stage =
            json!({ "type": "cdk:cloud-assembly", "properties": { "directoryName": "assembly-prod" } });
        write(
            &out.join("manifest.json"),
            &json!({ "artifacts": { "A": stack("a.json", "aws://111122223333/eu-west-1"), "prod": stage,
                "A.assets": { "type": "cdk:asset-manifest" } } }),
        );
        let inner =
            json!({ "Type": "AWS::CloudFormation::Stack", "Metadata": { "aws:asset:path": "inner.json" } });
        let inline = json!({ "Type": "AWS::Lambda::Function", "Properties": { "Code": { "ZipFile": "" } } });
        write(
            &out.join("a.json"),
            &json!({ "Resources": { "F": function("asset.1"), "I": inner, "L": inline } }),
        );
        write(&out.join("inner.json"), &json!({ "Resources": { "G": function("asset.2.zip") } }));
        let staged = out.join("assembly-prod");
        write(
            &staged.join("manifest.json"),
            &json!({ "artifacts": { "B": stack("b.json", "aws://unknown-account/unknown-region") } }),
        );
        write(&staged.join("b.json"), &json!({ "Resources": { "H": function("../asset.1") } }));
        fs::create_dir(out.join("asset.1")).unwrap();

        let out = find(home.path()).unwrap();
        let shown: Vec<_> = functions(&out).unwrap().into_iter().collect();
        let names: Vec<String> = shown
            .iter()
            .map(|it| format!("{} {} {} {:?}", it.stack, it.inner.join("/"), it.logical_id, it.region))
            .collect();
        let expected =
            ["dev-a  F Some(\"eu-west-1\")", "dev-a I G Some(\"eu-west-1\")", "dev-a  L Some(\"eu-west-1\")"];
        assert_eq!(names[..3], expected);
        assert_eq!(names[3], "dev-b  H None");
        assert_eq!(shown[0].code, Code::Directory(out.join("asset.1")));
        assert_eq!(shown[1].code, Code::Archive(out.join("asset.2.zip")));
        assert_eq!(shown[2].code, Code::Unseen);
        assert_eq!(shown[3].code, Code::Directory(out.join("assembly-prod/../asset.1")));
        assert_eq!((shown[0].handler.as_str(), shown[0].runtime.as_str()), ("index.handler", "nodejs22.x"));
    }

    #[test]
    fn without_metadata_the_list_of_what_is_uploaded_says_where_code_is() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path();
        let stack = json!({ "type": "aws:cloudformation:stack", "properties": { "templateFile": "a.json" } });
        let list = json!({ "type": "cdk:asset-manifest", "properties": { "file": "a.assets.json" } });
        write(&out.join("manifest.json"), &json!({ "artifacts": { "a": stack, "a.assets": list } }));
        let upload = |path: &str, key: &str| {
            json!({ "source": { "path": path, "packaging": "zip" },
                "destinations": { "current": { "bucketName": "assets", "objectKey": key } } })
        };
        let files = json!({ "1": upload("asset.1", "1.zip"), "2": upload("inner.json", "2.json"),
            "3": upload("asset.3.zip", "apps/3.zip") });
        write(&out.join("a.assets.json"), &json!({ "version": "36.0.0", "files": files }));
        let function = |key: Value| {
            json!({ "Type": "AWS::Lambda::Function",
                "Properties": { "Code": { "S3Bucket": { "Fn::Sub": "assets" }, "S3Key": key } } })
        };
        let url =
            json!({ "Fn::Join": ["", ["https://s3.", { "Ref": "AWS::Region" }, "/assets", "/2.json"]] });
        let inner = json!({ "Type": "AWS::CloudFormation::Stack", "Properties": { "TemplateURL": url } });
        let resources = json!({ "F": function(json!("1.zip")), "G": function(json!("21.zip")), "I": inner });
        write(&out.join("a.json"), &json!({ "Resources": resources }));
        let key = json!({ "Fn::Sub": "apps/3.zip" });
        write(&out.join("inner.json"), &json!({ "Resources": { "H": function(key) } }));
        fs::create_dir(out.join("asset.1")).unwrap();
        let found: Vec<(String, Code)> =
            functions(out).unwrap().into_iter().map(|it| (it.logical_id, it.code)).collect();
        let expected = [
            ("F".to_owned(), Code::Directory(out.join("asset.1"))),
            ("G".to_owned(), Code::Unseen),
            ("H".to_owned(), Code::Archive(out.join("asset.3.zip"))),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn handlers_of_the_tools_are_told_from_those_of_the_app() {
        let declared = |logical_id: &str, handler: &str| Declared {
            stack: "dev".to_owned(),
            inner: Vec::new(),
            logical_id: logical_id.to_owned(),
            region: None,
            handler: handler.to_owned(),
            runtime: String::new(),
            code: Code::Unseen,
        };
        let tools = [
            ("CustomResourceHandlerE8FB56BA", "index.handler"),
            ("LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8aFD4BFC8A", "index.handler"),
            ("CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D90184F", "index.handler"),
            ("Providerframeworkonevent83C1D8A9", "framework.onEvent"),
            ("AWS679f53fac002430cb0da5b7982bd22872D164C4C", "index.handler"),
            ("BucketNotificationsHandler050a0587b7544547bf325f094a3db8347ECC3691", "index.handler"),
        ];
        for (logical_id, handler) in tools {
            assert!(declared(logical_id, handler).is_of_the_tool(), "{logical_id}");
        }
        for logical_id in ["depositfunction55C227AD", "Writer3ED51D24", "LogRetention3ED51D24"] {
            assert!(!declared(logical_id, "src/deposit.handler").is_of_the_tool(), "{logical_id}");
        }
    }

    #[test]
    fn a_directory_without_an_assembly_is_named() {
        let home = tempfile::tempdir().unwrap();
        let refused = find(home.path()).unwrap_err().to_string();
        assert!(refused.contains("has no cloud assembly") && refused.contains("cdk deploy"), "{refused}");
    }
}
