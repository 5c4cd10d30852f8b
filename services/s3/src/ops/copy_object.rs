use std::pin::pin;

use futures::TryStreamExt as _;
use kernel::{Caller, Kernel, Result};

use crate::body::{self, Claims, Uploader};
use crate::conditions::Conditions;
use crate::object::{Headers, Object};
use crate::ops::{get_object, put_object};

/// What is copied, and what it becomes.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub from: (String, String),
    pub to: (String, String),
    /// What must hold for the source.
    pub conditions: Conditions,
    /// The new object's own headers, instead of the source's.
    pub headers: Option<Headers>,
}

/// Copies an object, its body included: the copy does not depend on its source.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub(crate) async fn copy_object(kernel: &Kernel, caller: &Caller, copy: Copy) -> Result<Object> {
    let name = "CopyObject";
    kernel.transact(crate::NAME, caller.clone(), name, put_object::prepare, copy.to.clone()).await?;
    let found = kernel.transact(crate::NAME, caller.clone(), name, get_object::find, copy.from).await?;
    copy.conditions.check_read(&found.object).map_err(|_| crate::fault::precondition_failed())?;
    let claims = Claims { md5: None, checksums: found.object.checksums.clone() };
    let mut uploader = Uploader::new(kernel, caller.clone(), claims);
    match &found.whole {
        Some(whole) => uploader.push(whole).await?,
        None => {
            let all = 0..found.object.bytes;
            let mut pieces = pin!(body::read(kernel.clone(), caller.clone(), &found.object, all));
            while let Some(piece) = pieces.try_next().await? {
                uploader.push(&piece).await?;
            }
        }
    }
    let (bucket, key) = copy.to;
    let placement = put_object::Placement {
        bucket,
        key,
        headers: copy.headers.unwrap_or(found.object.headers),
        conditions: Conditions::default(),
        draft: uploader.finish()?,
    };
    kernel.transact(crate::NAME, caller.clone(), name, put_object::place, placement).await
}
