//! Comparing without regard to case, as EventBridge does: the *pattern's* characters are folded, each by itself, and
//! the value must hold either the lower-case or the upper-case form. This is asymmetric: `straße` matches `STRASSE`,
//! `STRASSE` does not match `straße`.

/// A text to be found in either case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fold {
    text: Box<str>,
    /// The lower-case and upper-case form of each character; empty when the text is plain ASCII.
    forms: Box<[(Box<str>, Box<str>)]>,
}

impl Fold {
    pub(crate) fn new(text: &str) -> Self {
        let forms = if text.is_ascii() {
            Box::default()
        } else {
            text.chars()
                .map(|c| (c.to_lowercase().to_string().into(), c.to_uppercase().to_string().into()))
                .collect()
        };
        Self { text: text.into(), forms }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn equals(&self, value: &str) -> bool {
        if self.text.is_ascii() {
            return self.text.eq_ignore_ascii_case(value);
        }
        self.strip_start(value).is_some_and(str::is_empty)
    }

    pub(crate) fn starts(&self, value: &str) -> bool {
        if self.text.is_ascii() {
            let head = value.as_bytes().get(..self.text.len());
            return head.is_some_and(|head| self.text.as_bytes().eq_ignore_ascii_case(head));
        }
        self.strip_start(value).is_some()
    }

    pub(crate) fn ends(&self, value: &str) -> bool {
        if self.text.is_ascii() {
            let start = value.len().checked_sub(self.text.len());
            return start
                .is_some_and(|start| self.text.as_bytes().eq_ignore_ascii_case(&value.as_bytes()[start..]));
        }
        let mut rest = value;
        for (lower, upper) in self.forms.iter().rev() {
            match rest.strip_suffix(&**lower).or_else(|| rest.strip_suffix(&**upper)) {
                Some(shorter) => rest = shorter,
                None => return false,
            }
        }
        true
    }

    /// What is left of `value` after this text. Taking the first form that fits is enough, because no character's
    /// forms begin or end with one another (a test holds this).
    fn strip_start<'v>(&self, value: &'v str) -> Option<&'v str> {
        self.forms.iter().try_fold(value, |rest, (lower, upper)| {
            rest.strip_prefix(&**lower).or_else(|| rest.strip_prefix(&**upper))
        })
    }
}

/// A key under which a folded text and every value that it matches meet (values that it does not match may meet it
/// too). Taken per character, so that a prefix's key is a prefix of the key.
pub(crate) fn fold_key(text: &str, key: &mut String) {
    key.clear();
    if text.is_ascii() {
        key.push_str(text);
        key.make_ascii_lowercase();
    } else {
        let folded = text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
        key.extend(folded.flat_map(char::to_lowercase));
    }
}

#[cfg(test)]
mod tests {
    use super::{Fold, fold_key};

    fn cased() -> impl Iterator<Item = char> {
        (char::MIN..=char::MAX).filter(|c| !c.to_lowercase().eq([*c]) || !c.to_uppercase().eq([*c]))
    }

    #[test]
    fn forms_never_begin_or_end_with_one_another() {
        for c in cased() {
            let (lower, upper) = (c.to_lowercase().to_string(), c.to_uppercase().to_string());
            if lower != upper {
                for (one, other) in [(&lower, &upper), (&upper, &lower)] {
                    assert!(!one.starts_with(other.as_str()) && !one.ends_with(other.as_str()), "{c:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_and_its_matches_share_a_key() {
        let key = |text: &str| {
            let mut key = String::new();
            fold_key(text, &mut key);
            key
        };
        for c in cased() {
            let own = key(&c.to_string());
            assert_eq!(key(&c.to_lowercase().to_string()), own, "{c:?}");
            assert_eq!(key(&c.to_uppercase().to_string()), own, "{c:?}");
        }
    }

    #[test]
    fn folding_is_that_of_the_pattern() {
        for (pattern, value, equal) in [
            ("straße", "STRASSE", true),
            ("straße", "STRAßE", true),
            ("STRASSE", "straße", false),
            ("k", "\u{212A}", false),
            ("ΣΑΣ", "σασ", true),
            ("ΣΑΣ", "σας", false),
            ("İ", "i", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Fold::new(pattern).equals(value), equal, "{pattern} {value}");
        }
        assert!(Fold::new("É").starts("école"));
        assert!(Fold::new("É").ends("café"));
        assert!(!Fold::new("ab").ends("b"));
        assert!(!Fold::new("ab").starts("a"));
    }
}
