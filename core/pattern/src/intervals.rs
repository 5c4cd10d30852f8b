//! Finding all intervals that hold a point.

/// An interval that points at a leaf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval<K> {
    pub(crate) low: K,
    pub(crate) low_open: bool,
    pub(crate) high: K,
    pub(crate) high_open: bool,
    pub(crate) leaf: u32,
}

impl<K: PartialOrd> Interval<K> {
    /// With both bounds inside.
    pub(crate) fn closed(low: K, high: K, leaf: u32) -> Self {
        Self { low, low_open: false, high, high_open: false, leaf }
    }

    fn contains(&self, point: &K) -> bool {
        let above = if self.low_open { *point > self.low } else { *point >= self.low };
        above && if self.high_open { *point < self.high } else { *point <= self.high }
    }
}

/// Intervals ordered by their lower bound, seen as a balanced tree whose root is the middle one; each knows the highest
/// upper bound below it.
#[derive(Debug)]
pub(crate) struct Intervals<K> {
    list: Vec<Interval<K>>,
    highest: Vec<K>,
}

impl<K: PartialOrd + Copy> Intervals<K> {
    /// Bounds must be comparable (no NaN).
    pub(crate) fn new(mut list: Vec<Interval<K>>) -> Self {
        list.sort_by(|one, other| one.low.partial_cmp(&other.low).unwrap_or(std::cmp::Ordering::Equal));
        let mut highest: Vec<K> = list.iter().map(|interval| interval.high).collect();
        raise(&mut highest);
        Self { list, highest }
    }

    /// Calls `found` with the leaf of each interval that holds `point`.
    pub(crate) fn find(&self, point: K, found: &mut impl FnMut(u32)) {
        self.find_between(0, self.list.len(), point, found);
    }

    fn find_between(&self, start: usize, end: usize, point: K, found: &mut impl FnMut(u32)) {
        let middle = start + (end - start) / 2;
        if start >= end || self.highest[middle] < point {
            return;
        }
        self.find_between(start, middle, point, found);
        let interval = &self.list[middle];
        if interval.low <= point {
            if interval.contains(&point) {
                found(interval.leaf);
            }
            self.find_between(middle + 1, end, point, found);
        }
    }
}

/// Makes each middle the highest of its part.
fn raise<K: PartialOrd + Copy>(highs: &mut [K]) {
    if highs.len() < 2 {
        return;
    }
    let middle = highs.len() / 2;
    let (left, rest) = highs.split_at_mut(middle);
    let (top, right) = rest.split_at_mut(1);
    raise(left);
    raise(right);
    for part in [&*left, &*right] {
        if let Some(high) = part.get(part.len() / 2).filter(|high| **high > top[0]) {
            top[0] = *high;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, Intervals};

    #[test]
    fn finds_what_a_plain_search_finds() {
        let mut list = Vec::new();
        for number in 0..200u32 {
            let low = number * 37 % 101;
            list.push(Interval {
                low,
                low_open: number % 3 == 0,
                high: low + number * 13 % 29,
                high_open: number % 5 == 0,
                leaf: number,
            });
        }
        let intervals = Intervals::new(list.clone());
        for point in 0..140 {
            let mut found = Vec::new();
            intervals.find(point, &mut |leaf| found.push(leaf));
            found.sort_unstable();
            let expected: Vec<_> =
                list.iter().filter(|one| one.contains(&point)).map(|one| one.leaf).collect();
            assert_eq!(found, expected, "{point}");
        }
    }
}
