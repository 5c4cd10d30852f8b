//! Faults in each protocol's clothes.

use std::borrow::Cow;

use base::schema::{ErrorSchema, Protocol, ServiceSchema};
use base::{Fault, Responsible};
use http::HeaderMap;
use serde_json::Value;

use crate::Response;
use crate::cbor;
use crate::rest::add_header;
use crate::text::{json_name, json_string, xml_text};

/// Errors of the framework under the services, which have other names in the query protocol and another name space.
const COMMON: [(&str, &str, Option<&str>); 14] = [
    ("InvalidSignatureException", "SignatureDoesNotMatch", Some("com.amazon.coral.service")),
    ("UnrecognizedClientException", "InvalidClientTokenId", Some("com.amazon.coral.service")),
    ("IncompleteSignatureException", "IncompleteSignature", Some("com.amazon.coral.service")),
    ("MissingAuthenticationTokenException", "MissingAuthenticationToken", Some("com.amazon.coral.service")),
    ("ExpiredTokenException", "ExpiredToken", Some("com.amazon.coral.service")),
    ("AccessDeniedException", "AccessDenied", Some("com.amazon.coral.service")),
    ("ThrottlingException", "Throttling", Some("com.amazon.coral.availability")),
    ("ValidationException", "ValidationError", Some("com.amazon.coral.validate")),
    ("SerializationException", "MalformedInput", Some("com.amazon.coral.service")),
    ("UnknownOperationException", "InvalidAction", Some("com.amazon.coral.service")),
    ("InternalFailure", "InternalFailure", Some("com.amazon.coral.service")),
    ("ServiceUnavailableException", "ServiceUnavailable", Some("com.amazon.coral.service")),
    ("RequestEntityTooLargeException", "RequestEntityTooLarge", Some("com.amazon.coral.service")),
    ("NotImplementedException", "NotImplemented", Some("com.amazon.coral.service")),
];

/// What a protocol needs to know of a fault.
struct Told<'f> {
    fault: &'f Fault,
    service: Option<&'static ServiceSchema>,
    modelled: Option<&'static ErrorSchema>,
    /// The error's name in the JSON protocols.
    name: Cow<'f, str>,
    /// Its code in the query protocol.
    query_code: Cow<'f, str>,
    status: u16,
}

/// The answer that tells a fault, without the headers that every answer has.
pub(crate) fn encode(
    service: Option<&'static ServiceSchema>,
    protocol: Protocol,
    fault: &Fault,
    request_id: &str,
) -> Response {
    let told = Told::new(service, fault);
    let mut headers = HeaderMap::with_capacity(8);
    let (status, body) = match protocol {
        Protocol::AwsJson => {
            told.error_headers(&mut headers);
            (told.rpc_status(), told.json_body(true))
        }
        Protocol::RestJson => {
            add_header(&mut headers, "x-amzn-errortype", told.name.as_bytes());
            (told.status, told.json_body(false))
        }
        Protocol::RpcV2Cbor => {
            told.error_headers(&mut headers);
            (told.rpc_status(), told.cbor_body())
        }
        Protocol::Query | Protocol::RestXml => (told.status, told.xml_body(request_id).into_bytes()),
    };
    Response { status, headers, body: body.into() }
}

impl<'f> Told<'f> {
    fn new(service: Option<&'static ServiceSchema>, fault: &'f Fault) -> Told<'f> {
        let modelled = service.and_then(|service| service.error(&fault.code));
        let common = COMMON.iter().find(|(name, _, _)| *name == fault.code);
        let (name, query_code, status) = match modelled {
            Some(error) => (Cow::Borrowed(error.name), Cow::Borrowed(error.query_code), error.status),
            None => {
                let query_code = common.map_or_else(|| fault.code.as_ref(), |(_, code, _)| code);
                (Cow::Borrowed(fault.code.as_ref()), Cow::Borrowed(query_code), fault.status)
            }
        };
        Told { fault, service, modelled, name, query_code, status }
    }

    /// The RPC protocols know two statuses, and two more for what never reached an operation.
    fn rpc_status(&self) -> u16 {
        match self.fault.status {
            status @ (404 | 413) if self.modelled.is_none() => status,
            status if status >= 500 => status,
            _ => 400,
        }
    }

    /// `com.amazonaws.sqs#QueueDoesNotExist`; the bare name where the service sends none.
    fn qualified(&self) -> String {
        let own = self.service.and_then(|service| service.error_namespace);
        let common =
            COMMON.iter().find(|(name, _, _)| *name == self.name).and_then(|(_, _, namespace)| *namespace);
        match (own, common) {
            (Some(_), Some(common)) if self.modelled.is_none() => format!("{common}#{}", self.name),
            (Some(own), _) => format!("{own}#{}", self.name),
            (None, _) => self.name.clone().into_owned(),
        }
    }

    fn error_headers(&self, headers: &mut HeaderMap) {
        add_header(headers, "x-amzn-errortype", self.name.as_bytes());
        if self.service.is_some_and(|service| service.query_compatible) {
            let side = match self.fault.responsible() {
                Responsible::Caller => "Sender",
                Responsible::Service => "Receiver",
            };
            add_header(headers, "x-amzn-query-error", format!("{};{side}", self.query_code));
        }
    }

    fn message_name(&self) -> &'static str {
        self.modelled.map_or("message", |error| error.message)
    }

    fn json_body(&self, with_type: bool) -> Vec<u8> {
        let mut out = vec![b'{'];
        if with_type {
            json_name(&mut out, "__type");
            json_string(&mut out, &self.qualified());
        }
        if self.modelled.is_some_and(|error| error.typed) {
            json_name(&mut out, "Type");
            let user = self.fault.responsible() == Responsible::Caller;
            json_string(&mut out, if user { "User" } else { "Service" });
        }
        json_name(&mut out, self.message_name());
        json_string(&mut out, &self.fault.message);
        for (name, value) in self.extra() {
            json_name(&mut out, name);
            out.extend_from_slice(value.to_string().as_bytes());
        }
        out.push(b'}');
        out
    }

    fn cbor_body(&self) -> Vec<u8> {
        let mut map = serde_json::Map::new();
        map.insert("__type".to_owned(), self.qualified().into());
        map.insert(self.message_name().to_owned(), self.fault.message.clone().into());
        map.extend(self.extra().map(|(name, value)| (name.clone(), value.clone())));
        cbor::to_bytes(&cbor::plain(&Value::Object(map))).unwrap_or_default()
    }

    /// The fault's further members, without those that are written anyway.
    fn extra(&self) -> impl Iterator<Item = (&String, &Value)> {
        let members = self.fault.members.as_deref().and_then(Value::as_object).into_iter().flatten();
        let taken = [self.message_name(), "__type"];
        let typed = self.modelled.is_some_and(|error| error.typed);
        members.filter(move |(name, _)| !(taken.contains(&name.as_str()) || typed && *name == "Type"))
    }

    fn xml_body(&self, request_id: &str) -> String {
        let mut out = String::from("<?xml version=\"1.0\"?>\n<ErrorResponse");
        if let Some(namespace) = self.service.and_then(|service| service.xml_namespace) {
            out.push_str(&format!(" xmlns=\"{namespace}\""));
        }
        let side = match self.fault.responsible() {
            Responsible::Caller => "Sender",
            Responsible::Service => "Receiver",
        };
        out.push_str(&format!("><Error><Type>{side}</Type><Code>"));
        xml_text(&mut out, &self.query_code);
        out.push_str("</Code><Message>");
        xml_text(&mut out, &self.fault.message);
        out.push_str("</Message>");
        for (name, value) in self.extra() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            out.push_str(&format!("<{name}>"));
            xml_text(&mut out, &text);
            out.push_str(&format!("</{name}>"));
        }
        out.push_str("</Error><RequestId>");
        xml_text(&mut out, request_id);
        out.push_str("</RequestId></ErrorResponse>");
        out
    }
}
