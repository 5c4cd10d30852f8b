//! Signature Version 4: reading what a request claims, and proving it with the secret.
//!
//! [`Signature::parse`] reads the claim; it is cheap and needs no secret. [`verify`] computes the signature anew over
//! exactly the headers that the claim names, so that headers which proxies add do no harm.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html> and
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

mod body;
mod canonical;
mod chunked;
mod sign;
mod verify;

use std::borrow::Cow;

use base::{Fault, Timestamp};

use crate::Request;
use crate::text::{decode_form, fields};

pub use body::{BodyProof, BodyReader};
pub use chunked::Chunks;
pub(crate) use chunked::is_chunked;
pub use sign::{Signer, Unsigned, sign};
pub use verify::{signing_key, verify, verify_head};

/// The only algorithm.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a request claims about its signer.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature<'a> {
    /// Whose key.
    pub access_key: Cow<'a, str>,
    /// `20261122/eu-central-1/sqs/aws4_request`.
    pub scope: Cow<'a, str>,
    /// `X-Amz-Date`, as in `20261122T102019Z`.
    pub date: Cow<'a, str>,
    /// The header names that are signed, joined by semicolons.
    pub signed_headers: Cow<'a, str>,
    /// 64 hexadecimal digits.
    pub signature: Cow<'a, str>,
    /// The token of temporary credentials.
    pub session_token: Option<Cow<'a, str>>,
    /// For presigned URLs: how many seconds after `date` they hold.
    pub expires_seconds: Option<i64>,
}

impl<'a> Signature<'a> {
    /// Reads the `Authorization` header or the query string; `None` if the request carries no signature, which includes
    /// other kinds of authorisation (a bearer's token).
    ///
    /// # Errors
    /// `IncompleteSignatureException` if it carries one that cannot be read.
    pub fn parse(request: &Request<'a>) -> Result<Option<Signature<'a>>, Fault> {
        if let Some(header) = request.header("authorization") {
            return match header.split_once(' ').unwrap_or((header, "")) {
                (ALGORITHM, parameters) => from_header(request, header, parameters.trim()).map(Some),
                (other, _) if other.starts_with("AWS4-") => {
                    Err(incomplete(format!("Unsupported AWS 'algorithm': '{other}'.")))
                }
                _ => Ok(None),
            };
        }
        if request.query.contains("X-Amz-Signature") || request.query.contains("X-Amz-Algorithm") {
            return from_query(request).map(Some);
        }
        Ok(None)
    }

    /// The region of the scope.
    pub fn region(&self) -> &str {
        self.scope_part(1)
    }

    /// The service of the scope.
    pub fn service(&self) -> &str {
        self.scope_part(2)
    }

    /// The time of signing; `None` if it is not written as it should be.
    pub fn signed_at(&self) -> Option<Timestamp> {
        let (date, time) = self.date.split_once('T')?;
        let time = time.strip_suffix('Z')?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if date.len() != 8 || time.len() != 6 || !digits(date) || !digits(time) {
            return None;
        }
        let iso = format!(
            "{}-{}-{}T{}:{}:{}Z",
            &date[..4],
            &date[4..6],
            &date[6..],
            &time[..2],
            &time[2..4],
            &time[4..]
        );
        Timestamp::from_iso(&iso)
    }

    fn scope_part(&self, index: usize) -> &str {
        self.scope.split('/').nth(index).unwrap_or_default()
    }
}

fn incomplete(message: impl Into<String>) -> Fault {
    Fault::new("IncompleteSignatureException", message).with_status(400)
}

fn from_header<'a>(request: &Request<'a>, header: &str, parameters: &'a str) -> Result<Signature<'a>, Fault> {
    let (mut credential, mut headers, mut signature) = (None, None, None);
    for part in parameters.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("Credential", value)) => credential = Some(value),
            Some(("SignedHeaders", value)) => headers = Some(value),
            Some(("Signature", value)) => signature = Some(value),
            Some(_) => {}
            None => {
                return Err(incomplete(format!(
                    "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header}'."
                )));
            }
        }
    }
    let date = request.header("x-amz-date").or_else(|| request.header("date"));
    let (Some(credential), Some(headers), Some(signature), Some(date)) =
        (credential, headers, signature, date)
    else {
        let mut message = String::new();
        for (name, found) in
            [("Credential", credential), ("Signature", signature), ("SignedHeaders", headers)]
        {
            if found.is_none() {
                message.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        if date.is_none() {
            message.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            );
        }
        return Err(incomplete(format!("{message}Authorization={header}")));
    };
    let (access_key, scope) = split_credential(credential)?;
    Ok(Signature {
        access_key: Cow::Borrowed(access_key),
        scope: Cow::Borrowed(scope),
        date: Cow::Borrowed(date),
        signed_headers: Cow::Borrowed(headers),
        signature: Cow::Borrowed(signature),
        session_token: request.header("x-amz-security-token").map(Cow::Borrowed),
        expires_seconds: None,
    })
}

fn from_query<'a>(request: &Request<'a>) -> Result<Signature<'a>, Fault> {
    let field = |wanted: &str| {
        let found = fields(request.query).find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| decode_form(value)).map(|value| Cow::<'a, str>::Owned(value.into_owned()))
    };
    let required = |name: &str| {
        field(name).ok_or_else(|| {
            incomplete(format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            ))
        })
    };
    let algorithm = required("X-Amz-Algorithm")?;
    if algorithm != ALGORITHM {
        return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
    }
    let credential = required("X-Amz-Credential")?;
    let (access_key, scope) = split_credential(&credential)?;
    let expires = field("X-Amz-Expires").map_or(Ok(900), |text| {
        text.parse::<i64>().map_err(|_| incomplete("X-Amz-Expires should be a number"))
    })?;
    if !(0..=604_800).contains(&expires) {
        return Err(incomplete("X-Amz-Expires must be less than a week (in seconds) and not negative"));
    }
    Ok(Signature {
        access_key: Cow::Owned(access_key.to_owned()),
        scope: Cow::Owned(scope.to_owned()),
        date: required("X-Amz-Date")?,
        signed_headers: required("X-Amz-SignedHeaders")?,
        signature: required("X-Amz-Signature")?,
        session_token: field("X-Amz-Security-Token"),
        expires_seconds: Some(expires),
    })
}

/// Splits `key/date/region/service/aws4_request` behind the key, which may itself hold slashes.
fn split_credential(credential: &str) -> Result<(&str, &str), Fault> {
    let Some((start, _)) = credential.rmatch_indices('/').nth(3) else {
        return Err(incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             '{credential}'"
        )));
    };
    let (key, scope) = (&credential[..start], &credential[start + 1..]);
    match scope.rsplit('/').next() {
        Some("aws4_request") => Ok((key, scope)),
        other => Err(incomplete(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
            other.unwrap_or_default()
        ))),
    }
}

#[cfg(test)]
mod tests;
