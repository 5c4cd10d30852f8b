//! Projections: which parts of an item are wanted, and the item of just these parts.

use base::Fault;

use super::parser::Parser;
use super::path::{Path, Segment};
use super::placeholders::Placeholders;
use super::{Kind, overlap};
use crate::value::{AttributeValue, Item};

/// Paths, none within another.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection<'a> {
    paths: Vec<Path<'a>>,
}

impl<'a> Projection<'a> {
    /// Parses and checks a `ProjectionExpression`.
    pub fn parse(text: &'a str, placeholders: &Placeholders<'a>) -> Result<Projection<'a>, Fault> {
        let mut parser = Parser::new(Kind::Projection, text, placeholders)?;
        let mut paths = vec![parser.path()?];
        while parser.take_symbol(",") {
            paths.push(parser.path()?);
        }
        parser.finish()?;
        Projection::of(paths)
    }

    /// Of these paths; refused if one is within another.
    pub fn of(paths: Vec<Path<'a>>) -> Result<Projection<'a>, Fault> {
        overlap::check(Kind::Projection, paths.iter())?;
        Ok(Projection { paths })
    }

    /// Of paths that an update has found to be apart.
    pub(super) fn of_update(paths: Vec<Path<'a>>) -> Projection<'a> {
        Projection { paths }
    }

    /// The attributes that the paths begin with.
    pub fn attributes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.paths.iter().map(|path| path.name)
    }

    /// The parts of `item` that the paths name. Lists close up: `a[5]` alone becomes a list of one.
    pub fn apply(&self, item: &Item) -> Item {
        let wanted: Vec<(Segment<'_>, &[Segment<'_>])> =
            self.paths.iter().map(|path| (Segment::Name(path.name), path.steps.as_slice())).collect();
        pick_from_map(item, &wanted)
    }
}

/// A step into the value at hand and the steps behind it.
type Wanted<'w, 'a> = (Segment<'a>, &'w [Segment<'a>]);

fn pick_from_map(map: &Item, wanted: &[Wanted<'_, '_>]) -> Item {
    let mut picked = Item::new();
    for (step, _) in wanted {
        let Segment::Name(name) = step else { continue };
        if picked.contains_key(*name) {
            continue;
        }
        if let Some(part) = map.get(*name).and_then(|value| pick(value, &below(wanted, *step))) {
            picked.insert((*name).to_owned(), part);
        }
    }
    picked
}

fn pick_from_list(list: &[AttributeValue], wanted: &[Wanted<'_, '_>]) -> Vec<AttributeValue> {
    let mut indices: Vec<usize> = wanted
        .iter()
        .filter_map(|(step, _)| match step {
            Segment::Index(index) => Some(*index),
            Segment::Name(_) => None,
        })
        .collect();
    indices.sort_unstable();
    indices.dedup();
    let part = |index| pick(list.get(index)?, &below(wanted, Segment::Index(index)));
    indices.into_iter().filter_map(part).collect()
}

/// What is wanted below `step`.
fn below<'w, 'a>(wanted: &[Wanted<'w, 'a>], step: Segment<'_>) -> Vec<&'w [Segment<'a>]> {
    wanted.iter().filter(|(first, _)| *first == step).map(|(_, rest)| *rest).collect()
}

/// The wanted parts of `value`; `None` if it has none of them.
fn pick(value: &AttributeValue, wanted: &[&[Segment<'_>]]) -> Option<AttributeValue> {
    if wanted.iter().any(|steps| steps.is_empty()) {
        return Some(value.clone());
    }
    let steps: Vec<Wanted<'_, '_>> =
        wanted.iter().filter_map(|steps| steps.split_first().map(|(first, rest)| (*first, rest))).collect();
    match value {
        AttributeValue::M(map) => {
            let picked = pick_from_map(map, &steps);
            (!picked.is_empty()).then_some(AttributeValue::M(picked))
        }
        AttributeValue::L(list) => {
            let picked = pick_from_list(list, &steps);
            (!picked.is_empty()).then_some(AttributeValue::L(picked))
        }
        _ => None,
    }
}
