//! Addresses of the console's pages.

use std::fmt;

use super::PATH;

/// The address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link(String);

impl Link {
    /// The page, at a place.
    pub(crate) fn to(page: &str, region: &str, account: &str) -> Link {
        let link = Link(format!("{PATH}/{page}")).with("region", region);
        if account == base::AccountId::DEFAULT { link } else { link.with("account", account) }
    }

    /// With a parameter; without it if it is empty.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Link {
        if !value.is_empty() {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        }
        self
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded() {
        let link =
            Link::to("execution", "us-east-1", "000000000000").with("arn", "a:b/c d&e").with("none", "");
        assert_eq!(link.to_string(), "/_buswork/console/execution?region=us-east-1&arn=a%3Ab%2Fc+d%26e");
        let link = Link::to("", "r", "111111111111");
        assert_eq!(link.to_string(), "/_buswork/console/?region=r&account=111111111111");
    }
}
