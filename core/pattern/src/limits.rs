//! The limits of the language, in one place.

/// Longest pattern in characters that PutRule accepts by default
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>). The caller enforces it: the quota can be
/// raised, and other users of this crate have other limits.
pub const PATTERN_CHARS_MAX: usize = 2_048;

/// Most combinations that the `$or`s of one pattern may multiply to. A pattern with more is refused.
pub const COMBINATIONS_MAX: usize = 1_000;

/// Most fields in one combination of a pattern.
pub const FIELDS_MAX: usize = 256;

/// Highest wildcard complexity that the patterns of one field may sum to.
///
/// The complexity of a wildcard is the number of its prefixes that can be alive at the same time while a value is
/// read: one for each `*`, and for each run of text after a `*` the length of its longest chain of self-overlaps
/// (`aaaa` counts 4, `abcd` counts 1). `*aaaa*aaaaa*aaaa*aaaaaaa*` scores 25. AWS publishes the rule ("try using fewer
/// wildcard characters or fewer repeating character sequences") but not its threshold; this one is ours.
pub const WILDCARD_COMPLEXITY_MAX: usize = 100;

/// Deepest nesting of objects and arrays that is read, in patterns and in events.
pub const DEPTH_MAX: usize = 1_000;
