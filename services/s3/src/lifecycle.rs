//! Objects that go by themselves: once a day, at midnight (UTC), a pass looks at every object, every version and every
//! upload of a bucket that has rules.
//!
//! What happens is decided by pure functions; the pass reads some rows in each transaction and goes on from there.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>

use base::Timestamp;
use kernel::{Call, Direction, NewTask, Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::{ExpirationStatus, LifecycleRule, Tag};
use crate::bucket::{self, Bucket};
use crate::keys::{BucketKey, MultipartKey, ObjectKey, VersionKey};
use crate::multipart;
use crate::notify::{self, Change, Happening};
use crate::object::Object;
use crate::versions::{self, Version};

/// The internal operation that looks at some of a bucket's rows.
pub(crate) const PASS: &str = "LifecyclePass";

const DAY_MS: i64 = 86_400_000;
/// Rows that one transaction looks at.
const ROWS: usize = 64;
/// Versions of one key that are looked at.
const VERSIONS_MAX: usize = 10_000;

/// Where a pass is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    bucket: String,
    generation: Uuid,
    at: Stage,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    /// Behind this key.
    Objects(String),
    /// Behind all versions of this key.
    Versions(String),
    /// Behind this upload.
    Uploads(String, Uuid),
}

/// Begins the passes of a configuration that is new.
pub(crate) fn begin(tx: &mut Tx, bucket: String, generation: Uuid) -> Result<()> {
    let pass = Pass { bucket, generation, at: Stage::Objects(String::new()) };
    let call = Call::new(crate::NAME, PASS, &pass)?;
    tx.enqueue_quietly(midnight_after(tx.now(), 0), NewTask::new(call))?;
    Ok(())
}

/// Looks at some rows, and leaves the others to a task.
pub(crate) async fn pass(tx: &mut Tx, pass: Pass) -> Result<()> {
    bucket::enter(tx);
    let Some(bucket) = tx.get(&BucketKey { bucket: pass.bucket.clone() }).await? else { return Ok(()) };
    let current = bucket.lifecycle.as_ref().filter(|lifecycle| lifecycle.generation == pass.generation);
    let Some(lifecycle) = current else { return Ok(()) };
    let rules: Vec<&LifecycleRule> =
        lifecycle.rules.iter().filter(|rule| rule.status == ExpirationStatus::Enabled).collect();
    let name = &pass.bucket;
    let next = match &pass.at {
        Stage::Objects(after) => match objects(tx, &bucket, &rules, name, after).await? {
            Some(after) => Some(Stage::Objects(after)),
            None => Some(Stage::Versions(String::new())),
        },
        Stage::Versions(after) => match noncurrent(tx, &bucket, &rules, name, after).await? {
            Some(after) => Some(Stage::Versions(after)),
            None => Some(Stage::Uploads(String::new(), Uuid::nil())),
        },
        Stage::Uploads(key, upload) => {
            let rest = uploads(tx, &rules, name, (key, *upload)).await?;
            rest.map(|(key, upload)| Stage::Uploads(key, upload))
        }
    };
    match next {
        Some(at) => {
            let call = Call::new(crate::NAME, PASS, &Pass { at, ..pass })?;
            tx.enqueue_quietly(tx.now(), NewTask::new(call))?;
            Ok(())
        }
        None => begin(tx, pass.bucket, pass.generation),
    }
}

async fn objects(
    tx: &mut Tx,
    bucket: &Bucket,
    rules: &[&LifecycleRule],
    name: &str,
    after: &str,
) -> Result<Option<String>> {
    let after = ObjectKey { bucket: name.to_owned(), key: after.to_owned() };
    let rows = tx.scan_after(Parts::of(name), &after, ROWS, Direction::Forward).await?;
    let rest =
        rows.last().filter(|_| rows.len() == ROWS).map(|(row, _): &(ObjectKey, Object)| row.key.clone());
    for (row, _) in rows {
        let Some(mut object) = versions::current(tx, &row).await? else { continue };
        match decide(rules, &row.key, &object, tx.now()) {
            Fate::Stays => {}
            Fate::Expires => {
                let removed = versions::remove(tx, bucket, row.clone()).await?;
                let happening =
                    if removed.marker { Happening::MarkerByLifecycle } else { Happening::Expired };
                notify::tell(tx, bucket, &Change::without_object(&row, happening, removed.version))?;
            }
            Fate::Moves(class) => {
                object.headers.storage_class = Some(class);
                tx.put(&row, &object)?;
            }
        }
    }
    Ok(rest)
}

async fn noncurrent(
    tx: &mut Tx,
    bucket: &Bucket,
    rules: &[&LifecycleRule],
    name: &str,
    after: &str,
) -> Result<Option<String>> {
    let after = VersionKey { bucket: name.to_owned(), key: after.to_owned(), age: u64::MAX };
    let next = tx.scan_after(Parts::of(name), &after, 1, Direction::Forward).await?.pop();
    let Some((VersionKey { key, .. }, _)) = next else { return Ok(None) };
    let row = ObjectKey { bucket: name.to_owned(), key };
    let current = versions::current(tx, &row).await?;
    let others: Vec<Version> = tx
        .scan::<VersionKey>(versions::of(&row), VERSIONS_MAX)
        .await?
        .into_iter()
        .map(|(_, version)| version)
        .collect();
    for id in superseded(rules, &row.key, current.as_ref(), &others, tx.now()) {
        let removed = versions::remove_version(tx, bucket, row.clone(), &id).await?;
        notify::tell(tx, bucket, &Change::without_object(&row, Happening::Expired, removed.version))?;
    }
    Ok(Some(row.key))
}

async fn uploads(
    tx: &mut Tx,
    rules: &[&LifecycleRule],
    name: &str,
    (key, upload): (&str, Uuid),
) -> Result<Option<(String, Uuid)>> {
    let after = MultipartKey { bucket: name.to_owned(), key: key.to_owned(), upload };
    let rows = tx.scan_after::<MultipartKey>(Parts::of(name), &after, ROWS, Direction::Forward).await?;
    let rest = rows.last().filter(|_| rows.len() == ROWS).map(|(row, _)| (row.key.clone(), row.upload));
    for (row, upload) in rows {
        let days = rules
            .iter()
            .filter(|rule| Filter::of(rule).is_of_prefix_alone(&row.key))
            .filter_map(|rule| rule.abort_incomplete_multipart_upload.as_ref()?.days_after_initiation)
            .min();
        let over = days.is_some_and(|days| midnight_after(upload.started_at, days) <= tx.now());
        if over && tx.get(&row).await?.is_some() {
            multipart::end(tx, &row)?;
        }
    }
    Ok(rest)
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Expires,
    /// To this storage class.
    Moves(String),
}

/// What the rules say of a current object.
fn decide(rules: &[&LifecycleRule], key: &str, object: &Object, now: Timestamp) -> Fate {
    let due = |days: Option<i32>, date: Option<Timestamp>| {
        days.is_some_and(|days| midnight_after(object.modified_at, days) <= now)
            || date.is_some_and(|date| date <= now)
    };
    let applicable = || rules.iter().filter(|rule| Filter::of(rule).matches(key, object));
    let expires = |rule: &&&LifecycleRule| rule.expiration.as_ref().is_some_and(|it| due(it.days, it.date));
    if applicable().any(|rule| expires(&rule)) {
        return Fate::Expires;
    }
    // The last that is due is the coldest.
    let classes = applicable().flat_map(|rule| rule.transitions.iter().flatten());
    let class = classes.filter(|to| due(to.days, to.date)).max_by_key(|to| (to.days, to.date));
    match class.and_then(|to| to.storage_class) {
        Some(class) if object.headers.storage_class.as_deref() != Some(class.as_str()) => {
            Fate::Moves(class.as_str().to_owned())
        }
        _ => Fate::Stays,
    }
}

/// The ids of what goes of the versions that are not current; `others` are the newest first.
fn superseded(
    rules: &[&LifecycleRule],
    key: &str,
    current: Option<&Object>,
    others: &[Version],
    now: Timestamp,
) -> Vec<String> {
    let mut gone = Vec::new();
    let mut newer_at = current.map(|object| object.modified_at);
    let mut newer = 0;
    for version in others {
        let (at, object) = match version {
            Version::Object(object) => (object.modified_at, Some(object)),
            Version::Marker(marker) => (marker.modified_at, None),
        };
        let applicable = rules.iter().filter(|rule| match object {
            Some(object) => Filter::of(rule).matches(key, object),
            None => Filter::of(rule).is_of_prefix_alone(key),
        });
        let goes = match newer_at {
            Some(since) => applicable.clone().any(|rule| {
                rule.noncurrent_version_expiration.as_ref().is_some_and(|it| {
                    let kept = it.newer_noncurrent_versions.and_then(|kept| usize::try_from(kept).ok());
                    let days = it.noncurrent_days.unwrap_or(0);
                    midnight_after(since, days) <= now && newer >= kept.unwrap_or(0)
                })
            }),
            // A delete marker that hides nothing.
            None if others.len() == 1 => applicable.clone().any(|rule| {
                rule.expiration.as_ref().is_some_and(|it| {
                    it.expired_object_delete_marker == Some(true)
                        || it.days.is_some_and(|days| midnight_after(at, days) <= now)
                })
            }),
            None => false,
        };
        if goes {
            gone.push(version.place().id());
        }
        newer += usize::from(newer_at.is_some());
        newer_at = Some(at);
    }
    gone
}

/// To what a rule applies.
struct Filter<'r> {
    prefix: &'r str,
    tags: Vec<&'r Tag>,
    larger_than: Option<i64>,
    smaller_than: Option<i64>,
}

impl<'r> Filter<'r> {
    fn of(rule: &'r LifecycleRule) -> Filter<'r> {
        let filter = rule.filter.as_ref();
        let and = filter.and_then(|filter| filter.and.as_ref());
        let prefix = rule.prefix.as_deref();
        let prefix = prefix.or_else(|| filter.and_then(|filter| filter.prefix.as_deref()));
        let tags = filter.and_then(|filter| filter.tag.as_ref()).into_iter();
        Filter {
            prefix: prefix.or_else(|| and.and_then(|and| and.prefix.as_deref())).unwrap_or_default(),
            tags: tags.chain(and.and_then(|and| and.tags.as_ref()).into_iter().flatten()).collect(),
            larger_than: filter
                .and_then(|filter| filter.object_size_greater_than)
                .or_else(|| and.and_then(|and| and.object_size_greater_than)),
            smaller_than: filter
                .and_then(|filter| filter.object_size_less_than)
                .or_else(|| and.and_then(|and| and.object_size_less_than)),
        }
    }

    fn matches(&self, key: &str, object: &Object) -> bool {
        let bytes = i64::try_from(object.bytes).unwrap_or(i64::MAX);
        key.starts_with(self.prefix)
            && self.tags.iter().all(|tag| object.tags.get(&tag.key) == Some(&tag.value))
            && self.larger_than.is_none_or(|bound| bytes > bound)
            && self.smaller_than.is_none_or(|bound| bytes < bound)
    }

    /// Whether it applies to what has neither tags nor a size.
    fn is_of_prefix_alone(&self, key: &str) -> bool {
        let alone = self.tags.is_empty() && self.larger_than.is_none() && self.smaller_than.is_none();
        alone && key.starts_with(self.prefix)
    }
}

/// The midnight that ends the day on which `days` have passed.
fn midnight_after(time: Timestamp, days: i32) -> Timestamp {
    let passed = time.as_millis() + i64::from(days) * DAY_MS;
    Timestamp::from_millis((passed.div_euclid(DAY_MS) + 1) * DAY_MS)
}
