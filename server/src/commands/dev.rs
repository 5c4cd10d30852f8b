//! `buswork dev`

mod functions;
mod logs;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::join_all;
use kernel::Clock;

use self::functions::{Clients, Function, LeftOut, Swap, find};
use self::watch::Watch;
use super::start::told_to_stop;
use crate::cli::{DevArgs, complain, say};
use crate::client::block_on;
use crate::dev::assembly;
use crate::dev::changes::concerned;
use crate::dev::source::App;

/// Between two questions whether a server answers that did not.
const ASK_EVERY: Duration = Duration::from_millis(300);

/// Follows the sources of an app's functions and swaps their code until it is interrupted.
///
/// # Errors
/// There is no app, no function that can be followed, no server, or the directories cannot be watched.
pub fn dev(args: &DevArgs) -> anyhow::Result<()> {
    block_on(async {
        let stop = told_to_stop()?;
        let scratch = Scratch::new()?;
        tokio::select! {
            done = run(args, &scratch.0) => done,
            () = stop => Ok(()),
        }
    })
}

/// Where bundles are made; gone when the command ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Scratch> {
        let directory = std::env::temp_dir().join(format!("buswork-dev-{}", std::process::id()));
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot write to {}", directory.display()))?;
        Ok(Scratch(directory))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// From one deployment of the app to the next, for ever.
async fn run(args: &DevArgs, scratch: &Path) -> anyhow::Result<()> {
    let clients = Clients::new(&args.endpoint);
    let mut session = Session::begin(args, &clients, scratch).await?;
    session.tell();
    loop {
        let groups = session.functions.iter().map(Function::log_group).collect();
        let tail = logs::follow(&clients, groups, !args.no_logs);
        tokio::select! {
            done = session.follow() => done?,
            never = tail => match never {},
        }
        say("the app was synthesized anew");
        match Session::begin(args, &clients, scratch).await {
            Ok(new) => session = new,
            Err(error) => complain(&format!("it is followed as it was: {error:#}")),
        }
        session.tell();
    }
}

/// What is known of one deployment.
struct Session<'s> {
    clients: &'s Clients,
    /// The file that is written last when the app is synthesized.
    manifest: Option<PathBuf>,
    functions: Vec<Function>,
    left_out: LeftOut,
    watch: Watch,
}

impl<'s> Session<'s> {
    async fn begin(args: &DevArgs, clients: &'s Clients, scratch: &Path) -> anyhow::Result<Session<'s>> {
        let directory = args.directory.canonicalize();
        let directory = directory.with_context(|| format!("cannot find {}", args.directory.display()))?;
        let named =
            args.functions.iter().map(|text| functions::named(text)).collect::<anyhow::Result<Vec<_>>>()?;
        let assembly = match assembly::find(&directory) {
            Ok(assembly) => Some(assembly),
            Err(_) if !named.is_empty() => None,
            Err(error) => return Err(error),
        };
        let declared = assembly.as_deref().map(assembly::functions).transpose()?.unwrap_or_default();
        let app = App::new(&directory);
        let (mut functions, left_out) = find(clients, &app, declared, named).await?;
        for (number, function) in functions.iter_mut().enumerate() {
            function.settle(scratch.join(number.to_string()), &args.esbuild)?;
        }
        // The first build tells what each is made from.
        for (function, first) in join_all(functions.iter_mut().map(Function::look)).await {
            if let Err(error) = first {
                complain(&format!("{function}: cannot be built as it is: {error:#}"));
            }
        }
        let manifest = assembly.map(|assembly| assembly.join("manifest.json"));
        let mut watch = Watch::new()?;
        let own = manifest.iter().filter_map(|manifest| manifest.parent()).map(Path::to_owned);
        watch.add(own.chain(functions.iter().flat_map(Function::directories)).collect())?;
        Ok(Session { clients, manifest, functions, left_out, watch })
    }

    /// Says what is followed.
    fn tell(&self) {
        let names = self.functions.iter().map(Function::name);
        let width = names.map(|name| name.chars().count()).max().unwrap_or_default();
        for line in self.left_out.lines() {
            say(&format!("  not followed: {line}"));
        }
        for function in &self.functions {
            say(&format!("  {:<width$}  {}", function.name(), function.shown_source()));
        }
        let plural = if self.functions.len() == 1 { "" } else { "s" };
        say(&format!("following {} function{plural}", self.functions.len()));
    }

    /// Swaps what changes; returns when the app was synthesized anew.
    async fn follow(&mut self) -> anyhow::Result<()> {
        loop {
            let (since, changed) = tokio::select! {
                heard = self.watch.next() => heard?,
                () = answers(self.clients), if self.functions.iter().any(|function| function.owed().is_some()) => {
                    self.make_good().await;
                    continue;
                }
            };
            if self.manifest.as_ref().is_some_and(|manifest| changed.contains(manifest)) {
                return Ok(());
            }
            self.swap(since, &changed).await;
            self.watch.add(self.functions.iter().flat_map(Function::directories).collect())?;
        }
    }

    /// Swaps what the server did not answer to.
    async fn make_good(&mut self) {
        let (clients, since) = (self.clients, Instant::now());
        let owed = self.functions.iter_mut().filter_map(|function| {
            let file = function.owed()?.to_owned();
            Some((function, file))
        });
        join_all(owed.map(async |(function, file)| {
            let swapped = function.swap(clients, &file).await;
            report(function, &file, since, swapped);
        }))
        .await;
    }

    async fn swap(&mut self, since: Instant, changed: &BTreeSet<PathBuf>) {
        let known = self.functions.iter().map(|function| (function.inputs(), function.has_failed()));
        let concerned = concerned(known, changed);
        let cause =
            |number: usize| concerned.iter().find(|(other, _)| *other == number).map(|(_, file)| file);
        let clients = self.clients;
        let all = self.functions.iter_mut().enumerate();
        let swaps = all.filter_map(|(number, function)| Some((function, cause(number)?))).map(
            async |(function, file)| {
                let swapped = function.swap(clients, file).await;
                // Each says so as soon as it is done, not when all are.
                report(function, file, since, swapped);
            },
        );
        join_all(swaps).await;
    }
}

/// Waits until the server answers.
async fn answers(clients: &Clients) {
    let clock = Clock::real();
    loop {
        clock.sleep_until(clock.now() + ASK_EVERY).await;
        if let Ok(client) = clients.of(None)
            && client.get("/_buswork/ready").await.is_ok_and(|answer| answer.status < 300)
        {
            return;
        }
    }
}

/// One line for each swap; more for what went wrong.
fn report(function: &Function, file: &Path, since: Instant, swapped: anyhow::Result<Swap>) {
    let (name, file) = (function.name(), file.file_name().unwrap_or_default().to_string_lossy());
    match swapped {
        Ok(Swap::Done) => say(&format!("{name}: swapped in {} ms ({file})", since.elapsed().as_millis())),
        Ok(Swap::Same) => say(&format!("{name}: {file} changes nothing")),
        Err(error) if function.owed().is_some() => {
            complain(&format!(
                "{name}: not swapped ({file}), tried again when the server answers: {error:#}"
            ));
        }
        Err(error) => complain(&format!("{name}: not swapped ({file}): {error:#}")),
    }
}
