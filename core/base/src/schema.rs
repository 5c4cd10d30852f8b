//! Service schemas as data: what an API's operations take and give, with the constraints AWS puts on them.
//!
//! `cargo xtask codegen` writes these tables as statics, so they cost nothing to build and may refer to each other in
//! circles. A document in *canonical form* is the awsJson form of a shape under its modelled member names: blobs in
//! base64, time stamps in epoch seconds. [`OperationSchema::check`] holds such a document against the table; what
//! passes it can be deserialised into the generated structs, whose required members are plain values.
//!
//! Knows no protocol: where a member travels in HTTP is recorded here and interpreted in `wire`.

use std::fmt;
use std::sync::OnceLock;

mod blob;
mod build;
mod check;
pub mod epoch;
mod explain;

pub use blob::Blob;
pub use explain::{Constraint, Invalid, Violation};

use crate::{Document, Fault};

/// The way requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// JSON body, operation in `X-Amz-Target`; the version is [`ServiceSchema::json_version`].
    AwsJson,
    /// Form body with `Action`, XML answer.
    Query,
    /// REST with JSON bodies.
    RestJson,
    /// REST with XML bodies.
    RestXml,
    /// CBOR bodies under `/service/<name>/operation/<name>`.
    RpcV2Cbor,
}

/// How a service words what its schema refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationStyle {
    /// `N validation errors detected: …` under the given error code; nearly every service.
    Listed {
        /// `ValidationException`, `ValidationError`, `InvalidParameterException`.
        code: &'static str,
    },
    /// SQS: `MissingParameter`, `InvalidAttributeName`, `InvalidParameterValue`, one at a time.
    Sqs,
}

/// An error that the model names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorSchema {
    /// The shape's name, which is the code in the JSON protocols.
    pub name: &'static str,
    /// The code in the query protocol, which sometimes differs.
    pub query_code: &'static str,
    /// The HTTP status where the protocol uses statuses.
    pub status: u16,
    /// The member that carries the text: `message` or `Message`.
    pub message: &'static str,
    /// Whether it has a member `Type`, which says `User` or `Service`, as Lambda's errors do.
    pub typed: bool,
}

/// Where a REST operation lives; only for telling "not implemented" from "unknown".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The operation's name.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The URI template.
    pub uri: &'static str,
}

/// One AWS service.
pub struct ServiceSchema {
    /// The name in credential scopes, e.g. `states`. A service's crate bears it too. Where several services sign by one
    /// name, this is the house's own name for each but the first: see [`ServiceSchema::credential_scope`].
    pub signing_name: &'static str,
    /// The first label of its host names.
    pub endpoint_prefix: &'static str,
    /// The SDKs' name of it, e.g. `SFN`.
    pub service_id: &'static str,
    /// What precedes the dot in `X-Amz-Target`; for rpc-v2-cbor the service's name in the path.
    pub target_prefix: Option<&'static str>,
    /// The protocols it speaks, the preferred one first.
    pub protocols: &'static [Protocol],
    /// `1.0` or `1.1`, for awsJson.
    pub json_version: &'static str,
    /// The API's version, e.g. `2012-11-05`.
    pub api_version: &'static str,
    /// The name space of its XML answers.
    pub xml_namespace: Option<&'static str>,
    /// Whether its JSON errors carry the old query code in `x-amzn-query-error`.
    pub query_compatible: bool,
    /// What precedes `#` in the `__type` of its JSON errors, if anything does.
    pub error_namespace: Option<&'static str>,
    /// How it words refusals.
    pub validation: ValidationStyle,
    /// The operations that Buswork serves.
    pub operations: &'static [&'static OperationSchema],
    /// The names of all operations that AWS has, sorted.
    pub all_operations: &'static [&'static str],
    /// All REST operations that AWS has; empty for RPC services.
    pub all_routes: &'static [Route],
    /// The errors of the model.
    pub errors: &'static [ErrorSchema],
}

/// Services that sign by the name of another one, and that name.
const SHARED_SCOPES: [(&str, &str); 1] = [("eventsv2", "events")];

impl ServiceSchema {
    /// The service's name in the credential scope of a signature.
    pub fn credential_scope(&self) -> &'static str {
        let shared = SHARED_SCOPES.iter().find(|(name, _)| *name == self.signing_name);
        shared.map_or(self.signing_name, |(_, scope)| scope)
    }

    /// The schema of a served operation.
    pub fn operation(&self, name: &str) -> Option<&'static OperationSchema> {
        self.operations.iter().copied().find(|operation| operation.name == name)
    }

    /// Whether AWS has an operation of that name, served here or not.
    pub fn knows(&self, name: &str) -> bool {
        self.all_operations.binary_search(&name).is_ok()
    }

    /// The modelled error of that name or query code.
    pub fn error(&self, code: &str) -> Option<&'static ErrorSchema> {
        self.errors.iter().find(|error| error.name == code || error.query_code == code)
    }
}

impl fmt::Debug for ServiceSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceSchema({})", self.signing_name)
    }
}

/// One operation of a service.
pub struct OperationSchema {
    /// The service it belongs to.
    pub service: &'static ServiceSchema,
    /// Its name, e.g. `SendMessage`.
    pub name: &'static str,
    /// The HTTP method.
    pub http_method: &'static str,
    /// The URI template, e.g. `/2015-03-31/functions/{FunctionName}/invocations`.
    pub uri: &'static str,
    /// The HTTP status of a good answer.
    pub success_status: u16,
    /// The structure it takes.
    pub input: &'static Shape,
    /// The structure it gives.
    pub output: &'static Shape,
    /// The element around the result in query answers.
    pub result_wrapper: Option<&'static str>,
    /// The root element of its XML request.
    pub input_element: Option<&'static str>,
    /// Whether the model gives it an output; query answers of those without one carry no result element.
    pub has_output: bool,
}

impl OperationSchema {
    /// Holds a canonical document against the input shape.
    ///
    /// # Errors
    /// `SerializationException` if it is no JSON or of wrong types; otherwise the service's validation error, worded
    /// as AWS words it, naming every violated constraint.
    pub fn check(&self, json: &[u8]) -> Result<(), Fault> {
        check(self.input, json).map_err(|invalid| self.service.validation.fault(invalid))
    }

    /// As [`OperationSchema::check`], for a document that is already parsed.
    ///
    /// # Errors
    /// The same.
    pub fn check_document(&self, document: &Document) -> Result<(), Fault> {
        check_document(self.input, document).map_err(|invalid| self.service.validation.fault(invalid))
    }
}

impl fmt::Debug for OperationSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperationSchema({}:{})", self.service.signing_name, self.name)
    }
}

/// Holds a canonical document against a shape: one pass over the text that allocates nothing when all is well.
///
/// # Errors
/// What is wrong with it, to be worded by a [`ValidationStyle`].
pub fn check(shape: &'static Shape, json: &[u8]) -> Result<(), Invalid> {
    if check::passes(shape, json) {
        return Ok(());
    }
    Err(explain::explain_text(shape, json))
}

/// As [`check`], for a document that is already parsed.
///
/// # Errors
/// The same.
pub fn check_document(shape: &'static Shape, document: &Document) -> Result<(), Invalid> {
    explain::explain(shape, document)
}

/// A named type of the model.
pub struct Shape {
    /// The model's name of it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

impl Shape {
    /// The members, if it is a structure.
    pub fn members(&self) -> &'static [Member] {
        match self.kind {
            Kind::Structure { members, .. } => members,
            _ => &[],
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shape({})", self.name)
    }
}

/// How many, how long, how large: bounds that are both inclusive and both optional.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds<T> {
    /// The least.
    pub min: Option<T>,
    /// The most.
    pub max: Option<T>,
}

impl<T: PartialOrd + Copy> Bounds<T> {
    /// Whether `value` is neither too small nor too large.
    pub fn hold(&self, value: T) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// What a shape is.
pub enum Kind {
    /// Named members.
    Structure {
        /// At most 128 of them.
        members: &'static [Member],
        /// Whether exactly one of them is present.
        union: bool,
    },
    /// Many of one shape.
    List {
        /// The elements' shape.
        member: &'static Shape,
        /// The elements' name in XML and forms, where it is not `member`.
        element: Option<&'static str>,
        /// Whether XML and forms have no element around the list.
        flattened: bool,
        /// Bounds of the number of elements.
        length: Bounds<u64>,
    },
    /// Strings to one shape.
    Map {
        /// The keys' shape, a string.
        key: &'static Shape,
        /// The values' shape.
        value: &'static Shape,
        /// The entries' name in XML and forms, where it is not `entry`.
        entry: Option<&'static str>,
        /// The key's name in XML and forms.
        key_name: &'static str,
        /// The value's name in XML and forms.
        value_name: &'static str,
        /// Whether XML and forms have no element around the entries.
        flattened: bool,
        /// Bounds of the number of entries.
        length: Bounds<u64>,
    },
    /// Text.
    String {
        /// Bounds of its length in UTF-16 units, as AWS counts.
        length: Bounds<u64>,
        /// The expression it must match as a whole.
        pattern: Option<&'static Pattern>,
        /// The values of an enumeration; empty if it is none.
        values: &'static [&'static str],
    },
    /// 32 bits.
    Integer(Bounds<i64>),
    /// 64 bits.
    Long(Bounds<i64>),
    /// A floating-point number of either size.
    Float(Bounds<f64>),
    /// True or false.
    Boolean,
    /// Bytes.
    Blob(Bounds<u64>),
    /// A point in time.
    Timestamp(Option<TimestampFormat>),
    /// Any JSON.
    Document,
}

/// How a time stamp is written where the protocol's default does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2026-11-22T10:20:19Z`
    Iso8601,
    /// `Sun, 22 Nov 2026 10:20:19 GMT`
    HttpDate,
    /// Seconds since 1970, with decimals.
    EpochSeconds,
}

/// Where a member travels in the REST protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the body, as one member among others.
    Body,
    /// It is the body.
    Payload,
    /// A header.
    Header,
    /// All headers with a prefix.
    Headers,
    /// A label of the path.
    Uri,
    /// A field of the query string.
    QueryString,
    /// The HTTP status.
    StatusCode,
}

/// One member of a structure.
pub struct Member {
    /// The modelled name, which is the canonical one.
    pub name: &'static str,
    /// The name on the wire, where it differs.
    pub location_name: Option<&'static str>,
    /// Where it travels.
    pub location: Location,
    /// Whether it may not be absent or null.
    pub required: bool,
    /// What it is.
    pub shape: &'static Shape,
    /// Whether this use of a list or map has no element around it.
    pub flattened: bool,
    /// Whether it is an attribute of the XML element.
    pub xml_attribute: bool,
    /// Whether clients fill it with a fresh token for idempotency.
    pub idempotency_token: bool,
}

impl Member {
    /// The name on the wire.
    pub fn wire_name(&self) -> &'static str {
        self.location_name.unwrap_or(self.name)
    }
}

/// A constraint on text: AWS's expression as it shows it, and ours that decides.
///
/// AWS's expressions are Java's. Where Rust's cannot say the same (look-around), `regex` is wider and `except` takes
/// away again what must not match.
pub struct Pattern {
    text: &'static str,
    regex: &'static str,
    except: Option<&'static str>,
    compiled: OnceLock<(Option<regex::Regex>, Option<regex::Regex>)>,
}

impl Pattern {
    /// An expression: as shown, as compiled, and what it must not match.
    pub const fn new(text: &'static str, regex: &'static str, except: Option<&'static str>) -> Pattern {
        Pattern { text, regex, except, compiled: OnceLock::new() }
    }

    /// As AWS shows it.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether `value` matches as a whole. Code generation proves that the expression compiles.
    pub fn matches(&self, value: &str) -> bool {
        let whole = |text: &str| regex::Regex::new(&format!(r"\A(?:{text})\z")).ok();
        let (regex, except) = self.compiled.get_or_init(|| (whole(self.regex), self.except.and_then(whole)));
        regex.as_ref().is_none_or(|r| r.is_match(value))
            && !except.as_ref().is_some_and(|r| r.is_match(value))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

#[cfg(test)]
mod tests;
