//! `cargo xtask tidy`: the house rules that no compiler knows.
//!
//! Each rule is a function from the repository's files to complaints; the dependency rule is a table.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

const CORE: [&str; 6] = ["asl", "base", "kernel", "pattern", "store", "wire"];

/// Which of our crates a crate may import. Services, the server and the test kit have rules of their own below.
const MAY_IMPORT: [(&str, &[&str]); 6] = [
    ("base", &[]),
    ("pattern", &[]),
    ("asl", &["base"]),
    ("store", &["base"]),
    ("wire", &["base"]),
    ("kernel", &["base", "store"]),
];

/// A longer file hides two nouns.
const LINES_MAX: usize = 800;

/// Runs every rule.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has a parent directory")?;
    let files = files_below(root)?;
    let mut complaints = Vec::new();
    for rule in [arrows, lengths, forgotten, unserved, links] {
        complaints.extend(rule(root, &files)?);
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    ensure!(complaints.is_empty(), "{} complaints", complaints.len());
    Ok(())
}

/// All files that belong to the repository, by their path below its root.
fn files_below(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') || matches!(name, "target" | "node_modules" | "dist" | "cdk.out") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(root)?.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// The dependency arrows only point down.
fn arrows(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let services: BTreeSet<String> = subdirectories(root, "services")?;
    let mut ours: BTreeSet<&str> = CORE.into_iter().chain(["server", "testkit"]).collect();
    ours.extend(services.iter().map(String::as_str));
    let mut complaints = Vec::new();
    for manifest in files.iter().filter(|path| path.ends_with("Cargo.toml")) {
        let Some(name) = manifest.parent().and_then(Path::file_name).and_then(|name| name.to_str()) else {
            continue;
        };
        let toml: toml::Table = toml::from_str(&fs::read_to_string(root.join(manifest))?)?;
        for import in imports(&toml, "dependencies").filter(|import| ours.contains(import.as_str())) {
            if !may_import(name, &services, &import) {
                complaints.push(format!("{}: {name} must not import {import}", manifest.display()));
            }
        }
        for import in imports(&toml, "dev-dependencies").filter(|import| ours.contains(import.as_str())) {
            if !may_test_with(name, &services, &import) {
                let place = format!("testkit/tests/{name}_*.rs");
                complaints.push(format!(
                    "{}: tests of {name} that need {import} belong in {place}",
                    manifest.display()
                ));
            }
        }
    }
    Ok(complaints)
}

fn subdirectories(root: &Path, of: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root.join(of))? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// The names under `[dependencies]` or another table of that kind, for every target.
fn imports(manifest: &toml::Table, kind: &str) -> impl Iterator<Item = String> {
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, table)| table.get(kind)).chain(manifest.get(kind));
    tables
        .filter_map(toml::Value::as_table)
        .flat_map(|table| table.keys().cloned())
        .collect::<Vec<_>>()
        .into_iter()
}

fn may_import(name: &str, services: &BTreeSet<String>, import: &str) -> bool {
    if let Some((_, allowed)) = MAY_IMPORT.iter().find(|(crate_name, _)| *crate_name == name) {
        return allowed.contains(&import);
    }
    if services.contains(name) {
        return CORE.contains(&import);
    }
    matches!(name, "server" | "testkit" | "fuzz")
}

/// What tests may import besides: services stand alone in their own tests, too, with the test kit.
fn may_test_with(name: &str, services: &BTreeSet<String>, import: &str) -> bool {
    match services.contains(name) {
        true => CORE.contains(&import) || import == "testkit",
        false => true,
    }
}

/// No file is too long, unless it is generated.
fn lengths(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in files.iter().filter(|path| has_extension(path, "rs")) {
        let text = fs::read_to_string(root.join(path))?;
        let lines = text.lines().count();
        if lines > LINES_MAX && !text.starts_with("//! Generated by ") {
            complaints.push(format!("{}: {lines} lines, more than {LINES_MAX}", path.display()));
        }
    }
    Ok(complaints)
}

/// Every source file is a module of its crate.
fn forgotten(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let sources =
        files.iter().filter(|path| has_extension(path, "rs") && path.iter().any(|part| part == "src"));
    for path in sources.filter(|path| !path.starts_with("examples")) {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let directory = parent(path);
        let (module, parents) = match stem {
            "lib" | "main" => continue,
            "mod" => (file_name(directory), parents_of(parent(directory))),
            _ if file_name(directory) == "bin" => continue,
            _ => (stem.to_owned(), parents_of(directory)),
        };
        let declared = parents.iter().any(|parent| {
            let text = fs::read_to_string(root.join(parent)).unwrap_or_default();
            text.contains(&format!("mod {module};")) || text.contains(&format!("mod r#{module};"))
        });
        if !declared {
            complaints.push(format!("{}: no module declares it", path.display()));
        }
    }
    Ok(complaints)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new(""))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The files that may declare a directory's modules.
fn parents_of(directory: &Path) -> [PathBuf; 4] {
    let join = |name: &str| directory.join(name);
    [join("lib.rs"), join("main.rs"), join("mod.rs"), directory.with_extension("rs")]
}

/// Every operation that `api.toml` lists has a handler somewhere, else clients would be promised what is not there.
fn unserved(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in files.iter().filter(|path| path.ends_with("api.toml")) {
        let source = parent(path).join("src");
        let toml: toml::Table = toml::from_str(&fs::read_to_string(root.join(path))?)?;
        let mut words = BTreeSet::new();
        for file in files.iter().filter(|file| file.starts_with(&source) && has_extension(file, "rs")) {
            if !file.ends_with("api.rs") {
                let text = fs::read_to_string(root.join(file))?;
                words.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
            }
        }
        let operations = toml.get("operations").and_then(toml::Value::as_array).into_iter().flatten();
        for operation in
            operations.filter_map(toml::Value::as_str).filter(|operation| !words.contains(*operation))
        {
            complaints.push(format!("{}: nothing handles {operation}", path.display()));
        }
    }
    Ok(complaints)
}

/// Relative links in documents lead somewhere.
fn links(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in files.iter().filter(|path| has_extension(path, "md")) {
        let text = fs::read_to_string(root.join(path))?;
        let directory = root.join(parent(path));
        for target in link_targets(&text) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty()
                && !file.contains("://")
                && !file.starts_with("mailto:")
                && !directory.join(file).exists()
            {
                complaints.push(format!("{}: the link to {target} leads nowhere", path.display()));
            }
        }
    }
    Ok(complaints)
}

/// What stands in the brackets of `[text](target)`, outside code.
fn link_targets(markdown: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        fenced ^= line.trim_start().starts_with("```");
        // Every second part between back quotes is code.
        for text in line.split('`').step_by(2).filter(|_| !fenced) {
            for rest in text.split("](").skip(1) {
                if let Some((target, _)) = rest.split_once(')') {
                    targets.push(target.split(' ').next().unwrap_or_default());
                }
            }
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down() {
        let services = BTreeSet::from(["sqs".to_owned(), "events".to_owned()]);
        for (name, import, allowed) in [
            ("base", "store", false),
            ("kernel", "store", true),
            ("kernel", "wire", false),
            ("wire", "base", true),
            ("sqs", "kernel", true),
            ("sqs", "events", false),
            ("sqs", "server", false),
            ("server", "sqs", true),
            ("testkit", "events", true),
            ("xtask", "base", false),
        ] {
            assert_eq!(may_import(name, &services, import), allowed, "{name} -> {import}");
        }
    }

    #[test]
    fn services_are_tested_without_each_other() {
        let services = BTreeSet::from(["sqs".to_owned(), "events".to_owned()]);
        for (name, import, allowed) in [
            ("sqs", "testkit", true),
            ("sqs", "wire", true),
            ("sqs", "events", false),
            ("sqs", "server", false),
            ("testkit", "events", true),
            ("server", "sqs", true),
        ] {
            assert_eq!(may_test_with(name, &services, import), allowed, "{name} -> {import}");
        }
    }

    #[test]
    fn links_are_found_outside_code() {
        let text = "see [a](b.md#c \"t\") and `[x](y)`\n```\n[x](y)\n```\n![p](q.png)";
        assert_eq!(link_targets(text), ["b.md#c", "q.png"]);
    }

    #[test]
    fn every_target_has_imports() {
        let manifest = "[dependencies]\na = \"1\"\n[target.'cfg(unix)'.dependencies]\nb = \"1\"\n[dev-dependencies]\nc = \"1\"";
        let manifest = toml::from_str(manifest).unwrap();
        let mut found: Vec<String> = imports(&manifest, "dependencies").collect();
        found.sort();
        assert_eq!(found, ["a", "b"]);
        assert_eq!(imports(&manifest, "dev-dependencies").collect::<Vec<_>>(), ["c"]);
    }
}
