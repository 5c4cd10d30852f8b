//! Packages in the store: bytes under their digest, in parts that fit a transaction, counted by their uses.
//!
//! Parts are written before anything refers to them, each in a transaction of its own; the row of the package comes last.
//! Writing them again changes nothing. A package whose last use goes is removed in the same transaction.

use bytes::Bytes;
use kernel::{Effect, Kernel, Result, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::api::{FunctionCode, LayerVersionContentInput};
use crate::fault;
use crate::keys::{Package, PackageKey, PackagePartKey, PackageUse};
use crate::runtime::{UnpackError, unpacked_size};

/// The size of a part: well below what one transaction may carry.
const PART_BYTES: usize = 4_000_000;

/// The largest zip in a request, in bytes.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const INLINE_LIMIT: usize = 50 * 1024 * 1024;

/// Where a caller's zip is.
pub(crate) enum Source {
    Inline(Bytes),
    S3 { bucket: String, key: String, version: Option<String> },
}

impl Source {
    /// From the members of `CreateFunction` and `UpdateFunctionCode`.
    pub(crate) fn of_function(code: FunctionCode) -> Result<Source, base::Fault> {
        if code.image_uri.is_some() {
            return Err(fault::unsupported("ImageUri"));
        }
        if code.source_kms_key_arn.is_some() {
            return Err(fault::unsupported("SourceKMSKeyArn"));
        }
        Source::new(code.zip_file, code.s3_bucket, code.s3_key, code.s3_object_version)
    }

    /// From the member of `PublishLayerVersion`.
    pub(crate) fn of_layer(content: LayerVersionContentInput) -> Result<Source, base::Fault> {
        Source::new(content.zip_file, content.s3_bucket, content.s3_key, content.s3_object_version)
    }

    fn new(
        zip: Option<base::schema::Blob>,
        bucket: Option<String>,
        key: Option<String>,
        version: Option<String>,
    ) -> Result<Source, base::Fault> {
        match (zip, bucket, key) {
            (Some(zip), None, None) => Ok(Source::Inline(zip.0)),
            (None, Some(bucket), Some(key)) => Ok(Source::S3 { bucket, key, version }),
            (None, None, None) => Err(fault::invalid("Please provide a source for function code.")),
            _ => Err(fault::invalid(
                "Please do not provide other FunctionCode parameters when providing a ZipFile.",
            )),
        }
    }
}

/// Gets the zip, checks it, and stores it. Nothing refers to it yet.
pub(crate) async fn take_in(effect: &Effect, source: Source) -> Result<PackageUse> {
    let zip = match source {
        Source::Inline(zip) if zip.len() > INLINE_LIMIT => {
            let message = format!("Zipped size must be smaller than {INLINE_LIMIT} bytes");
            return Err(fault::invalid(message).into());
        }
        Source::Inline(zip) => zip,
        Source::S3 { bucket, key, version } => from_s3(effect, &bucket, &key, version).await?,
    };
    check(&zip)?;
    let package = PackageUse { sha256: hex::encode(Sha256::digest(&zip)), bytes: zip.len() as u64 };
    for (bytes, part) in zip.chunks(PART_BYTES).zip(0..) {
        let part = (PackagePartKey { sha256: package.sha256.clone(), part }, zip.slice_ref(bytes));
        effect.transact("StorePackage", store_part, part).await?;
    }
    let parts = zip.len().div_ceil(PART_BYTES) as u32;
    effect.transact("StorePackage", store_package, (package.clone(), parts)).await?;
    Ok(package)
}

async fn from_s3(effect: &Effect, bucket: &str, key: &str, version: Option<String>) -> Result<Bytes> {
    let mut input = json!({ "Bucket": bucket, "Key": key });
    if let Some(version) = version {
        input["VersionId"] = version.into();
    }
    let input = serde_json::to_vec(&input)?.into();
    let answer = effect.call("s3", "GetObject", input).await.map_err(|found| match found.code.as_ref() {
        "NotImplementedException" => found,
        code => fault::invalid(format!(
            "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {}",
            found.message
        )),
    })?;
    #[derive(serde::Deserialize)]
    struct Object {
        #[serde(rename = "Body", default)]
        body: base::schema::Blob,
    }
    Ok(serde_json::from_slice::<Object>(&answer)?.body.0)
}

fn check(zip: &[u8]) -> Result<(), base::Fault> {
    if zip.is_empty() {
        return Err(fault::invalid("Uploaded file must be a non-empty zip"));
    }
    match unpacked_size(zip) {
        Ok(0) => Err(fault::invalid("Uploaded file must be a non-empty zip")),
        Ok(_) => Ok(()),
        Err(error @ (UnpackError::NoZip | UnpackError::TooLarge)) => Err(fault::invalid(error.to_string())),
        Err(error) => Err(fault::invalid(format!("Could not unzip uploaded file: {error}"))),
    }
}

async fn store_part(tx: &mut Tx, (key, bytes): (PackagePartKey, Bytes)) -> Result<()> {
    tx.put(&key, &bytes)
}

async fn store_package(tx: &mut Tx, (package, parts): (PackageUse, u32)) -> Result<()> {
    let key = PackageKey { sha256: package.sha256 };
    if tx.get(&key).await?.is_none() {
        tx.put(&key, &Package { bytes: package.bytes, parts, uses: 0 })?;
    }
    Ok(())
}

/// Counts one more use. A package that was removed since it was stored is a conflict that the caller may repeat.
pub(crate) async fn hold(tx: &mut Tx, package: &PackageUse) -> Result<()> {
    let key = PackageKey { sha256: package.sha256.clone() };
    let Some(mut row) = tx.get(&key).await? else {
        return Err(
            fault::conflict("The package was removed while it was being used; please try again.").into()
        );
    };
    row.uses += 1;
    tx.put(&key, &row)
}

/// Counts one use less, and removes a package that has none.
pub(crate) async fn release(tx: &mut Tx, package: &PackageUse) -> Result<()> {
    let key = PackageKey { sha256: package.sha256.clone() };
    let Some(mut row) = tx.get(&key).await? else { return Ok(()) };
    row.uses = row.uses.saturating_sub(1);
    if row.uses > 0 {
        return tx.put(&key, &row);
    }
    for part in 0..row.parts {
        tx.delete(&PackagePartKey { sha256: package.sha256.clone(), part });
    }
    tx.delete(&key);
    Ok(())
}

/// The bytes of a stored package.
pub(crate) async fn read(kernel: &Kernel, caller: kernel::Caller, sha256: String) -> Result<Bytes> {
    let parts =
        kernel.transact(crate::NAME, caller.clone(), "ReadPackage", part_count, sha256.clone()).await?;
    let mut bytes = Vec::new();
    for part in 0..parts {
        let key = PackagePartKey { sha256: sha256.clone(), part };
        let part = kernel.transact(crate::NAME, caller.clone(), "ReadPackage", read_part, key).await?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.into())
}

async fn part_count(tx: &mut Tx, sha256: String) -> Result<u32> {
    let gone = || kernel::Error::bug(format!("read the package {sha256}: it is not in the store"));
    let row = tx.peek(&PackageKey { sha256: sha256.clone() }).await?;
    row.map(|row| row.parts).ok_or_else(gone)
}

async fn read_part(tx: &mut Tx, key: PackagePartKey) -> Result<Bytes> {
    let gone = || kernel::Error::bug(format!("read part {} of the package {}", key.part, key.sha256));
    tx.peek(&key).await?.ok_or_else(gone)
}
