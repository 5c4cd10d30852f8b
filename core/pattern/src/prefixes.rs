//! Finding all texts of a list that a value starts with (or ends with).

/// What a found text points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) leaf: u32,
    /// Whether the leaf is satisfied; otherwise it only may be and must be asked.
    pub(crate) sure: bool,
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    /// The longest other entry that this one starts with.
    shorter: Option<u32>,
    hits: Vec<Hit>,
}

/// Texts in order, each linked to the next shorter one that it starts with. All texts that a value starts with are on
/// the chain of the last text that is not greater than the value.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    entries: Vec<Entry>,
    backwards: bool,
}

impl Prefixes {
    /// From texts to be found at the beginning.
    pub(crate) fn starts(texts: Vec<(Box<[u8]>, Hit)>) -> Self {
        Self::build(texts, false)
    }

    /// From texts to be found at the end.
    pub(crate) fn ends(mut texts: Vec<(Box<[u8]>, Hit)>) -> Self {
        for (text, _) in &mut texts {
            text.reverse();
        }
        Self::build(texts, true)
    }

    fn build(mut texts: Vec<(Box<[u8]>, Hit)>, backwards: bool) -> Self {
        texts.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut entries: Vec<Entry> = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        for (text, hit) in texts {
            if let Some(last) = entries.last_mut().filter(|last| last.text == text) {
                last.hits.push(hit);
                continue;
            }
            while open.last().is_some_and(|&last| !text.starts_with(&entries[last as usize].text)) {
                open.pop();
            }
            let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            entries.push(Entry { text, shorter: open.last().copied(), hits: vec![hit] });
            open.push(number);
        }
        Self { entries, backwards }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Calls `found` for each text that `value` starts (or ends) with.
    #[inline]
    pub(crate) fn find(&self, value: &[u8], mut found: impl FnMut(Hit)) {
        if self.entries.is_empty() {
            return;
        }
        let not_greater = |entry: &Entry| {
            if self.backwards { entry.text.iter().le(value.iter().rev()) } else { *entry.text <= *value }
        };
        let fits = |entry: &Entry| {
            if self.backwards {
                entry.text.len() <= value.len()
                    && entry.text.iter().eq(value.iter().rev().take(entry.text.len()))
            } else {
                value.starts_with(&entry.text)
            }
        };
        let mut at = self.entries.partition_point(not_greater).checked_sub(1);
        while let Some(number) = at {
            let entry = &self.entries[number];
            if fits(entry) {
                entry.hits.iter().copied().for_each(&mut found);
            }
            at = entry.shorter.map(|shorter| shorter as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hit, Prefixes};

    #[test]
    fn finds_what_a_plain_search_finds() {
        let texts = ["", "a", "ab", "abc", "abd", "b", "ba", "bcb", "c", "cab"];
        let list = || {
            let hit = |number| Hit { leaf: number, sure: true };
            (0u32..).zip(texts).map(|(number, text)| (text.as_bytes().into(), hit(number))).collect()
        };
        let (starts, ends) = (Prefixes::starts(list()), Prefixes::ends(list()));
        for value in ["", "a", "abcd", "abd", "abz", "bab", "cabc", "zzz", "bcbcab"] {
            for (prefixes, fits) in [
                (&starts, str::starts_with as fn(&'static str, &'static str) -> bool),
                (&ends, str::ends_with),
            ] {
                let mut found = Vec::new();
                prefixes.find(value.as_bytes(), |hit| found.push(texts[hit.leaf as usize]));
                found.sort_unstable();
                let expected: Vec<_> = texts.into_iter().filter(|text| fits(value, text)).collect();
                assert_eq!(found, expected, "{value}");
            }
        }
    }
}
