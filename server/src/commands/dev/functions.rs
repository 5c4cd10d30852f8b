//! The deployed functions that are followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::logs::Group;
use crate::cli::Endpoint;
use crate::client::{Client, Unreachable};
use crate::dev::assembly::Declared;
use crate::dev::changes::Inputs;
use crate::dev::package::Package;
use crate::dev::source::{App, Source};

/// Clients of the server, one for each region.
pub(super) struct Clients {
    endpoint: Endpoint,
}

impl Clients {
    pub(super) fn new(endpoint: &Endpoint) -> Clients {
        Clients { endpoint: endpoint.clone() }
    }

    /// The client of a region; of the one that the command names, if an app names none.
    pub(super) fn of(&self, region: Option<&str>) -> anyhow::Result<Client> {
        let mut endpoint = self.endpoint.clone();
        if let Some(region) = region {
            region.clone_into(&mut endpoint.region);
        }
        Client::new(&endpoint)
    }
}

/// What came of a swap.
pub(super) enum Swap {
    /// The function has new code.
    Done,
    /// It had this code already.
    Same,
}

/// A function that is followed.
pub(super) struct Function {
    name: String,
    region: Option<String>,
    log_group: String,
    source: Source,
    /// Where its bundle is made.
    scratch: PathBuf,
    inputs: Inputs,
    failed: bool,
    /// The file whose change the server has yet to be told: it did not answer.
    owed: Option<PathBuf>,
    /// The digest of what was swapped in last.
    swapped: Option<[u8; 32]>,
    /// What is worth knowing before the first swap.
    remark: &'static str,
}

/// Functions that are followed, and those that are not.
pub(super) type Found = (Vec<Function>, LeftOut);

/// Functions that are not followed.
#[derive(Default)]
pub(super) struct LeftOut {
    /// The app's, by name, and why.
    own: Vec<(String, String)>,
    /// How many CDK and SST have brought along.
    of_the_tool: usize,
}

impl LeftOut {
    /// For people: a line for each of the app's, and one for all others.
    pub(super) fn lines(&self) -> Vec<String> {
        let own = self.own.iter().map(|(name, why)| format!("{name}: {why}"));
        let others = format!(
            "{} of CDK's or SST's own (custom resources, log retention and the like)",
            self.of_the_tool
        );
        own.chain((self.of_the_tool > 0).then_some(others)).collect()
    }
}

/// `NAME=PATH`
pub(super) fn named(text: &str) -> anyhow::Result<(String, PathBuf)> {
    let (name, path) = text
        .split_once('=')
        .with_context(|| format!("`{text}` names no function: use --function NAME=PATH"))?;
    Ok((name.to_owned(), path.into()))
}

/// Asks the server for the functions that an app declares or the user names, and looks for their sources.
///
/// # Errors
/// The server does not answer, the user names what is not there, or no function is left.
pub(super) async fn find(
    clients: &Clients,
    app: &App,
    declared: Vec<Declared>,
    named: Vec<(String, PathBuf)>,
) -> anyhow::Result<Found> {
    let mut named: BTreeMap<String, PathBuf> = named.into_iter().collect();
    let (mut functions, mut left_out) = (Vec::new(), LeftOut::default());
    for declared in declared {
        let client = clients.of(declared.region.as_deref())?;
        let name = match physical_name(&client, &declared).await {
            Ok(name) => name,
            Err(error) if error.downcast_ref::<Undeployed>().is_some() => {
                let name = format!("{}/{}", declared.stack, declared.logical_id);
                left_out.own.push((name, error.to_string()));
                continue;
            }
            Err(error) => return Err(error),
        };
        let is_of_the_tool = declared.is_of_the_tool() && !named.contains_key(&name);
        let source = match named.remove(&name) {
            Some(path) => app.named(&path, &declared.handler, Some(&declared)),
            None => app.source_of(&declared),
        };
        match source {
            Ok(source) => functions.push(Function::new(&client, name, declared.region, source).await?),
            Err(_) if is_of_the_tool => left_out.of_the_tool += 1,
            Err(why) => left_out.own.push((name, why)),
        }
    }
    for (name, path) in named {
        let client = clients.of(None)?;
        let configuration = configuration(&client, &name).await?;
        let handler = configuration["Handler"].as_str().unwrap_or_default();
        let source = app.named(&path, handler, None).map_err(anyhow::Error::msg)?;
        functions.push(Function::new(&client, name, None, source).await?);
    }
    if functions.is_empty() {
        let reasons: Vec<String> = left_out.lines().iter().map(|line| format!("\n  {line}")).collect();
        bail!("no function of the app can be followed{}", reasons.concat());
    }
    Ok((functions, left_out))
}

/// A stack or resource that the server does not have.
#[derive(Debug)]
struct Undeployed(String);

impl std::fmt::Display for Undeployed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not deployed: {}", self.0)
    }
}

impl std::error::Error for Undeployed {}

/// The name that the function has, through the stacks inside its stack.
async fn physical_name(client: &Client, declared: &Declared) -> anyhow::Result<String> {
    let mut stack = declared.stack.clone();
    for logical_id in declared.inner.iter().chain([&declared.logical_id]) {
        let input = json!({ "StackName": stack, "LogicalResourceId": logical_id });
        let answer = client.call("cloudformation", "DescribeStackResource", &input).await;
        let answer = answer.map_err(|error| match error.to_string() {
            text if text.contains("does not exist") => Undeployed(text).into(),
            _ => error,
        })?;
        let id = &answer["StackResourceDetail"]["PhysicalResourceId"];
        id.as_str().unwrap_or_default().clone_into(&mut stack);
    }
    if stack.is_empty() { Err(Undeployed("it has no name yet".to_owned()).into()) } else { Ok(stack) }
}

async fn configuration(client: &Client, name: &str) -> anyhow::Result<Value> {
    client.call("lambda", "GetFunctionConfiguration", &json!({ "FunctionName": name })).await
}

impl Function {
    async fn new(
        client: &Client,
        name: String,
        region: Option<String>,
        source: Source,
    ) -> anyhow::Result<Function> {
        let configuration = configuration(client, &name).await?;
        let own = format!("/aws/lambda/{name}");
        let log_group = configuration["LoggingConfig"]["LogGroup"].as_str().unwrap_or(&own).to_owned();
        let inputs = match &source {
            Source::Directory(directory) => Inputs::Below(directory.clone()),
            Source::Bundle { bundle, .. } => Inputs::Files(BTreeSet::from([bundle.entry.clone()])),
        };
        let (scratch, failed, owed, swapped, remark) = (PathBuf::new(), false, None, None, "");
        Ok(Function { name, region, log_group, source, scratch, inputs, failed, owed, swapped, remark })
    }

    /// Prepares its builds.
    pub(super) fn settle(&mut self, scratch: PathBuf, flags: &[String]) -> anyhow::Result<()> {
        std::fs::create_dir_all(&scratch)
            .with_context(|| format!("cannot write to {}", scratch.display()))?;
        self.scratch = scratch;
        if let Source::Bundle { bundle, .. } = &mut self.source {
            bundle.options.extend(flags.iter().cloned());
        }
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn log_group(&self) -> Group {
        Group { function: self.name.clone(), name: self.log_group.clone(), region: self.region.clone() }
    }

    pub(super) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// The file whose change the server did not answer to.
    pub(super) fn owed(&self) -> Option<&Path> {
        self.owed.as_deref()
    }

    pub(super) fn directories(&self) -> BTreeSet<PathBuf> {
        self.inputs.directories()
    }

    /// Its source, for people, as seen from where they are.
    pub(super) fn shown_source(&self) -> String {
        let path: &Path = match &self.source {
            Source::Directory(directory) => directory,
            Source::Bundle { bundle, .. } => &bundle.entry,
        };
        let here = std::env::current_dir().ok().and_then(|here| here.canonicalize().ok());
        let below = here.as_ref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
        format!("{}{}", below.display(), self.remark)
    }

    /// Builds it once without swapping it in, to learn what it is made from.
    pub(super) async fn look(&mut self) -> (String, anyhow::Result<()>) {
        let looked = self.build().await;
        if let (Ok(package), Source::Bundle { bundle, beside: Some(asset) }) = (&looked, &self.source)
            && !std::fs::read(asset.join(&bundle.output)).is_ok_and(|text| package.has(&bundle.output, &text))
        {
            self.remark =
                " (its bundle is not the deployed one: the source has changed since, or see --esbuild)";
        }
        (self.name.clone(), looked.map(drop))
    }

    /// Builds it and gives it to the server, because a file was changed. If the server does not answer, the change is owed.
    ///
    /// # Errors
    /// The build's, or the server's.
    pub(super) async fn swap(&mut self, clients: &Clients, file: &Path) -> anyhow::Result<Swap> {
        let swapped = self.try_swap(clients).await;
        let is_unreachable = |error: &anyhow::Error| error.downcast_ref::<Unreachable>().is_some();
        self.owed = swapped.as_ref().err().filter(|error| is_unreachable(error)).map(|_| file.to_owned());
        swapped
    }

    async fn try_swap(&mut self, clients: &Clients) -> anyhow::Result<Swap> {
        let zip = self.build().await?.zip()?;
        let digest: [u8; 32] = Sha256::digest(&zip).into();
        if self.swapped == Some(digest) {
            return Ok(Swap::Same);
        }
        // The configuration is left alone: the function keeps its environment.
        let input = json!({ "FunctionName": self.name, "ZipFile": BASE64_STANDARD.encode(&zip) });
        clients.of(self.region.as_deref())?.call("lambda", "UpdateFunctionCode", &input).await?;
        self.swapped = Some(digest);
        Ok(Swap::Done)
    }

    /// The package as the source is now.
    async fn build(&mut self) -> anyhow::Result<Package> {
        let built = self.built().await;
        self.failed = built.is_err();
        built
    }

    async fn built(&mut self) -> anyhow::Result<Package> {
        match &self.source {
            Source::Directory(directory) => Package::of_directory(directory),
            Source::Bundle { bundle, beside } => {
                let built = bundle.build(&self.scratch).await?;
                let deployed = beside.as_deref().map(Package::of_directory).transpose()?;
                let mut package = deployed.unwrap_or_default();
                for (name, bytes) in built.files {
                    // SST keeps the map of a bundle elsewhere.
                    if name == bundle.output || beside.is_none() || package.holds(&name) {
                        package.put(&name, bytes);
                    }
                }
                self.inputs = Inputs::Files(built.inputs);
                Ok(package)
            }
        }
    }
}
