//! Buckets in host names.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Virtual-host style: `<bucket>.s3.<region>.amazonaws.com`, `<bucket>.s3.localhost:4566`, and `<bucket>.localhost:4566`,
/// which is what clients make of an endpoint on this machine. Path style: everything else.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match bucket_of(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

fn bucket_of(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name == "s3" || name.starts_with("s3.") || name.starts_with("s3-") {
        return None;
    }
    let end = name.rfind(".s3.").or_else(|| name.rfind(".s3-"));
    match end {
        Some(end) => name.get(..end),
        None => name.strip_suffix(".localhost"),
    }
    .filter(|bucket| !bucket.is_empty())
}

/// The bucket that a request names: in its host, else first in its path.
pub(super) fn bucket_of_request<B>(request: &http::Request<B>) -> Option<String> {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    if let Some(bucket) = bucket_of(host) {
        return Some(bucket.to_owned());
    }
    let first = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
    let name = percent_encoding::percent_decode_str(first).decode_utf8().ok()?;
    Some(name.into_owned()).filter(|name| !name.is_empty())
}

/// The key that a request names, in its path behind the bucket if that does not stand in the host.
pub(super) fn key_of_request<B>(request: &http::Request<B>) -> Option<String> {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path().trim_start_matches('/');
    let key = match bucket_of(host) {
        Some(_) => path,
        None => path.split_once('/')?.1,
    };
    Some(percent_encoding::percent_decode_str(key).decode_utf8().ok()?.into_owned())
}

/// The region that a host name tells, as in `s3.eu-central-1.amazonaws.com`.
pub(super) fn region_of(host: &str) -> Option<base::Region> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let like_a_region =
        |label: &&str| label.split('-').count() >= 3 && label.ends_with(|last: char| last.is_ascii_digit());
    let (_, behind) = name.rsplit_once("s3.").or_else(|| name.rsplit_once("s3-"))?;
    behind.split('.').find(like_a_region).and_then(base::Region::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_buckets() {
        for (host, bucket, region) in [
            ("b.s3.eu-central-1.amazonaws.com", Some("b"), Some("eu-central-1")),
            ("my.bucket.s3.amazonaws.com", Some("my.bucket"), None),
            ("b.s3-us-west-2.amazonaws.com", Some("b"), Some("us-west-2")),
            ("b.s3.localhost:4566", Some("b"), None),
            ("b.localhost:4566", Some("b"), None),
            ("s3.localhost:4566", None, None),
            ("s3.eu-west-1.localhost", None, Some("eu-west-1")),
            ("localhost:4566", None, None),
            ("cloud.example", None, None),
        ] {
            assert_eq!(bucket_of(host), bucket, "{host}");
            assert_eq!(region_of(host).map(|region| region.to_string()).as_deref(), region, "{host}");
        }
    }
}
