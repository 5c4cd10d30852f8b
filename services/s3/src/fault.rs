//! The faults of S3, in its codes and words.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use base::Fault;

pub(crate) fn no_such_bucket() -> Fault {
    Fault::new("NoSuchBucket", "The specified bucket does not exist").with_status(404)
}

pub(crate) fn no_such_key() -> Fault {
    Fault::new("NoSuchKey", "The specified key does not exist.").with_status(404)
}

pub(crate) fn no_such_version() -> Fault {
    Fault::new("NoSuchVersion", "The specified version does not exist.").with_status(404)
}

pub(crate) fn invalid_version() -> Fault {
    invalid_argument("Invalid version id specified")
}

pub(crate) fn no_such_upload() -> Fault {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                   aborted or completed.";
    Fault::new("NoSuchUpload", message).with_status(404)
}

pub(crate) fn malformed_xml() -> Fault {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    Fault::new("MalformedXML", message)
}

pub(crate) fn entity_too_large() -> Fault {
    Fault::new("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
}

pub(crate) fn bucket_already_exists() -> Fault {
    let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the \
                   system. Please select a different name and try again.";
    Fault::new("BucketAlreadyExists", message).with_status(409)
}

pub(crate) fn bucket_already_owned_by_you() -> Fault {
    let message = "Your previous request to create the named bucket succeeded and you already own it.";
    Fault::new("BucketAlreadyOwnedByYou", message).with_status(409)
}

pub(crate) fn bucket_not_empty() -> Fault {
    Fault::new("BucketNotEmpty", "The bucket you tried to delete is not empty").with_status(409)
}

pub(crate) fn invalid_bucket_name() -> Fault {
    Fault::new("InvalidBucketName", "The specified bucket is not valid.")
}

pub(crate) fn key_too_long() -> Fault {
    Fault::new("KeyTooLongError", "Your key is too long")
}

pub(crate) fn access_denied() -> Fault {
    Fault::new("AccessDenied", "Access Denied").with_status(403)
}

pub(crate) fn precondition_failed() -> Fault {
    let message = "At least one of the pre-conditions you specified did not hold";
    Fault::new("PreconditionFailed", message).with_status(412)
}

pub(crate) fn not_modified() -> Fault {
    Fault::new("NotModified", "Not Modified").with_status(304)
}

pub(crate) fn invalid_range() -> Fault {
    Fault::new("InvalidRange", "The requested range is not satisfiable").with_status(416)
}

pub(crate) fn invalid_argument(message: impl Into<String>) -> Fault {
    Fault::new("InvalidArgument", message)
}

pub(crate) fn bad_digest(what: &str) -> Fault {
    let message = format!("The {what} you specified did not match the calculated checksum.");
    Fault::new("BadDigest", message)
}

pub(crate) fn invalid_digest() -> Fault {
    Fault::new("InvalidDigest", "The Content-MD5 you specified was invalid.")
}

pub(crate) fn access_control_list_not_supported() -> Fault {
    Fault::new("AccessControlListNotSupported", "The bucket does not allow ACLs")
}

pub(crate) fn upload_expired() -> Fault {
    Fault::new("RequestTimeout", "The upload was not completed within the timeout period.")
}

pub(crate) fn unsupported(what: &str) -> Fault {
    Fault::new("NotImplemented", format!("{what} is not implemented by Buswork")).with_status(501)
}

/// Refuses what a request asks for and nobody would honour.
pub(crate) fn refuse_unsupported(asked: &[(&str, bool)]) -> Result<(), Fault> {
    match asked.iter().find(|(_, given)| *given) {
        Some((what, _)) => Err(unsupported(what)),
        None => Ok(()),
    }
}
