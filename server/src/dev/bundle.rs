//! Bundles of esbuild: what a deployed one tells of its making, and making it anew.
//!
//! CDK and SST leave no trace of a bundle's entry and options but the bundle itself. Its comments name the sources, the
//! entry's last; its text shows format, externals and the rest.
//!
//! <https://esbuild.github.io/api/>

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use serde_json::Value;

/// Endings of what esbuild bundles.
const SOURCES: [&str; 8] = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];

/// The name that `require` is made by in SST's banner, and nowhere else.
const SST_REQUIRE: &str = "createRequire as topLevelCreateRequire";

/// How a bundle is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// The file that has the handler.
    pub entry: PathBuf,
    /// Where esbuild runs: paths in its output begin there.
    pub root: PathBuf,
    /// The path of the output in the package, e.g. `index.js`.
    pub output: String,
    /// Flags of esbuild.
    pub options: Vec<String>,
    /// The program.
    pub esbuild: PathBuf,
}

/// What came of a build.
pub(crate) struct Built {
    /// The output and, where there is one, its map: by their paths in the package.
    pub files: Vec<(String, Vec<u8>)>,
    /// The sources, without installed packages.
    pub inputs: BTreeSet<PathBuf>,
}

/// Whether esbuild takes the file as an entry.
pub(crate) fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|ending| SOURCES.iter().any(|known| ending == *known))
}

/// The sources that a bundle's comments name, in the order of the bundle: the entry is the last. Installed packages are
/// left out.
pub(crate) fn traces(bundle: &str) -> Vec<&str> {
    let named = bundle.lines().filter_map(|line| line.strip_prefix("// "));
    let named = named.filter(|path| is_source(Path::new(path)) && !path.contains("node_modules/"));
    named.collect()
}

/// The flags that make a bundle like the one that is deployed in `file`, for a runtime.
pub(crate) fn options(deployed: &str, file: &str, runtime: &str) -> Vec<String> {
    let mut options: Vec<String> =
        ["--bundle", "--platform=node", "--log-level=warning", "--color=false"].map(str::to_owned).into();
    let banner = banner(deployed);
    let is_of_sst = banner.as_ref().is_some_and(|text| text.contains(SST_REQUIRE));
    if is_of_sst {
        options.push("--target=esnext".to_owned());
    } else if let Some(version) = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")) {
        options.push(format!("--target=node{version}"));
    }
    let is_module = file.ends_with(".mjs") || (!file.ends_with(".cjs") && has_exports(deployed));
    options.push(format!("--format={}", if is_module { "esm" } else { "cjs" }));
    if is_module {
        options.push("--main-fields=module,main".to_owned());
    }
    if let Some(banner) = banner {
        options.push(format!("--banner:js={banner}"));
    }
    if deployed.contains("//# sourceMappingURL=data:") {
        options.push("--sourcemap=inline".to_owned());
    } else if deployed.contains("//# sourceMappingURL=") {
        options.push("--sourcemap".to_owned());
    }
    if !deployed.is_empty() && !deployed.lines().any(|line| line.starts_with("// ") && is_trace(line)) {
        options.push("--minify".to_owned());
    }
    // Minification renames what keeps the names.
    if is_of_sst || deployed.contains("__name(") {
        options.push("--keep-names".to_owned());
    }
    options.extend(externals(deployed).into_iter().map(|name| format!("--external:{name}")));
    options
}

/// What comes before esbuild's own lines: the helpers, or the comment of the first file. In a minified bundle the end shows less
/// well, so only a banner that makes `require` is looked for there.
fn banner(deployed: &str) -> Option<String> {
    let is_plain = deployed.lines().any(|line| line.starts_with("// ") && is_trace(line));
    let is_own = |line: &&str| match is_plain {
        true => line.starts_with("var __") || line.strip_prefix("// ").is_some_and(is_path),
        false => is_small(line),
    };
    let end = deployed.lines().position(|line| is_own(&line))?;
    let is_directive =
        |line: &&str| matches!(*line, "\"use strict\";" | "'use strict';") || line.starts_with("#!");
    let lines: Vec<&str> = deployed.lines().take(end).filter(|line| !is_directive(line)).collect();
    let banner = lines.join("\n");
    let is_wanted = match is_plain {
        // A line is left empty where there is no banner.
        true => !banner.trim().is_empty(),
        false => banner.contains("createRequire"),
    };
    is_wanted.then_some(banner)
}

/// Whether a comment names a file, as those between the files of a bundle do.
fn is_path(comment: &str) -> bool {
    !comment.contains(' ') && (comment.contains('.') || comment.contains(':'))
}

/// Whether a line may begin a minified bundle.
fn is_small(line: &str) -> bool {
    const BEGINNINGS: [&str; 10] = [
        "var ",
        "let ",
        "import{",
        "import*",
        "import\"",
        "export",
        "function",
        "async function",
        "class ",
        "(",
    ];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)) || line.contains("from\"")
}

fn is_trace(line: &str) -> bool {
    is_source(Path::new(&line[3..]))
}

/// Whether a text is an ECMAScript module of esbuild's.
fn has_exports(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("export {") || line.starts_with("export{"))
        || text.contains(";export{")
}

/// What a bundle imports instead of containing it, and the AWS SDK, which is the runtime's, unless it contains it.
fn externals(bundle: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for before in ["require(", "import(", "from ", "from"] {
        for (at, _) in bundle.match_indices(before) {
            let rest = &bundle[at + before.len()..];
            let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else {
                continue;
            };
            let name = rest[1..].split(quote).next().unwrap_or_default();
            let is_package = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '@')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "@/-_.".contains(c));
            if is_package {
                found.insert(name.to_owned());
            }
        }
    }
    for family in ["@aws-sdk", "@smithy"] {
        if !bundle.contains(&format!("node_modules/{family}/")) {
            found.retain(|name| !name.starts_with(&format!("{family}/")));
            found.insert(format!("{family}/*"));
        }
    }
    found
}

/// The esbuild that made a bundle: SST's own, or the one in `node_modules` of the directories around where it ran, around the app
/// and around the source, in this order; or the one on the path.
pub(crate) fn esbuild(root: &Path, app: &Path, entry: &Path) -> PathBuf {
    let around = root.ancestors().chain(app.ancestors()).chain(entry.ancestors().skip(1));
    let mut programs = around.flat_map(|directory| {
        let own = ["node_modules/sst/node_modules/.bin/esbuild", "node_modules/.bin/esbuild"];
        own.map(|program| directory.join(program))
    });
    programs.find(|program| program.exists()).unwrap_or_else(|| PathBuf::from("esbuild"))
}

impl Bundle {
    /// Runs esbuild, which leaves its output in `scratch`.
    ///
    /// # Errors
    /// It cannot be run, or says what is wrong with the source.
    #[expect(clippy::disallowed_methods, reason = "bundles are the bundler's work")]
    pub(crate) async fn build(&self, scratch: &Path) -> anyhow::Result<Built> {
        let (output, told) = (scratch.join(&self.output), scratch.join("metafile.json"));
        let flag = |name: &str, path: &Path| {
            let mut flag = OsString::from(name);
            flag.push(path);
            flag
        };
        let run = tokio::process::Command::new(&self.esbuild)
            .arg(&self.entry)
            .args(&self.options)
            .args([flag("--outfile=", &output), flag("--metafile=", &told)])
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let done = run.await.with_context(|| {
            format!(
                "cannot run {}: install esbuild in the app (npm install --save-dev esbuild)",
                self.esbuild.display()
            )
        })?;
        if !done.status.success() {
            bail!("{}", String::from_utf8_lossy(&done.stderr).trim_end());
        }
        let told: Value =
            serde_json::from_slice(&std::fs::read(&told)?).context("esbuild's metafile is no JSON")?;
        let mut files = vec![(self.output.clone(), std::fs::read(&output)?)];
        let map = format!("{}.map", self.output);
        if let Ok(text) = std::fs::read(scratch.join(&map)) {
            files.push((map, text));
        }
        Ok(Built { files, inputs: inputs(&told, &self.root) })
    }
}

/// The sources that a metafile names.
fn inputs(told: &Value, root: &Path) -> BTreeSet<PathBuf> {
    let named = told["inputs"].as_object().into_iter().flatten().map(|(path, _)| path);
    let own = named.filter(|path| !path.contains("node_modules/"));
    own.filter_map(|path| root.join(path).canonicalize().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As CDK's `NodejsFunction` makes them.
    const COMMON: &str = r#""use strict";
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/deposit.ts
var deposit_exports = {};
module.exports = __toCommonJS(deposit_exports);

// node_modules/left-pad/index.js
var import_client = require("@aws-sdk/client-dynamodb");
var import_sharp = require("sharp");

// ../shared/trading.ts
var import_local = require("./local");
var import_crypto = require("node:crypto");

// src/deposit.ts
var handler = book("Deposit");
// Annotate the CommonJS export names for ESM import in node:
"#;

    #[test]
    fn comments_lead_to_the_sources() {
        assert_eq!(traces(COMMON), ["src/deposit.ts", "../shared/trading.ts", "src/deposit.ts"]);
    }

    #[test]
    fn a_bundle_is_made_as_it_was() {
        let flags = options(COMMON, "index.js", "nodejs22.x");
        let expected = [
            "--bundle",
            "--platform=node",
            "--log-level=warning",
            "--color=false",
            "--target=node22",
            "--format=cjs",
            "--external:@aws-sdk/*",
            "--external:@smithy/*",
            "--external:sharp",
        ];
        assert_eq!(flags, expected);
    }

    #[test]
    fn modules_keep_their_banner_and_what_was_bundled_is_bundled() {
        let banner = "import { createRequire as up } from 'module';const require = up(import.meta.url);";
        let text = format!(
            "{banner}\n// node_modules/@aws-sdk/client-s3/index.js\nimport {{ x }} from \"pg-native\";\nexport {{ handler }};\n\
             //# sourceMappingURL=index.mjs.map"
        );
        let flags = options(&text, "src/index.mjs", "nodejs20.x");
        for wanted in ["--format=esm", "--sourcemap", "--external:pg-native", "--external:@smithy/*"] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted}: {flags:?}");
        }
        assert!(flags.contains(&format!("--banner:js={banner}")), "{flags:?}");
        assert!(!flags.iter().any(|flag| flag.contains("@aws-sdk") || flag == "--minify"), "{flags:?}");
        let small = options("var a=1;export{a as handler};", "index.mjs", "");
        assert!(small.iter().any(|flag| flag == "--minify"), "{small:?}");
    }

    /// As SST makes them: its banner ends with an empty line.
    const OF_SST: &str = r#"import { createRequire as topLevelCreateRequire } from 'module';
const require = topLevelCreateRequire(import.meta.url);
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"
const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))

"#;

    #[test]
    fn every_line_of_a_banner_is_kept() {
        let given = |flags: &[String]| {
            let banner = flags.iter().find_map(|flag| flag.strip_prefix("--banner:js="));
            banner.map(|banner| format!("{banner}\n"))
        };
        let body =
            "var __defProp = Object.defineProperty;\n\n// ../src/a.ts\nvar a = 1;\nexport {\n  a\n};\n";
        let flags = options(&format!("{OF_SST}{body}"), "src/a.mjs", "nodejs20.x");
        assert_eq!(given(&flags).as_deref(), Some(OF_SST));
        for wanted in ["--target=esnext", "--keep-names", "--format=esm"] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted}: {flags:?}");
        }
        let bare = options(&format!("{OF_SST}// ../src/a.ts\nvar a = 1;\n"), "src/a.mjs", "nodejs20.x");
        assert_eq!(given(&bare).as_deref(), Some(OF_SST));
        for small in
            ["var a=1;export{a as handler};", "import a from\"node:fs\";var b=a;export{b as handler};"]
        {
            let flags = options(&format!("{OF_SST}{small}\n"), "src/a.mjs", "nodejs20.x");
            assert_eq!(given(&flags).as_deref(), Some(OF_SST), "{small}");
            assert_eq!(given(&options(small, "src/a.mjs", "nodejs20.x")), None, "{small}");
        }
        let licence = format!("/* Ours.\n   All of it. */\n{COMMON}");
        assert_eq!(given(&options(&licence, "a.js", "")).as_deref(), Some("/* Ours.\n   All of it. */\n"));
        assert_eq!(given(&options(COMMON, "a.js", "")), None);
    }

    #[test]
    fn the_esbuild_where_the_bundle_was_made_comes_first() {
        let home = tempfile::tempdir().unwrap();
        let put = |directory: &str| {
            let path = home.path().join(directory).join("node_modules/.bin/esbuild");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let [app, entry] = ["app", "functions/src/a.ts"].map(|path| home.path().join(path));
        let chosen = || esbuild(&app, &app, &entry);
        let functions = put("functions");
        assert_eq!(chosen(), functions);
        assert_eq!(esbuild(&home.path().join("functions"), &app, &entry), functions);
        let own = put("app");
        assert_eq!(chosen(), own);
        assert_eq!(esbuild(&home.path().join("functions"), &app, &entry), functions);
        let of_sst = put("app/node_modules/sst");
        assert_eq!(chosen(), of_sst);
    }

    #[test]
    fn the_metafile_names_the_inputs() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        std::fs::write(root.join("a.ts"), "").unwrap();
        let told = json!({ "inputs": { "a.ts": {}, "node_modules/x/index.js": {}, "(disabled):fs": {} } });
        assert_eq!(inputs(&told, &root), BTreeSet::from([root.join("a.ts")]));
    }
}
