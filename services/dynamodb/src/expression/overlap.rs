//! No two paths of an update or projection may name the same place, or a place within another.

use base::Fault;

use super::Kind;
use super::path::{Path, Segment};

/// Refuses paths that overlap (`a` and `a.b`) or conflict (`a.b` and `a[0]`).
pub(super) fn check<'p, 'a: 'p>(kind: Kind, paths: impl Iterator<Item = &'p Path<'a>>) -> Result<(), Fault> {
    let mut sorted: Vec<(&Path<'a>, Vec<Segment<'a>>)> =
        paths.map(|path| (path, path.segments().collect())).collect();
    if sorted.len() < 2 {
        return Ok(());
    }
    // Sorted by segments, a path stands directly before those that it contains; names stand before indices.
    sorted.sort_by(|a, b| a.1.cmp(&b.1));
    for pair in sorted.windows(2) {
        let ((one, shorter), (two, longer)) = (&pair[0], &pair[1]);
        let told = |what: &str| {
            kind.fault(format_args!(
                "Two document paths {what} with each other; must remove or rewrite one of these paths; path one: \
                 {one}, path two: {two}"
            ))
        };
        if longer.starts_with(shorter) {
            return Err(told("overlap"));
        }
        let first_apart = shorter.iter().zip(longer).find(|(a, b)| a != b);
        if let Some((Segment::Name(_), Segment::Index(_))) = first_apart {
            return Err(told("conflict"));
        }
    }
    Ok(())
}
