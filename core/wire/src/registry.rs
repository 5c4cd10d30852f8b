//! The services that requests may address, and the REST routes of each.

use base::schema::{Protocol, ServiceSchema};

use crate::Request;
use crate::text::{decode_form, decode_path, fields};

/// The tables of all services, prepared for look-up. Built once.
#[derive(Debug)]
pub struct Registry {
    services: Vec<Service>,
}

#[derive(Debug)]
struct Service {
    schema: &'static ServiceSchema,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    operation: &'static str,
    method: &'static str,
    segments: Vec<Segment>,
    /// Fields of the query string that the template fixes.
    query: Vec<(&'static str, &'static str)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Label(&'static str),
    /// Takes all that is left, slashes included.
    Greedy(&'static str),
}

/// A REST request's operation and labels.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) operation: &'static str,
    pub(crate) labels: Vec<(&'static str, String)>,
}

impl Registry {
    /// A registry of these services.
    pub fn new(services: &[&'static ServiceSchema]) -> Registry {
        let prepare = |schema: &&'static ServiceSchema| {
            let routes =
                schema.all_routes.iter().map(|route| Route::parse(route.operation, route.method, route.uri));
            Service { schema, routes: routes.collect() }
        };
        Registry { services: services.iter().map(prepare).collect() }
    }

    /// The services.
    pub fn services(&self) -> impl Iterator<Item = &'static ServiceSchema> {
        self.services.iter().map(|service| service.schema)
    }

    /// By the name in credential scopes.
    pub fn by_signing_name(&self, name: &str) -> Option<&'static ServiceSchema> {
        self.services().find(|service| service.signing_name == name)
    }

    /// By the first label of a host name.
    pub(crate) fn by_endpoint(&self, label: &str) -> Option<&'static ServiceSchema> {
        self.services().find(|service| service.endpoint_prefix == label || service.signing_name == label)
    }

    /// By what precedes the dot in `X-Amz-Target`.
    pub(crate) fn by_target(&self, prefix: &str) -> Option<&'static ServiceSchema> {
        self.services().find(|service| service.target_prefix == Some(prefix))
    }

    /// By a query action: the version decides where two services have the same action.
    pub(crate) fn by_action(&self, action: &str, version: Option<&str>) -> Option<&'static ServiceSchema> {
        let mut known =
            self.services().filter(|service| speaks(service, Protocol::Query) && service.knows(action));
        match version {
            Some(version) => known.find(|service| service.api_version == version),
            None => known.next(),
        }
    }

    /// The REST operation of a service whose template fits best.
    pub(crate) fn route(&self, service: &'static ServiceSchema, request: &Request<'_>) -> Option<Routed> {
        let routes = &self.services.iter().find(|known| std::ptr::eq(known.schema, service))?.routes;
        best(routes, request)
    }

    /// The REST operation of any service, for requests that name none.
    pub(crate) fn route_anywhere(&self, request: &Request<'_>) -> Option<(&'static ServiceSchema, Routed)> {
        self.services.iter().find_map(|service| Some((service.schema, best(&service.routes, request)?)))
    }
}

/// Whether a service speaks a protocol.
pub(crate) fn speaks(service: &ServiceSchema, protocol: Protocol) -> bool {
    service.protocols.contains(&protocol)
}

fn best(routes: &[Route], request: &Request<'_>) -> Option<Routed> {
    let fitting = routes.iter().filter_map(|route| route.fit(request).map(|labels| (route, labels)));
    let (route, labels) = fitting.max_by_key(|(route, _)| route.weight())?;
    Some(Routed { operation: route.operation, labels })
}

impl Route {
    fn parse(operation: &'static str, method: &'static str, uri: &'static str) -> Route {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let segments = path.split('/').filter(|segment| !segment.is_empty()).map(|segment| {
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                None => Segment::Literal(segment),
                Some(label) => label.strip_suffix('+').map_or(Segment::Label(label), Segment::Greedy),
            }
        });
        Route { operation, method, segments: segments.collect(), query: fields(query).collect() }
    }

    /// Literals weigh more than labels, fixed query fields more than none.
    fn weight(&self) -> usize {
        let literals = self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count();
        literals * 8 + self.segments.len() + self.query.len() * 64
    }

    /// The labels' values, if the request fits.
    fn fit(&self, request: &Request<'_>) -> Option<Vec<(&'static str, String)>> {
        if self.method != request.method {
            return None;
        }
        let mut labels = Vec::new();
        let mut rest = request.path.trim_start_matches('/');
        for segment in &self.segments {
            let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
            match segment {
                Segment::Literal(literal) if head == *literal => {}
                Segment::Literal(_) => return None,
                Segment::Label(_) | Segment::Greedy(_) if head.is_empty() => return None,
                Segment::Label(name) => labels.push((*name, decode_path(head)?.into_owned())),
                Segment::Greedy(name) => {
                    labels.push((*name, decode_path(rest)?.into_owned()));
                    rest = "";
                    continue;
                }
            }
            rest = tail;
        }
        let fixed = |(name, value): &(&str, &str)| {
            fields(request.query)
                .any(|(n, v)| n == *name && (value.is_empty() || decode_form(v).is_some_and(|v| v == *value)))
        };
        (rest.is_empty() && self.query.iter().all(fixed)).then_some(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(template: &'static str, path: &str, query: &str) -> Option<Vec<(&'static str, String)>> {
        let headers = http::HeaderMap::new();
        let request = Request { method: "GET", path, query, headers: &headers, body: Default::default() };
        Route::parse("Op", "GET", template).fit(&request)
    }

    #[test]
    fn templates_fit_paths() {
        let label = |value: &str| Some(vec![("L", value.to_owned())]);
        assert_eq!(fit("/a/{L}/b", "/a/x%2Fy/b", ""), label("x/y"));
        assert_eq!(fit("/a/{L}/b", "/a/x/c", ""), None);
        assert_eq!(fit("/a/{L}", "/a/", ""), None);
        assert_eq!(fit("/a/{L}", "/a/x/y", ""), None);
        assert_eq!(fit("/a/{L+}", "/a/x/y%20z", ""), label("x/y z"));
        assert_eq!(fit("/a/", "/a", ""), Some(vec![]));
        assert_eq!(fit("/a?list", "/a", "list&b=1"), Some(vec![]));
        assert_eq!(fit("/a?t=2", "/a", "t=1"), None);
    }
}
