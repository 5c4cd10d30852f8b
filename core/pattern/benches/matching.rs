//! Events per second on one thread, JSON text in and rule ids out, by kind of rule and by number of rules.
//!
//! The events are land parcels of about 680 bytes: a dozen short strings and an outline of points, so that most of
//! each event is of no interest to most rules. Five rules per kind, as the benchmarks of other matchers have it; most
//! events match none of them.
//!
//! What is measured is the processor time of the thread, so that a busy machine does not count.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up has to stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pattern::{Event, Pattern, RuleSet, explain};

const EVENTS: usize = 256;

/// The processor time of this thread.
struct ThreadTime;

impl Measurement for ThreadTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
    }

    fn end(&self, start: Duration) -> Duration {
        self.start() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const STREETS: [&str; 8] =
    ["CRANLEIGH", "MARTINELLI", "FULTON", "UNKNOWN", "BONITA", "JEFFERSON", "BEACH", "POWELL"];

fn parcel(dice: &mut Dice) -> String {
    let (block, lot) = (dice.roll(9000), dice.roll(900));
    let points: Vec<String> = (0..6)
        .map(|_| {
            let (x, y) = (dice.roll(99_999_999), dice.roll(99_999_999));
            format!(r#"{{"x":-122.42{x:08},"y":37.8{y:08},"z":{}}}"#, dice.roll(40))
        })
        .collect();
    format!(
        concat!(
            r#"{{"type":"Feature","properties":{{"MAPBLKLOT":"{b:04}{l:03}","BLKLOT":"{b:04}{l:03}","BLOCK_NUM":"{b:04}","#,
            r#""LOT_NUM":"{l:03}","FROM_ST":"{f}","TO_ST":"{f}","STREET":"{s}","ST_TYPE":"{t}","ODD_EVEN":"E","#,
            r#""OWNER":"CITY AND COUNTY, DEPARTMENT OF PARKS","ZONING":"RH-{z} (residential, detached house)","#,
            r#""LAST_SURVEY":"2017-10-0{d}T16:24:49Z","FLOOD_PLAIN":null}},"#,
            r#""geometry":{{"type":"{g}","area":{a},"coordinates":[{p}]}}}}"#
        ),
        b = block,
        l = lot,
        f = dice.roll(3000),
        s = STREETS[dice.roll(8) as usize],
        t = if dice.roll(40) == 0 { "Null" } else { "ST" },
        z = dice.roll(4),
        d = dice.roll(10),
        g = if dice.roll(20) == 0 { "MultiPolygon" } else { "Polygon" },
        a = dice.roll(100_000) as f64 / 8.0,
        p = points.join(","),
    )
}

fn events() -> Vec<String> {
    let mut dice = Dice(7);
    (0..EVENTS).map(|_| parcel(&mut dice)).collect()
}

fn rules<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> RuleSet<u32> {
    let compiled = patterns.into_iter().map(|text| Arc::new(Pattern::parse(text.as_ref()).unwrap()));
    RuleSet::new((0..).zip(compiled))
}

/// Five rules for one of the strings.
fn five<S: AsRef<str>>(field: &str, alternatives: [S; 5]) -> Vec<String> {
    let pattern = |alternative: S| format!(r#"{{"properties":{{"{field}":[{}]}}}}"#, alternative.as_ref());
    alternatives.map(pattern).into()
}

fn operator(name: &str, texts: [&str; 5]) -> [String; 5] {
    texts.map(|text| format!(r#"{{"{name}":"{text}"}}"#))
}

fn kinds() -> Vec<(&'static str, Vec<String>)> {
    let exact = [r#""1430022""#, r#""2607117""#, r#""2607218""#, r#""3745012""#, r#""VACSTWIL""#];
    let anything_but = [
        r#"{"anything-but":["FULTON"]}"#,
        r#"{"anything-but":["MASON"]}"#,
        r#"{"anything-but":["BONITA","UNKNOWN"]}"#,
        r#"{"anything-but":["CRANLEIGH"]}"#,
        r#"{"anything-but":{"prefix":"J"}}"#,
    ];
    let mut kinds = vec![
        ("exact", five("MAPBLKLOT", exact)),
        ("prefix", five("STREET", operator("prefix", ["AC", "BL", "DR", "FU", "RH"]))),
        ("suffix", five("STREET", operator("suffix", ["ON", "KE", "MM", "ING", "GO"]))),
        ("wildcard", five("MAPBLKLOT", operator("wildcard", ["143*", "2*0*1*7", "*218", "3*5*2", "VAC*IL"]))),
        ("anything-but", five("STREET", anything_but)),
    ];
    kinds.extend(numbers_and_arrays());
    let twice =
        kinds.iter().flat_map(|(_, rules)| rules).chain(kinds.iter().flat_map(|(_, rules)| &rules[..2]));
    let mixed = twice.take(45).cloned().collect();
    kinds.push(("mixed-45", mixed));
    kinds
}

fn numbers_and_arrays() -> [(&'static str, Vec<String>); 2] {
    let numeric = [
        r#"["=",1250.5]"#,
        r#"[">",12400]"#,
        r#"["<",10.5]"#,
        r#"[">",100,"<=",200]"#,
        r#"[">=",5000,"<",5005]"#,
    ]
    .map(|range| format!(r#"{{"geometry":{{"type":["Polygon"],"area":[{{"numeric":{range}}}]}}}}"#));
    let arrays = [
        r#""type":["Polygon"],"coordinates":{"z":[{"numeric":["=",17]}]}"#,
        r#""type":["MultiPolygon"],"coordinates":{"z":[{"numeric":["<",1]}]}"#,
        r#""coordinates":{"x":[{"numeric":["<",-122.429]}],"y":[{"numeric":["<",37.81]}]}"#,
        r#""coordinates":{"x":[{"exists":true}],"z":[{"numeric":[">",38]}]}"#,
        r#""coordinates":{"z":[{"numeric":["=",3]}],"w":[{"exists":false}]}"#,
    ]
    .map(|fields| format!(r#"{{"geometry":{{{fields}}}}}"#));
    [("numeric", numeric.into()), ("arrays", arrays.into())]
}

fn run(rules: &RuleSet<u32>, events: &[String], out: &mut Vec<u32>) -> usize {
    let mut matched = 0;
    for event in events {
        out.clear();
        rules.matches_json(black_box(event), out).unwrap();
        matched += out.len();
    }
    matched
}

fn by_kind(criterion: &mut Criterion<ThreadTime>) {
    let events = events();
    let size = events.iter().map(String::len).sum::<usize>() / EVENTS;
    assert!((640..720).contains(&size), "{size} bytes an event");
    let mut group = criterion.benchmark_group("kind");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let mut out = Vec::new();
    for (kind, patterns) in kinds() {
        let rules = rules(&patterns);
        assert!(run(&rules, &events, &mut out) > 0 || kind == "exact", "{kind} matches something");
        group.bench_function(kind, |bencher| bencher.iter(|| run(&rules, &events, &mut out)));
    }
    group.finish();
}

/// Of so many rules on one bus, one matches each event.
fn many(kind: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            let key = if number == 0 { "parcels".to_owned() } else { format!("service-{number}") };
            let detail = match (kind, number) {
                ("exact", _) => format!(r#""source":["{key}"]"#),
                ("prefix", _) => format!(r#""source":[{{"prefix":"{key}"}}]"#),
                ("wildcard", _) => format!(r#""source":[{{"wildcard":"*{key}*"}}]"#),
                ("numeric", 0) => r#""detail":{"area":[{"numeric":["<",1000000]}]}"#.to_owned(),
                ("numeric", _) => {
                    format!(r#""detail":{{"area":[{{"numeric":[">",{}]}}]}}"#, 1_000_000 + number)
                }
                ("shared-source", 0) => {
                    r#""source":["parcels"],"detail":{"properties":{"ODD_EVEN":["E"]}}"#.to_owned()
                }
                ("shared-source", _) => {
                    format!(r#""source":["parcels"],"detail":{{"properties":{{"ODD_EVEN":["{key}"]}}}}"#)
                }
                _ => unreachable!("{kind}"),
            };
            format!("{{{detail}}}")
        })
        .collect()
}

fn by_number(criterion: &mut Criterion<ThreadTime>) {
    let envelope = |event: &String| {
        let area = r#""detail":{"area":7.5,"#;
        format!(
            r#"{{"version":"0","source":"parcels","account":"123456789012",{area}{}}}"#,
            event.replacen('{', "", 1)
        )
    };
    let events: Vec<String> = events().iter().map(envelope).collect();
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let mut out = Vec::new();
    for kind in ["exact", "prefix", "wildcard", "numeric", "shared-source"] {
        for count in [1, 5_000] {
            let rules = rules(many(kind, count));
            assert_eq!(run(&rules, &events, &mut out), EVENTS, "one of {count} {kind} rules matches");
            group.bench_function(format!("{kind}/{count}"), |bencher| {
                bencher.iter(|| run(&rules, &events, &mut out))
            });
        }
    }
    group.finish();
}

fn building_and_explaining(criterion: &mut Criterion<ThreadTime>) {
    let patterns: Vec<Arc<Pattern>> =
        many("exact", 5_000).iter().map(|text| Arc::new(Pattern::parse(text).unwrap())).collect();
    criterion.bench_function("build/5000", |bencher| {
        bencher.iter(|| RuleSet::new((0u32..).zip(patterns.iter().cloned())))
    });
    let event = events().swap_remove(0);
    let kinds: Vec<Pattern> =
        kinds().iter().flat_map(|(_, patterns)| patterns).map(|text| Pattern::parse(text).unwrap()).collect();
    criterion.bench_function("explain/1000", |bencher| {
        bencher.iter(|| {
            let event = Event::parse(event.as_bytes()).unwrap();
            kinds.iter().cycle().take(1_000).filter(|pattern| explain(pattern, &event).matched).count()
        });
    });
    criterion.bench_function("event/parse", |bencher| {
        bencher.iter(|| Event::parse(black_box(event.as_bytes())).is_ok())
    });
}

fn short() -> Criterion<ThreadTime> {
    let second = Duration::from_secs(1);
    Criterion::default()
        .with_measurement(ThreadTime)
        .sample_size(20)
        .warm_up_time(second / 4)
        .measurement_time(second)
}

criterion_group!(name = benches; config = short(); targets = by_kind, by_number, building_and_explaining);
criterion_main!(benches);
