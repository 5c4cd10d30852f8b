//! Static websites: what a browser gets from a bucket.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html>. Reading needs no policy.

use base::Fault;
use futures::TryStreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use kernel::{Caller, Kernel, Tx};
use percent_encoding::percent_decode_str;
use s3s::dto::TimestampFormat;
use serde::{Deserialize, Serialize};

use crate::api::{Redirect, RoutingRule, WebsiteConfiguration};
use crate::body;
use crate::bucket;
use crate::conditions::Conditions;
use crate::front::{Body, BoxError, empty, full};
use crate::keys::ObjectKey;
use crate::object::{Object, Target};
use crate::ops::bucket_website::no_such_website;
use crate::ops::get_object::{self, Found};

/// How a redirection's target is reached: the shape `Protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// `http`
    #[default]
    #[serde(rename = "http")]
    Http,
    /// `https`
    #[serde(rename = "https")]
    Https,
}

impl Scheme {
    /// As URLs have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// The bucket of a website's host: `<bucket>.s3-website.<region>.amazonaws.com`,
/// `<bucket>.s3-website-<region>.amazonaws.com` or `<bucket>.s3-website.localhost`, each with or without a port.
pub fn is_website_host(host: &str) -> Option<String> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    let end = name.rfind(".s3-website.").or_else(|| name.rfind(".s3-website-"))?;
    name.get(..end).filter(|bucket| !bucket.is_empty()).map(str::to_owned)
}

/// Answers a request to the website of `bucket`.
pub(crate) async fn answer(
    kernel: &Kernel,
    request_id: uuid::Uuid,
    bucket: &str,
    request: &http::Request<()>,
) -> http::Response<Body> {
    let caller = Caller::root_user(base::AccountId::default(), base::Region::default(), request_id);
    let visit = Visit { kernel, caller, bucket, request };
    match visit.answer().await {
        Ok(response) => response,
        Err(error) => page(&kernel.to_fault(error), &visit.key(), bucket, request_id),
    }
}

struct Visit<'v> {
    kernel: &'v Kernel,
    caller: Caller,
    bucket: &'v str,
    request: &'v http::Request<()>,
}

/// What a path leads to.
#[derive(Clone, Debug)]
enum Step {
    Object(Box<Found>),
    /// To the same path with a slash.
    Directory,
    Missing,
}

impl Visit<'_> {
    fn key(&self) -> String {
        let path = self.request.uri().path();
        percent_decode_str(path.strip_prefix('/').unwrap_or(path)).decode_utf8_lossy().into_owned()
    }

    async fn answer(&self) -> kernel::Result<http::Response<Body>> {
        if !matches!(*self.request.method(), Method::GET | Method::HEAD) {
            let message = "The specified method is not allowed against this resource.";
            return Err(Fault::new("MethodNotAllowed", message).with_status(405).into());
        }
        let website = self.run(configuration, self.bucket.to_owned()).await?;
        if let Some(to) = &website.redirect_all_requests_to {
            let target = location(to.protocol, Some(&to.host_name), self.request, &self.key());
            return Ok(moved(StatusCode::MOVED_PERMANENTLY, &target));
        }
        let key = self.key();
        if let Some(rule) = matching(&website, &key, None) {
            return Ok(redirected(rule, self.request, &key));
        }
        let suffix = website.index_document.as_ref().map_or("index.html", |index| index.suffix.as_str());
        let wanted = (self.bucket.to_owned(), key.clone(), suffix.to_owned());
        match self.run(resolve, wanted).await? {
            Step::Object(found) => self.object(*found, StatusCode::OK),
            Step::Directory => Ok(moved(StatusCode::FOUND, &format!("/{}/", escape(&key)))),
            Step::Missing => self.missing(&website, &key).await,
        }
    }

    async fn missing(
        &self,
        website: &WebsiteConfiguration,
        key: &str,
    ) -> kernel::Result<http::Response<Body>> {
        if let Some(rule) = matching(website, key, Some("404")) {
            return Ok(redirected(rule, self.request, key));
        }
        let Some(document) = &website.error_document else { return Err(crate::fault::no_such_key().into()) };
        let wanted = Target::current(self.bucket, &document.key);
        match self.run(get_object::find, wanted).await {
            Ok(found) => self.object(found, StatusCode::NOT_FOUND),
            Err(kernel::Error::Fault(_)) => Err(crate::fault::no_such_key().into()),
            Err(error) => Err(error),
        }
    }

    fn object(&self, found: Found, status: StatusCode) -> kernel::Result<http::Response<Body>> {
        let object = &found.object;
        if let Some(to) = &object.headers.website_redirect_location {
            return Ok(moved(StatusCode::MOVED_PERMANENTLY, to));
        }
        let mut response = http::Response::new(empty());
        *response.status_mut() = status;
        *response.headers_mut() = headers(object);
        if status == StatusCode::OK && conditions(self.request.headers()).check_read(object).is_err() {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(object.bytes));
        *response.body_mut() = match &found.whole {
            Some(whole) => full(whole.clone()),
            None => {
                let pieces = body::read(
                    self.kernel.clone(),
                    self.caller.clone(),
                    std::sync::Arc::clone(&found.segments),
                    0..object.bytes,
                );
                let frames = pieces.map_ok(Frame::data).map_err(BoxError::from);
                s3s::Body::http_body_unsync(StreamBody::new(frames)).boxed()
            }
        };
        Ok(response)
    }

    async fn run<I, O, F>(&self, handler: F, input: I) -> kernel::Result<O>
    where
        I: Clone + Send + Sync,
        O: Send,
        F: for<'a> kernel::TransactHandler<'a, I, O>,
    {
        self.kernel.transact(crate::NAME, self.caller.clone(), "GetWebsite", handler, input).await
    }
}

async fn configuration(tx: &mut Tx, bucket: String) -> kernel::Result<WebsiteConfiguration> {
    let found = bucket::look_at(tx, &bucket).await?;
    found.website.ok_or_else(|| no_such_website().into())
}

/// What a key leads to: a directory's index, an object, or a directory whose slash was forgotten.
async fn resolve(tx: &mut Tx, (bucket, key, suffix): (String, String, String)) -> kernel::Result<Step> {
    let is_directory = key.is_empty() || key.ends_with('/');
    let wanted = if is_directory { format!("{key}{suffix}") } else { key.clone() };
    match get_object::find(tx, Target::current(&bucket, &wanted)).await {
        Ok(found) => return Ok(Step::Object(Box::new(found))),
        Err(kernel::Error::Fault(fault)) if fault.code == "NoSuchKey" => {}
        Err(error) => return Err(error),
    }
    if is_directory {
        return Ok(Step::Missing);
    }
    let index = ObjectKey { bucket, key: format!("{key}/{suffix}") };
    Ok(if tx.version_of(&index).await?.is_some() { Step::Directory } else { Step::Missing })
}

/// The first rule for a key, before it is looked for or after that has failed with `error`.
fn matching<'w>(
    website: &'w WebsiteConfiguration,
    key: &str,
    error: Option<&str>,
) -> Option<&'w RoutingRule> {
    website.routing_rules.iter().flatten().find(|rule| {
        let condition = rule.condition.as_ref();
        let prefix = condition.and_then(|condition| condition.key_prefix_equals.as_deref());
        let code = condition.and_then(|condition| condition.http_error_code_returned_equals.as_deref());
        prefix.is_none_or(|prefix| key.starts_with(prefix)) && code == error
    })
}

fn redirected(rule: &RoutingRule, request: &http::Request<()>, key: &str) -> http::Response<Body> {
    let Redirect { host_name, http_redirect_code, protocol, replace_key_prefix_with, replace_key_with } =
        &rule.redirect;
    let prefix = rule.condition.as_ref().and_then(|condition| condition.key_prefix_equals.as_deref());
    let target = match (replace_key_with, replace_key_prefix_with) {
        (Some(whole), _) => whole.clone(),
        (None, Some(with)) => {
            format!("{with}{}", key.strip_prefix(prefix.unwrap_or_default()).unwrap_or(key))
        }
        (None, None) => key.to_owned(),
    };
    let code = http_redirect_code.as_deref().and_then(|code| StatusCode::from_bytes(code.as_bytes()).ok());
    let to = location(*protocol, host_name.as_deref(), request, &target);
    moved(code.unwrap_or(StatusCode::MOVED_PERMANENTLY), &to)
}

fn location(protocol: Option<Scheme>, host: Option<&str>, request: &http::Request<()>, key: &str) -> String {
    let own = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let protocol = protocol.map_or("http", Scheme::as_str);
    format!("{protocol}://{}/{}", host.unwrap_or(own), escape(key))
}

fn escape(key: &str) -> String {
    crate::ops::list_objects_v2::encode(key)
}

fn moved(status: StatusCode, to: &str) -> http::Response<Body> {
    let mut response = http::Response::new(empty());
    *response.status_mut() = status;
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

fn conditions(headers: &HeaderMap) -> Conditions {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let time = |name: &str| {
        let parsed = s3s::dto::Timestamp::parse(TimestampFormat::HttpDate, text(name)?).ok()?;
        crate::front::from_time(&parsed)
    };
    Conditions {
        if_none_match: text("if-none-match").map(str::to_owned),
        if_modified_since: time("if-modified-since"),
        ..Conditions::default()
    }
}

fn headers(object: &Object) -> HeaderMap {
    let known = &object.headers;
    let modified = crate::front::to_http_date(object.modified_at);
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: Option<&str>| {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, Some(known.content_type()));
    set(CACHE_CONTROL, known.cache_control.as_deref());
    set(CONTENT_DISPOSITION, known.content_disposition.as_deref());
    set(CONTENT_ENCODING, known.content_encoding.as_deref());
    set(CONTENT_LANGUAGE, known.content_language.as_deref());
    set(ETAG, Some(&format!("\"{}\"", object.etag)));
    set(LAST_MODIFIED, modified.as_deref());
    headers
}

/// The page that tells a browser what is wrong.
fn page(fault: &Fault, key: &str, bucket: &str, request_id: uuid::Uuid) -> http::Response<Body> {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let about = match fault.code.as_ref() {
        "NoSuchKey" => format!("<li>Key: {}</li>\n", html(key)),
        "NoSuchBucket" | "NoSuchWebsiteConfiguration" => format!("<li>BucketName: {}</li>\n", html(bucket)),
        _ => String::new(),
    };
    let text = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n<li>Code: {}</li>\n\
         <li>Message: {}</li>\n{about}<li>RequestId: {}</li>\n</ul>\n<hr/>\n</body>\n</html>\n",
        fault.code,
        html(&fault.message),
        request_id.simple(),
    );
    let mut response = http::Response::new(full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Condition;

    #[test]
    fn hosts_of_websites_name_their_bucket() {
        for (host, bucket) in [
            ("b.s3-website.eu-central-1.amazonaws.com", Some("b")),
            ("b.s3-website-us-east-1.amazonaws.com", Some("b")),
            ("my.page.s3-website.localhost:4566", Some("my.page")),
            ("b.s3-website.eu-central-1.localhost:4566", Some("b")),
            ("B.S3-Website.localhost", Some("b")),
            ("s3-website.localhost", None),
            ("b.s3.localhost:4566", None),
            ("127.0.0.1:4566", None),
        ] {
            assert_eq!(is_website_host(host).as_deref(), bucket, "{host}");
        }
    }

    #[test]
    fn rules_match_prefixes_before_and_errors_after() {
        let rule = |prefix: Option<&str>, code: Option<&str>| RoutingRule {
            condition: Some(Condition {
                key_prefix_equals: prefix.map(str::to_owned),
                http_error_code_returned_equals: code.map(str::to_owned),
            }),
            redirect: Redirect::default(),
        };
        let rules = vec![rule(Some("docs/"), None), rule(None, Some("404"))];
        let website = WebsiteConfiguration { routing_rules: Some(rules), ..Default::default() };
        assert!(matching(&website, "docs/a", None).is_some());
        assert!(matching(&website, "other", None).is_none());
        assert!(matching(&website, "other", Some("404")).is_some());
    }
}
