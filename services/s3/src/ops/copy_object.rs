use std::pin::pin;
use std::sync::Arc;

use base::Fault;
use futures::TryStreamExt as _;
use kernel::{Caller, Effect, Kernel, Result};
use s3s::dto::CopySource;

use crate::api::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, MetadataDirective, TaggingDirective};
use crate::body::{self, BODY_BYTES_MAX, Claims, Uploader};
use crate::bucket;
use crate::checksum::{Algorithm, ChecksumType, with_checksums, word};
use crate::conditions::Conditions;
use crate::fault;
use crate::notify::Happening;
use crate::object::{Encryption, Headers, Target};
use crate::ops::get_object::{self, Found};
use crate::ops::put_object::{self, Placed};
use crate::tags::{self, Tags};

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
pub(crate) async fn copy_object(effect: &Effect, input: CopyObjectInput) -> Result<CopyObjectOutput> {
    let source_owner = input.expected_source_bucket_owner.clone();
    let owner = (input.bucket.clone(), input.expected_bucket_owner.clone());
    let asked = to_copy(input)?;
    for expected in [owner, (asked.from.bucket.clone(), source_owner)] {
        effect.transact("CopyObject", bucket::expect, expected).await?;
    }
    let Copied { placed: Placed { object, version }, source } =
        copy(effect.kernel(), effect.caller(), asked).await?;
    let told = |algorithm| object.checksums.get(&algorithm).cloned();
    Ok(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(format!("\"{}\"", object.etag)),
            last_modified: Some(object.modified_at),
            checksum_type: Some(word(object.checksum_type.as_str())?),
            ..with_checksums!(CopyObjectResult, told)
        }),
        copy_source_version_id: source,
        server_side_encryption: Some(word(object.encryption.algorithm())?),
        ssekms_key_id: object.encryption.key.clone(),
        version_id: version,
        ..CopyObjectOutput::default()
    })
}

fn to_copy(input: CopyObjectInput) -> Result<Copy, Fault> {
    check(&input)?;
    let from = parse_source(&input.copy_source)?;
    let to = (input.bucket, input.key);
    let replaces = input.metadata_directive == Some(MetadataDirective::Replace);
    let retags = input.tagging_directive == Some(TaggingDirective::Replace);
    let asked = input.server_side_encryption.map(|encryption| encryption.as_str());
    let encryption = Encryption::asked(asked, input.ssekms_key_id, input.bucket_key_enabled)?;
    let class = input.storage_class.map(|class| class.as_str().to_owned());
    let changes = replaces
        || retags
        || class.is_some()
        || input.website_redirect_location.is_some()
        || encryption.is_some();
    refuse_in_place(&from, &to, changes)?;
    let headers = replaces.then(|| Headers {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        expires: None,
        website_redirect_location: input.website_redirect_location,
        storage_class: class.clone(),
        metadata: input.metadata.unwrap_or_default(),
    });
    if let Some(headers) = &headers {
        headers.check()?;
    }
    Ok(Copy {
        from,
        to,
        conditions: Conditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        },
        over: Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            ..Conditions::default()
        },
        headers,
        class,
        tags: if retags { Some(tags::of_header(input.tagging.as_deref())?) } else { None },
        encryption,
        algorithm: input
            .checksum_algorithm
            .map(|algorithm| Algorithm::parse(algorithm.as_str()))
            .transpose()?,
    })
}

fn check(input: &CopyObjectInput) -> Result<(), Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    put_object::check_acl(input.acl, grants.into_iter().any(Option::is_some))?;
    let locked = input.object_lock_mode.is_some()
        || input.object_lock_retain_until_date.is_some()
        || input.object_lock_legal_hold_status.is_some()
        || input.object_lock_event_hold.is_some();
    let customer_key = input.sse_customer_key.is_some() || input.copy_source_sse_customer_key.is_some();
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", customer_key),
        ("an encryption context", input.ssekms_encryption_context.is_some()),
        ("object lock", locked),
        ("AnnotationDirective", input.annotation_directive.is_some()),
        ("Expires in a document", input.expires.is_some()),
    ])
}

/// What is copied, as a document names it: bucket, key and perhaps version, escaped as in a path.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn parse_source(text: &str) -> Result<Target, Fault> {
    let parsed = CopySource::parse(text).map_err(|_| {
        fault::invalid_argument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    })?;
    source(&parsed)
}

/// What a copy is made of.
///
/// # Errors
/// `NotImplemented` for access points.
pub(crate) fn source(source: &CopySource) -> Result<Target, Fault> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(fault::unsupported("copying from an access point"));
    };
    let version = version_id.as_ref().map(ToString::to_string);
    Ok(Target { bucket: bucket.to_string(), key: key.to_string(), version })
}

/// Refuses to copy an object to itself if nothing changes.
///
/// # Errors
/// `InvalidRequest`.
pub(crate) fn refuse_in_place(from: &Target, to: &(String, String), changes: bool) -> Result<(), Fault> {
    if *from != Target::current(&to.0, &to.1) || changes {
        return Ok(());
    }
    let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                   object's metadata, storage class, website redirect location or encryption attributes.";
    Err(Fault::new("InvalidRequest", message))
}

/// The same for a caller over HTTP.
pub(crate) async fn copy(kernel: &Kernel, caller: &Caller, copy: Copy) -> Result<Copied> {
    let name = "CopyObject";
    kernel.transact(crate::NAME, caller.clone(), name, put_object::prepare, copy.to.clone()).await?;
    let found = kernel.transact(crate::NAME, caller.clone(), name, get_object::find, copy.from).await?;
    copy.conditions.check_read(&found.object).map_err(|_| fault::precondition_failed())?;
    if found.object.bytes > BODY_BYTES_MAX {
        let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(Fault::new("InvalidRequest", message).into());
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
