//! The table, for people and as JSON.

use serde_json::{Value, json};

use super::load::Figures;
use super::own::Keeping;
use super::rows::{Goal, Row};

/// What became of a row on one server.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was measured.
    Measured(Figures),
    /// The server does not have it.
    NotServed,
    /// Something went wrong.
    Failed(String),
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// A server of our own.
    Own(Keeping),
    /// A server somewhere, which may keep its data as it likes.
    Endpoint,
}

/// A row and what became of it in each column.
pub(crate) type Line = (Row, Vec<Outcome>);

impl Column {
    fn title(self) -> &'static str {
        match self {
            Column::Own(Keeping::InMemory) => "in memory",
            Column::Own(Keeping::Durable) => "durable",
            Column::Endpoint => "endpoint",
        }
    }
}

/// A markdown table.
pub(crate) fn markdown(columns: &[Column], lines: &[Line]) -> String {
    let mut table = String::from("| what | best peer | target in memory | target durable |");
    for column in columns {
        table.push_str(&format!(" {} |", column.title()));
    }
    table.push_str(&format!("\n|---|---|---|---|{}", "---|".repeat(columns.len())));
    for (row, outcomes) in lines {
        let described = row.described();
        let (memory, durable) =
            (described.goal.text(Keeping::InMemory), described.goal.text(Keeping::Durable));
        table.push_str(&format!("\n| {} | {} | {memory} | {durable} |", described.what, described.peer));
        for (column, outcome) in columns.iter().zip(outcomes) {
            table.push_str(&format!(" {} |", cell(described.goal, *column, outcome)));
        }
    }
    table
}

/// The same as a document.
pub(crate) fn json(columns: &[Column], lines: &[Line]) -> Value {
    let line = |(row, outcomes): &Line| {
        let described = row.described();
        let results: serde_json::Map<String, Value> = columns
            .iter()
            .zip(outcomes)
            .map(|(column, outcome)| {
                (column.title().replace(' ', "_"), result(described.goal, *column, outcome))
            })
            .collect();
        json!({
            "what": described.what, "best_peer": described.peer, "results": results,
            "targets": {
                "in_memory": described.goal.text(Keeping::InMemory),
                "durable": described.goal.text(Keeping::Durable),
            },
        })
    };
    lines.iter().map(line).collect()
}

fn result(goal: Goal, column: Column, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::NotServed => json!({"not_served": true}),
        Outcome::Failed(error) => json!({"failed": error}),
        Outcome::Measured(figures) => {
            let mut result = json!(figures);
            if let Some(per_core) = figures.per_core() {
                result["per_core"] = per_core.into();
            }
            if let Some(met) = met(goal, column, figures) {
                result["met"] = met.into();
            }
            result
        }
    }
}

fn met(goal: Goal, column: Column, figures: &Figures) -> Option<bool> {
    match column {
        Column::Own(keeping) => goal.met(keeping, figures),
        Column::Endpoint => None,
    }
}

fn cell(goal: Goal, column: Column, outcome: &Outcome) -> String {
    let figures = match outcome {
        Outcome::NotServed => return "not served".to_owned(),
        Outcome::Failed(error) => return format!("failed: {}", error.replace(['|', '\n'], " ")),
        Outcome::Measured(figures) => figures,
    };
    let mut parts = Vec::new();
    parts.extend(figures.ratio.map(|ratio| format!("{ratio:.2}x")));
    parts.extend(figures.per_core().map(|per_core| format!("{}/core", grouped(per_core))));
    parts.extend(figures.cpu_micros.map(|micros| format!("{micros:.0} µs")));
    parts.extend(figures.per_second.map(|rate| format!("{}/s", grouped(rate))));
    parts.extend(figures.millis.map(|millis| match goal {
        Goal::Millis(_) | Goal::Open => format!("{:.0} ms", millis[0]),
        _ => format!("{:.2} / {:.2} ms", millis[0], millis[1]),
    }));
    parts.extend(figures.mib.map(|mib| format!("{mib:.0} MiB")));
    parts.extend(figures.disk_mib.map(|mib| format!("{mib:.0} MiB on disk")));
    let mark = match met(goal, column, figures) {
        Some(true) => "✓ ",
        Some(false) => "✗ ",
        None => "",
    };
    format!("{mark}{}", parts.join(", "))
}

/// A whole number with commas.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_what_was_measured_beside_what_should_be() {
        let measured = Figures {
            per_second: Some(9_876.4),
            cpu_micros: Some(50.0),
            millis: Some([1.0, 2.5]),
            ..Figures::default()
        };
        let columns = [Column::Own(Keeping::InMemory), Column::Own(Keeping::Durable)];
        let lines = [(Row::SendMessage, vec![Outcome::Measured(measured), Outcome::NotServed])];
        let table = markdown(&columns, &lines);
        let line = "| SendMessage | 14,600/core | 18,000/core | 12,000/core | \
                    ✓ 20,000/core, 50 µs, 9,876/s, 1.00 / 2.50 ms | not served |";
        assert_eq!(table.lines().last(), Some(line));
        assert_eq!(json(&columns, &lines)[0]["results"]["in_memory"]["met"], true);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0.0, 999.0, 1e3, 1_234_567.0].map(grouped).each_ref().map(String::as_str)
        );
    }
}
