//! Wait conditions: a step that goes on when enough signals have come, or fails when one says so or the time is up.
//!
//! Signals come by requests to a handle's URL, or by `SignalResource` where the condition has a creation policy. They are kept
//! from the moment that the handle stands: one that comes before its condition counts.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html>

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Document, Fault};
use kernel::{Call, Effect, NewTask, Result, TaskHandle, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::begin::Making;
use super::end::{self, Outcome};
use super::world::{self, Evaluation, World};
use super::{SERVICE, StepInput};
use crate::api::{ResourceSignalStatus, ResourceStatus};
use crate::keys::{ResourceKey, SignalsKey, StackKey};
use crate::plan::{Phase, Plan};
use crate::provider::{Made, Properties};
use crate::record;
use crate::resource::Standing;
use crate::stack::{Stack, invalid};
use crate::template::CreationPolicy;

/// Internal operation: the time for signals is up.
pub(crate) const TIME_OUT: &str = "TimeOutWaitCondition";

/// A condition waits for twelve hours at most.
const SECONDS_MAX: u64 = 43_200;
/// How long a creation policy waits that does not say.
const POLICY_SECONDS: u64 = 300;
/// What all data of a condition's signals may have.
const DATA_BYTES_MAX: usize = 4_096;

/// Signals, and who waits for them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Signals {
    /// By their unique ids.
    received: BTreeMap<String, Signal>,
    waiting: Option<Waiting>,
}
store::stored!(Signals, format = 1);

/// One signal.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signal {
    succeeded: bool,
    reason: String,
    data: String,
}

/// A step that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    step: StepInput,
    terms: Terms,
    timer: TaskHandle,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Terms {
    count: u64,
    seconds: u64,
    /// By a creation policy, not by a handle.
    by_policy: bool,
}

/// What signals mean for who waits.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Waits,
    Succeeds,
    Fails(String),
}

impl Signals {
    fn judge(&self, terms: Terms) -> Verdict {
        let failed = self.received.iter().filter(|(_, signal)| !signal.succeeded);
        if let Some((id, signal)) = failed.clone().next() {
            let reason = match terms.by_policy {
                true => format!(
                    "Received {} FAILURE signal(s) out of {}.  Unable to satisfy 100% MinSuccessfulInstancesPercent \
                     requirement",
                    failed.count(),
                    terms.count
                ),
                false => {
                    format!("WaitCondition received failed message: '{}' for uniqueId: {id}", signal.reason)
                }
            };
            return Verdict::Fails(reason);
        }
        match self.received.len() as u64 >= terms.count {
            true => Verdict::Succeeds,
            false => Verdict::Waits,
        }
    }

    /// `Fn::GetAtt` of `Data`.
    fn data(&self) -> Document {
        let data: Map<String, Document> =
            self.received.iter().map(|(id, signal)| (id.clone(), signal.data.as_str().into())).collect();
        Document::Object(data).to_string().into()
    }

    fn late(&self, terms: Terms) -> String {
        let (received, count) = (self.received.len() as u64, terms.count);
        match terms.by_policy {
            true => format!(
                "Failed to receive {} resource signal(s) within the specified duration",
                count.saturating_sub(received)
            ),
            false => {
                format!("WaitCondition timed out. Received {received} conditions when expecting {count}")
            }
        }
    }
}

/// Makes a handle: its id is the URL for signals. A second run finds what the first one has made.
pub(super) async fn make_handle(effect: &Effect, input: &StepInput) -> Result<Outcome> {
    let token = effect.transact("MakeWaitConditionHandle", new_handle, input.clone()).await?;
    let caller = effect.caller();
    let url =
        format!("{}/_buswork/cloudformation/{}/{}/{token}", effect.endpoint(), caller.account, caller.region);
    let made = Made { reference: url.as_str().into(), id: url, attributes: Map::new(), ready: true };
    Ok(Outcome::Made(made))
}

async fn new_handle(tx: &mut Tx, input: StepInput) -> Result<String> {
    let mut resource = tx.get(&input.row()).await?;
    if let Some(token) = resource.as_ref().and_then(|resource| resource.awaiting.clone()) {
        return Ok(token);
    }
    let token = tx.id().to_string();
    tx.put(&SignalsKey { name: token.clone() }, &Signals::default())?;
    if let Some(resource) = &mut resource {
        resource.awaiting = Some(token.clone());
        tx.put(&input.row(), resource)?;
    }
    Ok(token)
}

/// Takes a handle or a condition away: nothing is left but its signals.
pub(super) async fn remove(effect: &Effect, old: &Standing) -> Result<()> {
    effect.transact("RemoveWaitConditionHandle", remove_signals, token(&old.id).to_owned()).await
}

async fn remove_signals(tx: &mut Tx, name: String) -> Result<()> {
    tx.delete(&SignalsKey { name });
    Ok(())
}

/// The last part of a handle's URL.
fn token(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

/// The name of the signals that come by `SignalResource`. No token has a stroke.
fn of_resource(stack: &str, logical_id: &str) -> SignalsKey {
    SignalsKey { name: format!("{stack}/{logical_id}") }
}

/// Waits, or goes on at once where the signals are there already.
pub(super) async fn wait(effect: &Effect, input: &StepInput, making: &Making) -> Result<Outcome> {
    let properties = making.doing.target.properties.clone();
    effect.transact("AwaitSignals", begin_waiting, (input.clone(), properties)).await?;
    // What came of it is written already.
    Ok(Outcome::Waiting(None))
}

async fn begin_waiting(tx: &mut Tx, (input, properties): (StepInput, Properties)) -> Result<()> {
    let Some(plan) = tx.peek(&input.plan()).await? else { return Ok(()) };
    if is_called_off(&plan) {
        return end::end(tx, (input, Outcome::refused(CANCELLED.to_owned()))).await;
    }
    let stack = tx.peek(&StackKey { id: input.stack.clone() }).await?;
    let stack = stack.ok_or_else(|| kernel::Error::bug("wait for signals: the stack is gone"))?;
    let (key, terms) = match terms(tx, &input, (&stack, &plan), &properties).await? {
        Ok(found) => found,
        Err(reason) => return end::end(tx, (input, Outcome::refused(reason))).await,
    };
    let known = tx.get(&key).await?;
    let Some(mut signals) = known.or_else(|| terms.by_policy.then(Signals::default)) else {
        let reason = "the Handle is the URL of no wait condition handle of this account and region";
        return end::end(tx, (input, Outcome::refused(reason.to_owned()))).await;
    };
    match &signals.waiting {
        Some(waiting) if waiting.step.same(&input) => return Ok(()),
        Some(_) => {
            let reason = "the Handle is in use by another wait condition";
            return end::end(tx, (input, Outcome::refused(reason.to_owned()))).await;
        }
        None => {}
    }
    let timed_out = TimedOut { name: key.name.clone(), step: input.clone() };
    let due = tx.now() + Duration::from_secs(terms.seconds);
    let timer = tx.enqueue_quietly(due, NewTask::new(Call::new(SERVICE, TIME_OUT, &timed_out)?))?;
    signals.waiting = Some(Waiting { step: input.clone(), terms, timer });
    if let Some(mut resource) = tx.get(&input.row()).await? {
        resource.awaiting = Some(key.name.clone());
        tx.put(&input.row(), &resource)?;
    }
    settle(tx, key, signals).await
}

/// What a condition asks for, and where its signals are; the reason why it cannot.
async fn terms(
    tx: &mut Tx,
    input: &StepInput,
    (stack, plan): (&Stack, &Plan),
    properties: &Properties,
) -> Result<Result<(SignalsKey, Terms), String>> {
    let template = world::template(tx, stack, plan).await?;
    let declared = template.resources.get(&input.logical_id);
    let Some(policy) = declared.and_then(|declared| declared.creation_policy.as_ref()) else {
        return Ok(of_handle(properties));
    };
    let needs = template.needs(&input.logical_id, Some(&plan.target.conditions));
    let standing = world::standing(tx, stack, needs).await?;
    let (pseudo, world) = (stack.pseudo(), World { stack: &stack.arn, standing, imports: &plan.imports });
    let evaluation = Evaluation { template: &template, plan, pseudo: &pseudo, world: &world };
    let scope = evaluation.scope();
    let CreationPolicy { count, timeout } = policy;
    let value = |expr: &Option<crate::template::Expr>| match expr {
        Some(expr) => scope.value(expr).map_err(|error| error.to_string()),
        None => Ok(None),
    };
    let found = value(count).and_then(|count| {
        let timeout = value(timeout)?.map_or(Ok(POLICY_SECONDS), |timeout| {
            let text = timeout.as_str().unwrap_or_default();
            duration(text).ok_or_else(|| format!("the Timeout {timeout} is no ISO 8601 duration like PT15M"))
        })?;
        let terms = terms_of(whole("Count", count.as_ref())?.unwrap_or(1), timeout, true)?;
        Ok((of_resource(&stack.id, &input.logical_id), terms))
    });
    Ok(found)
}

fn of_handle(properties: &Properties) -> Result<(SignalsKey, Terms), String> {
    let handle = properties.get("Handle").and_then(Document::as_str).unwrap_or_default();
    let seconds = whole("Timeout", properties.get("Timeout"))?.ok_or("Timeout is missing")?;
    let count = whole("Count", properties.get("Count"))?.unwrap_or(1);
    Ok((SignalsKey { name: token(handle).to_owned() }, terms_of(count, seconds, false)?))
}

fn terms_of(count: u64, seconds: u64, by_policy: bool) -> Result<Terms, String> {
    match seconds {
        0..=SECONDS_MAX => Ok(Terms { count, seconds, by_policy }),
        _ => Err("Timeout cannot be longer than 12 hours".to_owned()),
    }
}

/// A number, also as text.
fn whole(name: &str, value: Option<&Document>) -> Result<Option<u64>, String> {
    let read = |value: &Document| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    value.map(|value| read(value).ok_or_else(|| format!("{name} {value} is no whole number"))).transpose()
}

/// The seconds of `PT1H30M`.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text.strip_prefix("PT").filter(|rest| !rest.is_empty())?;
    let mut seconds = 0_u64;
    for (unit, each) in [('H', 3_600), ('M', 60), ('S', 1)] {
        if let Some((number, behind)) = rest.split_once(unit) {
            seconds = number.parse::<u64>().ok()?.checked_mul(each)?.checked_add(seconds)?;
            rest = behind;
        }
    }
    rest.is_empty().then_some(seconds)
}

/// Writes the signals down, and ends the step that waits where they are enough or one has failed.
async fn settle(tx: &mut Tx, key: SignalsKey, mut signals: Signals) -> Result<()> {
    let Some(waiting) = signals.waiting.clone() else { return tx.put(&key, &signals) };
    let outcome = match signals.judge(waiting.terms) {
        Verdict::Waits => return tx.put(&key, &signals),
        Verdict::Succeeds => {
            let row = tx.get(&waiting.step.row()).await?;
            let name = row.and_then(|resource| resource.doing).and_then(|doing| doing.target.name);
            let id = name.unwrap_or_default();
            let attributes = Map::from_iter([("Data".to_owned(), signals.data())]);
            Outcome::Made(Made { reference: id.as_str().into(), id, attributes, ready: true })
        }
        Verdict::Fails(reason) => Outcome::refused(reason),
    };
    tx.cancel(&waiting.timer);
    signals.waiting = None;
    rest(tx, &key, &signals, waiting.terms)?;
    end::end(tx, (waiting.step, outcome)).await
}

/// Nobody waits any more: signals by policy have nothing else to stand for.
fn rest(tx: &mut Tx, key: &SignalsKey, signals: &Signals, terms: Terms) -> Result<()> {
    if terms.by_policy {
        tx.delete(key);
        return Ok(());
    }
    tx.put(key, signals)
}

/// Whose time is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TimedOut {
    name: String,
    step: StepInput,
}

/// Too few signals came.
pub(crate) async fn time_out(tx: &mut Tx, input: TimedOut) -> Result<()> {
    let key = SignalsKey { name: input.name };
    let Some(mut signals) = tx.get(&key).await? else { return Ok(()) };
    let Some(waiting) = signals.waiting.take().filter(|waiting| waiting.step.same(&input.step)) else {
        return Ok(());
    };
    let reason = signals.late(waiting.terms);
    rest(tx, &key, &signals, waiting.terms)?;
    end::end(tx, (waiting.step, Outcome::refused(reason))).await
}

/// A request to a handle's URL; whether there is such a handle.
pub(super) async fn signalled(tx: &mut Tx, name: &str, body: &str) -> Result<bool> {
    let key = SignalsKey { name: name.to_owned() };
    let Some(mut signals) = tx.get(&key).await? else { return Ok(false) };
    let refused = |why: &str| Fault::new("InvalidRequest", why.to_owned());
    let Ok(Document::Object(told)) = serde_json::from_str::<Document>(body) else {
        return Err(refused("the signal is no JSON object").into());
    };
    let text = |member: &str| match told.get(member) {
        None | Some(Document::Null) => String::new(),
        Some(Document::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let succeeded = match text("Status").as_str() {
        "SUCCESS" => true,
        "FAILURE" => false,
        _ => return Err(refused("the signal's Status is neither SUCCESS nor FAILURE").into()),
    };
    let id = text("UniqueId");
    if id.is_empty() {
        return Err(refused("the signal has no UniqueId").into());
    }
    let signal = Signal { succeeded, reason: text("Reason"), data: text("Data") };
    let data = signals.received.values().map(|known| known.data.len()).sum::<usize>() + signal.data.len();
    if data > DATA_BYTES_MAX {
        return Err(refused("the Data of all signals would be more than 4096 bytes").into());
    }
    // As on AWS, a signal counts once, by its id.
    signals.received.entry(id).or_insert(signal);
    settle(tx, key, signals).await?;
    Ok(true)
}

/// `SignalResource`: a signal for a condition with a creation policy.
pub(crate) async fn signal(
    tx: &mut Tx,
    stack: &Stack,
    logical_id: &str,
    (id, status): (String, ResourceSignalStatus),
) -> Result<()> {
    let key = of_resource(&stack.id, logical_id);
    let signals = tx.get(&key).await?.filter(|signals| signals.waiting.is_some());
    let row = ResourceKey { stack: stack.id.clone(), logical_id: logical_id.to_owned() };
    let (Some(mut signals), Some(mut resource)) = (signals, tx.get(&row).await?) else {
        let message = format!("Resource {logical_id} of stack {} waits for no signals", stack.name);
        return Err(invalid(message).into());
    };
    if signals.received.contains_key(&id) {
        let message = format!("Resource {logical_id} has received a signal with UniqueId {id} already");
        return Err(invalid(message).into());
    }
    let succeeded = status == ResourceSignalStatus::Success;
    let told = format!("Received {} signal with UniqueId {id}", status.as_str());
    record::change(tx, stack, (logical_id, &mut resource), ResourceStatus::CreateInProgress, Some(told))
        .await?;
    tx.put(&row, &resource)?;
    signals.received.insert(id, Signal { succeeded, reason: String::new(), data: String::new() });
    settle(tx, key, signals).await
}

/// What is told of a condition whose operation goes on without it.
const CANCELLED: &str = "Resource creation cancelled";

/// Whether nothing new is made any more.
fn is_called_off(plan: &Plan) -> bool {
    plan.phase == Phase::Forward && (plan.halted.is_some() || !plan.failed().is_empty())
}

/// Ends the conditions that wait although their operation has failed; their logical ids.
pub(super) async fn call_off(tx: &mut Tx, stack: &Stack, plan: &Plan) -> Result<Vec<String>> {
    let mut ended = Vec::new();
    for logical_id in is_called_off(plan).then(|| plan.running_names()).into_iter().flatten() {
        let row = ResourceKey { stack: stack.id.clone(), logical_id: logical_id.clone() };
        let Some(mut resource) = tx.get(&row).await? else { continue };
        let Some(name) = resource.awaiting.clone() else { continue };
        let key = SignalsKey { name };
        let Some(mut signals) = tx.get(&key).await? else { continue };
        let Some(waiting) = signals.waiting.take().filter(|it| it.step.logical_id == logical_id) else {
            continue;
        };
        tx.cancel(&waiting.timer);
        rest(tx, &key, &signals, waiting.terms)?;
        resource.doing = None;
        resource.awaiting = None;
        let cancelled = Some(CANCELLED.to_owned());
        record::change(tx, stack, (&logical_id, &mut resource), ResourceStatus::CreateFailed, cancelled)
            .await?;
        tx.put(&row, &resource)?;
        ended.push(logical_id);
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signals(of: &[(&str, bool)]) -> Signals {
        let signal = |succeeded| Signal { succeeded, reason: "no disk".to_owned(), data: "d".to_owned() };
        let received = of.iter().map(|(id, succeeded)| ((*id).to_owned(), signal(*succeeded))).collect();
        Signals { received, waiting: None }
    }

    #[test]
    fn enough_signals_succeed_and_one_failure_fails() {
        let terms = Terms { count: 2, seconds: 60, by_policy: false };
        assert_eq!(signals(&[("a", true)]).judge(terms), Verdict::Waits);
        assert_eq!(signals(&[("a", true), ("b", true)]).judge(terms), Verdict::Succeeds);
        assert_eq!(signals(&[]).judge(Terms { count: 0, ..terms }), Verdict::Succeeds);
        let failed = signals(&[("a", true), ("b", false)]);
        let Verdict::Fails(reason) = failed.judge(terms) else { panic!() };
        assert_eq!(reason, "WaitCondition received failed message: 'no disk' for uniqueId: b");
        let Verdict::Fails(reason) = failed.judge(Terms { by_policy: true, ..terms }) else { panic!() };
        assert!(reason.starts_with("Received 1 FAILURE signal(s) out of 2."), "{reason}");
        assert_eq!(signals(&[("a", true), ("b", true)]).data(), json!(r#"{"a":"d","b":"d"}"#));
    }

    #[test]
    fn durations_are_read() {
        let cases =
            [("PT15M", Some(900)), ("PT1H30M", Some(5_400)), ("PT12H", Some(43_200)), ("PT5S", Some(5))];
        for (text, seconds) in cases {
            assert_eq!(duration(text), seconds, "{text}");
        }
        for text in ["15M", "PT", "PT5", "PTM", "PT1M1H", "P1D", ""] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
