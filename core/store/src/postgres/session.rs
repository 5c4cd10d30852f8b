//! Connections to the database.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::schema;
use crate::core::closed;
use crate::engine::{StoreError, Version};
use crate::location::{FORMAT, OpenError};

/// How the database is reached, and what it is called in messages: never with the password.
#[derive(Clone)]
pub(super) struct Address {
    config: Arc<Config>,
    name: Arc<str>,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Address, OpenError> {
        let mut config: Config =
            url.parse().map_err(|e| OpenError::unavailable("the given URL of PostgreSQL", Cause(&e)))?;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        let name = format!("postgres://{hosts}/{}", config.get_dbname().unwrap_or("postgres")).into();
        config.application_name(format!("buswork with pid {}", std::process::id()));
        Ok(Address { config: Arc::new(config), name })
    }

    /// A connection whose traffic `handle`'s runtime carries.
    pub(super) async fn connect(&self, handle: &Handle) -> Result<Client, StoreError> {
        let config = self.config.clone();
        let connecting = handle.spawn(async move { config.connect(NoTls).await });
        // A runtime that is gone is one whose store was closed.
        let connected = connecting.await.map_err(|_| closed())?;
        let (client, connection) = connected.map_err(|e| store_error(&e))?;
        handle.spawn(async move {
            if let Err(broken) = connection.await {
                tracing::debug!(%broken, "a connection to PostgreSQL ended");
            }
        });
        client.batch_execute(schema::SESSION).await.map_err(|e| store_error(&e))?;
        Ok(client)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// An error with the cause that the driver keeps behind it.
pub(super) struct Cause<'a>(pub(super) &'a tokio_postgres::Error);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::error::Error::source(self.0) {
            Some(cause) => write!(f, "{}: {cause}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// What a failed statement means when nothing of it was applied.
pub(super) fn store_error(error: &tokio_postgres::Error) -> StoreError {
    match error.code() {
        Some(&SqlState::DISK_FULL) => StoreError::Full,
        Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED | SqlState::UNDEFINED_TABLE)) => {
            StoreError::Damaged(Cause(error).to_string())
        }
        _ => StoreError::Unavailable(Cause(error).to_string()),
    }
}

/// Whether the connection broke, so that the fate of what was under way is not known.
pub(super) fn is_broken(error: &tokio_postgres::Error) -> bool {
    match error.as_db_error() {
        // 08: connection exceptions; 57P: the server shuts down or lost a process.
        Some(said) => said.code().code().starts_with("08") || said.code().code().starts_with("57P"),
        None => true,
    }
}

/// How far the store is.
pub(super) struct State {
    pub(super) batch: i64,
    pub(super) last: Version,
    /// Failed checks of the last batch.
    pub(super) failed: Vec<i32>,
}

/// The connection of the one writer.
pub(super) struct Writer {
    pub(super) client: Client,
    pub(super) commit: Statement,
    pub(super) state: State,
}

impl Writer {
    /// Connects, takes the writer's lock, makes what is missing and reads how far the store is.
    pub(super) async fn open(address: &Address, handle: &Handle, make: bool) -> Result<Writer, OpenError> {
        let unavailable = |e: tokio_postgres::Error| OpenError::unavailable(address, Cause(&e));
        let client = address.connect(handle).await.map_err(|e| OpenError::from_store(address, e))?;
        let found = has_schema(&client).await.map_err(unavailable)?;
        if !found {
            if !make {
                return Err(OpenError::damaged(address, "its schema is missing"));
            }
            make_schema(&client).await.map_err(unavailable)?;
        }
        lock(&client, address).await?;
        let exists = client
            .query_one("SELECT to_regclass('buswork_store') IS NOT NULL", &[])
            .await
            .map_err(unavailable)?
            .get(0);
        match (exists, make) {
            (false, false) => {
                return Err(OpenError::damaged(
                    address,
                    "`buswork_store` is missing: this is no store of Buswork",
                ));
            }
            (false, true) => client.batch_execute(schema::TABLES).await.map_err(unavailable)?,
            (true, _) => {}
        }
        let state = state(&client, address).await?;
        client.batch_execute(schema::FUNCTION).await.map_err(unavailable)?;
        let commit = client.prepare(schema::COMMIT).await.map_err(unavailable)?;
        Ok(Writer { client, commit, state })
    }
}

async fn has_schema(client: &Client) -> Result<bool, tokio_postgres::Error> {
    Ok(client.query_one("SELECT current_schema() IS NOT NULL", &[]).await?.get(0))
}

/// Makes the first schema of the search path, which a URL chooses by `options=-csearch_path%3Dname`.
async fn make_schema(client: &Client) -> Result<(), tokio_postgres::Error> {
    let quoted =
        "SELECT quote_ident(trim(both ' \"' from split_part(current_setting('search_path'), ',', 1)))";
    let name: String = client.query_one(quoted, &[]).await?.get(0);
    client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {name}")).await
}

async fn lock(client: &Client, address: &Address) -> Result<(), OpenError> {
    match client.batch_execute(schema::LOCK).await {
        Ok(()) => Ok(()),
        Err(e) if e.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            let holder = client.query_opt(schema::HOLDER, &[]).await.ok().flatten();
            let holder = holder.map_or_else(|| "another process".to_owned(), |row| row.get(0));
            Err(OpenError::InUse { place: address.to_string(), holder })
        }
        Err(e) => Err(OpenError::unavailable(address, Cause(&e))),
    }
}

async fn state(client: &Client, address: &Address) -> Result<State, OpenError> {
    let row = client.query_opt(schema::STATE, &[]).await;
    let row = row.map_err(|e| OpenError::damaged(address, format!("`buswork_store`: {}", Cause(&e))))?;
    let row = row.ok_or_else(|| OpenError::damaged(address, "`buswork_store` has no row"))?;
    let format: i32 = row.get(0);
    let found = format.cast_unsigned();
    if found > FORMAT {
        return Err(OpenError::Newer { place: address.to_string(), found });
    }
    let last = Version(row.get::<_, i64>(2).cast_unsigned());
    Ok(State { batch: row.get(1), last, failed: row.get(3) })
}
