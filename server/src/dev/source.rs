//! Where a deployed function's source is.
//!
//! An assembly has the code as it is deployed, and nothing says from where it came: a bundle's comments lead to its sources,
//! a copied directory to the one that looks like it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::assembly::{Code, Declared};
use super::bundle::{self, Bundle};
use super::tree;

/// Files of a directory that are compared to find what it is a copy of.
const COMPARED_MAX: usize = 2_000;

/// What a function's package is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A directory, zipped as it is.
    Directory(PathBuf),
    /// A bundle, and what else the deployed package holds.
    Bundle {
        /// How it is made.
        bundle: Bundle,
        /// The deployed package, whose other files stay.
        beside: Option<PathBuf>,
    },
}

/// An app and its directories.
pub(crate) struct App {
    /// Where its tool is run.
    directory: PathBuf,
    /// Directories that a source may be in, the app's own first.
    candidates: Vec<PathBuf>,
}

impl App {
    /// The app in a directory, which is canonical.
    pub(crate) fn new(directory: &Path) -> App {
        let mut candidates: Vec<PathBuf> = vec![directory.to_owned()];
        candidates.extend(tree::directories(directory).into_iter().skip(1));
        for other in tree::directories(tree::outermost(directory)) {
            if !other.starts_with(directory) {
                candidates.push(other);
            }
        }
        App { directory: directory.to_owned(), candidates }
    }

    /// The source of a function.
    ///
    /// # Errors
    /// Why none was found, for the user.
    pub(crate) fn source_of(&self, declared: &Declared) -> Result<Source, String> {
        let asset = match &declared.code {
            Code::Directory(asset) => asset,
            Code::Archive(_) => return Err("its code is a file that something else has packed".to_owned()),
            Code::Unseen => return Err("its code is in the template or elsewhere".to_owned()),
        };
        if let Ok(below) = asset.canonicalize()
            && self.candidates.contains(&below)
        {
            // Nothing was staged: the tool deploys the directory itself.
            return Ok(Source::Directory(below));
        }
        let output = output(asset, &declared.handler);
        let deployed = output.as_ref().and_then(|output| fs::read_to_string(asset.join(output)).ok());
        if let (Some(output), Some(deployed)) = (&output, &deployed)
            && let Some((entry, root)) = self.entry(asset, output, deployed, &declared.handler)
        {
            let bundle = self.bundle(entry, root, (output, deployed), &declared.runtime);
            return Ok(Source::Bundle { bundle, beside: Some(asset.clone()) });
        }
        self.lookalike(asset).map(Source::Directory)
    }

    /// The source that the user names: a directory, or the entry of a bundle.
    ///
    /// # Errors
    /// There is no such file, or it is of no kind that is bundled.
    pub(crate) fn named(
        &self,
        path: &Path,
        handler: &str,
        declared: Option<&Declared>,
    ) -> Result<Source, String> {
        let path = path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?;
        if path.is_dir() {
            return Ok(Source::Directory(path));
        }
        if !bundle::is_source(&path) {
            return Err(format!("{} is no directory and nothing that esbuild bundles", path.display()));
        }
        let asset = declared.and_then(|declared| match &declared.code {
            Code::Directory(asset) => Some(asset.clone()),
            _ => None,
        });
        let known = asset.as_ref().and_then(|asset| output(asset, handler));
        let deployed = asset.as_ref().zip(known.as_ref());
        let deployed = deployed.and_then(|(asset, output)| fs::read_to_string(asset.join(output)).ok());
        let output = known.unwrap_or_else(|| format!("{}.js", module(handler)));
        let runtime = declared.map(|declared| declared.runtime.as_str()).unwrap_or_default();
        let root = package_root(&path).unwrap_or_else(|| self.directory.clone());
        let bundle = self.bundle(path, root, (&output, &deployed.unwrap_or_default()), runtime);
        Ok(Source::Bundle { bundle, beside: asset })
    }

    fn bundle(
        &self,
        entry: PathBuf,
        root: PathBuf,
        (output, deployed): (&str, &str),
        runtime: &str,
    ) -> Bundle {
        let options = bundle::options(deployed, output, runtime);
        let esbuild = bundle::esbuild(&root, &self.directory, &entry);
        Bundle { entry, root, output: output.to_owned(), options, esbuild }
    }

    /// The entry of a bundle and the directory that esbuild ran in.
    fn entry(&self, asset: &Path, output: &str, deployed: &str, handler: &str) -> Option<(PathBuf, PathBuf)> {
        let traces = bundle::traces(deployed);
        if let Some(entry) = traces.last() {
            let mut roots =
                self.directory.ancestors().map(Path::to_owned).chain(self.candidates.iter().cloned());
            let holds = |root: &PathBuf| traces.iter().all(|trace| root.join(trace).is_file());
            if let Some(root) = roots.find(holds) {
                return Some((root.join(entry).canonicalize().ok()?, root));
            }
        }
        let entry = from_map(asset, output).or_else(|| self.handler_source(handler))?;
        let root = package_root(&entry).unwrap_or_else(|| self.directory.clone());
        Some((entry, root))
    }

    /// SST names the source itself as the handler: `src/deposit.handler`.
    fn handler_source(&self, handler: &str) -> Option<PathBuf> {
        let module = self.directory.join(module(handler));
        let endings = ["ts", "tsx", "mts", "cts"];
        let mut sources = endings.iter().map(|ending| module.with_added_extension(ending));
        sources.find_map(|source| source.canonicalize().ok())
    }

    /// The directory that has every file of a package, and the most of them with the same content.
    fn lookalike(&self, asset: &Path) -> Result<PathBuf, String> {
        let wanted = tree::files(asset).map_err(|error| error.to_string())?;
        let nothing = || "no directory of the app looks like its code".to_owned();
        if wanted.is_empty() || wanted.len() > COMPARED_MAX {
            return Err(nothing());
        }
        let mut best: Vec<(usize, &PathBuf)> = Vec::new();
        for candidate in &self.candidates {
            let Some(same) = likeness(&wanted, candidate) else { continue };
            match best.first().map(|(most, _)| *most) {
                Some(most) if same < most => {}
                Some(most) if same == most => best.push((same, candidate)),
                _ => best = vec![(same, candidate)],
            }
        }
        match best[..] {
            [] => Err(nothing()),
            [(_, only)] => Ok(only.clone()),
            [(_, one), (_, other), ..] => {
                Err(format!("both {} and {} look like its code", one.display(), other.display()))
            }
        }
    }
}

/// How many files of `wanted` are the same in the candidate; none if it lacks one, or all are others.
fn likeness(wanted: &BTreeMap<String, PathBuf>, candidate: &Path) -> Option<usize> {
    if !wanted.keys().all(|name| candidate.join(name).is_file()) {
        return None;
    }
    let same =
        |(name, path): &(&String, &PathBuf)| fs::read(candidate.join(name)).ok() == fs::read(path).ok();
    Some(wanted.iter().filter(same).count()).filter(|same| *same > 0)
}

/// The part of a handler that names its file: `src/index` of `src/index.handler`.
fn module(handler: &str) -> &str {
    handler.rsplit_once('.').map_or(handler, |(module, _)| module)
}

/// The file of a package that has the handler, if it is one of Node.js.
fn output(asset: &Path, handler: &str) -> Option<String> {
    let mut files = ["mjs", "js", "cjs"].map(|ending| format!("{}.{ending}", module(handler))).into_iter();
    files.find(|file| asset.join(file).is_file())
}

/// The entry that the map of a bundle names: its last source that is no installed package.
fn from_map(asset: &Path, output: &str) -> Option<PathBuf> {
    let output = asset.join(output);
    let map: serde_json::Value =
        serde_json::from_slice(&fs::read(output.with_added_extension("map")).ok()?).ok()?;
    let sources = map["sources"].as_array()?.iter().filter_map(|source| source.as_str());
    let own = sources.filter(|source| !source.contains("node_modules/"));
    // It was made in a directory beside the one that it was moved to.
    own.filter_map(|source| output.parent()?.join(source).canonicalize().ok()).next_back()
}

/// The directory around a file that has a `package.json`.
fn package_root(file: &Path) -> Option<PathBuf> {
    let mut around = file.ancestors().skip(1);
    around.find(|directory| directory.join("package.json").is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files by their paths; a directory of its own for each test.
    fn app(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = home.path().canonicalize().unwrap();
        (home, root)
    }

    fn declared(code: PathBuf, handler: &str) -> Declared {
        Declared {
            stack: "dev".to_owned(),
            inner: Vec::new(),
            logical_id: "F".to_owned(),
            region: None,
            handler: handler.to_owned(),
            runtime: "nodejs22.x".to_owned(),
            code: Code::Directory(code),
        }
    }

    fn of(root: &Path, asset: &str, handler: &str) -> Result<Source, String> {
        let app = App::new(&root.join("cdk"));
        app.source_of(&declared(root.join("cdk/cdk.out").join(asset), handler))
    }

    #[test]
    fn a_bundle_leads_to_its_entry_in_a_package_beside_the_app() {
        let (_home, root) = app(&[
            ("cdk/cdk.out/asset.1/index.js", "// src/trading.ts\n\n// src/deposit.ts\nmodule.exports = 1;\n"),
            ("cdk/lib/stack.ts", ""),
            ("functions/package.json", "{}"),
            ("functions/src/deposit.ts", ""),
            ("functions/src/trading.ts", ""),
            ("other/src/deposit.ts", ""),
        ]);
        let Ok(Source::Bundle { bundle, beside }) = of(&root, "asset.1", "index.handler") else { panic!() };
        assert_eq!(bundle.entry, root.join("functions/src/deposit.ts"));
        assert_eq!((bundle.root, bundle.output.as_str()), (root.join("functions"), "index.js"));
        assert_eq!(beside, Some(root.join("cdk/cdk.out/asset.1")));
    }

    #[test]
    fn a_small_bundle_leads_to_its_entry_by_its_map_or_its_handler() {
        let map = r#"{"sources": ["../../node_modules/x/a.js", "../../lib/a.ts", "../../src/deposit.ts"]}"#;
        let (_home, root) = app(&[
            ("cdk/cdk.out/asset.1/index.js", "var a=1;\n//# sourceMappingURL=index.js.map"),
            ("cdk/cdk.out/asset.1/index.js.map", map),
            ("cdk/cdk.out/asset.2/src/deposit.mjs", "var a=1;export{a as handler};"),
            ("cdk/lib/a.ts", ""),
            ("cdk/src/deposit.ts", ""),
        ]);
        for (asset, handler) in [("asset.1", "index.handler"), ("asset.2", "src/deposit.handler")] {
            let Ok(Source::Bundle { bundle, .. }) = of(&root, asset, handler) else { panic!("{asset}") };
            assert_eq!((bundle.entry, bundle.root), (root.join("cdk/src/deposit.ts"), root.join("cdk")));
        }
    }

    #[test]
    fn a_copied_directory_is_known_by_its_content() {
        let (_home, root) = app(&[
            ("cdk/cdk.out/asset.1/index.py", "def handler(): pass"),
            ("cdk/cdk.out/asset.1/lib/a.py", "a"),
            ("cdk/dist/report/index.py", "def handler(): pass"),
            ("cdk/dist/report/lib/a.py", "a"),
            ("cdk/report/index.py", "def handler(): pass"),
            ("cdk/report/lib/a.py", "changed since"),
            ("cdk/other/index.py", "another"),
            ("cdk/other/lib/a.py", "another"),
        ]);
        assert_eq!(of(&root, "asset.1", "index.handler"), Ok(Source::Directory(root.join("cdk/report"))));
        fs::write(root.join("cdk/other/lib/a.py"), "a").unwrap();
        let refused = of(&root, "asset.1", "index.handler").unwrap_err();
        assert!(refused.contains("both"), "{refused}");
        fs::remove_dir_all(root.join("cdk/other")).unwrap();
        fs::remove_dir_all(root.join("cdk/report")).unwrap();
        let refused = of(&root, "asset.1", "index.handler").unwrap_err();
        assert!(refused.contains("no directory"), "{refused}");
    }

    #[test]
    fn the_user_may_name_a_source() {
        let (_home, root) = app(&[("cdk/package.json", "{}"), ("cdk/a.ts", ""), ("cdk/b/index.py", "")]);
        let app = App::new(&root.join("cdk"));
        assert_eq!(
            app.named(&root.join("cdk/b"), "index.handler", None),
            Ok(Source::Directory(root.join("cdk/b")))
        );
        let Ok(Source::Bundle { bundle, beside }) = app.named(&root.join("cdk/a.ts"), "src/x.handler", None)
        else {
            panic!()
        };
        assert_eq!((bundle.output.as_str(), beside), ("src/x.js", None));
        assert!(app.named(&root.join("cdk/package.json"), "", None).is_err());
        assert!(app.named(&root.join("cdk/none"), "", None).is_err());
    }
}
