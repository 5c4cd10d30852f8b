//! An event explained: who sent it, what every rule of its bus made of it, what became of each delivery, what caused it and
//! what it caused. One document for the command line, for programs and for people.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::{AccountId, Fault, Region};
use kernel::trace::{AttemptEnd, Chain, Enqueued, Note, Span};
use kernel::{Caller, Kernel};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::console::activity::{EventFact, deliveries, events_of};
use crate::console::explained::{Explained, Reason, Rule, UsedSchema, Verdict};
use crate::operator;

/// Everything that is known of an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// Its id.
    pub id: String,
    /// The bus that it came to.
    pub bus: String,
    /// Where the bus is.
    pub region: String,
    /// Whose the bus is.
    pub account: String,
    /// When it came, in ISO 8601.
    pub ingested_at: String,
    /// The whole event.
    pub event: Value,
    /// Who sent it, as far as the trace still knows.
    pub producer: Option<Producer>,
    /// What a schema said of it; absent if none was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation: Option<Validation>,
    /// Every rule of the bus as it stood when the event came, those that matched first.
    pub rules: Vec<RuleStory>,
    /// What happened to it later at somebody's wish.
    pub redeliveries: Vec<Delivery>,
    /// What led to it, from the first cause on.
    pub causes: Vec<Step>,
    /// What it led to, in the order of time.
    pub consequences: Vec<Step>,
    /// The ids of the chains of causes that it belongs to.
    pub chains: Vec<String>,
}

/// What a schema said of an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Validation {
    /// `valid`, `warned`, `rejected`, `quarantined`, `released` or `discarded`.
    pub outcome: String,
    /// The schema and its version.
    pub schema: String,
    /// Where the event breaks it and how: a JSON pointer and words.
    pub failures: Vec<(String, String)>,
}

/// Who sent an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Producer {
    /// The operation that brought it, `service:Operation`.
    pub operation: String,
    /// In whose name.
    pub principal: String,
}

/// A rule and what it made of the event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleStory {
    /// Its name.
    pub name: String,
    /// `matched`, `not matched` or `disabled`.
    pub verdict: String,
    /// The pattern that it had.
    pub pattern: Value,
    /// The service that manages it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub managed_by: Option<String>,
    /// What stood against a match.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<Reason>,
    /// The targets, with what became of the event there.
    pub targets: Vec<Delivery>,
}

/// A delivery to a target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// The target's id in the rule.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub target_id: String,
    /// The rule, for redeliveries.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub rule: String,
    /// The target's ARN.
    pub arn: String,
    /// `delivered`, `waiting`, `retrying`, `dead letter`, `given up`, `not sent`, `unknown`.
    pub state: String,
    /// Every attempt, the first one first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attempts: Vec<Attempt>,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_attempt: Option<String>,
    /// Where the dead letter went.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dead_letter: Option<String>,
}

/// An attempt to deliver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 is the first.
    pub number: u32,
    /// When it began.
    pub at: String,
    /// How long it took, if it went outside the store.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub took_us: Option<u64>,
    /// `delivered`, or the target's answer.
    pub answer: String,
    /// What the target did with it: function calls, executions, messages.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Fact>,
}

/// A step in a chain of causes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// How many steps lie between it and the root of what is shown.
    pub depth: usize,
    /// When it began.
    pub at: String,
    /// `service:Operation`.
    pub operation: String,
    /// Where it went.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// How it ended, for attempts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
    /// What is said of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Fact>,
}

/// Something that is said of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// What kind: `event`, `execution`, `item`, `message`, …
    pub kind: String,
    /// About what.
    pub subject: String,
    /// How it went, if that is said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
}

/// Explains the event of that id, wherever it is; `None` if no bus keeps it. What was rejected or is in quarantine came to no
/// bus: that is looked for at `here`.
///
/// # Errors
/// The store does not answer.
pub async fn event(
    kernel: &Kernel,
    id: &str,
    here: (AccountId, Region),
) -> Result<Option<Explanation>, Fault> {
    let chains = operator::chains(kernel, id.to_owned()).await.map_err(|error| kernel.to_fault(error))?;
    let Ok(uuid) = Uuid::parse_str(id) else { return Ok(None) };
    let mut places: Vec<(AccountId, Region, Option<String>)> =
        places(&chains, id).into_iter().map(|fact| place(&fact)).collect();
    // The same event may have come to buses of several accounts and regions: the caller's own is told first.
    places.sort_by_key(|(account, region, _)| (account, region) != (&here.0, &here.1));
    places.push((here.0, here.1, None));
    for (account, region, bus) in places {
        let caller = Caller { account, region, ..kernel.house_caller() };
        let (account, region) = (caller.account.to_string(), caller.region.to_string());
        let input = serde_json::json!({ "id": uuid, "bus": bus });
        let answer = kernel.ask(caller, "events", events::EXPLAIN, &input).await?;
        let explained: Option<Explained> =
            serde_json::from_value(answer).map_err(|error| kernel.to_fault(error.into()))?;
        if let Some(explained) = explained {
            return Ok(Some(Story::new(id, &chains, &explained).told(explained, account, region)));
        }
    }
    Ok(None)
}

fn place(fact: &EventFact) -> (AccountId, Region, Option<String>) {
    let account = AccountId::parse(&fact.account).unwrap_or_default();
    (account, Region::parse(&fact.region).unwrap_or_default(), Some(fact.bus.clone()))
}

/// Where the trace says that the event came to.
fn places(chains: &[Chain], id: &str) -> Vec<EventFact> {
    let spans = chains.iter().flat_map(|chain| &chain.spans);
    spans.flat_map(events_of).filter(|(note, _)| note.subject == id).map(|(_, fact)| fact).collect()
}

/// The trace of one event.
struct Story<'c> {
    id: &'c str,
    chains: &'c [Chain],
    /// The span that brought the event to its bus.
    accepted: Option<&'c Span>,
    attempts: HashMap<Uuid, Vec<&'c Span>>,
    children: BTreeMap<u64, Vec<&'c Span>>,
}

impl<'c> Story<'c> {
    fn new(id: &'c str, chains: &'c [Chain], explained: &Explained) -> Story<'c> {
        let mut attempts: HashMap<Uuid, Vec<&Span>> = HashMap::new();
        let mut children: BTreeMap<u64, Vec<&Span>> = BTreeMap::new();
        for span in chains.iter().flat_map(|chain| &chain.spans) {
            children.entry(span.parent).or_default().push(span);
            if let Some(attempt) = &span.attempt {
                attempts.entry(attempt.task).or_default().push(span);
            }
        }
        let own = chains.iter().find(|chain| chain.root == explained.root);
        let brought = |span: &&Span| {
            events_of(span).any(|(note, fact)| note.subject == id && fact.bus == explained.bus)
        };
        // What a schema kept back came to no bus; that it was checked is all that is said of it.
        let checked =
            |span: &&Span| span.notes.iter().any(|note| note.kind == "validation" && note.subject == id);
        let spans = own.map_or(&[][..], |chain| chain.spans.as_slice());
        let accepted = spans.iter().find(brought).or_else(|| spans.iter().find(checked));
        Story { id, chains, accepted, attempts, children }
    }

    fn told(&self, explained: Explained, account: String, region: String) -> Explanation {
        let mut tasks = self.accepted.map(|span| deliveries(span, self.id)).unwrap_or_default();
        let mut rules: Vec<RuleStory> =
            explained.rules.into_iter().map(|rule| self.rule(rule, &mut tasks)).collect();
        rules.sort_by_key(|rule| rule.verdict != "matched");
        let validation = match explained.validation {
            Some(broken) => Some(Validation {
                outcome: broken.outcome.to_lowercase(),
                schema: broken.schema.to_string(),
                failures: broken.failures.into_iter().map(|found| (found.pointer, found.message)).collect(),
            }),
            None => self.valid(),
        };
        Explanation {
            id: self.id.to_owned(),
            bus: explained.bus,
            region,
            account,
            ingested_at: explained.ingested_at.to_iso_millis(),
            event: explained.event,
            producer: self.accepted.map(|span| Producer {
                operation: operation(span).to_owned(),
                principal: span.principal.clone(),
            }),
            validation,
            rules,
            redeliveries: self.redeliveries(),
            causes: self.causes(),
            consequences: self.consequences(),
            chains: self.chains.iter().map(|chain| chain.root.to_string()).collect(),
        }
    }

    /// The schema that the event was found to hold to.
    fn valid(&self) -> Option<Validation> {
        let mut notes = self.chains.iter().flat_map(|chain| &chain.spans).flat_map(|span| &span.notes);
        let note = notes.find(|note| note.kind == "validation" && note.subject == self.id)?;
        let schema: UsedSchema = serde_json::from_value(note.detail.as_ref()?.get("schema")?.clone()).ok()?;
        Some(Validation { outcome: "valid".to_owned(), schema: schema.to_string(), failures: Vec::new() })
    }

    fn rule(&self, rule: Rule, tasks: &mut Vec<(String, &Enqueued)>) -> RuleStory {
        let (verdict, reasons) = match rule.verdict {
            Verdict::Matched => ("matched", Vec::new()),
            Verdict::NotMatched(why) => ("not matched", why.reasons()),
            Verdict::Disabled => ("disabled", Vec::new()),
        };
        let targets = rule.targets.into_iter().map(|target| {
            let of_it = |(name, task): &(String, &Enqueued)| {
                *name == rule.name && task.target.as_deref() == Some(&target.arn)
            };
            let place = tasks.iter().position(of_it);
            let delivery = match place.map(|place| tasks.remove(place)) {
                Some((_, task)) => self.delivery(task),
                None => Delivery { state: unsent(verdict, &target.arn).to_owned(), ..nothing(&target.arn) },
            };
            Delivery { target_id: target.id, arn: target.arn, ..delivery }
        });
        RuleStory {
            verdict: verdict.to_owned(),
            pattern: serde_json::from_str(&rule.pattern).unwrap_or(Value::Null),
            managed_by: rule.managed_by,
            reasons,
            targets: targets.collect(),
            name: rule.name,
        }
    }

    fn delivery(&self, task: &Enqueued) -> Delivery {
        let arn = task.target.clone().unwrap_or_else(|| task.operation.clone());
        let spans = self.attempts.get(&task.task).map_or(&[][..], Vec::as_slice);
        let mut delivery = nothing(&arn);
        delivery.attempts = spans.iter().filter_map(|span| self.attempt(span)).collect();
        let last = spans.last().and_then(|span| span.attempt.as_ref());
        let (state, next, dead_letter) = match last.map(|attempt| &attempt.end) {
            None => ("waiting", Some(task.due), None),
            Some(AttemptEnd::Delivered) => ("delivered", None, None),
            Some(AttemptEnd::Retrying { next, .. }) => ("retrying", Some(*next), None),
            Some(AttemptEnd::GivenUp { dead_letter: Some(to), .. }) => {
                ("dead letter", None, Some(to.clone()))
            }
            Some(AttemptEnd::GivenUp { .. }) => ("given up", None, None),
        };
        let state = match &dead_letter {
            Some(to) if spans.last().is_some_and(|span| self.is_lost(span, to)) => {
                "given up; its dead letter, too"
            }
            _ => state,
        };
        delivery.state = state.to_owned();
        delivery.next_attempt = next.map(|at| at.to_iso_millis());
        delivery.dead_letter = dead_letter;
        delivery
    }

    /// Was the letter that this attempt left for a queue given up, too?
    fn is_lost(&self, gave_up: &Span, queue: &str) -> bool {
        let letters = gave_up.enqueued.iter().filter(|task| task.target.as_deref() == Some(queue));
        let ends = letters.filter_map(|task| self.attempts.get(&task.task)?.last()?.attempt.as_ref());
        ends.map(|attempt| &attempt.end).any(|end| matches!(end, AttemptEnd::GivenUp { .. }))
    }

    fn attempt(&self, span: &Span) -> Option<Attempt> {
        let attempt = span.attempt.as_ref()?;
        Some(Attempt {
            number: attempt.number,
            at: span.at.to_iso_millis(),
            took_us: span.took_us,
            answer: answer(&attempt.end),
            notes: facts(&span.notes, self.id),
        })
    }

    /// Deliveries that somebody asked for afterwards: what spans that remember the event again enqueued.
    fn redeliveries(&self) -> Vec<Delivery> {
        let spans = self.chains.iter().flat_map(|chain| &chain.spans);
        let again = spans.filter(|span| operation(span) == "events:RedeliverEvent");
        let about = again.filter(|span| span.notes.iter().any(|note| note.subject == self.id));
        let tasks = about.flat_map(|span| &span.enqueued).filter(|task| task.target.is_some());
        let rule = |task: &Enqueued| {
            let note = task.note.as_deref().unwrap_or_default();
            note.strip_prefix("rule ").unwrap_or_default().to_owned()
        };
        tasks.map(|task| Delivery { rule: rule(task), ..self.delivery(task) }).collect()
    }

    fn causes(&self) -> Vec<Step> {
        let Some(accepted) = self.accepted else { return Vec::new() };
        let all: HashMap<u64, &Span> =
            self.chains.iter().flat_map(|chain| &chain.spans).map(|span| (span.id, span)).collect();
        let (mut path, mut seen) = (Vec::new(), BTreeSet::from([accepted.id]));
        let mut parent = accepted.parent;
        while let Some(span) = all.get(&parent).filter(|span| seen.insert(span.id)) {
            path.push(*span);
            parent = span.parent;
        }
        path.into_iter().rev().enumerate().map(|(depth, span)| self.step(span, depth)).collect()
    }

    fn consequences(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(accepted) = self.accepted {
            self.follow(accepted.id, 0, &mut BTreeSet::from([accepted.id]), &mut steps);
        }
        steps
    }

    fn follow(&self, parent: u64, depth: usize, seen: &mut BTreeSet<u64>, steps: &mut Vec<Step>) {
        for span in self.children.get(&parent).map_or(&[][..], Vec::as_slice) {
            if seen.insert(span.id) {
                steps.push(self.step(span, depth));
                self.follow(span.id, depth + 1, seen, steps);
            }
        }
    }

    fn step(&self, span: &Span, depth: usize) -> Step {
        let attempt = span.attempt.as_ref();
        let mut notes = facts(&span.notes, self.id);
        let untried = span.enqueued.iter().filter(|task| !self.attempts.contains_key(&task.task));
        notes.extend(untried.map(|task| Fact {
            kind: "waiting".to_owned(),
            subject: task.operation.clone(),
            status: Some(format!("due {}", task.due.to_iso_millis())),
        }));
        Step {
            depth,
            at: span.at.to_iso_millis(),
            operation: operation(span).to_owned(),
            target: attempt.and_then(|attempt| attempt.target.clone()),
            answer: attempt.map(|attempt| answer(&attempt.end)),
            notes,
        }
    }
}

/// What there is to say of a target to which the trace knows no task. An archive takes the event in the commit that
/// accepts it, so there is never one.
fn unsent(verdict: &str, arn: &str) -> &'static str {
    match verdict {
        "matched" if arn.contains(":archive/") => "archived",
        "matched" => "unknown",
        _ => "not sent",
    }
}

fn nothing(arn: &str) -> Delivery {
    Delivery {
        target_id: String::new(),
        rule: String::new(),
        arn: arn.to_owned(),
        state: String::new(),
        attempts: Vec::new(),
        next_attempt: None,
        dead_letter: None,
    }
}

/// What was done: the task's operation for attempts.
fn operation(span: &Span) -> &str {
    span.attempt.as_ref().map_or(&span.operation, |attempt| &attempt.operation)
}

fn answer(end: &AttemptEnd) -> String {
    match end {
        AttemptEnd::Delivered => "delivered".to_owned(),
        AttemptEnd::Retrying { fault, .. } => fault.to_string(),
        AttemptEnd::GivenUp { fault, because, .. } => format!("{fault} (given up: {because:?})"),
    }
}

/// What notes say of other things than the event itself.
fn facts(notes: &[Note], id: &str) -> Vec<Fact> {
    let others = notes.iter().filter(|note| note.subject != id);
    others
        .map(|note| {
            let member = |name: &str| note.detail.as_ref()?.get(name)?.as_str().map(str::to_owned);
            let status = member("function_error").or_else(|| member("status"));
            let status = match (status, message(note)) {
                (Some(status), Some(why)) => Some(format!("{status}: {why}")),
                (status, why) => status.or(why),
            };
            Fact { kind: note.kind.clone(), subject: note.subject.clone(), status }
        })
        .collect()
}

/// What a function's code says of its failure. The trace keeps the beginning of its answer.
pub(crate) fn message(note: &Note) -> Option<String> {
    let detail = note.detail.as_ref().filter(|detail| detail["function_error"].is_string())?;
    let (_, rest) = detail["answer"].as_str()?.split_once("\"errorMessage\":")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    values.next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_says_why_it_failed() {
        let told = |answer: &str, error: Value| {
            let detail = Some(serde_json::json!({ "function_error": error, "answer": answer }));
            message(&Note { kind: "invocation".into(), subject: String::new(), detail, found_by: false })
        };
        let cut = r#"{"errorMessage": "no \"paper\"", "errorType": "RuntimeError", "stackTrace": ["  Fi"#;
        assert_eq!(told(cut, "Unhandled".into()).as_deref(), Some("no \"paper\""));
        assert_eq!(told(cut, Value::Null), None);
        assert_eq!(told("{}", "Unhandled".into()), None);
    }
}
