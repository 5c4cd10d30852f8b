//! Any bytes as an aws-chunked body: taken apart or refused, and never more bytes than came.
#![no_main]

use buswork_fuzz::swallow;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::sigv4::Chunks;

fuzz_target!(|data: &[u8]| {
    if let Ok(chunks) = Chunks::parse(&Bytes::copy_from_slice(data)) {
        assert!(chunks.body.len() <= data.len());
        assert!(chunks.signatures.iter().all(|(range, _)| chunks.body.get(range.clone()).is_some()));
    }
    let chunked = [("x-amz-target", "AmazonSQS.SendMessage"), ("content-encoding", "aws-chunked, gzip")];
    swallow("POST", "/", "", &chunked, data);
});
