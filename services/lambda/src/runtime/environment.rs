//! The environment of a function's process. Pure: nothing is inherited.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::code::Tree;
use super::descendants;
use super::interpreter::Family;
use super::spec::{FunctionSpec, Logging};
use super::supervisor::Trusted;

/// What a process's environment is made from, besides its function.
pub(super) struct Surroundings<'a> {
    pub(super) tree: &'a Tree,
    pub(super) family: Family,
    /// The directory that stands for `/var/runtime`.
    pub(super) runtime_dir: &'a Path,
    /// The directory that the interpreter is in.
    pub(super) interpreter_dir: Option<&'a Path>,
    /// The packages that the runtime offers: AWS SDK for Node, boto3.
    pub(super) packages: &'a [&'a Path],
    /// The authority of the platform's certificates.
    pub(super) trusted: Option<&'a Trusted>,
    /// The process's own scratch directory.
    pub(super) scratch: &'a Path,
    /// `host:port` of its Runtime API.
    pub(super) runtime_api: &'a str,
    pub(super) log_stream: &'a str,
}

/// All variables. The configured ones override the defaults and are overridden by AWS's reserved ones.
pub(super) fn variables(spec: &FunctionSpec, around: &Surroundings<'_>) -> BTreeMap<String, String> {
    let mut all = defaults(spec, around);
    all.extend(spec.environment.clone());
    all.extend(reserved(spec, around));
    all
}

fn defaults(spec: &FunctionSpec, around: &Surroundings<'_>) -> BTreeMap<String, String> {
    let tree = around.tree;
    let system = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];
    let mut path: Vec<PathBuf> = tree.seen_opt().iter().map(|opt| opt.join("bin")).collect();
    path.extend(around.interpreter_dir.map(Path::to_owned));
    path.extend(system.map(PathBuf::from));
    let mut libraries = vec![tree.task.clone(), tree.task.join("lib")];
    libraries.extend(tree.seen_opt().iter().map(|opt| opt.join("lib")));
    let mut all = BTreeMap::from([
        pair("PATH", &joined(&path)),
        pair("LD_LIBRARY_PATH", &joined(&libraries)),
        pair("LANG", "en_US.UTF-8"),
        pair("TZ", ":UTC"),
        pair("TMPDIR", &shown(around.scratch)),
        // Not AWS's: keeps the code from the configuration of whoever runs the server.
        pair("HOME", &shown(around.scratch)),
        pair("AWS_ENDPOINT_URL", &spec.endpoint_url),
        // The SDKs would otherwise look for an instance's metadata service when credentials are missing.
        pair("AWS_EC2_METADATA_DISABLED", "true"),
    ]);
    all.extend(module_path(around));
    all.extend(around.trusted.map(trust).into_iter().flatten());
    all
}

/// What lets TLS clients accept the platform's certificates: Node adds a file to what it trusts, the others take one instead.
fn trust(trusted: &Trusted) -> Vec<(String, String)> {
    let bundle = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
        .map(|name| pair(name, &shown(&trusted.bundle)));
    [pair("NODE_EXTRA_CA_CERTS", &shown(&trusted.certificate))].into_iter().chain(bundle).collect()
}

/// Where the interpreter looks for layers' and the runtime's own packages.
fn module_path(around: &Surroundings<'_>) -> Option<(String, String)> {
    let opt = around.tree.seen_opt();
    match around.family {
        Family::Provided => None,
        Family::Node(major) => {
            let mut places: Vec<PathBuf> = opt
                .into_iter()
                .flat_map(|opt| {
                    [opt.join(format!("nodejs/node{major}/node_modules")), opt.join("nodejs/node_modules")]
                })
                .collect();
            places.extend(around.packages.iter().map(|place| place.to_path_buf()));
            places.extend([around.runtime_dir.to_owned(), around.tree.task.clone()]);
            Some(pair("NODE_PATH", &joined(&places)))
        }
        Family::Python(minor) => {
            let mut places = vec![around.tree.task.clone()];
            places.extend(opt.into_iter().flat_map(|opt| {
                [opt.join(format!("python/lib/python3.{minor}/site-packages")), opt.join("python")]
            }));
            places.extend(around.packages.iter().map(|place| place.to_path_buf()));
            // The interpreter looks there for `sitecustomize`.
            places.push(around.runtime_dir.to_owned());
            Some(pair("PYTHONPATH", &joined(&places)))
        }
    }
}

fn reserved(spec: &FunctionSpec, around: &Surroundings<'_>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        // Not AWS's: by it, what the code has started is found when its process ends.
        pair(descendants::MARK, &shown(around.scratch)),
        pair("_HANDLER", &spec.handler),
        pair("LAMBDA_TASK_ROOT", &shown(&around.tree.task)),
        pair("LAMBDA_RUNTIME_DIR", &shown(around.runtime_dir)),
        pair("AWS_LAMBDA_RUNTIME_API", around.runtime_api),
        pair("AWS_LAMBDA_FUNCTION_NAME", &spec.name),
        pair("AWS_LAMBDA_FUNCTION_VERSION", &spec.version),
        pair("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &spec.memory_mb.to_string()),
        pair("AWS_LAMBDA_LOG_GROUP_NAME", &spec.log_group),
        pair("AWS_LAMBDA_LOG_STREAM_NAME", around.log_stream),
        pair("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        pair("AWS_REGION", spec.region.as_str()),
        pair("AWS_DEFAULT_REGION", spec.region.as_str()),
        pair("AWS_ACCESS_KEY_ID", &spec.credentials.access_key_id),
        pair("AWS_SECRET_ACCESS_KEY", &spec.credentials.secret_access_key),
        pair("AWS_SESSION_TOKEN", &spec.credentials.session_token),
    ]);
    match &spec.logging {
        Logging::Text => all.extend([pair("AWS_LAMBDA_LOG_FORMAT", "Text")]),
        Logging::Json { application_level, .. } => all
            .extend([pair("AWS_LAMBDA_LOG_FORMAT", "JSON"), pair("AWS_LAMBDA_LOG_LEVEL", application_level)]),
    }
    // Custom runtimes have no execution environment name, as at AWS.
    if around.family != Family::Provided {
        all.extend([pair("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{}", spec.runtime))]);
    }
    all
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn joined(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(":")
}
