//! Where states stand: in layers from top to bottom, with as few crossings as a few rounds of averaging give.

use std::collections::{HashMap, HashSet};

use super::flow::{Flow, State};

/// A state's box without states inside.
const HEIGHT: f64 = 46.0;
const WIDTH_MIN: f64 = 116.0;
const WIDTH_MAX: f64 = 260.0;
/// A letter of a name.
const LETTER: f64 = 7.4;
/// A letter of what stands below it.
const SMALL_LETTER: f64 = 5.8;
/// The dot in front of both, and the space around them.
const MARK: f64 = 52.0;
/// The circles where the whole begins and ends.
pub(super) const CIRCLE: f64 = 30.0;
/// Between boxes side by side, and between layers.
const GAP: f64 = 30.0;
const LAYER_GAP: f64 = 42.0;
/// Around what stands inside a box, and the line with the box's own name.
const PADDING: f64 = 16.0;
pub(super) const TITLE: f64 = 40.0;
/// An arrow that passes a layer.
const LANE: f64 = 14.0;
/// How often places are averaged.
const ROUNDS: usize = 6;

/// A state, or an end, with its place.
#[derive(Clone, Debug)]
pub(super) struct Node<'f> {
    /// The state; `None` for the circles.
    pub state: Option<&'f State>,
    /// What a circle says.
    pub word: &'static str,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// An arrow with the points that it passes.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The names of the states; empty for the circles.
    pub from: String,
    pub to: String,
    pub on_error: bool,
    /// From the lower edge of a box to the upper edge of another.
    pub points: Vec<(f64, f64)>,
    /// Whether the arrow leads up: then its point is at the first of the points.
    pub up: bool,
}

/// Everything placed; boxes come before those that stand in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Placed<'f> {
    pub nodes: Vec<Node<'f>>,
    pub lines: Vec<Line>,
    pub width: f64,
    pub height: f64,
}

/// Places a whole machine, with its beginning and its end.
pub(super) fn machine(flow: &Flow) -> Placed<'_> {
    Layout::of(flow, true).placed()
}

/// What is placed: a state with what stands in it, a circle, or an arrow's passage through a layer.
struct Thing<'f> {
    state: Option<&'f State>,
    word: &'static str,
    inner: Vec<Placed<'f>>,
    width: f64,
    height: f64,
    layer: usize,
    x: f64,
}

struct Layout<'f> {
    things: Vec<Thing<'f>>,
    /// Arrows between neighbouring layers, downwards.
    links: Vec<(usize, usize)>,
    /// The arrows with all things that they pass, from the upper to the lower one.
    routes: Vec<(Vec<usize>, bool, bool)>,
    /// The things of each layer, from left to right.
    layers: Vec<Vec<usize>>,
}

impl<'f> Layout<'f> {
    fn of(flow: &'f Flow, whole: bool) -> Layout<'f> {
        let mut things: Vec<Thing<'f>> = flow.states.iter().map(thing).collect();
        let by_name: HashMap<&str, usize> =
            flow.states.iter().enumerate().map(|(index, state)| (state.name.as_str(), index)).collect();
        let first = by_name.get(flow.start.as_str()).copied().unwrap_or(0);
        let mut arrows = Vec::new();
        for (from, state) in flow.states.iter().enumerate() {
            let known = state.next.iter().filter_map(|arrow| Some((by_name.get(arrow.to.as_str())?, arrow)));
            arrows.extend(known.map(|(to, arrow)| (from, *to, arrow.on_error)));
        }
        if whole {
            let (start, end) = (things.len(), things.len() + 1);
            things.extend(["Start", "End"].map(circle));
            arrows.push((start, first, false));
            let last = flow.states.iter().enumerate().filter(|(_, state)| state.ends);
            arrows.extend(last.map(|(from, _)| (from, end, false)));
        }
        let root = if whole { things.len() - 2 } else { first };
        let mut layout = Layout { things, links: Vec::new(), routes: Vec::new(), layers: Vec::new() };
        let turned = upward(layout.things.len(), root, &arrows);
        layout.layer(&arrows, &turned);
        layout.route(&arrows, &turned);
        layout.order(root);
        layout.spread();
        layout
    }

    /// Each thing stands below everything that leads to it.
    fn layer(&mut self, arrows: &[(usize, usize, bool)], turned: &HashSet<usize>) {
        let down: Vec<(usize, usize)> = arrows
            .iter()
            .enumerate()
            .filter(|(_, (from, to, _))| from != to)
            .map(|(index, (from, to, _))| if turned.contains(&index) { (*to, *from) } else { (*from, *to) })
            .collect();
        // The longest way to a thing has fewer steps than there are things.
        for _ in 0..self.things.len() {
            let mut moved = false;
            for (upper, lower) in &down {
                let below = self.things[*upper].layer + 1;
                if self.things[*lower].layer < below {
                    self.things[*lower].layer = below;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
    }

    /// Arrows over several layers pass each of them in a lane of their own.
    fn route(&mut self, arrows: &[(usize, usize, bool)], turned: &HashSet<usize>) {
        for (index, (from, to, on_error)) in arrows.iter().enumerate() {
            if from == to {
                continue;
            }
            let up = turned.contains(&index);
            let (upper, lower) = if up { (*to, *from) } else { (*from, *to) };
            let mut route = vec![upper];
            for layer in self.things[upper].layer + 1..self.things[lower].layer {
                route.push(self.things.len());
                let (width, height) = (LANE, 0.0);
                self.things.push(Thing { layer, width, height, ..circle("") });
            }
            route.push(lower);
            self.links.extend(route.windows(2).map(|pair| (pair[0], pair[1])));
            self.routes.push((route, *on_error, up));
        }
    }

    /// From left to right as they are reached, then by the middle of their neighbours.
    fn order(&mut self, root: usize) {
        let count = self.things.iter().map(|thing| thing.layer).max().unwrap_or(0) + 1;
        self.layers = vec![Vec::new(); count];
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.things.len()];
        let mut above = below.clone();
        for (upper, lower) in &self.links {
            below[*upper].push(*lower);
            above[*lower].push(*upper);
        }
        let mut seen = HashSet::new();
        for first in std::iter::once(root).chain(0..self.things.len()) {
            let mut open = vec![first];
            while let Some(thing) = open.pop() {
                if seen.insert(thing) {
                    self.layers[self.things[thing].layer].push(thing);
                    open.extend(below[thing].iter().rev());
                }
            }
        }
        for round in 0..ROUNDS {
            let neighbours = if round % 2 == 0 { &above } else { &below };
            let mut layers: Vec<usize> = (0..count).collect();
            if round % 2 == 1 {
                layers.reverse();
            }
            for layer in layers {
                let places: HashMap<usize, usize> =
                    self.layers.iter().flatten().copied().zip(positions(&self.layers)).collect();
                let middle = |thing: &usize| {
                    let all = neighbours[*thing].iter().map(|near| places[near] as f64);
                    let (sum, many) = all.fold((0.0, 0.0), |(sum, many), place| (sum + place, many + 1.0));
                    if many > 0.0 { sum / many } else { places[thing] as f64 }
                };
                let mut keyed: Vec<(f64, usize)> =
                    self.layers[layer].iter().map(|thing| (middle(thing), *thing)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.layers[layer] = keyed.into_iter().map(|(_, thing)| thing).collect();
            }
        }
    }

    /// Boxes move under the middle of what leads to them, as far as their neighbours let them.
    fn spread(&mut self) {
        for layer in &self.layers {
            let mut x = 0.0;
            for thing in layer {
                let thing = &mut self.things[*thing];
                thing.x = x + thing.width / 2.0;
                x += thing.width + GAP;
            }
        }
        for round in 0..ROUNDS * 2 {
            let mut layers: Vec<usize> = (0..self.layers.len()).collect();
            if round % 2 == 1 {
                layers.reverse();
            }
            for layer in layers {
                self.settle(layer);
            }
        }
    }

    fn settle(&mut self, layer: usize) {
        let wanted = |thing: usize| {
            let near =
                self.links.iter().filter_map(|(upper, lower)| match (*upper == thing, *lower == thing) {
                    (true, _) => Some(self.things[*lower].x),
                    (_, true) => Some(self.things[*upper].x),
                    _ => None,
                });
            let (sum, many) = near.fold((0.0, 0.0), |(sum, many), x| (sum + x, many + 1.0));
            if many > 0.0 { sum / many } else { self.things[thing].x }
        };
        let row = self.layers[layer].clone();
        let wanted: Vec<f64> = row.iter().map(|thing| wanted(*thing)).collect();
        let apart =
            |left: usize, right: usize| (self.things[left].width + self.things[right].width) / 2.0 + GAP;
        // As far left as it may be, and as far right: the middle of both keeps the distance, too.
        let mut left = wanted.clone();
        for at in 1..row.len() {
            left[at] = left[at].max(left[at - 1] + apart(row[at - 1], row[at]));
        }
        let mut right = wanted;
        for at in (1..row.len()).rev() {
            right[at - 1] = right[at - 1].min(right[at] - apart(row[at - 1], row[at]));
        }
        for (at, thing) in row.iter().enumerate() {
            self.things[*thing].x = f64::midpoint(left[at], right[at]);
        }
    }

    /// Coordinates from the upper left corner on.
    fn placed(self) -> Placed<'f> {
        let mut tops = Vec::with_capacity(self.layers.len());
        let mut y = 0.0;
        for layer in &self.layers {
            let height = layer.iter().map(|thing| self.things[*thing].height).fold(0.0, f64::max);
            tops.push((y, height));
            y += height + LAYER_GAP;
        }
        let leftmost = self.things.iter().map(|thing| thing.x - thing.width / 2.0).fold(f64::MAX, f64::min);
        let rightmost = self.things.iter().map(|thing| thing.x + thing.width / 2.0).fold(0.0, f64::max);
        let mut placed = Placed {
            width: if self.things.is_empty() { 0.0 } else { rightmost - leftmost },
            height: (y - LAYER_GAP).max(0.0),
            ..Placed::default()
        };
        let top = |thing: &Thing<'_>| tops[thing.layer].0 + (tops[thing.layer].1 - thing.height) / 2.0;
        for (route, on_error, up) in &self.routes {
            let mut points = Vec::new();
            for (at, index) in route.iter().enumerate() {
                let thing = &self.things[*index];
                let x = thing.x - leftmost;
                let (layer_top, layer_height) = tops[thing.layer];
                let ends = thing.state.is_some() || !thing.word.is_empty();
                match (at, ends) {
                    (0, _) => points.push((x, top(thing) + thing.height)),
                    (_, true) => points.push((x, top(thing))),
                    (_, false) => points.extend([(x, layer_top), (x, layer_top + layer_height)]),
                }
            }
            let name = |index: usize| self.things[index].state.map_or("", |state| &state.name).to_owned();
            let (upper, lower) = (name(route[0]), name(route[route.len() - 1]));
            let (from, to) = if *up { (lower, upper) } else { (upper, lower) };
            placed.lines.push(Line { from, to, on_error: *on_error, points, up: *up });
        }
        for thing in self.things.into_iter().filter(|thing| thing.state.is_some() || !thing.word.is_empty()) {
            let (x, y) = (thing.x - leftmost - thing.width / 2.0, top(&thing));
            let Thing { state, word, width, height, .. } = thing;
            placed.nodes.push(Node { state, word, x, y, width, height });
            let inner_width: f64 =
                thing.inner.iter().map(|inner| inner.width + PADDING).sum::<f64>() - PADDING;
            let mut at = x + (width - inner_width) / 2.0;
            for inner in thing.inner {
                let step = inner.width + PADDING;
                placed.take(inner, at, y + TITLE);
                at += step;
            }
        }
        placed
    }
}

impl<'f> Placed<'f> {
    /// Takes what stands in a box.
    fn take(&mut self, inner: Placed<'f>, x: f64, y: f64) {
        self.nodes.extend(inner.nodes.into_iter().map(|node| Node { x: node.x + x, y: node.y + y, ..node }));
        self.lines.extend(inner.lines.into_iter().map(|line| Line {
            points: line.points.iter().map(|(at_x, at_y)| (at_x + x, at_y + y)).collect(),
            ..line
        }));
    }
}

/// The positions of things, counted within each layer.
fn positions(layers: &[Vec<usize>]) -> impl Iterator<Item = usize> {
    layers.iter().flat_map(|layer| 0..layer.len())
}

fn thing(state: &State) -> Thing<'_> {
    // The type stands below the name, in smaller letters and with how it went.
    let below = (state.kind.len() + 12) as f64 * SMALL_LETTER;
    let name = state.name.chars().count() as f64 * LETTER;
    let own = (name.max(below) + MARK).clamp(WIDTH_MIN, WIDTH_MAX);
    let inner: Vec<Placed<'_>> = state.inner.iter().map(|flow| Layout::of(flow, false).placed()).collect();
    let (width, height) = if inner.is_empty() {
        (own, HEIGHT)
    } else {
        let width = inner.iter().map(|inner| inner.width + PADDING).sum::<f64>() + PADDING;
        let height = inner.iter().map(|inner| inner.height).fold(0.0, f64::max);
        (own.max(width), TITLE + height + PADDING)
    };
    Thing { state: Some(state), word: "", inner, width, height, layer: 0, x: 0.0 }
}

fn circle<'f>(word: &'static str) -> Thing<'f> {
    let size = CIRCLE + 10.0;
    Thing { state: None, word, inner: Vec::new(), width: size, height: CIRCLE, layer: 0, x: 0.0 }
}

/// The arrows that lead back to where one came from.
fn upward(things: usize, root: usize, arrows: &[(usize, usize, bool)]) -> HashSet<usize> {
    let mut turned = HashSet::new();
    // 0: not seen; 1: on the way; 2: done.
    let mut seen = vec![0_u8; things];
    let outgoing = |from: usize| {
        arrows
            .iter()
            .enumerate()
            .filter(move |(_, arrow)| arrow.0 == from)
            .map(|(index, arrow)| (index, arrow.1))
    };
    let rest: Vec<usize> = std::iter::once(root).chain(0..things).collect();
    for first in rest {
        let mut open = vec![(first, 0_usize)];
        while let Some((thing, done)) = open.pop() {
            if done == 0 {
                if seen[thing] != 0 {
                    continue;
                }
                seen[thing] = 1;
            }
            match outgoing(thing).nth(done) {
                None => seen[thing] = 2,
                Some((index, to)) => {
                    open.push((thing, done + 1));
                    match seen[to] {
                        0 => open.push((to, 0)),
                        1 if to != thing => drop(turned.insert(index)),
                        _ => {}
                    }
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flow(states: serde_json::Value) -> Flow {
        Flow::parse(&json!({ "StartAt": "A", "States": states }).to_string()).unwrap()
    }

    fn node<'p>(placed: &'p Placed<'_>, name: &str) -> &'p Node<'p> {
        placed.nodes.iter().find(|node| node.state.is_some_and(|state| state.name == name)).unwrap()
    }

    /// No box overlaps another unless it stands in it, and all are within the picture.
    fn assert_tidy(placed: &Placed<'_>) {
        let inside = |a: &Node<'_>, b: &Node<'_>| {
            a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height
        };
        for (at, one) in placed.nodes.iter().enumerate() {
            assert!(one.x >= -0.5 && one.x + one.width <= placed.width + 0.5, "{one:?}");
            assert!(one.y >= -0.5 && one.y + one.height <= placed.height + 0.5, "{one:?}");
            for other in &placed.nodes[at + 1..] {
                let apart = one.x + one.width <= other.x
                    || other.x + other.width <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart || inside(other, one), "{one:?} overlaps {other:?}");
            }
        }
    }

    #[test]
    fn what_follows_stands_below() {
        let flow = flow(json!({
            "A": { "Type": "Choice", "Choices": [{ "Next": "B" }, { "Next": "C" }], "Default": "D" },
            "B": { "Type": "Pass", "Next": "E" }, "C": { "Type": "Pass", "Next": "E" },
            "D": { "Type": "Fail" }, "E": { "Type": "Wait", "Next": "A" },
        }));
        let placed = machine(&flow);
        assert_tidy(&placed);
        let y = |name: &str| node(&placed, name).y;
        assert!(y("A") < y("B") && y("B") == y("C") && y("C") < y("E"));
        let back = placed.lines.iter().find(|line| line.from == "E").unwrap();
        assert!(back.up && back.to == "A", "{back:?}");
        assert_eq!(placed.lines.iter().filter(|line| line.up).count(), 1);
        // Start and end.
        assert_eq!(placed.nodes.iter().filter(|node| node.state.is_none()).count(), 2);
    }

    #[test]
    fn branches_stand_side_by_side_in_their_state() {
        let branch =
            |name: &str| json!({ "StartAt": name, "States": { name: { "Type": "Pass", "End": true } } });
        let flow = flow(json!({
            "A": { "Type": "Parallel", "Branches": [branch("L"), branch("R")], "Next": "B" },
            "B": { "Type": "Succeed" },
        }));
        let placed = machine(&flow);
        assert_tidy(&placed);
        let (around, left, right) = (node(&placed, "A"), node(&placed, "L"), node(&placed, "R"));
        assert!(left.x + left.width < right.x && left.y == right.y);
        assert!(around.x < left.x && right.x + right.width < around.x + around.width);
        assert!(right.y + right.height < around.y + around.height);
    }

    #[test]
    fn a_state_that_follows_itself_and_one_that_nothing_reaches_are_placed() {
        let flow = flow(json!({
            "A": { "Type": "Choice", "Choices": [{ "Next": "A" }], "Default": "B" },
            "B": { "Type": "Succeed" }, "Lost": { "Type": "Succeed" },
        }));
        let placed = machine(&flow);
        assert_tidy(&placed);
        assert_eq!(placed.nodes.len(), 5);
    }
}
