//! A cloud assembly: the directory that `cdk synth` writes, and SST with it.
//!
//! <https://docs.aws.amazon.com/cdk/v2/guide/deploy.html> names it; its form is that of the package `@aws-cdk/cloud-assembly-schema`.

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
    for (id, artifact) in manifest["artifacts"].as_object().into_iter().flatten() {
        let text = |name: &str| artifact["properties"][name].as_str();
        match artifact["type"].as_str() {
            Some("aws:cloudformation:stack") => {
                let file = text("templateFile").context("a stack of the assembly has no template")?;
                let place = Declared {
                    stack: text("stackName").unwrap_or(id).to_owned(),
                    inner: Vec::new(),
                    logical_id: String::new(),
                    region: artifact["environment"].as_str().and_then(region),
                    handler: String::new(),
                    runtime: String::new(),
                    code: Code::Unseen,
                };
                of_template(assembly, &assembly.join(file), &place, found)?;
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

fn of_template(
    assembly: &Path,
    template: &Path,
    place: &Declared,
    found: &mut Vec<Declared>,
) -> anyhow::Result<()> {
    let template = read(template)?;
    for (logical_id, resource) in template["Resources"].as_object().into_iter().flatten() {
        let asset = resource["Metadata"]["aws:asset:path"].as_str().map(|path| assembly.join(path));
        let text = |name: &str| resource["Properties"][name].as_str().unwrap_or_default().to_owned();
        match (resource["Type"].as_str(), asset) {
            (Some("AWS::Lambda::Function"), asset) => found.push(Declared {
                logical_id: logical_id.clone(),
                handler: text("Handler"),
                runtime: text("Runtime"),
                code: asset.map_or(Code::Unseen, code),
                ..place.clone()
            }),
            (Some("AWS::CloudFormation::Stack"), Some(inner)) if place.inner.len() < DEPTH_MAX => {
                let mut place = place.clone();
                place.inner.push(logical_id.clone());
                of_template(assembly, &inner, &place, found)?;
            }
            _ => {}
        }
    }
    Ok(())
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
    fn a_directory_without_an_assembly_is_named() {
        let home = tempfile::tempdir().unwrap();
        let refused = find(home.path()).unwrap_err().to_string();
        assert!(refused.contains("has no cloud assembly") && refused.contains("cdk deploy"), "{refused}");
    }
}
