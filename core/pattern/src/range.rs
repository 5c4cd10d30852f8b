//! Numeric ranges.

/// A range of numbers; an infinite bound stands for no bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) low_open: bool,
    pub(crate) high: f64,
    pub(crate) high_open: bool,
}

impl Range {
    pub(crate) const ALL: Self =
        Self { low: f64::NEG_INFINITY, low_open: false, high: f64::INFINITY, high_open: false };

    pub(crate) fn exactly(number: f64) -> Self {
        Self { low: number, low_open: false, high: number, high_open: false }
    }

    pub(crate) fn contains(&self, number: f64) -> bool {
        let above = if self.low_open { number > self.low } else { number >= self.low };
        above && if self.high_open { number < self.high } else { number <= self.high }
    }

    pub(crate) fn is_point(&self) -> bool {
        self.low == self.high
    }
}
