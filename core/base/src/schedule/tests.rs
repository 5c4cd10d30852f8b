use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::from_iso(text).unwrap()
}

/// Expression, a time, and what follows it.
const NEXT: &[(&str, &str, &str)] = &[
    ("cron(0 10 * * ? *)", "2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"),
    ("cron(15 12 * * ? *)", "2026-11-22T12:14:59.999Z", "2026-11-22T12:15:00Z"),
    ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00:00Z", "2026-11-23T18:00:00Z"),
    ("cron(0 8 1 * ? *)", "2026-11-22T00:00:00Z", "2026-12-01T08:00:00Z"),
    ("cron(0/15 * * * ? *)", "2026-11-22T10:46:00Z", "2026-11-22T11:00:00Z"),
    ("cron(0/10 * ? * MON-FRI *)", "2026-11-20T23:50:00Z", "2026-11-23T00:00:00Z"),
    ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-20T17:55:00Z", "2026-11-23T08:00:00Z"),
    ("cron(15 10 ? * 6L 2022-2027)", "2026-11-27T10:15:00Z", "2026-12-25T10:15:00Z"),
    ("cron(0 0 ? * 2#1 *)", "2026-11-22T00:00:00Z", "2026-12-07T00:00:00Z"),
    ("cron(0 9 1W * ? *)", "2026-07-31T12:00:00Z", "2026-08-03T09:00:00Z"),
    ("cron(0 9 3W * ? *)", "2026-09-30T00:00:00Z", "2026-10-02T09:00:00Z"),
    ("cron(30 23 L * ? *)", "2028-02-01T00:00:00Z", "2028-02-29T23:30:00Z"),
    ("cron(0 0 LW * ? *)", "2026-10-31T00:00:00Z", "2026-11-30T00:00:00Z"),
    ("cron(0 0 ? * 5#5 *)", "2026-11-01T00:00:00Z", "2026-12-31T00:00:00Z"),
    ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
    ("cron(0 0 1 JAN ? 2030-2040/5)", "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    ("cron(0 0 ? * L *)", "2026-11-22T00:00:00Z", "2026-11-28T00:00:00Z"),
    ("cron(0 20-2 * * ? *)", "2026-11-22T23:00:00Z", "2026-11-23T00:00:00Z"),
    ("cron(0 0 ? NOV-FEB FRI-MON *)", "2026-03-01T00:00:00Z", "2026-11-01T00:00:00Z"),
    ("cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", "2026-11-22T00:00:00Z", "2026-11-23T08:00:00Z"),
    ("cron(1-31/30 1-1 ? * 1,7 *)", "2026-11-22T01:01:00Z", "2026-11-22T01:31:00Z"),
    ("cron(0 0 ? * fri *)", "2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z"),
    ("rate(5 minutes)", "2026-11-22T10:00:07Z", "2026-11-22T10:05:07Z"),
    ("rate(1 hour)", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"),
    ("rate(1 minutes)", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z"),
    ("rate(7 days)", "2026-11-22T10:00:00Z", "2026-11-29T10:00:00Z"),
    ("at(2026-01-01T00:00:00)", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
];

#[test]
fn what_follows_a_time() {
    for (expression, after, expected) in NEXT {
        let schedule = Schedule::parse(expression).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(schedule.next_after(at(after), &Zone::UTC), Some(at(expected)), "{expression}");
    }
}

#[test]
fn what_never_comes() {
    for (expression, after) in [
        ("at(2026-01-01T00:00:00)", "2026-01-01T00:00:00Z"),
        ("cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00Z"),
        ("cron(0 0 31 2 ? *)", "2026-01-01T00:00:00Z"),
        ("cron(0 0 * * ? *)", "2199-12-31T00:00:00Z"),
    ] {
        let schedule = Schedule::parse(expression).unwrap();
        assert_eq!(schedule.next_after(at(after), &Zone::UTC), None, "{expression}");
    }
}

#[test]
fn what_is_no_schedule() {
    for expression in [
        "",
        "cron",
        "rate",
        "at",
        "5 minutes",
        "every(5 minutes)",
        "cron()",
        "cron(1)",
        "cron(INVALID)",
        "rate()",
        "rate(10)",
        "rate(0 minutes)",
        "rate(-10 minutes)",
        "rate(+1 minute)",
        "rate(foo minutes)",
        "rate(10 minutess)",
        "rate(10 seconds)",
        "rate(10 years)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "rate(10  minutes)",
        "cron(0 12 * * ?)",
        "cron(0 12 * * ? * *)",
        "cron(0 1 * * * *)",
        "cron(0 1 ? * ? *)",
        "cron(0 12 * * MON *)",
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 1 0 ? *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * -1 *)",
        "cron(0 0 1 1 ? 1969)",
        "cron(0 0 1 1 ? 2200)",
        "cron(7 20 * * NOT *)",
        "cron(0 dummy ? * MON-FRI *)",
        "cron(71 8 1 * ? *)",
        "cron(0/0 * * * ? *)",
        "cron(0, 9-18, ?, *, MON-FRI, *)",
        "cron(0 0 ? * 2#6 *)",
        "cron(0 0 ? * 3#1,6#3 *)",
        "cron(? 0 * * ? *)",
        "cron(0 0 W * ? *)",
        "cron(0 L * * ? *)",
        "at(2021-12-31)",
        "at(2021-12-31T23:59:59Z)",
        "at(2021-02-30T00:00:00)",
        "at(2021-12-31 23:59:59)",
        "at(31-12-2021T23:59:59)",
    ] {
        assert!(Schedule::parse(expression).is_err(), "{expression}");
    }
    for expression in ["rate(1 minutes)", "rate(5 minute)", "rate(1 days)", "at(2026-01-01T00:00:00)"] {
        assert!(Schedule::parse_rule(expression).is_err(), "{expression}");
        assert!(Schedule::parse_rule("rate(1 day)").is_ok());
    }
}

#[test]
fn zones_are_built_in_and_named() {
    assert!(Zone::parse("Nowhere/Town").is_none());
    let noon = Schedule::parse("cron(0 12 * * ? *)").unwrap();
    for (zone, expected) in [
        ("UTC", "2026-01-10T12:00:00Z"),
        ("Europe/Berlin", "2026-01-10T11:00:00Z"),
        ("America/New_York", "2026-01-10T17:00:00Z"),
        ("Asia/Kolkata", "2026-01-10T06:30:00Z"),
    ] {
        let next = noon.next_after(at("2026-01-10T00:00:00Z"), &Zone::parse(zone).unwrap());
        assert_eq!(next, Some(at(expected)), "{zone}");
    }
}

/// Clocks in Berlin go from 2:00 to 3:00 on 2026-03-29 and from 3:00 to 2:00 on 2026-10-25.
#[test]
fn daylight_saving_time_skips_what_does_not_happen_and_repeats_nothing() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let all = |expression: &str, from: &str, until: &str| {
        let schedule = Schedule::parse(expression).unwrap();
        let mut times = Vec::new();
        let mut now = at(from);
        while let Some(next) = schedule.next_after(now, &berlin).filter(|next| *next < at(until)) {
            times.push(next.to_iso_seconds());
            now = next;
        }
        times
    };
    let spring = all("cron(30 2 * * ? *)", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
    assert_eq!(spring, ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"]);
    let autumn = all("cron(30 2 * * ? *)", "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z");
    assert_eq!(autumn, ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    let hours = all("cron(0 * * * ? *)", "2026-10-24T23:30:00Z", "2026-10-25T03:30:00Z");
    assert_eq!(hours, ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"]);
    // Asked in the second of the two hours.
    let daily = Schedule::parse("cron(45 2 * * ? *)").unwrap();
    assert_eq!(daily.next_after(at("2026-10-25T01:10:00Z"), &berlin), Some(at("2026-10-26T01:45:00Z")));
    let once = Schedule::parse("at(2026-03-29T02:30:00)").unwrap();
    assert_eq!(once.next_after(at("2026-01-01T00:00:00Z"), &berlin), Some(at("2026-03-29T01:30:00Z")));
    let days = Schedule::parse("rate(1 days)").unwrap();
    assert_eq!(days.next_after(at("2026-03-28T12:00:00Z"), &berlin), Some(at("2026-03-29T12:00:00Z")));
}

#[test]
fn a_year_does_not_drift() {
    let start = at("2026-01-01T00:00:00Z");
    let end = at("2027-01-01T00:00:00Z");
    for (expression, zone, count) in [
        ("cron(0/30 * * * ? *)", "UTC", 365 * 48),
        ("cron(0 12 * * ? *)", "Europe/Berlin", 365),
        // Two of them fall into the hour that is skipped, and the two of the repeated hour happen once.
        ("cron(0/30 * * * ? *)", "Europe/Berlin", 365 * 48 - 2),
        ("rate(7 minutes)", "UTC", 525_600 / 7),
    ] {
        let (schedule, zone) = (Schedule::parse(expression).unwrap(), Zone::parse(zone).unwrap());
        let (mut now, mut seen) = (start - Duration::from_millis(1), 0);
        if schedule.period().is_some() {
            now = start;
        }
        while let Some(next) = schedule.next_after(now, &zone).filter(|next| *next < end) {
            assert!(next > now);
            assert_eq!(next.as_millis() % 60_000, 0);
            now = next;
            seen += 1;
        }
        assert_eq!(seen, count, "{expression}");
    }
}

#[test]
fn a_rate_keeps_its_rhythm_over_a_pause() {
    let schedule = Schedule::parse("rate(10 minutes)").unwrap();
    let anchor = at("2026-01-01T00:03:00Z");
    for (after, expected) in [
        ("2026-01-01T00:03:00Z", "2026-01-01T00:13:00Z"),
        ("2026-01-01T00:12:59Z", "2026-01-01T00:13:00Z"),
        ("2026-01-01T05:00:00Z", "2026-01-01T05:03:00Z"),
        ("2025-12-31T00:00:00Z", "2026-01-01T00:03:00Z"),
    ] {
        assert_eq!(schedule.next_in_rhythm(anchor, at(after), &Zone::UTC), Some(at(expected)));
    }
    assert_eq!(schedule.first_from(anchor, &Zone::UTC), Some(anchor));
    let cron = Schedule::parse("cron(3 0 * * ? *)").unwrap();
    assert_eq!(cron.first_from(anchor, &Zone::UTC), Some(anchor));
}
