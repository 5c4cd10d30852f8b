//! How the states look: the colours of the graph, and the rows of the table view.

use std::collections::{HashMap, HashSet};

use super::pane::{document, path, took};
use crate::console::chart::Look;
use crate::console::desk::Desk;
use crate::console::html::{Html, Tone, json, json_text, pill, time};
use crate::console::link::Link;
use crate::console::pager::{self, Pager};
use crate::console::visits::{Visit, Went};

/// A visit in the table.
pub(crate) struct StateRow {
    pub name: String,
    pub href: Link,
    pub path: String,
    pub kind: String,
    pub status: Html,
    pub started: Html,
    pub took: String,
    pub retries: u32,
    pub input: Option<Html>,
    pub output: Option<Html>,
    pub variables: Option<Html>,
    pub error: Option<String>,
    /// Tells it from others of the same name.
    pub key: String,
}

/// How each state looks that was entered.
pub(crate) fn looks(visits: &[Visit], chosen: &str) -> HashMap<String, Look> {
    let mut by_name: HashMap<&str, Vec<Went>> = HashMap::new();
    for visit in visits {
        by_name.entry(&visit.name).or_default().push(visit.went);
    }
    let mut looks: HashMap<String, Look> = by_name
        .into_iter()
        .map(|(name, all)| {
            let look = Look { tone: Some(worst(&all)), words: words(&all), chosen: name == chosen };
            (name.to_owned(), look)
        })
        .collect();
    looks.entry(chosen.to_owned()).or_default().chosen = true;
    looks
}

/// A state that runs shows it; otherwise the last visit counts, or any that failed among items side by side.
fn worst(all: &[Went]) -> Tone {
    let any = |went: Went| all.contains(&went);
    match all.last() {
        _ if any(Went::Running) => Tone::Busy,
        Some(Went::Succeeded) if any(Went::Failed) || any(Went::TimedOut) => Tone::Bad,
        Some(last) => last.tone(),
        None => Tone::Quiet,
    }
}

fn words(all: &[Went]) -> String {
    let [one] = all else {
        let count = |went: Went| all.iter().filter(|known| **known == went).count();
        let kinds =
            [Went::Running, Went::Failed, Went::TimedOut, Went::Caught, Went::Aborted, Went::Succeeded];
        return kinds
            .iter()
            .filter(|went| count(**went) > 0)
            .map(|went| format!("{} {}", count(*went), went.words()))
            .collect::<Vec<_>>()
            .join(", ");
    };
    one.words().to_owned()
}

/// The arrows that were followed; the circles' names are empty.
pub(crate) fn taken(visits: &[Visit]) -> HashSet<(String, String)> {
    let mut taken = HashSet::new();
    let mut left: HashSet<usize> = HashSet::new();
    for visit in visits {
        match visit.from {
            Some(from) => {
                left.insert(from);
                taken.insert((visits[from].name.clone(), visit.name.clone()));
            }
            None if visit.parent.is_none() => drop(taken.insert((String::new(), visit.name.clone()))),
            None => {}
        }
    }
    let last = visits.iter().enumerate().filter(|(index, visit)| {
        visit.parent.is_none()
            && !left.contains(index)
            && (visit.went == Went::Succeeded || visit.kind == "Fail")
    });
    taken.extend(last.map(|(_, visit)| (visit.name.clone(), String::new())));
    taken
}

/// A page of the table.
pub(crate) fn table(desk: &Desk<'_>, visits: &[Visit], view: &Link) -> (Vec<StateRow>, Pager) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let numbered: Vec<(usize, &Visit)> = visits
        .iter()
        .map(|visit| {
            let number = numbers.entry(&visit.name).or_default();
            *number += 1;
            (*number, visit)
        })
        .collect();
    let (page, pager) = pager::cut(numbered, &desk.query, None, view);
    let row = |(number, visit): (usize, &Visit)| StateRow {
        href: view.clone().with("state", &visit.name).with("visit", &number.to_string()),
        key: format!("{}-{number}", visit.name),
        name: visit.name.clone(),
        path: path(visit, visits).join(" › "),
        kind: visit.kind.clone(),
        status: pill(visit.went.tone(), visit.went.words()),
        started: time(visit.entered),
        took: took(desk, visit),
        retries: visit.retries(),
        input: visit.input.as_deref().map(json_text),
        output: visit.output.as_deref().map(json_text),
        variables: (!visit.assigned.is_empty()).then(|| json(&document(&visit.assigned))),
        error: visit.error.clone(),
    };
    (page.into_iter().map(row).collect(), pager)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_side_by_side_are_counted() {
        assert_eq!(words(&[Went::Succeeded]), "succeeded");
        let all = [Went::Failed, Went::Running, Went::Succeeded, Went::Succeeded];
        assert_eq!(words(&all), "1 running, 1 failed, 2 succeeded");
        assert_eq!(worst(&all), Tone::Busy);
        assert_eq!(worst(&[Went::Failed, Went::Succeeded]), Tone::Bad);
        assert_eq!(worst(&[Went::Aborted]), Tone::Warn);
    }
}
