//! Who may use the console: the person at this machine's browser, and no other site that the browser has open.

use http::HeaderMap;

/// Whether a `Host` header names this machine. A foreign name that resolves to it (DNS rebinding) does not.
pub(crate) fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address == "::1",
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = |name: &str| name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    name.eq_ignore_ascii_case("localhost") || loopback(name)
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
        for host in ["localhost:4566", "LOCALHOST", "127.0.0.1:4566", "127.3.2.1", "[::1]:4566"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "[::2]", "10.0.0.1"]
        {
            assert!(!is_local(host), "{host}");
        }
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
