//! Values inside documents by dotted paths. A step of digits is a place in a list.

use base::Document;
use serde_json::Map;

/// The value at `path`; an empty path is the document itself.
pub(super) fn get<'d>(document: &'d Document, path: &str) -> Option<&'d Document> {
    if path.is_empty() {
        return Some(document);
    }
    path.split('.').try_fold(document, |at, step| match at {
        Document::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// Puts `value` at `path`, making objects and lists on the way. What stands in the way is replaced.
pub(super) fn set(document: &mut Document, path: &str, value: Document) {
    let at = path.split('.').fold(document, |at, step| match step.parse::<usize>() {
        Ok(index) => {
            if !at.is_array() {
                *at = Document::Array(Vec::new());
            }
            member_of_list(at, index)
        }
        Err(_) => {
            if !at.is_object() {
                *at = Document::Object(Map::new());
            }
            &mut at[step]
        }
    });
    *at = value;
}

fn member_of_list(list: &mut Document, index: usize) -> &mut Document {
    if let Document::Array(items) = list
        && items.len() <= index
    {
        items.resize(index + 1, Document::Null);
    }
    &mut list[index]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_make_their_way() {
        let mut document = Document::Null;
        set(&mut document, "A.B", json!(1));
        set(&mut document, "L.0.Id", json!("x"));
        set(&mut document, "L.1", json!("y"));
        assert_eq!(document, json!({"A": {"B": 1}, "L": [{"Id": "x"}, "y"]}));
        assert_eq!(get(&document, "L.0.Id"), Some(&json!("x")));
        assert_eq!((get(&document, "L.2"), get(&document, "A.C")), (None, None));
    }
}
