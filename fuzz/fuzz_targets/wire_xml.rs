//! Any bytes as an XML body: a document or an error, and every document is JSON.
#![no_main]

use buswork_fuzz::swallow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let host = [("host", "route53.amazonaws.com")];
    swallow("POST", "/2013-04-01/hostedzone/Z/rrset", "", &host, data);
    swallow("POST", "/2013-04-01/hostedzone", "", &host, data);
});
