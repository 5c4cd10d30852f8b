//! Which operation of which service a request asks for, and in which protocol.

use std::borrow::Cow;

use base::schema::{Protocol, ServiceSchema};
use base::{AccountId, Fault, Region};

use crate::address::{Credential, Host, credential, host};
use crate::registry::speaks;
use crate::text::{decode_form, fields};
use crate::{Call, Refusal, RefusalKind, Registry, Request};

/// Finds the operation from, in this order: the rpc-v2-cbor path, `X-Amz-Target`, the credential scope, the host name,
/// `Action`, and REST paths. Requests need not be signed.
///
/// # Errors
/// A [`Refusal`] that says what is missing and how to answer.
pub fn identify(request: &Request<'_>, registry: &Registry) -> Result<Call, Box<Refusal>> {
    let finder = Finder { request, registry, credential: credential(request), host: host(request) };
    finder.find()
}

struct Finder<'r, 'a> {
    request: &'r Request<'a>,
    registry: &'r Registry,
    credential: Option<Credential<'a>>,
    host: Option<Host<'a>>,
}

impl Finder<'_, '_> {
    fn find(&self) -> Result<Call, Box<Refusal>> {
        if let Some((service, operation)) = cbor_path(self.request.path) {
            let Some(schema) = self.registry.by_target(service) else {
                return Err(self.foreign(service, Protocol::RpcV2Cbor));
            };
            return self.call(schema, operation, Protocol::RpcV2Cbor, Vec::new());
        }
        if let Some(target) = self.request.header("x-amz-target") {
            let (prefix, operation) = target.rsplit_once('.').unwrap_or(("", target));
            let Some(schema) = self.registry.by_target(prefix).or_else(|| self.addressed()) else {
                return Err(self.foreign(prefix, Protocol::AwsJson));
            };
            return self.call(schema, operation, Protocol::AwsJson, Vec::new());
        }
        match (self.addressed(), self.credential.as_ref()) {
            (Some(service), _) => self.of_service(service),
            (None, Some(credential)) => Err(self.foreign(&credential.service, self.guess())),
            (None, None) if self.host.is_some_and(|host| host.service == "s3") => {
                Err(self.foreign("s3", Protocol::RestXml))
            }
            (None, None) => self.unaddressed(),
        }
    }

    /// The service of the credential scope, or of the host name if nothing is signed.
    fn addressed(&self) -> Option<&'static ServiceSchema> {
        match (&self.credential, &self.host) {
            (Some(credential), _) => self.registry.by_signing_name(&credential.service),
            (None, Some(host)) => self.registry.by_endpoint(host.service),
            (None, None) => None,
        }
    }

    fn of_service(&self, service: &'static ServiceSchema) -> Result<Call, Box<Refusal>> {
        if speaks(service, Protocol::Query)
            && let Some(action) = self.field("Action")
        {
            return self.call(service, &action, Protocol::Query, Vec::new());
        }
        let rest =
            service.protocols.iter().find(|p| matches!(p, Protocol::RestJson | Protocol::RestXml)).copied();
        let Some(protocol) = rest else {
            let protocol = service.protocols.first().copied().unwrap_or(Protocol::AwsJson);
            let protocol = if is_form(self.request) { Protocol::Query } else { protocol };
            return Err(self.refusal(
                RefusalKind::UnknownOperation,
                Some(service),
                protocol,
                unknown(protocol, ""),
            ));
        };
        match self.registry.route(service, self.request) {
            Some(routed) => self.call(service, routed.operation, protocol, routed.labels),
            None => Err(self.refusal(
                RefusalKind::UnknownOperation,
                Some(service),
                protocol,
                unknown(protocol, ""),
            )),
        }
    }

    fn unaddressed(&self) -> Result<Call, Box<Refusal>> {
        if let Some(action) = self.field("Action") {
            let version = self.field("Version");
            let Some(service) = self.registry.by_action(&action, version.as_deref()) else {
                let fault = unknown(Protocol::Query, &action);
                return Err(self.refusal(RefusalKind::UnknownOperation, None, Protocol::Query, fault));
            };
            return self.call(service, &action, Protocol::Query, Vec::new());
        }
        if let Some((service, routed)) = self.registry.route_anywhere(self.request) {
            let protocol = service.protocols.first().copied().unwrap_or(Protocol::RestJson);
            return self.call(service, routed.operation, protocol, routed.labels);
        }
        let fault =
            Fault::new("MissingAuthenticationTokenException", "Request is missing Authentication Token")
                .with_status(403);
        Err(self.refusal(RefusalKind::Unaddressed, None, self.guess(), fault))
    }

    fn call(
        &self,
        service: &'static ServiceSchema,
        operation: &str,
        protocol: Protocol,
        labels: Vec<(&'static str, String)>,
    ) -> Result<Call, Box<Refusal>> {
        let Some(schema) = service.operation(operation) else {
            let (kind, fault) = if service.knows(operation) {
                let fault = Fault::not_implemented(service.signing_name, operation);
                (RefusalKind::NotImplemented(operation.to_owned()), fault)
            } else {
                (RefusalKind::UnknownOperation, unknown(protocol, operation))
            };
            return Err(self.refusal(kind, Some(service), protocol, fault));
        };
        let token = self.credential.as_ref().and_then(|credential| credential.token.as_deref());
        let access_key = self.access_key();
        Ok(Call {
            service,
            operation: schema,
            protocol,
            region: self.region(),
            account: access_key.as_deref().and_then(AccountId::parse),
            session_token: token.map(str::to_owned),
            access_key,
            trace: self.request.header("x-amzn-trace-id").map(str::to_owned),
            labels,
        })
    }

    fn access_key(&self) -> Option<String> {
        self.credential.as_ref().map(|credential| credential.access_key.clone().into_owned())
    }

    fn region(&self) -> Region {
        let scoped = self.credential.as_ref().and_then(|credential| Region::parse(&credential.region));
        let hosted = || self.host.and_then(|host| host.region).and_then(Region::parse);
        scoped.or_else(hosted).unwrap_or_default()
    }

    fn foreign(&self, service: &str, protocol: Protocol) -> Box<Refusal> {
        let message = format!("the service {service} is not implemented by Buswork");
        let fault = Fault::new("NotImplementedException", message).with_status(501);
        self.refusal(RefusalKind::ForeignService(service.to_owned()), None, protocol, fault)
    }

    fn refusal(
        &self,
        kind: RefusalKind,
        service: Option<&'static ServiceSchema>,
        protocol: Protocol,
        fault: Fault,
    ) -> Box<Refusal> {
        let (region, access_key) = (self.region(), self.access_key());
        Box::new(Refusal { kind, service, protocol, fault, region, access_key })
    }

    /// A field of the query string, or of a form body.
    fn field(&self, wanted: &str) -> Option<Cow<'_, str>> {
        let find =
            |text| fields(text).find(|(name, _)| *name == wanted).and_then(|(_, value)| decode_form(value));
        if let Some(value) = find(self.request.query) {
            return Some(Cow::Owned(value.into_owned()));
        }
        if !is_form(self.request) {
            return None;
        }
        std::str::from_utf8(&self.request.body).ok().and_then(find)
    }

    /// How to answer one whose service is unknown.
    fn guess(&self) -> Protocol {
        let content_type = self.request.header("content-type").unwrap_or_default();
        if content_type.starts_with("application/x-amz-json") {
            Protocol::AwsJson
        } else if is_form(self.request) {
            Protocol::Query
        } else if content_type.starts_with("application/json") {
            Protocol::RestJson
        } else {
            Protocol::RestXml
        }
    }
}

fn is_form(request: &Request<'_>) -> bool {
    request.header("content-type").is_some_and(|text| text.starts_with("application/x-www-form-urlencoded"))
}

/// Splits `/service/<name>/operation/<name>`.
fn cbor_path(path: &str) -> Option<(&str, &str)> {
    let (service, operation) = path.strip_prefix("/service/")?.split_once("/operation/")?;
    (!operation.contains('/')).then_some((service, operation))
}

fn unknown(protocol: Protocol, operation: &str) -> Fault {
    match protocol {
        Protocol::Query if operation.is_empty() => {
            Fault::new("MissingAction", "Missing Action parameter in the request")
        }
        Protocol::Query => {
            Fault::new("InvalidAction", format!("The action {operation} is not valid for this web service."))
        }
        Protocol::AwsJson => {
            let named = if operation.is_empty() { String::new() } else { format!(": {operation}") };
            Fault::new("UnknownOperationException", format!("unknown operation{named}"))
        }
        Protocol::RestJson | Protocol::RestXml | Protocol::RpcV2Cbor => {
            Fault::new("UnknownOperationException", "no operation has this method and path").with_status(404)
        }
    }
}
