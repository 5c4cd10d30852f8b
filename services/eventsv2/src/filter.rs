//! Filters: one pattern for each part of an event, all of which must match. Together they are one pattern for the document
//! that holds the three parts.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-filtering.html>

use base::Fault;
use pattern::Pattern;
use serde_json::{Map, Value};

use crate::api::{FilterConfiguration, FilterScope};
use crate::fault;

/// The pattern of a configuration.
///
/// # Errors
/// A pattern is none, two are of one scope, or one uses what its scope does not have.
pub(crate) fn compile(filter: &FilterConfiguration) -> Result<Pattern, Fault> {
    let filters = filter.filters.as_deref().unwrap_or_default();
    if filters.is_empty() {
        return Err(fault::invalid("FilterConfiguration.Filters must contain at least one filter."));
    }
    let mut whole = Map::new();
    for filter in filters {
        let part = match filter.scope {
            FilterScope::Data => "Data",
            FilterScope::Metadata => "Metadata",
            FilterScope::SystemMetadata => "SystemMetadata",
        };
        let refused = |why: &str| fault::invalid(format!("The {} filter is not valid: {why}", filter.scope));
        let parsed = Pattern::parse(&filter.pattern).map_err(|invalid| refused(&invalid.message))?;
        if let Some(operator) = parsed.operators().find(|operator| operator.contains("wildcard")) {
            return Err(refused(&format!("{operator} is not supported in subscriber filters.")));
        }
        if filter.scope == FilterScope::Metadata
            && let Some(operator) = parsed.operators().next()
        {
            return Err(refused(&format!("{operator}: METADATA filters match exact values only.")));
        }
        // Parsed once more as a document: it was well-formed.
        let value: Value =
            serde_json::from_str(&filter.pattern).map_err(|error| refused(&error.to_string()))?;
        if whole.insert(part.to_owned(), value).is_some() {
            let message = format!("There can be at most one filter with scope {}.", filter.scope);
            return Err(fault::invalid(message));
        }
    }
    let text = Value::Object(whole).to_string();
    Pattern::parse(&text)
        .map_err(|invalid| fault::invalid(format!("The filters are not valid: {}", invalid.message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Filter;

    fn compiled(filters: &[(FilterScope, &str)]) -> Result<Pattern, Fault> {
        let filter =
            |(scope, pattern): &(FilterScope, &str)| Filter { pattern: (*pattern).to_owned(), scope: *scope };
        compile(&FilterConfiguration { filters: Some(filters.iter().map(filter).collect()), language: None })
    }

    #[test]
    fn all_parts_must_match() {
        let pattern = compiled(&[
            (FilterScope::Data, r#"{"detail":{"n":[{"numeric":[">",1]}]}}"#),
            (FilterScope::SystemMetadata, r#"{"aws:Source":[{"prefix":"shop"}]}"#),
        ])
        .unwrap();
        for (n, source, expected) in [(2, "shop.x", true), (1, "shop.x", false), (2, "other", false)] {
            let event = format!(
                r#"{{"Data":{{"detail":{{"n":{n}}}}},"SystemMetadata":{{"aws:Source":"{source}"}}}}"#
            );
            assert_eq!(pattern.matches(&event).unwrap(), expected, "{event}");
        }
    }

    #[test]
    fn what_is_refused() {
        let (data, meta) = (FilterScope::Data, FilterScope::Metadata);
        for (filters, message) in [
            (&[][..], "must contain at least one filter"),
            (&[(data, "")], "The DATA filter is not valid"),
            (&[(data, r#"{"a":[{"wildcard":"x*"}]}"#)], "wildcard is not supported"),
            (&[(meta, r#"{"a":[{"prefix":"x"}]}"#)], "METADATA filters match exact values only"),
            (&[(data, r#"{"a":[1]}"#), (data, r#"{"b":[1]}"#)], "at most one filter with scope DATA"),
        ] {
            let fault = compiled(filters).unwrap_err();
            assert!(fault.message.contains(message), "{}", fault.message);
        }
        assert!(compiled(&[(meta, r#"{"a":["x"]}"#)]).is_ok());
    }
}
