//! `buswork put`

use anyhow::{Context, bail};

use crate::cli::{PutArgs, say};
use crate::client::{Client, block_on, text};

/// Puts a file into a bucket.
///
/// # Errors
/// The file cannot be read, the URL is none, or the server refuses.
pub fn put(args: &PutArgs) -> anyhow::Result<()> {
    let target = args.url.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    let Some((bucket, key)) = target.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) else {
        bail!("`{}` is no object: use s3://bucket/key", args.url);
    };
    let body = std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let content_type = args.content_type.clone().unwrap_or_else(|| by_ending(key).to_owned());
    let size = body.len();
    let path = format!("/{bucket}/{}", encoded(key));
    let answer =
        block_on(async { Client::new(&args.endpoint)?.put("s3", &path, &content_type, body.into()).await })?;
    if answer.status >= 300 {
        bail!("{} was refused ({}): {}", args.url, answer.status, text(&answer.body));
    }
    say(&format!("{} ({size} bytes, {content_type})", args.url));
    Ok(())
}

/// The content type of a file name.
fn by_ending(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html",
        "css" => "text/css",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "zip" => "application/zip",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

/// A key as it stands in a path: all but slashes and unreserved characters escaped.
fn encoded(key: &str) -> String {
    use std::fmt::Write;
    let mut path = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            path.push(byte as char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}
