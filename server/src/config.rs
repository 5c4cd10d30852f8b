//! Configuration: flags over environment over one TOML file over defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;
use store::{EngineName, Location};

use crate::access::{AccessKey, AccessSettings, Profile};
use crate::packages::Packages;
use crate::tls::TlsSettings;

/// Where the data directory is if nothing says otherwise, below the current directory.
pub(crate) const DATA_DIR: &str = "data";
/// Where the local authority is, below the data directory.
pub(crate) const TLS_DIR: &str = "tls";
/// The largest body of an object if nothing says otherwise, in MiB.
const S3_BODY_MIB: u32 = 5 * 1024;
/// The largest that AWS takes in one request, in MiB.
const S3_BODY_MIB_MAX: i64 = 5 * 1024;
/// The shortest operator token.
const TOKEN_LENGTH_MIN: usize = 16;

/// Flags and environment of `buswork start`.
#[derive(Debug, Default, Args)]
pub struct StartArgs {
    /// What is asked of callers: `development` accepts any credentials and listens on loopback only, `strict` verifies
    /// every signature.
    #[arg(long, env = "BUSWORK_PROFILE")]
    pub profile: Option<Profile>,
    /// The access keys of the strict profile, `id:secret` or `id:secret:account`, separated by commas. A file keeps them
    /// better than a command line does.
    #[arg(long, env = "BUSWORK_ACCESS_KEYS", hide_env_values = true)]
    pub access_keys: Option<String>,
    /// What opens the console and the trace in the strict profile: at least 16 characters.
    #[arg(long, env = "BUSWORK_OPERATOR_TOKEN", hide_env_values = true)]
    pub operator_token: Option<String>,
    /// The address to listen on. Other addresses than loopback need the strict profile.
    #[arg(long, env = "BUSWORK_HOST")]
    pub host: Option<std::net::IpAddr>,
    /// The port; 0 lets the system choose one.
    #[arg(long, env = "BUSWORK_PORT")]
    pub port: Option<u16>,
    /// Where clients and functions reach the server, if it is not the address that it listens on:
    /// `https://events.example.org`.
    #[arg(long, env = "BUSWORK_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The certificate that TLS connections are shown, with those of its authorities, in PEM. Without one, a local
    /// authority makes certificates for local names: see `buswork trust`.
    #[arg(long, env = "BUSWORK_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    #[arg(long, env = "BUSWORK_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A TOML file with the same settings.
    #[arg(long, env = "BUSWORK_CONFIG")]
    pub config: Option<PathBuf>,
    /// How the log is written: `text` or `json`.
    #[arg(long, env = "BUSWORK_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// The largest body of an object in S3, in MiB. It is held in memory while it comes.
    #[arg(long, env = "BUSWORK_S3_BODY_MIB_MAX", value_parser = clap::value_parser!(u32).range(1..=S3_BODY_MIB_MAX))]
    pub s3_body_mib_max: Option<u32>,
    /// Where functions find their interpreters and libraries.
    #[command(flatten)]
    pub functions: FunctionArgs,
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// For tests: lets `POST /_buswork/test/disk-fault` make the disk fail.
    #[arg(long, hide = true)]
    pub test_disk_faults: bool,
}

/// What functions run on.
#[derive(Debug, Default, Clone, Args)]
pub struct FunctionArgs {
    /// The interpreter of a runtime (`nodejs22.x`, `python3.12`) or of all of `nodejs` or `python`; otherwise the PATH is
    /// searched. May be given several times.
    #[arg(
        long = "interpreter",
        env = "BUSWORK_INTERPRETERS",
        value_name = "RUNTIME=PATH",
        value_delimiter = ','
    )]
    pub interpreters: Vec<String>,
    /// Where `buswork runtime install` has put the AWS SDKs; the user's own directory if not given.
    #[arg(long, env = "BUSWORK_RUNTIME_DIR")]
    pub runtime_dir: Option<PathBuf>,
    /// A `node_modules` directory with the AWS SDK, in place of the installed one.
    #[arg(long, env = "BUSWORK_NODE_MODULES")]
    pub node_modules: Option<PathBuf>,
    /// A site-packages directory with boto3, in place of the installed one.
    #[arg(long, env = "BUSWORK_PYTHON_PACKAGES")]
    pub python_packages: Option<PathBuf>,
}

/// Which store.
#[derive(Debug, Default, Clone, Args)]
pub struct StoreArgs {
    /// Where the data is kept.
    #[arg(long, env = "BUSWORK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep everything in memory and nothing on disk.
    #[arg(long, env = "BUSWORK_IN_MEMORY", conflicts_with_all = ["data_dir", "engine"])]
    pub in_memory: bool,
    /// `fjall`, `redb`, `memory`, or the URL of a PostgreSQL database: `postgres://user@host/database`.
    #[arg(long, env = "BUSWORK_ENGINE")]
    pub engine: Option<String>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// The TOML file. Unknown names are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Option<std::net::IpAddr>,
    port: Option<u16>,
    data_dir: Option<PathBuf>,
    engine: Option<String>,
    log_format: Option<LogFormat>,
    profile: Option<Profile>,
    #[serde(default)]
    access_keys: Vec<AccessKey>,
    operator_token: Option<String>,
    public_url: Option<String>,
    s3_body_mib_max: Option<u32>,
    tls: Option<TlsInFile>,
    #[serde(default)]
    functions: FunctionsInFile,
}

/// The table `[tls]` of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsInFile {
    cert: PathBuf,
    key: PathBuf,
}

/// The table `[functions]` of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionsInFile {
    #[serde(default)]
    interpreters: BTreeMap<String, PathBuf>,
    runtime_dir: Option<PathBuf>,
    node_modules: Option<PathBuf>,
    python_packages: Option<PathBuf>,
}

/// What functions run on.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FunctionSettings {
    /// Programs by runtime identifier, or for all of `nodejs` or `python`.
    pub interpreters: BTreeMap<String, PathBuf>,
    /// A `node_modules` directory with the AWS SDK.
    pub node_modules: Option<PathBuf>,
    /// One with version 2 of it, for runtimes before `nodejs18.x`.
    pub legacy_node_modules: Option<PathBuf>,
    /// A site-packages directory with boto3.
    pub python_packages: Option<PathBuf>,
}

/// What a server is started with.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on.
    pub address: std::net::SocketAddr,
    /// The store.
    pub store: Location,
    /// Where processes have their scratch directories and unpacked packages.
    pub scratch_dir: PathBuf,
    /// How the log is written.
    pub log_format: LogFormat,
    /// Who may call.
    pub access: AccessSettings,
    /// Where clients reach the server, if not where it listens.
    pub public_url: Option<String>,
    /// Whose certificates are shown.
    pub tls: TlsSettings,
    /// What functions run on.
    pub functions: FunctionSettings,
    /// The largest body of an object in S3, in bytes.
    pub s3_body_bytes_max: usize,
    /// Whether tests may make the disk fail.
    pub test_disk_faults: bool,
}

impl Config {
    /// Lays flags and environment over the file over the defaults.
    ///
    /// # Errors
    /// A file that cannot be read, names that are not known, an address that the profile does not allow.
    pub fn load(args: StartArgs) -> anyhow::Result<Config> {
        let file = match &args.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let access = access(&args, &file)?;
        let host = args.host.or(file.host).unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        if !host.is_loopback() && access.profile == Profile::Development {
            bail!(
                "the development profile accepts any credentials, so it listens on loopback only; {host} is not a \
                 loopback address (`--profile strict` verifies signatures and listens anywhere)"
            );
        }
        let functions = functions(args.functions, file.functions)?;
        let mib = args.s3_body_mib_max.or(file.s3_body_mib_max).unwrap_or(S3_BODY_MIB);
        if i64::from(mib) > S3_BODY_MIB_MAX || mib == 0 {
            bail!(
                "s3_body_mib_max is {mib}; an object has at most {S3_BODY_MIB_MAX} MiB, as at AWS, and at least 1"
            );
        }
        let port = args.port.or(file.port).unwrap_or(4566);
        let in_file = StoreArgs { data_dir: file.data_dir, in_memory: false, engine: file.engine };
        let data_dir = args.store.data_dir.clone().or_else(|| in_file.data_dir.clone());
        let store = args.store.over(in_file).location()?;
        let is_local = matches!(store, Location::Fjall(_) | Location::Redb(_));
        let kept_in = data_dir.clone().or_else(|| is_local.then(|| DATA_DIR.into()));
        let scratch_dir = match &store {
            Location::Fjall(_) | Location::Redb(_) => {
                data_dir.unwrap_or_else(|| DATA_DIR.into()).join("scratch")
            }
            // Nothing of it is worth keeping: it is made again from the store.
            Location::Memory | Location::Postgres(_) => {
                std::env::temp_dir().join(format!("buswork-{}", std::process::id()))
            }
        };
        let given = match (args.tls_cert, args.tls_key) {
            (Some(cert), Some(key)) => Some(TlsInFile { cert, key }),
            _ => file.tls,
        };
        Ok(Config {
            address: (host, port).into(),
            tls: match given {
                Some(TlsInFile { cert, key }) => TlsSettings::Given { cert, key },
                None => TlsSettings::Local {
                    directory: kept_in.map(|directory| directory.join(TLS_DIR)),
                    public: scratch_dir.join(TLS_DIR),
                },
            },
            store,
            scratch_dir,
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            access,
            public_url: args.public_url.or(file.public_url).map(|url| url.trim_end_matches('/').to_owned()),
            functions,
            s3_body_bytes_max: (mib as usize) << 20,
            test_disk_faults: args.test_disk_faults,
        })
    }
}

/// Who may call.
fn access(args: &StartArgs, file: &File) -> anyhow::Result<AccessSettings> {
    let profile = args.profile.or(file.profile).unwrap_or_default();
    let mut access_keys = file.access_keys.clone();
    if let Some(text) = &args.access_keys {
        access_keys.extend(AccessKey::parse_all(text)?);
    }
    access_keys.iter().try_for_each(AccessKey::check)?;
    let operator_token = args.operator_token.clone().or_else(|| file.operator_token.clone());
    if operator_token.as_ref().is_some_and(|token| token.len() < TOKEN_LENGTH_MIN) {
        bail!("the operator token has fewer than {TOKEN_LENGTH_MIN} characters: it could be guessed");
    }
    if profile == Profile::Strict && access_keys.is_empty() {
        bail!("the strict profile needs at least one access key: `[[access_keys]]` with `id` and `secret`");
    }
    if profile == Profile::Development && !access_keys.is_empty() {
        bail!("the development profile accepts any credentials; access keys need `profile = \"strict\"`");
    }
    Ok(AccessSettings { profile, access_keys, operator_token })
}

/// What functions run on. A program or directory that is not there is refused now, not when a function is called.
fn functions(args: FunctionArgs, file: FunctionsInFile) -> anyhow::Result<FunctionSettings> {
    let mut interpreters = file.interpreters;
    for text in &args.interpreters {
        let Some((runtime, program)) = text.split_once('=') else {
            bail!("`{text}` is no interpreter: use RUNTIME=PATH, e.g. `python=/usr/bin/python3`");
        };
        interpreters.insert(runtime.to_owned(), program.into());
    }
    for (runtime, program) in &interpreters {
        if !runtime.starts_with("nodejs") && !runtime.starts_with("python") {
            bail!(
                "`{runtime}` has no interpreter: use `nodejs`, `python`, or a runtime of these such as `nodejs22.x`"
            );
        }
        if !program.is_file() {
            bail!("the interpreter of {runtime}, {}, is no file", program.display());
        }
    }
    let node_modules = args.node_modules.or(file.node_modules);
    let python_packages = args.python_packages.or(file.python_packages);
    let runtime_dir = args.runtime_dir.or(file.runtime_dir);
    for directory in [&node_modules, &python_packages, &runtime_dir].into_iter().flatten() {
        if !directory.is_dir() {
            bail!("{} is no directory", directory.display());
        }
    }
    let installed = Packages::of(runtime_dir);
    let installed = installed.as_ref();
    Ok(FunctionSettings {
        interpreters,
        node_modules: node_modules.or_else(|| installed?.node_modules()),
        legacy_node_modules: installed.and_then(Packages::legacy_node_modules),
        python_packages: python_packages.or_else(|| installed?.python_packages()),
    })
}

impl StoreArgs {
    fn over(self, below: StoreArgs) -> StoreArgs {
        if self.in_memory {
            return self;
        }
        StoreArgs {
            data_dir: self.data_dir.or(below.data_dir),
            in_memory: false,
            engine: self.engine.or(below.engine),
        }
    }

    /// The store that these flags name.
    ///
    /// # Errors
    /// An engine that is not known.
    pub fn location(self) -> anyhow::Result<Location> {
        if self.in_memory {
            return Ok(Location::Memory);
        }
        let directory = self.data_dir.unwrap_or_else(|| DATA_DIR.into());
        let engine = self.engine.unwrap_or_else(|| "fjall".to_owned());
        if engine.starts_with("postgres://") || engine.starts_with("postgresql://") {
            return Ok(Location::Postgres(engine));
        }
        Ok(match engine.parse::<EngineName>() {
            Ok(EngineName::Memory) => Location::Memory,
            Ok(EngineName::Fjall) => Location::Fjall(directory.join("fjall")),
            Ok(EngineName::Redb) => Location::Redb(directory.join("redb")),
            _ => bail!("`{engine}` is no engine: use fjall, redb, memory or postgres://user@host/database"),
        })
    }
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot use {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(args: StartArgs) -> Config {
        Config::load(args).unwrap()
    }

    #[test]
    fn flags_are_laid_over_the_file_over_the_defaults() {
        let directory = std::env::temp_dir().join(format!("buswork-config-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("buswork.toml");
        std::fs::write(&path, "port = 5000\nengine = \"redb\"\ndata_dir = \"/srv/buswork\"\n").unwrap();
        let config = load(StartArgs { config: Some(path.clone()), port: Some(6000), ..StartArgs::default() });
        assert_eq!(config.address.to_string(), "127.0.0.1:6000");
        assert!(matches!(config.store, Location::Redb(path) if path == Path::new("/srv/buswork/redb")));
        std::fs::write(&path, "prot = 5000\n").unwrap();
        let refused = Config::load(StartArgs { config: Some(path), ..StartArgs::default() }).unwrap_err();
        assert!(format!("{refused:#}").contains("prot"), "{refused:#}");
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn only_loopback_is_bound() {
        let host = Some("0.0.0.0".parse().unwrap());
        assert!(Config::load(StartArgs { host, ..StartArgs::default() }).is_err());
        assert_eq!(load(StartArgs::default()).address.to_string(), "127.0.0.1:4566");
    }

    #[test]
    fn the_strict_profile_needs_keys_and_listens_anywhere() {
        let host = Some("0.0.0.0".parse().unwrap());
        let strict = |keys: Option<&str>| StartArgs {
            host,
            profile: Some(Profile::Strict),
            access_keys: keys.map(str::to_owned),
            ..StartArgs::default()
        };
        let config = load(strict(Some("AKIAONE:secret")));
        assert_eq!(
            (config.address.to_string().as_str(), config.access.access_keys.len()),
            ("0.0.0.0:4566", 1)
        );
        let refused = |args: StartArgs| Config::load(args).unwrap_err().to_string();
        assert!(refused(strict(None)).contains("at least one access key"));
        let short = StartArgs { operator_token: Some("short".to_owned()), ..strict(Some("A:b")) };
        assert!(refused(short).contains("fewer than 16"));
        let lax = StartArgs { access_keys: Some("A:b".to_owned()), ..StartArgs::default() };
        assert!(refused(lax).contains("profile = \"strict\""));
    }

    #[test]
    fn interpreters_are_where_the_settings_say() {
        let program = std::env::current_exe().unwrap().display().to_string();
        let with = |interpreter: &str| StartArgs {
            functions: FunctionArgs { interpreters: vec![interpreter.to_owned()], ..FunctionArgs::default() },
            ..StartArgs::default()
        };
        let config = load(with(&format!("python={program}")));
        assert_eq!(config.functions.interpreters["python"], Path::new(&program));
        for wrong in ["python", "python=/nowhere/python", &format!("java21={program}")] {
            assert!(Config::load(with(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn engines_have_names() {
        let of = |engine: &str| StoreArgs { engine: Some(engine.into()), ..StoreArgs::default() }.location();
        assert!(matches!(of("memory").unwrap(), Location::Memory));
        assert!(matches!(of("postgres://localhost/x").unwrap(), Location::Postgres(_)));
        assert!(of("sqlite").unwrap_err().to_string().contains("fjall"));
    }
}
