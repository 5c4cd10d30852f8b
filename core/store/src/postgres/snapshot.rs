//! Reads at one version: a read-only transaction on a connection of its own, kept for the next snapshot.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_postgres::{Client, Statement};

use super::session::{Address, is_broken, store_error};
use super::{Hints, schema};
use crate::backend::scan_end;
use crate::core::closed;
use crate::engine::{Direction, KeyRange, Row, Snapshot, StoreError, Version};

/// Snapshots at a time; whoever wants one more waits.
const CONNECTIONS_MAX: usize = 16;

/// Connections for reading.
pub(super) struct Readers {
    address: Address,
    handle: Handle,
    idle: Mutex<Vec<Reader>>,
    places: Arc<Semaphore>,
    /// The newest commit that was reported to floors and watches. The server shows a commit before we have its answer.
    settled: watch::Receiver<Version>,
    hints: Arc<Hints>,
}

struct Reader {
    client: Client,
    version: Statement,
    get: Statement,
    forward: Statement,
    backward: Statement,
}

impl Readers {
    pub(super) fn new(
        address: Address,
        handle: Handle,
        settled: watch::Receiver<Version>,
        hints: Arc<Hints>,
    ) -> Readers {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Readers { address, handle, idle: Mutex::default(), places, settled, hints }
    }

    /// No more snapshots.
    pub(super) fn close(&self) {
        self.places.close();
        self.idle.lock().clear();
    }

    /// A view of everything acknowledged.
    pub(super) async fn snapshot(self: &Arc<Self>) -> Result<Box<dyn Snapshot>, StoreError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| self.hints.ended())?;
        let pooled = self.idle.lock().pop();
        let begun = match pooled {
            Some(reader) if !reader.client.is_closed() => begin(reader).await,
            _ => return self.settle(self.begin_anew().await?, place).await,
        };
        let begun = match begun {
            Ok(begun) => begun,
            // The server may have restarted since the connection was pooled.
            Err(e) if is_broken(&e) => self.begin_anew().await?,
            Err(e) => return Err(store_error(&e)),
        };
        self.settle(begun, place).await
    }

    /// Waits until what the server shows is what was acknowledged.
    async fn settle(
        self: &Arc<Self>,
        (reader, version): (Reader, Version),
        place: OwnedSemaphorePermit,
    ) -> Result<Box<dyn Snapshot>, StoreError> {
        let snapshot = At { reader: Some(reader), version, readers: self.clone(), _place: place };
        let mut settled = self.settled.clone();
        settled.wait_for(|settled| *settled >= version).await.map_err(|_| self.hints.ended())?;
        Ok(Box::new(snapshot))
    }

    async fn begin_anew(&self) -> Result<(Reader, Version), StoreError> {
        let client = self.address.connect(&self.handle).await?;
        let prepared = futures::try_join!(
            client.prepare(schema::VERSION),
            client.prepare(schema::GET),
            client.prepare(schema::FORWARD),
            client.prepare(schema::BACKWARD),
        );
        let (version, get, forward, backward) = prepared.map_err(|e| store_error(&e))?;
        begin(Reader { client, version, get, forward, backward }).await.map_err(|e| store_error(&e))
    }
}

/// One round trip: both statements are sent before the first answer is awaited.
async fn begin(reader: Reader) -> Result<(Reader, Version), tokio_postgres::Error> {
    let begin = reader.client.batch_execute(schema::BEGIN);
    let ((), row) = futures::try_join!(begin, reader.client.query_one(&reader.version, &[]))?;
    Ok((reader, Version(row.get::<_, i64>(0).cast_unsigned())))
}

struct At {
    reader: Option<Reader>,
    version: Version,
    readers: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl At {
    fn reader(&self) -> Result<&Reader, StoreError> {
        self.reader.as_ref().ok_or_else(closed)
    }
}

/// The connection goes back to the others once its transaction has ended.
impl Drop for At {
    fn drop(&mut self) {
        let (Some(reader), readers) = (self.reader.take(), self.readers.clone()) else { return };
        self.readers.handle.spawn(async move {
            let ended = reader.client.batch_execute(schema::END).await;
            if ended.is_ok() && !readers.places.is_closed() {
                readers.idle.lock().push(reader);
            }
        });
    }
}

impl Snapshot for At {
    fn version(&self) -> Version {
        self.version
    }

    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        async move {
            let reader = self.reader()?;
            let row = reader.client.query_opt(&reader.get, &[&key]).await.map_err(|e| store_error(&e))?;
            Ok(row.map(|row| self::row(row.get(0), row.get(1))))
        }
        .boxed()
    }

    fn scan<'a>(
        &'a self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'a, Result<Vec<(Bytes, Row)>, StoreError>> {
        async move {
            let reader = self.reader()?;
            let statement = match direction {
                Direction::Forward => &reader.forward,
                Direction::Backward => &reader.backward,
            };
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let (start, end) = (&*range.start, scan_end(&range));
            let rows = reader.client.query(statement, &[&start, &end, &limit]).await;
            let rows = rows.map_err(|e| store_error(&e))?;
            let owned = |row: tokio_postgres::Row| {
                (Bytes::copy_from_slice(row.get(0)), self::row(row.get(1), row.get(2)))
            };
            Ok(rows.into_iter().map(owned).collect())
        }
        .boxed()
    }
}

fn row(version: i64, value: &[u8]) -> Row {
    Row { version: Version(version.cast_unsigned()), value: Bytes::copy_from_slice(value) }
}
