//! Configuration: flags over environment over one TOML file over defaults.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;
use store::{EngineName, Location};

/// Where the data directory is if nothing says otherwise, below the current directory.
const DATA_DIR: &str = "data";

/// Flags and environment of `buswork start`.
#[derive(Debug, Default, Args)]
pub struct StartArgs {
    /// The address to listen on. The development profile listens on loopback only.
    #[arg(long, env = "BUSWORK_HOST")]
    pub host: Option<std::net::IpAddr>,
    /// The port; 0 lets the system choose one.
    #[arg(long, env = "BUSWORK_PORT")]
    pub port: Option<u16>,
    /// A TOML file with the same settings.
    #[arg(long, env = "BUSWORK_CONFIG")]
    pub config: Option<PathBuf>,
    /// How the log is written: `text` or `json`.
    #[arg(long, env = "BUSWORK_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreArgs,
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
        let host = args.host.or(file.host).unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        if !host.is_loopback() {
            bail!(
                "the development profile accepts any credentials, so it listens on loopback only; {host} is not a \
                 loopback address"
            );
        }
        let port = args.port.or(file.port).unwrap_or(4566);
        let in_file = StoreArgs { data_dir: file.data_dir, in_memory: false, engine: file.engine };
        let data_dir = args.store.data_dir.clone().or_else(|| in_file.data_dir.clone());
        let store = args.store.over(in_file).location()?;
        let scratch_dir = match &store {
            Location::Fjall(_) | Location::Redb(_) => {
                data_dir.unwrap_or_else(|| DATA_DIR.into()).join("scratch")
            }
            // Nothing of it is worth keeping: it is made again from the store.
            Location::Memory | Location::Postgres(_) => {
                std::env::temp_dir().join(format!("buswork-{}", std::process::id()))
            }
        };
        Ok(Config {
            address: (host, port).into(),
            store,
            scratch_dir,
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
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
    fn engines_have_names() {
        let of = |engine: &str| StoreArgs { engine: Some(engine.into()), ..StoreArgs::default() }.location();
        assert!(matches!(of("memory").unwrap(), Location::Memory));
        assert!(matches!(of("postgres://localhost/x").unwrap(), Location::Postgres(_)));
        assert!(of("sqlite").unwrap_err().to_string().contains("fjall"));
    }
}
