//! Any bytes as an awsJson body: the schema check and the strict parser agree on what is JSON.
#![no_main]

use buswork_fuzz::swallow;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for target in ["AmazonSQS.SendMessageBatch", "DynamoDB_20120810.PutItem", "AWSEvents.PutEvents"] {
        swallow("POST", "/", "", &[("x-amz-target", target)], data);
    }
});
