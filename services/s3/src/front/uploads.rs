//! Bodies on their way into the store.

use base::Fault;
use futures::StreamExt as _;
use kernel::{Caller, Result};
use s3s::dto::StreamingBlob;

use super::door::Door;
use super::request::{Refused, Streaming};
use crate::body::{Claims, Draft, Uploader};
use crate::checksum::Algorithm;
use crate::ops::put_object::algorithms;

const CHECKSUM: &str = "x-amz-checksum-";

/// Takes a body in; it holds against its signature and against what is claimed of it, in front of it or behind.
pub(super) async fn take_in(
    door: &Door,
    caller: &Caller,
    extensions: &http::Extensions,
    body: Option<StreamingBlob>,
    (mut claims, asked): (Claims, Option<Algorithm>),
) -> Result<Draft> {
    let streaming = extensions.get::<Streaming>();
    let announced = streaming.and_then(|streaming| streaming.announced);
    let algorithms = algorithms(&claims, announced.or(asked));
    let mut uploader = Uploader::new(&door.kernel, caller.clone(), &algorithms, door.body_bytes_max);
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            uploader.push(&bytes.map_err(told)?).await?;
        }
    }
    if let Some(streaming) = streaming {
        let trailers = streaming.trailers.lock().map(|trailers| trailers.clone()).unwrap_or_default();
        for (name, value) in trailers {
            if let Some(name) = name.strip_prefix(CHECKSUM) {
                claims.checksums.insert(Algorithm::parse(name)?, value);
            }
        }
    }
    Ok(uploader.finish(&claims)?)
}

/// Why a body does not come.
fn told(error: s3s::StdError) -> Fault {
    match error.downcast::<Refused>() {
        Ok(refused) => refused.0,
        Err(_) => Fault::new("IncompleteBody", "The request body terminated unexpectedly"),
    }
}
