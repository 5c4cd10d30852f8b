//! Any bytes as a CBOR body: a document or an error, and every document is JSON.
#![no_main]

use buswork_fuzz::swallow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    swallow("POST", "/service/DynamoDB_20120810/operation/PutItem", "", &[], data);
    swallow("POST", "/service/AWSEvents/operation/PutEvents", "", &[], data);
});
