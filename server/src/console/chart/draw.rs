//! The picture: boxes that lead to what is known of their states, and arrows.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::flow::Flow;
use super::place::{CIRCLE, Line, Node, TITLE, machine};
use crate::console::html::{Html, Tone, escaped};
use crate::console::link::Link;

/// Around the picture.
const MARGIN: f64 = 14.0;
/// The letters of a name that fit into the widest box, and those of what stands below it into any.
const LETTERS_MAX: usize = 28;
const WORDS_MAX: usize = 17;

/// How a state looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// Its colour; none if it was not entered.
    pub tone: Option<Tone>,
    /// How it went, in words.
    pub words: String,
    /// Whether it is the one that is looked at.
    pub chosen: bool,
}

/// Draws a machine. `looks` are by state; `taken` are the arrows that were followed, the circles' names being empty; a
/// box leads to what `link` gives.
pub(crate) fn drawn(
    flow: &Flow,
    looks: &HashMap<String, Look>,
    taken: &HashSet<(String, String)>,
    link: impl Fn(&str) -> Link,
) -> Html {
    let placed = machine(flow);
    let (width, height) = (placed.width + 2.0 * MARGIN, placed.height + 2.0 * MARGIN);
    let mut out = format!(
        r#"<svg class="chart" xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="{:.1} {:.1} {width:.1} {height:.1}" role="group" aria-label="Graph of the states">"#,
        -MARGIN, -MARGIN
    );
    // Boxes around others come first, arrows over them, then the rest.
    let (outer, leaves): (Vec<&Node<'_>>, Vec<&Node<'_>>) =
        placed.nodes.iter().partition(|node| node.state.is_some_and(|state| !state.inner.is_empty()));
    outer.into_iter().for_each(|outer| node(&mut out, outer, looks, &link));
    for drawn in &placed.lines {
        line(&mut out, drawn, taken.contains(&(drawn.from.clone(), drawn.to.clone())));
    }
    leaves.into_iter().for_each(|leaf| node(&mut out, leaf, looks, &link));
    out.push_str("</svg>");
    Html::drawn(out)
}

fn node(out: &mut String, node: &Node<'_>, looks: &HashMap<String, Look>, link: &impl Fn(&str) -> Link) {
    let (x, y) = (node.x + node.width / 2.0, node.y + node.height / 2.0);
    let Some(state) = node.state else {
        let _ = write!(
            out,
            r#"<circle class="end" cx="{x:.1}" cy="{y:.1}" r="{:.1}"/><text class="word" x="{x:.1}" y="{:.1}">{}</text>"#,
            CIRCLE / 2.0,
            y + 4.0,
            node.word
        );
        return;
    };
    let look = looks.get(&state.name).cloned().unwrap_or_default();
    let is_outer = !state.inner.is_empty();
    let name = escaped(&shortened(&state.name, LETTERS_MAX));
    let words = if look.words.is_empty() { String::new() } else { format!(", {}", look.words) };
    let label = escaped(&format!("{}: {}{words}", state.name, state.kind));
    let tone = look.tone.map_or("", Tone::class);
    let (outer, chosen) = (if is_outer { " outer" } else { "" }, if look.chosen { " chosen" } else { "" });
    let _ = write!(
        out,
        r#"<a class="node {tone}{outer}{chosen}" href="{}" data-turn aria-label="{label}"{}><title>{label}</title>"#,
        escaped(&link(&state.name).to_string()),
        if look.chosen { r#" aria-current="true""# } else { "" }
    );
    let Node { x: left, y: top, width, height, .. } = node;
    let _ =
        write!(out, r#"<rect x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}" rx="8"/>"#);
    let middle = if is_outer { top + TITLE / 2.0 } else { y };
    if look.tone.is_some() {
        let _ = write!(out, r#"<circle class="mark" cx="{:.1}" cy="{middle:.1}" r="5"/>"#, left + 15.0);
    }
    let _ = write!(
        out,
        r#"<text class="name" x="{x:.1}" y="{:.1}">{name}</text><text class="kind" x="{x:.1}" y="{:.1}">{}{}</text></a>"#,
        middle - 2.0,
        middle + 13.0,
        escaped(&state.kind),
        if look.words.is_empty() {
            String::new()
        } else {
            format!(" · {}", escaped(&shortened(&look.words, WORDS_MAX)))
        }
    );
}

fn shortened(name: &str, most: usize) -> String {
    match name.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn line(out: &mut String, line: &Line, taken: bool) {
    let Some((first, rest)) = line.points.split_first() else { return };
    let mut path = format!("M{:.1} {:.1}", first.0, first.1);
    let mut at = *first;
    for (x, y) in rest {
        let half = (y - at.1) / 2.0;
        if (x - at.0).abs() < 0.5 {
            let _ = write!(path, "L{x:.1} {y:.1}");
        } else {
            let _ = write!(path, "C{:.1} {:.1} {x:.1} {:.1} {x:.1} {y:.1}", at.0, at.1 + half, y - half);
        }
        at = (*x, *y);
    }
    let class = match (taken, line.on_error) {
        (true, true) => "line taken error",
        (true, false) => "line taken",
        (false, true) => "line error",
        (false, false) => "line",
    };
    let ((x, y), turn) = if line.up { (*first, 8.0) } else { (at, -8.0) };
    let (left, right) = (x - 4.5, x + 4.5);
    let _ = write!(
        out,
        r#"<path class="{class}" d="{path}"/><path class="{class} tip" d="M{x:.1} {y:.1}L{left:.1} {:.1}L{right:.1} {:.1}Z"/>"#,
        y + turn,
        y + turn
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_escaped_and_colours_are_classes() {
        let definition = json!({ "StartAt": "<b>", "States": {
            "<b>": { "Type": "Task", "Next": "Done" }, "Done": { "Type": "Succeed" },
        }});
        let flow = Flow::parse(&definition.to_string()).unwrap();
        let look = Look { tone: Some(Tone::Bad), words: "failed".to_owned(), chosen: true };
        let taken = HashSet::from([("<b>".to_owned(), "Done".to_owned())]);
        let link = |name: &str| Link::to("execution", "r", base::AccountId::DEFAULT).with("state", name);
        let svg = drawn(&flow, &HashMap::from([("<b>".to_owned(), look)]), &taken, link).to_string();
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;"), "{svg}");
        assert!(svg.contains(
            r#"<a class="node bad chosen" href="/_buswork/console/execution?region=r&amp;state=%3Cb%3E""#
        ));
        assert!(svg.contains(r#"aria-label="&lt;b&gt;: Task, failed""#), "{svg}");
        assert_eq!(svg.matches(r#"class="line taken""#).count(), 1, "{svg}");
        assert!(!svg.contains("style="), "the content security policy forbids it");
    }
}
