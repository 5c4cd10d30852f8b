use kernel::{Result, Tx};

use crate::api::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use crate::keys::ObjectKey;
use crate::notify::{self, Change, Happening};
use crate::object::Target;
use crate::tags::{self, Tags};
use crate::{bucket, versions};

/// Replaces the tags of an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>
pub(crate) async fn put_object_tagging(
    tx: &mut Tx,
    input: PutObjectTaggingInput,
) -> Result<PutObjectTaggingOutput> {
    let tags = tags::of_object(input.tagging.tag_set)?;
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let version_id = retag(tx, target, tags, Happening::TagsPut).await?;
    Ok(PutObjectTaggingOutput { version_id })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html>
pub(crate) async fn delete_object_tagging(
    tx: &mut Tx,
    input: DeleteObjectTaggingInput,
) -> Result<DeleteObjectTaggingOutput> {
    let target = Target { bucket: input.bucket, key: input.key, version: input.version_id };
    let version_id = retag(tx, target, Tags::new(), Happening::TagsDeleted).await?;
    Ok(DeleteObjectTaggingOutput { version_id })
}

async fn retag(tx: &mut Tx, target: Target, tags: Tags, happening: Happening) -> Result<Option<String>> {
    let bucket = bucket::find(tx, &target.bucket).await?;
    let key = ObjectKey { bucket: target.bucket, key: target.key };
    // Guarded, if it is the current one.
    versions::current(tx, &key).await?;
    let mut object = versions::find(tx, &bucket, &key, target.version.as_deref()).await?;
    object.tags = tags;
    versions::rewrite(tx, &key, &object).await?;
    let version = bucket.versioning.map(|_| object.place.id());
    notify::tell(tx, &bucket, &Change::of(&key, &object, happening, version.clone()))?;
    Ok(version)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>
pub(crate) async fn get_object_tagging(
    tx: &mut Tx,
    input: GetObjectTaggingInput,
) -> Result<GetObjectTaggingOutput> {
    let bucket = bucket::look_at(tx, &input.bucket).await?;
    let key = ObjectKey { bucket: input.bucket, key: input.key };
    let object = versions::find(tx, &bucket, &key, input.version_id.as_deref()).await?;
    let version_id = bucket.versioning.map(|_| object.place.id());
    Ok(GetObjectTaggingOutput { tag_set: tags::to_list(object.tags), version_id })
}
