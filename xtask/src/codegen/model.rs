//! A service's model: what botocore says of it, and what follows for the listed operations.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

use super::config::Config;
use super::names;

/// The package that the models are read from.
const BOTOCORE: &str = "1.44.5";

/// Fetches the package unless it is there; returns its path.
#[expect(clippy::disallowed_methods, reason = "a development tool runs pip")]
pub(super) fn fetch(directory: &Path) -> Result<PathBuf> {
    let wheel = directory.join(format!("botocore-{BOTOCORE}-py3-none-any.whl"));
    if !wheel.is_file() {
        let status = Command::new("pip")
            .args(["download", "--quiet", "--no-deps", "--dest"])
            .arg(directory)
            .arg(format!("botocore=={BOTOCORE}"))
            .status()
            .context("starting pip")?;
        ensure!(status.success() && wheel.is_file(), "pip did not fetch {}", wheel.display());
    }
    Ok(wheel)
}

/// One service's model, narrowed to the listed operations.
pub(super) struct Model<'c> {
    /// What `api.toml` says.
    pub(super) config: &'c Config,
    json: Value,
    /// The shapes that the listed operations reach, by name.
    pub(super) reachable: BTreeSet<String>,
    /// The Rust names of the reachable structures and enumerations.
    rust_names: BTreeMap<String, String>,
}

/// What a model says of an operation.
pub(super) struct Operation<'m> {
    pub(super) name: &'m str,
    pub(super) json: &'m Value,
    pub(super) input: Option<&'m str>,
    pub(super) output: Option<&'m str>,
}

impl<'c> Model<'c> {
    /// Reads the model and checks the listed operations against it.
    pub(super) fn load(package: &Path, config: &'c Config) -> Result<Model<'c>> {
        let mut json = read(package, config)?;
        for (path, own) in &config.members {
            let (shape, member) = path.split_once('.').context("a member is called Shape.Member")?;
            let entry = &mut json["shapes"][shape]["members"][member];
            ensure!(entry.is_object(), "there is no member {path}");
            entry["shape"] = own.shape.clone().into();
            if let Some(named) = &own.named {
                entry["locationName"] = named.clone().into();
            }
        }
        let mut model = Model { config, json, reachable: BTreeSet::new(), rust_names: BTreeMap::new() };
        let mut reached = BTreeSet::new();
        for operation in model.operations()? {
            for shape in operation.input.into_iter().chain(operation.output) {
                model.reach(shape, &mut reached);
            }
        }
        model.reachable = reached;
        model.rust_names = model.name_types()?;
        Ok(model)
    }

    /// The listed operations, in the model's order.
    pub(super) fn operations(&self) -> Result<Vec<Operation<'_>>> {
        let all = self.section("operations");
        for name in &self.config.operations {
            ensure!(all.contains_key(name), "{} has no operation {name}", self.config.model);
        }
        let listed = all.iter().filter(|(name, _)| self.config.operations.contains(name));
        Ok(listed
            .map(|(name, json)| {
                let (input, output) = (json["input"]["shape"].as_str(), json["output"]["shape"].as_str());
                Operation { name, json, input, output }
            })
            .collect())
    }

    /// Every operation that AWS has.
    pub(super) fn all_operations(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.section("operations").iter()
    }

    /// All shapes of the model, in its order.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.section("shapes").iter()
    }

    /// A shape of the model.
    pub(super) fn shape(&self, name: &str) -> &Value {
        &self.json["shapes"][name]
    }

    /// A text of the model's metadata.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.json["metadata"][key].as_str()
    }

    /// Whether the metadata has a key at all.
    pub(super) fn has_metadata(&self, key: &str) -> bool {
        !self.json["metadata"][key].is_null()
    }

    /// The service's name in prose.
    pub(super) fn full_name(&self) -> &str {
        self.metadata("serviceFullName").unwrap_or(&self.config.model)
    }

    /// The API's version.
    pub(super) fn api_version(&self) -> &str {
        self.metadata("apiVersion").unwrap_or("")
    }

    /// The members of a structure with what is said of each.
    pub(super) fn members<'m>(&'m self, shape: &str) -> impl Iterator<Item = (&'m String, &'m Value)> {
        self.shape(shape)["members"].as_object().into_iter().flatten()
    }

    /// Whether a member may not be absent.
    pub(super) fn is_required(&self, shape: &str, member: &str) -> bool {
        self.shape(shape)["required"].as_array().is_some_and(|names| names.iter().any(|name| name == member))
    }

    /// The Rust name of a structure or enumeration.
    pub(super) fn rust_name(&self, shape: &str) -> Option<&str> {
        self.rust_names.get(shape).map(String::as_str)
    }

    /// Whether a shape is an enumeration that becomes a Rust one.
    pub(super) fn is_enum(&self, shape: &str) -> bool {
        self.shape(shape)["enum"].is_array() && !self.config.open_enums.iter().any(|open| open == shape)
    }

    /// The page that describes an operation or a type.
    pub(super) fn page(&self, name: &str) -> Option<String> {
        self.config.docs.as_ref().map(|docs| format!("<{docs}{name}.html>"))
    }

    fn section(&self, key: &str) -> &Map<String, Value> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.json[key].as_object().unwrap_or(&EMPTY)
    }

    fn reach(&self, name: &str, reached: &mut BTreeSet<String>) {
        if !reached.insert(name.to_owned()) {
            return;
        }
        for next in self.references(name) {
            self.reach(next, reached);
        }
    }

    /// The shapes that a shape refers to.
    pub(super) fn references<'m>(&'m self, name: &str) -> Vec<&'m str> {
        let shape = self.shape(name);
        let members = self.members(name).map(|(_, member)| &member["shape"]);
        let inner = [&shape["member"]["shape"], &shape["key"]["shape"], &shape["value"]["shape"]];
        members.chain(inner).filter_map(Value::as_str).collect()
    }

    /// Structures used by one operation only are named after it; all others keep the model's name.
    fn name_types(&self) -> Result<BTreeMap<String, String>> {
        let mut uses: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
        for operation in self.operations()? {
            for (shape, side) in [(operation.input, "Input"), (operation.output, "Output")] {
                if let Some(shape) = shape {
                    uses.entry(shape).or_default().push(Some(format!("{}{side}", operation.name)));
                }
            }
        }
        for shape in &self.reachable {
            for inner in self.references(shape) {
                uses.entry(inner).or_default().push(None);
            }
        }
        let mut taken: BTreeSet<String> = self.config.operations.iter().cloned().collect();
        for word in
            ["Option", "Vec", "String", "Box", "Default", "Result", "Timestamp", "Blob", "Document", "Fault"]
        {
            taken.insert(word.to_owned());
        }
        let mut names = BTreeMap::new();
        for shape in &self.reachable {
            if self.shape(shape)["type"] != "structure" && !self.is_enum(shape) {
                continue;
            }
            let name = match uses.get(shape.as_str()).map(Vec::as_slice) {
                Some([Some(name)]) => name.clone(),
                _ => names::type_name(shape),
            };
            let name = if taken.contains(&name) { format!("{name}Shape") } else { name };
            ensure!(taken.insert(name.clone()), "two types are called {name}");
            names.insert(shape.clone(), name);
        }
        Ok(names)
    }
}

fn read(package: &Path, config: &Config) -> Result<Value> {
    let mut archive = zip::ZipArchive::new(File::open(package)?)?;
    let prefix = format!("botocore/data/{}/", config.model);
    let mut found: Vec<String> = archive
        .file_names()
        .filter_map(|name| name.ok().map(|name| name.into_owned()))
        .filter(|name| name.starts_with(&prefix) && name.contains("/service-2.json"))
        .filter(|name| config.version.as_ref().is_none_or(|version| name.contains(version.as_str())))
        .collect();
    found.sort();
    let Some(name) = found.pop() else { bail!("botocore {BOTOCORE} has no model {}", config.model) };
    let mut bytes = Vec::new();
    archive.by_name(&name)?.read_to_end(&mut bytes)?;
    if name.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
        bytes = plain;
    }
    serde_json::from_slice(&bytes).with_context(|| format!("parsing {name}"))
}
