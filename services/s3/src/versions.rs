//! Versions of objects.
//!
//! The current version stands where every object stands, unless it is a delete marker; all others stand beside it, the
//! newest first. Versions of a key are numbered, and whoever changes them writes the count, so that their order is that of
//! the commits. In a bucket whose versioning was never enabled there is the current object and nothing else.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html>

use base::{Fault, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Parts, Result, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::api::BucketVersioningStatus;
use crate::body;
use crate::bucket::Bucket;
use crate::fault;
use crate::keys::{AddedKey, HeadKey, ObjectKey, VersionKey};
use crate::object::Object;

/// The id of what was written without versioning.
pub(crate) const NULL: &str = "null";

/// Which version of its key something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Counted by key, from 1; 0 if versioning was never enabled when it was written.
    #[serde(rename = "n")]
    pub number: u64,
    /// Makes the id one of its kind; absent in the `null` version.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Uuid>,
}

impl Place {
    /// The version's id: 32 characters, or `null`.
    pub(crate) fn id(&self) -> String {
        match self.salt {
            None => NULL.to_owned(),
            Some(salt) => URL_SAFE_NO_PAD.encode([&self.number.to_be_bytes()[..], salt.as_bytes()].concat()),
        }
    }

    fn parse(id: &str) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (number, salt) = bytes.split_at_checked(8)?;
        let salt = Uuid::from_slice(salt).ok()?;
        Some(Place { number: u64::from_be_bytes(number.try_into().ok()?), salt: Some(salt) })
    }

    fn row(&self, key: &ObjectKey) -> VersionKey {
        VersionKey { bucket: key.bucket.clone(), key: key.key.clone(), age: u64::MAX - self.number }
    }
}

/// A version that is not the current object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly all are objects")]
pub(crate) enum Version {
    #[serde(rename = "o")]
    Object(Object),
    #[serde(rename = "m")]
    Marker(Marker),
}
store::stored!(Version, format = 1);

/// A delete marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    #[serde(rename = "v")]
    pub place: Place,
    #[serde(rename = "m")]
    pub modified_at: Timestamp,
}

impl Version {
    pub(crate) fn place(&self) -> Place {
        match self {
            Version::Object(object) => object.place,
            Version::Marker(marker) => marker.place,
        }
    }
}

/// How the versions of a key are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The last number that was given.
    #[serde(rename = "l")]
    pub last: u64,
    /// The number of the `null` version, if there is one.
    #[serde(rename = "n", default)]
    pub null: Option<u64>,
}
store::stored!(Head, format = 1);

/// The versions of a key, while a transaction changes them.
struct Stack {
    key: ObjectKey,
    current: Option<Object>,
    head: Option<Head>,
    versioning: Option<BucketVersioningStatus>,
}

/// What a removal did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// The id of the version that was removed, or of the delete marker that was made. None without versioning.
    pub version: Option<String>,
    /// Whether that is a delete marker.
    pub marker: bool,
    /// Whether there was something to remove.
    pub found: bool,
}

/// What stands under a key now: what a condition is held against.
pub(crate) async fn current(tx: &mut Tx, key: &ObjectKey) -> Result<Option<Object>> {
    tx.get(key).await
}

/// Makes `object` the current version. The bucket is to be guarded, and `tx` in the scope of S3.
pub(crate) async fn place(tx: &mut Tx, bucket: &Bucket, key: ObjectKey, object: Object) -> Result<Object> {
    let mut stack = Stack::load(tx, bucket, key).await?;
    if stack.current.is_none() && stack.head.is_none() {
        // Nobody reads this but who removes the bucket, so that uploads do not wait for each other.
        tx.put(&AddedKey { bucket: stack.key.bucket.clone() }, &())?;
    }
    let place = stack.next(tx).await?;
    let object = Object { place, ..object };
    tx.put(&stack.key, &object)?;
    stack.save(tx)?;
    Ok(object)
}

/// Removes the current version: for good without versioning, otherwise by a delete marker.
pub(crate) async fn remove(tx: &mut Tx, bucket: &Bucket, key: ObjectKey) -> Result<Removed> {
    let mut stack = Stack::load(tx, bucket, key).await?;
    let found = stack.current.is_some();
    if stack.versioning.is_none() {
        if let Some(object) = stack.current.take() {
            body::discard(tx, object.location())?;
            tx.delete(&stack.key);
        }
        return Ok(Removed { version: None, marker: false, found });
    }
    if stack.current.is_none() && stack.head.is_none() {
        tx.put(&AddedKey { bucket: stack.key.bucket.clone() }, &())?;
    }
    let place = stack.next(tx).await?;
    tx.delete(&stack.key);
    tx.put(&place.row(&stack.key), &Version::Marker(Marker { place, modified_at: tx.now() }))?;
    stack.save(tx)?;
    Ok(Removed { version: Some(place.id()), marker: true, found: true })
}

/// Removes one version for good; the next one becomes the current.
pub(crate) async fn remove_version(
    tx: &mut Tx,
    bucket: &Bucket,
    key: ObjectKey,
    version: &str,
) -> Result<Removed> {
    let mut stack = Stack::load(tx, bucket, key).await?;
    let absent = Removed { version: Some(version.to_owned()), marker: false, found: false };
    let Some(place) = stack.find(version)? else { return Ok(absent) };
    let mut removed = Removed { found: true, ..absent };
    if stack.current.as_ref().is_some_and(|current| current.place == place) {
        if let Some(object) = stack.current.take() {
            body::discard(tx, object.location())?;
        }
        tx.delete(&stack.key);
    } else {
        let row = place.row(&stack.key);
        let Some(found) = tx.get(&row).await?.filter(|found| found.place() == place) else {
            return Ok(Removed { found: false, ..removed });
        };
        match found {
            Version::Object(object) => body::discard(tx, object.location())?,
            Version::Marker(_) => removed.marker = true,
        }
        tx.delete(&row);
    }
    if bucket.versioning.is_some() {
        stack.forget(place);
        stack.promote(tx).await?;
    }
    Ok(removed)
}

/// Writes what changed of an object that stays the version it is.
pub(crate) async fn rewrite(tx: &mut Tx, key: &ObjectKey, object: &Object) -> Result<()> {
    let current = tx.get(key).await?;
    if current.is_some_and(|current| current.place == object.place) {
        return tx.put(key, object);
    }
    let row = object.place.row(key);
    tx.get(&row).await?;
    tx.put(&row, &Version::Object(object.clone()))
}

/// The version of that id, or the current one. Unguarded.
///
/// # Errors
/// `NoSuchKey` or `NoSuchVersion`; `MethodNotAllowed` for a delete marker that is asked for by its id. A delete marker's
/// id is the member `DeleteMarker` of the fault.
pub(crate) async fn find(
    tx: &mut Tx,
    bucket: &Bucket,
    key: &ObjectKey,
    version: Option<&str>,
) -> Result<Object> {
    let current = tx.peek(key).await?;
    let Some(version) = version else {
        return match current {
            Some(object) => Ok(object),
            None => Err(absent(tx, bucket, key).await?.into()),
        };
    };
    let head = if version == NULL { tx.peek(&head_key(key)).await? } else { None };
    let stack = Stack { key: key.clone(), current, head, versioning: None };
    let place = stack.find(version)?.ok_or_else(fault::no_such_version)?;
    if let Some(object) = stack.current.filter(|object| object.place == place) {
        return Ok(object);
    }
    let found = tx.peek(&place.row(key)).await?.filter(|found| found.place() == place);
    match found.ok_or_else(fault::no_such_version)? {
        Version::Object(object) => Ok(object),
        Version::Marker(marker) => {
            let message = "The specified method is not allowed against this resource.";
            let fault = Fault::new("MethodNotAllowed", message).with_status(405);
            Err(told(fault, marker.place).into())
        }
    }
}

/// Where a version stands among those of its key that are not the current object.
///
/// # Errors
/// `InvalidArgument` if the id is none.
pub(crate) async fn age_of(tx: &mut Tx, key: &ObjectKey, version: &str) -> Result<u64> {
    let head = if version == NULL { tx.peek(&head_key(key)).await? } else { None };
    let stack = Stack { key: key.clone(), current: None, head, versioning: None };
    let place = stack.find(version)?.unwrap_or_default();
    Ok(place.row(key).age)
}

/// Why a key has no current object.
async fn absent(tx: &mut Tx, bucket: &Bucket, key: &ObjectKey) -> Result<Fault> {
    if bucket.versioning.is_none() {
        return Ok(fault::no_such_key());
    }
    let newest = tx.scan::<VersionKey>(of(key), 1).await?.pop();
    Ok(newest.map_or_else(fault::no_such_key, |(_, found)| told(fault::no_such_key(), found.place())))
}

fn told(fault: Fault, marker: Place) -> Fault {
    fault.with_members(json!({ "DeleteMarker": marker.id() }))
}

/// All versions of a key but the current object.
pub(crate) fn of(key: &ObjectKey) -> Parts {
    Parts::of(&key.bucket).and(&key.key)
}

fn head_key(key: &ObjectKey) -> HeadKey {
    HeadKey { bucket: key.bucket.clone(), key: key.key.clone() }
}

impl Stack {
    async fn load(tx: &mut Tx, bucket: &Bucket, key: ObjectKey) -> Result<Stack> {
        let current = tx.get(&key).await?;
        let versioning = bucket.versioning;
        let head = if versioning.is_some() { tx.get(&head_key(&key)).await? } else { None };
        Ok(Stack { key, current, head, versioning })
    }

    /// The count as it is, or as it is for an object that was there before versioning.
    fn counted(&self) -> Head {
        let null = || self.current.as_ref().map(|object| object.place.number);
        self.head.unwrap_or_else(|| Head { last: 0, null: null() })
    }

    /// Makes room for a new version: the current one steps aside, or goes if the new one replaces it.
    async fn next(&mut self, tx: &mut Tx) -> Result<Place> {
        let Some(versioning) = self.versioning else {
            if let Some(object) = self.current.take() {
                body::discard(tx, object.location())?;
            }
            return Ok(Place::default());
        };
        let mut head = self.counted();
        let suspended = versioning == BucketVersioningStatus::Suspended;
        match self.current.take() {
            Some(object) if suspended && object.place.salt.is_none() => {
                body::discard(tx, object.location())?;
            }
            Some(object) => {
                if let (true, Some(number)) = (suspended, head.null) {
                    self.drop_null(tx, number).await?;
                }
                tx.put(&object.place.row(&self.key), &Version::Object(object))?;
            }
            None => {
                if let (true, Some(number)) = (suspended, head.null) {
                    self.drop_null(tx, number).await?;
                }
            }
        }
        head.last += 1;
        let salt = (!suspended).then(|| tx.id());
        if suspended {
            head.null = Some(head.last);
        }
        self.head = Some(head);
        Ok(Place { number: head.last, salt })
    }

    async fn drop_null(&self, tx: &mut Tx, number: u64) -> Result<()> {
        let row = Place { number, salt: None }.row(&self.key);
        if let Some(Version::Object(object)) = tx.get(&row).await? {
            body::discard(tx, object.location())?;
        }
        tx.delete(&row);
        Ok(())
    }

    fn save(&self, tx: &mut Tx) -> Result<()> {
        match &self.head {
            Some(head) => tx.put(&head_key(&self.key), head),
            None => Ok(()),
        }
    }

    /// The place that an id names.
    fn find(&self, version: &str) -> Result<Option<Place>, Fault> {
        if version != NULL {
            return Place::parse(version).map(Some).ok_or_else(fault::invalid_version);
        }
        let current = self.current.as_ref().map(|object| object.place).filter(|place| place.salt.is_none());
        let null = self.head.and_then(|head| head.null).map(|number| Place { number, salt: None });
        Ok(current.or(null))
    }

    /// A version goes.
    fn forget(&mut self, place: Place) {
        let mut head = self.counted();
        if place.salt.is_none() {
            head.null = None;
        }
        self.head = Some(head);
    }

    /// The newest version becomes the current object if there is none and it is no delete marker.
    async fn promote(&mut self, tx: &mut Tx) -> Result<()> {
        if self.current.is_some() {
            return self.save(tx);
        }
        let Some((row, _)) = tx.scan::<VersionKey>(of(&self.key), 1).await?.pop() else {
            tx.delete(&head_key(&self.key));
            return Ok(());
        };
        // Guarded: it may be removed meanwhile.
        if let Some(Version::Object(object)) = tx.get(&row).await? {
            tx.put(&self.key, &object)?;
            tx.delete(&row);
        }
        self.save(tx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_places() {
        let place = Place { number: 7, salt: Some(Uuid::from_bytes([9; 16])) };
        assert_eq!(place.id().len(), 32);
        assert_eq!(Place::parse(&place.id()), Some(place));
        assert_eq!(Place::default().id(), "null");
        assert_eq!(Place::parse("nothing"), None);
    }
}
