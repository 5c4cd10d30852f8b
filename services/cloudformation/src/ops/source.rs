//! Where a template's text comes from: the request, or a bucket.

use base::schema::Blob;
use base::{Document, Fault};
use kernel::Effect;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::prepare::Source;
use crate::policy::Policy;
use crate::stack::invalid;
use crate::template::{BODY_BYTES_MAX, URL_BYTES_MAX};

/// The text of `TemplateBody` or behind `TemplateURL`; `None` if neither is given.
pub(super) async fn text(
    effect: &Effect,
    body: Option<String>,
    url: Option<String>,
) -> Result<Option<String>, Fault> {
    match (body, url) {
        (Some(_), Some(_)) => Err(invalid("Template URL and Template Body cannot both be specified.")),
        (Some(body), None) if body.len() > BODY_BYTES_MAX => {
            let shown: String = body.chars().take(100).collect();
            Err(invalid(format!(
                "1 validation error detected: Value '{shown}…' at 'templateBody' failed to satisfy constraint: Member \
                 must have length less than or equal to {BODY_BYTES_MAX}"
            )))
        }
        (Some(body), None) => Ok(Some(body)),
        (None, Some(url)) => fetch(effect, &url).await.map(Some),
        (None, None) => Ok(None),
    }
}

/// The template of a request that changes a stack. `old` is the text of the stack's own.
pub(super) async fn template(
    effect: &Effect,
    (body, url): (Option<String>, Option<String>),
    use_previous: Option<bool>,
    old: Option<&str>,
) -> Result<Source, Fault> {
    let given = text(effect, body, url).await?;
    match (given, use_previous.unwrap_or_default(), old) {
        (Some(text), false, _) => Ok(Source { text, is_new: true }),
        (None, true, Some(old)) => Ok(Source { text: old.to_owned(), is_new: false }),
        (Some(_), true, _) => {
            Err(invalid("Template Body or URL and UsePreviousTemplate cannot both be specified."))
        }
        (None, true, None) => Err(invalid("UsePreviousTemplate needs a stack that has a template.")),
        (None, false, _) => Err(invalid("Either Template URL or Template Body must be specified.")),
    }
}

/// The text of a stack policy, given or behind a URL; `None` if neither is.
pub(super) async fn policy(
    effect: &Effect,
    (body, url): (Option<String>, Option<String>),
) -> Result<Option<String>, Fault> {
    let text = match (body, url) {
        (Some(_), Some(_)) => {
            return Err(invalid("StackPolicyBody and StackPolicyURL cannot both be specified."));
        }
        (Some(body), None) => body,
        (None, Some(url)) => fetch(effect, &url).await?,
        (None, None) => return Ok(None),
    };
    Policy::parse(&text)?;
    Ok(Some(text))
}

async fn fetch(effect: &Effect, url: &str) -> Result<String, Fault> {
    let object = parse(url).ok_or_else(|| invalid("TemplateURL must be a supported URL."))?;
    let input = match &object.version {
        Some(version) => json!({ "Bucket": object.bucket, "Key": object.key, "VersionId": version }),
        None => json!({ "Bucket": object.bucket, "Key": object.key }),
    };
    let answer = effect.call("s3", "GetObject", input.to_string().into()).await;
    let answer = answer.map_err(|fault| invalid(format!("S3 error: {}", fault.message)))?;
    let answer: Document = serde_json::from_slice(&answer).unwrap_or_default();
    let bytes = answer.get("Body").and_then(Document::as_str).and_then(Blob::from_base64).unwrap_or_default();
    if bytes.as_bytes().len() > URL_BYTES_MAX {
        return Err(invalid(format!("Template may not exceed {URL_BYTES_MAX} bytes in size.")));
    }
    String::from_utf8(bytes.as_bytes().to_vec())
        .map_err(|_| invalid("Template format error: unsupported structure."))
}

/// An object in a bucket.
#[derive(Debug, PartialEq, Eq)]
struct Object {
    bucket: String,
    key: String,
    version: Option<String>,
}

/// The object that a URL names: `s3.<region>.amazonaws.com/<bucket>/<key>`, `<bucket>.s3.<anything>/<key>`, or any
/// other host in path style, as clients with an endpoint of their own write it.
fn parse(url: &str) -> Option<Object> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (bucket, key) = match bucket_of_host(host) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/')?,
    };
    let decode = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
    let version = query.split('&').find_map(|field| field.strip_prefix("versionId=")).and_then(decode);
    let object = Object { bucket: decode(bucket)?, key: decode(key)?, version };
    (!object.bucket.is_empty() && !object.key.is_empty()).then_some(object)
}

/// The bucket, if the host names one.
fn bucket_of_host(host: &str) -> Option<&str> {
    if host.starts_with("s3.") || host.starts_with("s3-") {
        return None;
    }
    let end = host.find(".s3.").or_else(|| host.find(".s3-"))?;
    Some(&host[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_objects() {
        for (url, expected) in [
            ("https://s3.eu-central-1.amazonaws.com/bucket/a/b.json", Some(("bucket", "a/b.json", None))),
            ("https://s3.amazonaws.com/bucket/a%20b", Some(("bucket", "a b", None))),
            ("https://s3-eu-west-1.amazonaws.com/bucket/key", Some(("bucket", "key", None))),
            ("https://my.bucket.s3.eu-central-1.amazonaws.com/key", Some(("my.bucket", "key", None))),
            ("https://bucket.s3.amazonaws.com/key?versionId=v1", Some(("bucket", "key", Some("v1")))),
            ("https://bucket.s3-us-west-2.amazonaws.com/key", Some(("bucket", "key", None))),
            ("http://127.0.0.1:4566/bucket/deep/key.yaml", Some(("bucket", "deep/key.yaml", None))),
            ("http://bucket.s3.localhost:4566/key", Some(("bucket", "key", None))),
            ("ftp://s3.amazonaws.com/bucket/key", None),
            ("https://s3.amazonaws.com/bucket", None),
            ("https://s3.amazonaws.com/bucket/", None),
        ] {
            let object = parse(url);
            let found = object.as_ref().map(|o| (o.bucket.as_str(), o.key.as_str(), o.version.as_deref()));
            assert_eq!(found, expected, "{url}");
        }
    }
}
