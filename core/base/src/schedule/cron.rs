//! AWS's cron expressions: six fields that are checked here and then matched by a library.
//!
//! Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

/// A cron expression over wall clock times.
#[derive(Clone, Debug)]
pub(crate) struct Cron(croner::Cron);

/// The values of a field, and what may stand for them.
struct Field {
    name: &'static str,
    min: u16,
    max: u16,
    names: &'static [&'static str],
}

const MINUTES: Field = Field { name: "minutes", min: 0, max: 59, names: &[] };
const HOURS: Field = Field { name: "hours", min: 0, max: 23, names: &[] };
const DAYS: Field = Field { name: "day-of-month", min: 1, max: 31, names: &[] };
const MONTHS: Field = Field {
    name: "month",
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAYS: Field =
    Field { name: "day-of-week", min: 1, max: 7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };
const YEARS: Field = Field { name: "year", min: 1970, max: 2199, names: &[] };

impl Cron {
    pub(crate) fn parse(text: &str) -> Result<Cron, String> {
        let fields: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
        let [minutes, hours, day, month, weekday, year] = &fields[..] else {
            return Err("a cron expression has six fields".to_owned());
        };
        if (day == "?") == (weekday == "?") {
            return Err("exactly one of day-of-month and day-of-week is ?".to_owned());
        }
        let pattern = format!(
            "0 {} {} {} {} {} {}",
            MINUTES.expand(minutes)?,
            HOURS.expand(hours)?,
            day_of_month(day)?,
            MONTHS.expand(month)?,
            day_of_week(weekday)?,
            YEARS.expand(year)?,
        );
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .dom_and_dow(true)
            .alternative_weekdays(true)
            .build();
        parser.parse(&pattern).map(Cron).map_err(|error| error.to_string())
    }

    /// The first match behind `after`.
    pub(crate) fn next_after(&self, after: DateTime) -> Option<DateTime> {
        self.0.find_next_occurrence(&after, false).ok()
    }
}

fn day_of_month(text: &str) -> Result<String, String> {
    match text {
        "?" => Ok("*".to_owned()),
        "L" | "LW" => Ok(text.to_owned()),
        _ => match text.strip_suffix('W') {
            Some(day) => Ok(format!("{}W", DAYS.value(day)?)),
            None => DAYS.expand(text),
        },
    }
}

fn day_of_week(text: &str) -> Result<String, String> {
    if let Some((day, nth)) = text.split_once('#') {
        let nth: u8 =
            nth.parse().ok().filter(|nth| (1..=5).contains(nth)).ok_or("# is followed by 1 to 5")?;
        return Ok(format!("{}#{nth}", WEEKDAYS.value(day)?));
    }
    match text {
        "?" => Ok("*".to_owned()),
        // The last day of the week.
        "L" => Ok("7".to_owned()),
        _ => match text.strip_suffix('L') {
            Some(day) => Ok(format!("{}L", WEEKDAYS.value(day)?)),
            None if text.contains('/') => Err("day-of-week takes no increments".to_owned()),
            None => WEEKDAYS.expand(text),
        },
    }
}

impl Field {
    /// Every value that the field names, as a list; ranges may wrap around.
    fn expand(&self, text: &str) -> Result<String, String> {
        if text == "*" {
            return Ok(if self.name == YEARS.name {
                format!("{}-{}", self.min, self.max)
            } else {
                "*".to_owned()
            });
        }
        let mut chosen = Vec::new();
        for item in text.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (item, None),
            };
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (self.value(from)?, self.value(to)?),
                None if range == "*" => (self.min, self.max),
                None => {
                    let from = self.value(range)?;
                    (from, if step.is_some() { self.max } else { from })
                }
            };
            chosen.extend(self.range(from, to).step_by(step.unwrap_or(1)));
        }
        chosen.sort_unstable();
        chosen.dedup();
        let texts: Vec<String> = chosen.iter().map(u16::to_string).collect();
        Ok(texts.join(","))
    }

    /// From one value to another, over the end of the field if need be.
    fn range(&self, from: u16, to: u16) -> impl Iterator<Item = u16> {
        let (end, rest) = if from <= to { (to, self.min..self.min) } else { (self.max, self.min..to + 1) };
        (from..=end).chain(rest)
    }

    fn step(&self, text: &str) -> Result<usize, String> {
        let step = text.parse().ok().filter(|step| *step > 0 && text.bytes().all(|b| b.is_ascii_digit()));
        step.ok_or_else(|| format!("{text} is no increment in {}", self.name))
    }

    fn value(&self, text: &str) -> Result<u16, String> {
        let named = self.names.iter().position(|name| *name == text).and_then(|at| u16::try_from(at).ok());
        let number = || text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let value = named.map(|at| at + self.min).or_else(number);
        let value = value.filter(|value| (self.min..=self.max).contains(value));
        value.ok_or_else(|| format!("{text} is no value of {}", self.name))
    }
}
