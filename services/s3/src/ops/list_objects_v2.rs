use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Result, Tx};

use crate::api::{self, CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output};
use crate::bucket;
use crate::fault;
use crate::listing::{self, Listing};
use crate::object::Object;

/// A page of a bucket's objects.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(crate) async fn list_objects_v2(tx: &mut Tx, input: ListObjectsV2Input) -> Result<ListObjectsV2Output> {
    bucket::expect(tx, (input.bucket.clone(), input.expected_bucket_owner)).await?;
    let asked = Listing {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().unwrap_or_default(),
        after: after(input.continuation_token.as_deref(), input.start_after.as_deref())?,
        max: input.max_keys,
    };
    let max_keys = asked.max_keys()?;
    let page = listing::list(tx, asked).await?;
    let text = text_of(input.encoding_type);
    let count = page.len();
    let contents = page.objects.iter().map(|(key, object)| described(text(key), object));
    Ok(ListObjectsV2Output {
        is_truncated: Some(page.next.is_some()),
        contents: Some(contents.collect()).filter(|all: &Vec<_>| !all.is_empty()),
        common_prefixes: Some(
            page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) }).collect(),
        )
        .filter(|all: &Vec<_>| !all.is_empty()),
        name: Some(input.bucket),
        prefix: Some(text(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().map(&text),
        max_keys: i32::try_from(max_keys).ok(),
        encoding_type: input.encoding_type,
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        next_continuation_token: page.next.as_deref().map(token),
        start_after: input.start_after.as_deref().map(&text),
        request_charged: None,
    })
}

/// An object as lists describe it.
pub(crate) fn described(key: String, object: &Object) -> api::Object {
    api::Object {
        key: Some(key),
        last_modified: Some(object.modified_at),
        e_tag: Some(format!("\"{}\"", object.etag)),
        size: i64::try_from(object.bytes).ok(),
        storage_class: Some(api::ObjectStorageClass::Standard),
        ..api::Object::default()
    }
}

/// How a list writes keys.
pub(crate) fn text_of(encoding: Option<EncodingType>) -> impl Fn(&str) -> String {
    move |text| if encoding == Some(EncodingType::Url) { encode(text) } else { text.to_owned() }
}

/// Where a page begins: a token outweighs `StartAfter`.
fn after(token: Option<&str>, start_after: Option<&str>) -> Result<String, base::Fault> {
    let Some(token) = token else { return Ok(start_after.unwrap_or_default().to_owned()) };
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| fault::invalid_argument("The continuation token provided is incorrect"))
}

fn token(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// What `encoding-type=url` makes of a key.
pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// All but unreserved characters and slashes is escaped.
const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b'*');
