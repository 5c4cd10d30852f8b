//! Any method, path, query and body: a route and a document, or an error.
#![no_main]

use buswork_fuzz::swallow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str, &[u8])| {
    let (path, query, body) = data;
    for method in ["GET", "POST", "PUT", "DELETE"] {
        swallow(method, path, query, &[("host", "lambda.localhost")], body);
    }
    swallow("POST", "/2015-03-31/functions", query, &[], body);
    swallow("POST", "/2015-03-31/functions/f/invocations", query, &[], body);
});
