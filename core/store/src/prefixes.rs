//! Finds the entries of a map by prefix that a key falls under.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

/// Calls `each` with every entry of `map` whose key is a prefix of `key`, longest first.
pub(crate) fn each_prefix_of<T>(map: &mut BTreeMap<Bytes, T>, key: &[u8], mut each: impl FnMut(&mut T)) {
    let mut head = key;
    while let Some((candidate, entry)) = map.range_mut::<[u8], _>(up_to(head)).next_back() {
        // No prefix of `head` is longer than what the greatest entry up to `head` shares with it.
        let shared = candidate.iter().zip(head).take_while(|(a, b)| a == b).count();
        if shared < candidate.len() {
            head = &head[..shared];
        } else {
            each(entry);
            match shared.checked_sub(1) {
                Some(shorter) => head = &head[..shorter],
                None => return,
            }
        }
    }
}

fn up_to(key: &[u8]) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Unbounded, Bound::Included(key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(0u8..3, 0..6)
    }

    proptest! {
        #[test]
        fn finds_what_a_walk_over_all_finds(prefixes in prop::collection::vec(key(), 0..20), of in key()) {
            let mut map: BTreeMap<Bytes, Vec<u8>> =
                prefixes.iter().map(|p| (Bytes::from(p.clone()), p.clone())).collect();
            let mut expected: Vec<_> = map.values().filter(|p| of.starts_with(p)).cloned().collect();
            expected.sort_by_key(|p| std::cmp::Reverse(p.len()));
            let mut found = Vec::new();
            each_prefix_of(&mut map, &of, |p| found.push(p.clone()));
            prop_assert_eq!(found, expected);
        }
    }
}
