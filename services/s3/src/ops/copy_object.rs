use std::pin::pin;
use std::sync::Arc;

use futures::TryStreamExt as _;
use kernel::{Caller, Kernel, Result};

use crate::body::{self, BODY_BYTES_MAX, Claims, Uploader};
use crate::checksum::{Algorithm, ChecksumType};
use crate::conditions::Conditions;
use crate::fault;
use crate::notify::Happening;
use crate::object::{Encryption, Headers, Target};
use crate::ops::get_object::{self, Found};
use crate::ops::put_object::{self, Placed};
use crate::tags::Tags;

/// What is copied, and what it becomes.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub from: Target,
    pub to: (String, String),
    /// What must hold for the source.
    pub conditions: Conditions,
    /// What must hold for what stands there.
    pub over: Conditions,
    /// The new object's own headers, instead of the source's.
    pub headers: Option<Headers>,
    /// The new object's storage class; that of the source's headers or the new ones, if none is asked for.
    pub class: Option<String>,
    /// The new object's own tags, instead of the source's.
    pub tags: Option<Tags>,
    pub encryption: Option<Encryption>,
    /// The algorithm of the copy's checksum; the source's, if none is asked for.
    pub algorithm: Option<Algorithm>,
}

/// What was copied.
pub(crate) struct Copied {
    pub placed: Placed,
    /// The version of the source, if its bucket has versions.
    pub source: Option<String>,
}

/// Copies an object, its body included: the copy does not depend on its source.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub(crate) async fn copy_object(kernel: &Kernel, caller: &Caller, copy: Copy) -> Result<Copied> {
    let name = "CopyObject";
    kernel.transact(crate::NAME, caller.clone(), name, put_object::prepare, copy.to.clone()).await?;
    let found = kernel.transact(crate::NAME, caller.clone(), name, get_object::find, copy.from).await?;
    copy.conditions.check_read(&found.object).map_err(|_| fault::precondition_failed())?;
    if found.object.bytes > BODY_BYTES_MAX {
        let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(base::Fault::new("InvalidRequest", message).into());
    }
    let algorithms: Vec<Algorithm> = match copy.algorithm {
        Some(algorithm) => vec![algorithm],
        None => found.object.checksums.keys().copied().collect(),
    };
    // Of the whole, they hold for the copy, too.
    let whole = found.object.checksum_type == ChecksumType::FullObject && copy.algorithm.is_none();
    let checksums = if whole { found.object.checksums.clone() } else { Default::default() };
    let mut uploader = Uploader::new(kernel, caller.clone(), &algorithms, BODY_BYTES_MAX);
    let all = 0..found.object.bytes;
    transfer(kernel, caller, &found, all, &mut uploader).await?;
    let (bucket, key) = copy.to;
    let mut headers = copy.headers.unwrap_or(found.object.headers);
    headers.storage_class = copy.class.or(headers.storage_class);
    let about = put_object::About {
        headers,
        tags: copy.tags.unwrap_or(found.object.tags),
        encryption: copy.encryption,
    };
    let placement = put_object::Placement {
        bucket,
        key,
        about,
        conditions: copy.over,
        draft: uploader.finish(&Claims { md5: None, checksums })?,
        happening: Happening::Copied,
    };
    let placed = kernel.transact(crate::NAME, caller.clone(), name, put_object::place, placement).await?;
    Ok(Copied { placed, source: found.version })
}

/// Reads a range of an object into a new body.
pub(crate) async fn transfer(
    kernel: &Kernel,
    caller: &Caller,
    found: &Found,
    range: std::ops::Range<u64>,
    uploader: &mut Uploader<'_>,
) -> Result<()> {
    if let Some(whole) = &found.whole {
        return uploader.push(&whole[range.start as usize..range.end as usize]).await;
    }
    let segments = Arc::clone(&found.segments);
    let mut pieces = pin!(body::read(kernel.clone(), caller.clone(), segments, range));
    while let Some(piece) = pieces.try_next().await? {
        uploader.push(&piece).await?;
    }
    Ok(())
}
