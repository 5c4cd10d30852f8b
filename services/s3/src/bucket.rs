//! A bucket: its name, its owner and its configurations.

use base::{AccountId, Fault, Region, Timestamp};
use kernel::{Caller, Result, Scope, Tx};
use serde::{Deserialize, Serialize};

use crate::api::{
    BucketVersioningStatus, CORSRule, LifecycleRule, NotificationConfiguration, ObjectOwnership,
    PublicAccessBlockConfiguration, ServerSideEncryptionRule, Tag, TransitionDefaultMinimumObjectSize,
    WebsiteConfiguration,
};
use crate::fault;
use crate::keys::BucketKey;
use crate::object::Encryption;

/// A bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub owner: AccountId,
    pub region: Region,
    pub created_at: Timestamp,
    #[serde(default)]
    pub website: Option<WebsiteConfiguration>,
    #[serde(default)]
    pub policy: Option<String>,
    #[serde(default)]
    pub public_access_block: Option<PublicAccessBlockConfiguration>,
    /// None if it was never enabled.
    #[serde(default)]
    pub versioning: Option<BucketVersioningStatus>,
    #[serde(default)]
    pub tags: Option<Vec<Tag>>,
    #[serde(default)]
    pub cors: Option<Vec<CORSRule>>,
    #[serde(default)]
    pub encryption: Option<ServerSideEncryptionRule>,
    #[serde(default)]
    pub ownership: Option<ObjectOwnership>,
    #[serde(default)]
    pub notification: Option<NotificationConfiguration>,
    #[serde(default)]
    pub lifecycle: Option<Lifecycle>,
}
store::stored!(Bucket, format = 1);

/// How objects of a bucket go by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lifecycle {
    pub rules: Vec<LifecycleRule>,
    /// As it was given; transitions look at no size.
    #[serde(default)]
    pub minimum: Option<TransitionDefaultMinimumObjectSize>,
    /// Names this configuration: passes that were begun for another one end.
    pub generation: uuid::Uuid,
}

impl Bucket {
    /// A bucket as S3 makes it: public access is blocked.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    pub(crate) fn new(owner: AccountId, region: Region, created_at: Timestamp) -> Bucket {
        let blocked = PublicAccessBlockConfiguration {
            block_public_acls: Some(true),
            ignore_public_acls: Some(true),
            block_public_policy: Some(true),
            restrict_public_buckets: Some(true),
        };
        Bucket {
            owner,
            region,
            created_at,
            website: None,
            policy: None,
            public_access_block: Some(blocked),
            versioning: None,
            tags: None,
            cors: None,
            encryption: None,
            ownership: Some(ObjectOwnership::BucketOwnerEnforced),
            notification: None,
            lifecycle: None,
        }
    }
}

impl Bucket {
    /// Who does what follows from a change in this bucket: S3, in its owner's account, where it is.
    pub(crate) fn acting(&self, caller: &Caller) -> Caller {
        caller.as_service("s3.amazonaws.com", self.owner.clone(), self.region.clone())
    }

    /// The encryption that objects get whose uploader asks for none.
    pub(crate) fn default_encryption(&self) -> Encryption {
        let rule = self.encryption.as_ref();
        let by_default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref());
        let algorithm = by_default.map(|by_default| by_default.sse_algorithm.as_str());
        Encryption {
            algorithm: algorithm.filter(|algorithm| *algorithm != "AES256").map(str::to_owned),
            key: by_default.and_then(|by_default| by_default.kms_master_key_id.clone()),
            bucket_key: rule.is_some_and(|rule| rule.bucket_key_enabled == Some(true)),
        }
    }
}

/// Reads and writes the rows of S3 from here on, whoever calls.
pub(crate) fn enter(tx: &mut Tx) {
    tx.enter(Scope { account: AccountId::default(), region: Region::default() });
}

/// The bucket of that name. It is guarded: who writes below it is run again if the bucket changes or goes.
pub(crate) async fn find(tx: &mut Tx, name: &str) -> Result<Bucket> {
    enter(tx);
    let found = tx.get(&BucketKey { bucket: name.to_owned() }).await?;
    found.ok_or_else(|| fault::no_such_bucket().into())
}

/// Like [`find`], for who only reads.
pub(crate) async fn look_at(tx: &mut Tx, name: &str) -> Result<Bucket> {
    enter(tx);
    let found = tx.peek(&BucketKey { bucket: name.to_owned() }).await?;
    found.ok_or_else(|| fault::no_such_bucket().into())
}

/// Refuses a bucket that is another's than the request has in mind, if it says whose.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
pub(crate) async fn expect(tx: &mut Tx, (name, owner): (String, Option<String>)) -> Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    enter(tx);
    match tx.peek(&BucketKey { bucket: name }).await? {
        Some(found) if found.owner.as_str() != owner => Err(fault::access_denied().into()),
        // That there is none, others tell.
        _ => Ok(()),
    }
}

/// Changes a bucket.
pub(crate) async fn change(tx: &mut Tx, name: &str, change: impl FnOnce(&mut Bucket) + Send) -> Result<()> {
    let mut bucket = find(tx, name).await?;
    change(&mut bucket);
    tx.put(&BucketKey { bucket: name.to_owned() }, &bucket)
}

/// Whether a new bucket may bear `name`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    let letter_or_digit =
        |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    let well_formed = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|&byte| letter_or_digit(Some(byte)) || matches!(byte, b'-' | b'.'))
        && letter_or_digit(bytes.first().copied())
        && letter_or_digit(bytes.last().copied())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err();
    let reserved = ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| name.starts_with(prefix))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|end| name.ends_with(end));
    if well_formed && !reserved { Ok(()) } else { Err(fault::invalid_bucket_name()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for name in ["abc", "a-b.c1", "recent-actions-page", &"a".repeat(63)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in
            ["ab", "Abc", "a_b", "-abc", "abc.", "a..b", "192.168.5.4", "xn--a", "a-s3alias", &"a".repeat(64)]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
