//! Cross-origin headers of function URLs. Pure.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors>

use super::UrlRequest;
use super::event::header;
use crate::api::Cors;

/// Whether the browser only asks whether it may ask.
pub(super) fn is_preflight(request: &UrlRequest) -> bool {
    request.method == "OPTIONS" && header(request, "access-control-request-method").is_some()
}

/// The headers for this request; none if its origin is not allowed.
pub(super) fn headers(config: &Cors, request: &UrlRequest) -> Vec<(String, String)> {
    let Some(origin) = header(request, "origin") else { return Vec::new() };
    let allowed = config.allow_origins.as_deref().unwrap_or_default();
    let any = allowed.iter().any(|allowed| allowed == "*");
    if !any && !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return Vec::new();
    }
    let credentials = config.allow_credentials == Some(true);
    let shown = if any && !credentials { "*" } else { origin };
    let mut headers = vec![("access-control-allow-origin".to_owned(), shown.to_owned())];
    let mut add = |name: &str, values: Option<&Vec<String>>| {
        if let Some(values) = values.filter(|values| !values.is_empty()) {
            headers.push((name.to_owned(), values.join(",")));
        }
    };
    add("access-control-expose-headers", config.expose_headers.as_ref());
    if is_preflight(request) {
        add("access-control-allow-methods", config.allow_methods.as_ref());
        add("access-control-allow-headers", config.allow_headers.as_ref());
        if let Some(age) = config.max_age {
            headers.push(("access-control-max-age".to_owned(), age.to_string()));
        }
    }
    if credentials {
        headers.push(("access-control-allow-credentials".to_owned(), "true".to_owned()));
    }
    headers.push(("vary".to_owned(), "Origin".to_owned()));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_origins_get_headers() {
        let config = Cors {
            allow_origins: Some(vec!["https://a".into()]),
            allow_methods: Some(vec!["GET".into()]),
            ..Cors::default()
        };
        let request = |method: &str, origin: &str| UrlRequest {
            method: method.into(),
            headers: vec![
                ("Origin".into(), origin.into()),
                ("Access-Control-Request-Method".into(), "GET".into()),
            ],
            ..UrlRequest::default()
        };
        let names = |request: &UrlRequest| {
            headers(&config, request).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&request("GET", "https://a")), ["access-control-allow-origin", "vary"]);
        let preflight = ["access-control-allow-origin", "access-control-allow-methods", "vary"];
        assert_eq!(names(&request("OPTIONS", "https://a")), preflight);
        assert_eq!(names(&request("GET", "https://b")), Vec::<String>::new());
    }
}
