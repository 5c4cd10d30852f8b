//! Wildcards: `*` stands for any run of characters, `\*` and `\\` for the characters themselves.

use memchr::memmem::Finder;

/// A compiled wildcard.
#[derive(Debug, Clone)]
pub(crate) struct Wildcard {
    text: Box<str>,
    /// The literal runs between the stars, with the escapes resolved: one more than there are stars.
    runs: Box<[Box<[u8]>]>,
    /// Searchers for the runs that are anchored at neither end.
    middle: Box<[Finder<'static>]>,
}

impl PartialEq for Wildcard {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Wildcard {
    /// Compiles `text`. The error is EventBridge's reason; positions count the opening quote.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bytes = text.as_bytes();
        let mut runs = vec![Vec::new()];
        let mut at = 0;
        while at < bytes.len() {
            let next = bytes.get(at + 1);
            let literal = match bytes[at] {
                b'*' if next == Some(&b'*') => {
                    return Err(format!("Consecutive wildcard characters at pos {}", at + 1));
                }
                b'*' => {
                    runs.push(Vec::new());
                    at += 1;
                    continue;
                }
                b'\\' => match next {
                    Some(&escaped @ (b'*' | b'\\')) => {
                        at += 1;
                        escaped
                    }
                    _ => return Err(format!("Invalid escape character at pos {}", at + 1)),
                },
                byte => byte,
            };
            if let Some(run) = runs.last_mut() {
                run.push(literal);
            }
            at += 1;
        }
        let inner = runs.get(1..runs.len() - 1).unwrap_or_default();
        let middle = inner.iter().map(|run| Finder::new(run).into_owned()).collect();
        Ok(Self { text: text.into(), middle, runs: runs.into_iter().map(Vec::into_boxed_slice).collect() })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The literal runs between the stars; a single run means that there is no star.
    pub(crate) fn runs(&self) -> &[Box<[u8]>] {
        &self.runs
    }

    /// Whether the whole of `value` fits. Taking each run at its first place is enough: a later place never leaves
    /// more room for the runs that follow.
    pub(crate) fn matches(&self, value: &str) -> bool {
        let value = value.as_bytes();
        let [first, .., last] = &*self.runs else {
            return self.runs.first().is_some_and(|only| **only == *value);
        };
        if value.len() < first.len() + last.len() || !value.starts_with(first) || !value.ends_with(last) {
            return false;
        }
        let mut rest = &value[first.len()..value.len() - last.len()];
        for run in &self.middle {
            match run.find(rest) {
                Some(at) => rest = &rest[at + run.needle().len()..],
                None => return false,
            }
        }
        true
    }

    /// See [`crate::WILDCARD_COMPLEXITY_MAX`].
    pub(crate) fn complexity(&self) -> usize {
        self.runs.iter().skip(1).map(|run| 1 + longest_overlap_chain(run)).sum()
    }
}

/// How many prefixes of `run` can end at the same place: the longest chain of borders of borders.
fn longest_overlap_chain(run: &[u8]) -> usize {
    let mut borders = vec![0usize; run.len()];
    let mut chain = vec![1usize; run.len()];
    for end in 1..run.len() {
        let mut border = borders[end - 1];
        while border > 0 && run[border] != run[end] {
            border = borders[border - 1];
        }
        if run[border] == run[end] {
            border += 1;
        }
        borders[end] = border;
        if border > 0 {
            chain[end] = chain[border - 1] + 1;
        }
    }
    chain.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Wildcard;

    #[test]
    fn matching() {
        for (pattern, value, fits) in [
            ("*", "", true),
            ("*", "a\n/b", true),
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*ab*ab", "ababa", false),
            ("*ab*ab", "abab", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            (r"\**", "*x", true),
            (r"\**", "x", false),
            (r"a\\*", r"a\b", true),
            ("*b*c*", "abbcc", true),
            ("*b*c*", "cb", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(Wildcard::parse(pattern).unwrap().matches(value), fits, "{pattern} {value}");
        }
    }

    #[test]
    fn refusals() {
        for (pattern, reason) in [
            ("a**", "Consecutive wildcard characters at pos 2"),
            (r"a*c\def", "Invalid escape character at pos 4"),
            (r"a\", "Invalid escape character at pos 2"),
        ] {
            assert_eq!(Wildcard::parse(pattern).unwrap_err(), reason);
        }
    }

    #[test]
    fn complexity() {
        for (pattern, complexity) in [("abc", 0), ("*", 1), ("a*bc", 2), ("*aaaa*aaaaa*aaaa*aaaaaaa*", 25)] {
            assert_eq!(Wildcard::parse(pattern).unwrap().complexity(), complexity, "{pattern}");
        }
    }
}
