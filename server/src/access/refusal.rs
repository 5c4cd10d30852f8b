//! Why a request is refused, in AWS's words and in S3's.

use base::Fault;

/// Why a signature proves nobody.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The request is not signed.
    Missing,
    /// Nobody has the key, or it is of temporary credentials and comes without their token.
    UnknownKey,
    /// The session token is not the key's.
    BadToken,
    /// The temporary credentials have ceased.
    Expired,
    /// The signature cannot be read, is another's, or is too old.
    Signature(Fault),
}

impl Refused {
    /// As every service but S3 words it; `wire` dresses it for the protocol.
    pub fn fault(self) -> Fault {
        let (code, message) = match self {
            Refused::Missing => {
                ("MissingAuthenticationTokenException", "Request is missing Authentication Token")
            }
            Refused::UnknownKey | Refused::BadToken => {
                ("UnrecognizedClientException", "The security token included in the request is invalid.")
            }
            Refused::Expired => {
                ("ExpiredTokenException", "The security token included in the request is expired")
            }
            Refused::Signature(fault) => return fault,
        };
        Fault::new(code, message).with_status(403)
    }

    /// As S3 words it.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    pub fn s3_fault(self) -> Fault {
        let (code, message, status) = match self {
            Refused::Missing => ("AccessDenied", "Access Denied", 403),
            Refused::UnknownKey => (
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
                403,
            ),
            Refused::BadToken => {
                ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
            }
            Refused::Expired => ("ExpiredToken", "The provided token has expired.", 400),
            Refused::Signature(fault) => match fault.code.as_ref() {
                "InvalidSignatureException" => (
                    "SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you provided. Check your key and \
                     signing method.",
                    403,
                ),
                "IncompleteSignatureException" => {
                    return Fault::new("AuthorizationHeaderMalformed", fault.message).with_status(400);
                }
                _ => return fault,
            },
        };
        Fault::new(code, message).with_status(status)
    }
}
