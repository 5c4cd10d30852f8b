//! Activities: tasks that workers outside ask for.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html>

use std::collections::BTreeMap;

use base::Timestamp;
use kernel::{Result, Tx};
use serde::{Deserialize, Serialize};

use crate::arn::activity_name;
use crate::fault;
use crate::keys::ActivityKey;

/// An activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Activity {
    #[serde(rename = "c")]
    pub created_at: Timestamp,
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}
store::stored!(Activity, format = 1);

/// A task that no worker has yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Offer {
    /// Names the execution and its wait.
    #[serde(rename = "t")]
    pub token: String,
    /// JSON text.
    #[serde(rename = "i")]
    pub input: String,
}
store::stored!(Offer, format = 1);

/// The activity of that ARN, guarded.
pub(crate) async fn find(tx: &mut Tx, arn: &str) -> Result<(ActivityKey, Activity)> {
    let key = ActivityKey { name: activity_name(tx.scope(), arn)? };
    match tx.get(&key).await? {
        Some(activity) => Ok((key, activity)),
        None => Err(fault::activity_does_not_exist(arn).into()),
    }
}
