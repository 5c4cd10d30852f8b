//! Filters of lists.
//!
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_search-secret.html>

use crate::api::{Filter, FilterNameStringType};
use crate::keys::Secret;

/// Whether a secret is listed: it keeps to every filter, by one of its values.
pub(crate) fn holds(filters: &[Filter], name: &str, secret: &Secret) -> bool {
    filters.iter().all(|filter| {
        let values = filter.values.iter().flatten();
        let mut any = values.map(|value| value_holds(filter.key, value, name, secret));
        any.any(|holds| holds)
    })
}

/// A value that begins with `!` must not be there.
fn value_holds(key: Option<FilterNameStringType>, value: &str, name: &str, secret: &Secret) -> bool {
    let (value, wanted) = match value.strip_prefix('!') {
        Some(rest) => (rest, false),
        None => (value, true),
    };
    let description = secret.description.as_deref().unwrap_or_default();
    let found = match key {
        Some(FilterNameStringType::Name) => name.starts_with(value),
        Some(FilterNameStringType::Description) => starts(description, value),
        Some(FilterNameStringType::TagKey) => secret.tags.keys().any(|key| key.starts_with(value)),
        Some(FilterNameStringType::TagValue) => secret.tags.values().any(|it| it.starts_with(value)),
        // No secret is replicated, and none belongs to a service.
        Some(FilterNameStringType::PrimaryRegion | FilterNameStringType::OwningService) => false,
        None | Some(FilterNameStringType::All) => {
            let tags = secret.tags.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
            let texts: Vec<&str> = [name, description].into_iter().chain(tags).collect();
            words(value).all(|word| texts.iter().any(|text| words(text).any(|part| starts(part, word))))
        }
    };
    found == wanted
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '/', '_', '+', '=', '.', '@', '-']).filter(|word| !word.is_empty())
}

/// Without regard to capitals.
fn starts(text: &str, beginning: &str) -> bool {
    text.to_lowercase().starts_with(&beginning.to_lowercase())
}
