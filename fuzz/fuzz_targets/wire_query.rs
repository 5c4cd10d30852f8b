//! Any bytes as a form: a document or an error, and every document is JSON.
#![no_main]

use buswork_fuzz::swallow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for query in ["Action=SendMessageBatch", "Action=CreateStack", "Action=CreateRole", ""] {
        swallow("POST", "/", query, &form, data);
    }
});
