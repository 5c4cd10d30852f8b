//! The items of map runs, read from S3 page by page.

use asl::{Item, ItemPage, ItemSource, MapRunStimulus};
use base::Fault;
use kernel::{Effect, Outcome, ReplyInput, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::map_run::LiveRun;
use crate::reader;

/// The internal operation that reads a page of items.
pub(crate) const READ_ITEMS: &str = "ReadMapItems";
/// The internal operation that takes the page.
pub(crate) const ITEMS_READ: &str = "MapItemsRead";

/// What to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReadItems {
    pub source: ItemSource,
    pub cursor: Option<String>,
    pub at_most: u32,
}

/// A page on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    items: Vec<Item>,
    cursor: Option<String>,
}

/// Reads a page of items.
pub(crate) async fn read_items(effect: &Effect, input: ReadItems) -> Result<Page> {
    let ReadItems { source, cursor, at_most } = input;
    let ItemPage { items, cursor } = reader::read(effect, source, cursor, at_most).await?;
    Ok(Page { items, cursor })
}

/// Tells the run of its page, or why there is none.
pub(crate) async fn items_read(tx: &mut Tx, reply: ReplyInput<String>) -> Result<()> {
    let Some(mut live) = LiveRun::load(tx, &reply.context).await? else { return Ok(()) };
    let stimulus = match reply.outcome {
        Outcome::Succeeded(page) => {
            let Page { items, cursor } = serde_json::from_str(&page)?;
            MapRunStimulus::Items { items, cursor }
        }
        Outcome::Failed(fault) => MapRunStimulus::ItemsFailed { cause: fault.message },
    };
    live.step(tx, stimulus)?;
    live.store(tx).await
}

pub(super) async fn call(effect: &Effect, operation: &str, input: &Value) -> Result<Value, Fault> {
    let answer = effect.call("s3", operation, input.to_string().into()).await?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}
