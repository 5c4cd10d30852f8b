//! Who may use the console: the person at this machine's browser, and no other site that the browser has open.

use http::HeaderMap;

/// What strangers are told.
pub(crate) const ELSEWHERE: &str = "these pages answer at localhost, 127.0.0.1, [::1] and the host of public_url only: another name for this \
                                    machine could be a page's that wants to read them\n";

/// Whether a `Host` header names this machine. A foreign name that resolves to it (DNS rebinding) does not.
pub(crate) fn is_local(host: &str) -> bool {
    let name = name_of(host).to_ascii_lowercase();
    let loopback = |name: &str| name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    name == "[::1]" || name == "localhost" || name.ends_with(".localhost") || loopback(&name)
}

/// Whether a `Host` header names this machine, or the place where the server was told that clients reach it.
pub(crate) fn is_ours(host: &str, endpoint: &str) -> bool {
    let told = endpoint.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    is_local(host) || (!told.is_empty() && name_of(told).eq_ignore_ascii_case(name_of(host)))
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.find(']') {
        Some(end) if host[end + 1..].is_empty() || host[end + 1..].starts_with(':') => &host[..=end],
        _ if host.starts_with('[') => host,
        _ => host.split(':').next().unwrap_or_default(),
    }
}

/// Refuses what another site sends in the person's name. Browsers say where a request comes from in headers that no
/// page can set; a request without them is not a form of ours.
///
/// # Errors
/// What to tell the sender.
pub(crate) fn same_origin(headers: &HeaderMap, host: &str) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        }
        (None, None) => false,
    };
    if ours {
        Ok(())
    } else {
        Err("this request does not come from a page of the console; nothing was done\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_names_are_not_this_machine() {
        for host in [
            "localhost:4566",
            "LOCALHOST",
            "127.0.0.1:4566",
            "127.3.2.1",
            "[::1]:4566",
            "shop.localhost:4566",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "notlocalhost",
            "[::2]",
            "[::1].example.com",
            "10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_local(host), "{host}");
            assert!(!is_ours(host, "http://buswork.test:4566"), "{host}");
        }
        assert!(is_ours("buswork.test", "http://buswork.test:4566"));
        assert!(!is_ours("", "http://"));
    }

    #[test]
    fn forms_of_other_sites_are_refused() {
        let check = |site: Option<&str>, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            same_origin(&headers, "localhost:4566").is_ok()
        };
        assert!(check(Some("same-origin"), Some("http://localhost:4566")));
        assert!(check(None, Some("http://localhost:4566")));
        assert!(!check(None, None));
        assert!(!check(None, Some("null")));
        assert!(!check(None, Some("http://localhost:3000")));
        assert!(!check(Some("same-site"), Some("http://localhost:4566")));
        assert!(!check(Some("cross-site"), None));
    }
}
