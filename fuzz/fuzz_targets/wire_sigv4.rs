//! Any authorisation, date and query: read or refused, and never proved.
#![no_main]

use base::Timestamp;
use buswork_fuzz::headers;
use libfuzzer_sys::fuzz_target;
use wire::{Request, Signature, sigv4};

fuzz_target!(|data: (&str, &str, &str, &[u8])| {
    let (authorization, date, query, body) = data;
    let given = [("host", "h"), ("authorization", authorization), ("x-amz-date", date)];
    let headers = headers(&given);
    let body = bytes::Bytes::copy_from_slice(body);
    let request = Request { method: "POST", path: "/", query, headers: &headers, body };
    if let Ok(Some(signature)) = Signature::parse(&request) {
        let now = signature.signed_at().unwrap_or(Timestamp::from_millis(0));
        assert!(sigv4::verify(&signature, &request, "a secret that nobody has", now).is_err());
    }
});
