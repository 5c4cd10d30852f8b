//! Whom a request addresses: the credential scope and the host name.

use std::borrow::Cow;

use base::Region;

use crate::text::{decode_form, fields};
use crate::{Request, sigv4};

/// What a signature says of its signer; nothing is verified here.
#[derive(Debug, Default)]
pub(crate) struct Credential<'a> {
    pub(crate) access_key: Cow<'a, str>,
    pub(crate) region: Cow<'a, str>,
    pub(crate) service: Cow<'a, str>,
    pub(crate) token: Option<Cow<'a, str>>,
}

/// The credential of the `Authorization` header or of the query string.
pub(crate) fn credential<'a>(request: &Request<'a>) -> Option<Credential<'a>> {
    if let Some(header) = request.header("authorization") {
        let parameters = header.strip_prefix(sigv4::ALGORITHM)?;
        let scope = parameters.split(',').find_map(|part| part.trim().strip_prefix("Credential="))?;
        let token = request.header("x-amz-security-token").map(Cow::Borrowed);
        return split(Cow::Borrowed(scope), token);
    }
    if !request.query.contains("X-Amz-Credential") {
        return None;
    }
    let field = |wanted: &str| {
        let found = fields(request.query).find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| decode_form(value))
    };
    split(field("X-Amz-Credential")?, field("X-Amz-Security-Token"))
}

/// Splits `key/date/region/service/aws4_request`; the key itself may hold slashes.
fn split<'a>(scope: Cow<'a, str>, token: Option<Cow<'a, str>>) -> Option<Credential<'a>> {
    let [access_key, region, service] = match scope {
        Cow::Borrowed(text) => parts(text)?.map(Cow::Borrowed),
        Cow::Owned(text) => parts(&text)?.map(|part| Cow::Owned(part.to_owned())),
    };
    Some(Credential { access_key, region, service, token })
}

/// Key, region and service of a scope.
fn parts(scope: &str) -> Option<[&str; 3]> {
    let mut parts = scope.rsplitn(5, '/');
    let (_, service, region, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some([parts.next()?, region, service])
}

/// What a host name says: a service's endpoint prefix, and perhaps a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: Option<&'a str>,
}

/// Reads `sqs.eu-central-1.amazonaws.com`, `sqs.localhost:4566`, `eu-central-1.queue.amazonaws.com`,
/// `123456789012.ddb.eu-central-1.amazonaws.com`. `None` for addresses and plain names.
pub(crate) fn host<'a>(request: &Request<'a>) -> Option<Host<'a>> {
    let host = request.header("host")?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    // A bucket's name comes before, and may be any service's.
    if name.split('.').any(|label| label == "s3" || label.starts_with("s3-")) {
        let region = name.split('.').find(|label| is_region(label));
        return Some(Host { service: "s3", region });
    }
    let mut labels = name.split('.');
    let (first, second) = (labels.next()?, labels.next()?);
    let third = labels.next();
    if first.bytes().all(|b| b.is_ascii_digit()) && second != "ddb" || first.starts_with('[') {
        return None;
    }
    match (first, second, third) {
        (_, "ddb", region) => Some(Host { service: "dynamodb", region: region.filter(|r| is_region(r)) }),
        (region, "queue", _) if is_region(region) => Some(Host { service: "sqs", region: Some(region) }),
        ("queue", _, _) => Some(Host { service: "sqs", region: None }),
        // The synchronous endpoint of Step Functions.
        ("sync-states", region, _) => {
            Some(Host { service: "states", region: Some(region).filter(|r| is_region(r)) })
        }
        (service, region, _) => Some(Host { service, region: Some(region).filter(|r| is_region(r)) }),
    }
}

/// Whether a label reads like `eu-central-1` or `us-gov-west-1`.
fn is_region(label: &str) -> bool {
    let digit = label.ends_with(|c: char| c.is_ascii_digit());
    digit && label.split('-').count() >= 3 && Region::parse(label).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_say_the_service_and_the_region() {
        for (name, expected) in [
            ("sqs.eu-central-1.amazonaws.com", Some(("sqs", Some("eu-central-1")))),
            ("sqs.localhost:4566", Some(("sqs", None))),
            ("states.us-gov-west-1.localhost:4566", Some(("states", Some("us-gov-west-1")))),
            ("eu-central-1.queue.amazonaws.com", Some(("sqs", Some("eu-central-1")))),
            ("123456789012.ddb.us-east-1.amazonaws.com", Some(("dynamodb", Some("us-east-1")))),
            ("iam.amazonaws.com", Some(("iam", None))),
            ("sqs.s3.eu-central-1.amazonaws.com", Some(("s3", Some("eu-central-1")))),
            ("bucket.s3-website.localhost:4566", Some(("s3", None))),
            ("127.0.0.1:4566", None),
            ("[::1]:4566", None),
            ("localhost:4566", None),
        ] {
            let mut headers = http::HeaderMap::new();
            headers.insert("host", name.parse().unwrap());
            let request =
                Request { method: "GET", path: "/", query: "", headers: &headers, body: Default::default() };
            let found = host(&request).map(|host| (host.service, host.region));
            assert_eq!(found, expected, "{name}");
        }
    }
}
