use base::Fault;
use kernel::{Result, Tx};

use crate::api::{CreateMultipartUploadInput, CreateMultipartUploadOutput};
use crate::bucket;
use crate::checksum::{Algorithm, ChecksumType, word};
use crate::fault;
use crate::keys::MultipartKey;
use crate::multipart::{self, Multipart};
use crate::object::{self, Encryption, Headers};
use crate::ops::put_object::{self, About};
use crate::tags;

/// An upload to be started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub bucket: String,
    pub key: String,
    pub about: About,
    pub algorithm: Option<Algorithm>,
    pub checksum_type: Option<ChecksumType>,
    /// Whose the bucket is to be, if that is said.
    pub owner: Option<String>,
}

/// Starts an upload in parts.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
pub(crate) async fn create_multipart_upload(
    tx: &mut Tx,
    input: CreateMultipartUploadInput,
) -> Result<CreateMultipartUploadOutput> {
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let asked = to_start(input)?;
    let (id, upload) = start(tx, asked).await?;
    let encryption = upload.encryption.clone().unwrap_or_default();
    let named = upload.algorithm;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(bucket),
        key: Some(key),
        upload_id: Some(id),
        checksum_algorithm: named.map(|algorithm| word(algorithm.name())).transpose()?,
        checksum_type: named.map(|_| word(upload.checksum_type.as_str())).transpose()?,
        server_side_encryption: Some(word(encryption.algorithm())?),
        ssekms_key_id: encryption.key,
        ..CreateMultipartUploadOutput::default()
    })
}

fn to_start(input: CreateMultipartUploadInput) -> Result<Start, Fault> {
    check(&input)?;
    let asked = input.server_side_encryption.map(|encryption| encryption.as_str());
    let about = About {
        headers: Headers {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            expires: None,
            website_redirect_location: input.website_redirect_location,
            storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
            metadata: input.metadata.unwrap_or_default(),
        },
        tags: tags::of_header(input.tagging.as_deref())?,
        encryption: Encryption::asked(asked, input.ssekms_key_id, input.bucket_key_enabled)?,
    };
    about.headers.check()?;
    let algorithm = input.checksum_algorithm.map(|asked| Algorithm::parse(asked.as_str())).transpose()?;
    let checksum_type = input.checksum_type.map(|asked| ChecksumType::parse(asked.as_str())).transpose()?;
    let owner = input.expected_bucket_owner;
    Ok(Start { bucket: input.bucket, key: input.key, about, algorithm, checksum_type, owner })
}

fn check(input: &CreateMultipartUploadInput) -> Result<(), Fault> {
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    put_object::check_acl(input.acl, grants.into_iter().any(Option::is_some))?;
    let locked = input.object_lock_mode.is_some()
        || input.object_lock_retain_until_date.is_some()
        || input.object_lock_legal_hold_status.is_some()
        || input.object_lock_event_hold.is_some();
    fault::refuse_unsupported(&[
        ("encryption with a customer's key", input.sse_customer_key.is_some()),
        ("an encryption context", input.ssekms_encryption_context.is_some()),
        ("object lock", locked),
        ("Expires in a document", input.expires.is_some()),
    ])
}

/// The same for a caller over HTTP: its id, and what is known of it.
pub(crate) async fn start(tx: &mut Tx, start: Start) -> Result<(String, Multipart)> {
    object::check_key(&start.key)?;
    let algorithm = start.algorithm.unwrap_or(Algorithm::DEFAULT);
    let checksum_type = start.checksum_type.unwrap_or_else(|| algorithm.default_type());
    algorithm.check_type(checksum_type)?;
    let initiator = tx.caller().account.clone();
    bucket::expect(tx, (start.bucket.clone(), start.owner)).await?;
    let found = bucket::find(tx, &start.bucket).await?;
    let encryption = start.about.encryption.unwrap_or_else(|| found.default_encryption());
    let upload = Multipart {
        started_at: tx.now(),
        initiator,
        headers: start.about.headers,
        tags: start.about.tags,
        encryption: Some(encryption),
        algorithm: start.algorithm,
        checksum_type,
    };
    let row = MultipartKey { bucket: start.bucket, key: start.key, upload: tx.id() };
    tx.put(&row, &upload)?;
    Ok((multipart::upload_id(row.upload), upload))
}
