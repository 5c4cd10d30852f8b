//! Custom resources: a function or a topic is asked, and answers when it is ready by a request to this server.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use std::time::Duration;

use base::schema::Blob;
use base::{Document, Fault};
use kernel::{Call, Effect, NewTask, Result, TaskHandle, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::end::{self, Outcome};
use super::{SERVICE, StepInput, enqueue_step, wait};
use crate::keys::{AwaitedKey, StackKey};
use crate::plan::Phase;
use crate::provider::{Made, Properties};
use crate::resource::{Doing, Standing};
use crate::stack::{Stack, invalid};

/// Internal operation, for the front door: a custom resource answers, or a wait condition is signalled. Takes `token`, the last part of the path below
/// `/_buswork/cloudformation/<account>/<region>/`, and `body`, the request's text; answers null. `NoSuchKey` (404): nobody
/// waits, or no more.
pub const ANSWER: &str = "AnswerCustomResource";
/// Internal operation: the time for an answer is up.
pub(crate) const ANSWER_TIME_OUT: &str = "TimeOutCustomResource";

const TIMEOUT_SECONDS: u64 = 3_600;
const ANSWER_BYTES_MAX: usize = 4_096;

/// An answer that is waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Awaited {
    pub step: StepInput,
    pub asks: Asks,
    /// What has it now; empty before there is one.
    pub physical_id: String,
    /// The id that it bears where the answer gives none.
    pub fallback: String,
    pub timer: TaskHandle,
}
store::stored!(Awaited, format = 1);

/// What a custom resource is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asks {
    Create,
    Update,
    Delete,
}

/// A request to a custom resource.
#[derive(Clone)]
pub(super) struct Question {
    pub step: StepInput,
    pub asks: Asks,
    pub kind: String,
    pub physical_id: String,
    pub fallback: String,
    pub properties: Properties,
    pub old: Option<Properties>,
}

impl Question {
    /// To make it or to change it.
    pub(super) fn make(step: &StepInput, doing: &Doing, old: Properties, updates: bool) -> Question {
        let target = &doing.target;
        Question {
            step: step.clone(),
            asks: if updates { Asks::Update } else { Asks::Create },
            kind: target.kind.clone(),
            physical_id: target.id.clone(),
            fallback: target.name.clone().unwrap_or_default(),
            properties: target.properties.clone(),
            old: updates.then_some(old),
        }
    }

    /// To take it away.
    pub(super) fn delete(step: &StepInput, standing: &Standing) -> Question {
        Question {
            step: step.clone(),
            asks: Asks::Delete,
            kind: standing.kind.clone(),
            physical_id: standing.id.clone(),
            fallback: String::new(),
            properties: standing.properties.clone(),
            old: None,
        }
    }
}

/// Asks. The step goes on when the answer comes, or when the time is up.
pub(super) async fn ask(effect: &Effect, question: Question) -> Result<()> {
    let (token, stack) = effect.transact("AwaitAnswer", wait, question.clone()).await?;
    let caller = effect.caller();
    let url =
        format!("{}/_buswork/cloudformation/{}/{}/{token}", effect.endpoint(), caller.account, caller.region);
    let service_token =
        question.properties.get("ServiceToken").and_then(Document::as_str).unwrap_or_default();
    let request = request(&question, (&stack, &token), &url);
    let Err(fault) = send(effect, service_token, &request).await else { return Ok(()) };
    if fault.status >= 500 && fault.status != 501 {
        return Err(fault.into());
    }
    let outcome = Outcome::refused(fault.message);
    effect.transact("EndResource", give_up, (token, outcome)).await
}

/// Writes down that an answer is waited for. A second run finds what the first one has written.
async fn wait(tx: &mut Tx, question: Question) -> Result<(String, Stack)> {
    let stack = tx.peek(&StackKey { id: question.step.stack.clone() }).await?;
    let stack = stack.ok_or_else(|| kernel::Error::bug("ask a custom resource: the stack is gone"))?;
    let row = question.step.row();
    let mut resource = tx.get(&row).await?;
    if let Some(token) = resource.as_ref().and_then(|resource| resource.awaiting.clone())
        && let Some(known) = tx.get(&AwaitedKey { token: token.clone() }).await?
        && known.step.generation == question.step.generation
        && known.physical_id == question.physical_id
    {
        return Ok((token, stack));
    }
    let token = tx.id().to_string();
    let given =
        question.properties.get("ServiceTimeout").map(plain).and_then(|text| text.parse::<u64>().ok());
    let seconds = given.unwrap_or(TIMEOUT_SECONDS).min(TIMEOUT_SECONDS);
    let due = tx.now() + Duration::from_secs(seconds);
    let timer = tx.enqueue_quietly(
        due,
        NewTask::new(Call::new(SERVICE, ANSWER_TIME_OUT, &TimedOut { token: token.clone() })?),
    )?;
    let awaited = Awaited {
        step: question.step.clone(),
        asks: question.asks,
        physical_id: question.physical_id,
        fallback: question.fallback,
        timer,
    };
    tx.put(&AwaitedKey { token: token.clone() }, &awaited)?;
    if let Some(resource) = &mut resource {
        resource.awaiting = Some(token.clone());
        tx.put(&row, resource)?;
    }
    Ok((token, stack))
}

fn request(question: &Question, (stack, token): (&Stack, &str), url: &str) -> Document {
    let mut request = json!({
        "RequestType": question.asks,
        "ServiceToken": question.properties.get("ServiceToken"),
        "ResponseURL": url,
        "StackId": stack.arn,
        "RequestId": token,
        "LogicalResourceId": question.step.logical_id,
        "ResourceType": question.kind,
        "ResourceProperties": texts(&question.properties),
    });
    if question.asks != Asks::Create {
        request["PhysicalResourceId"] = question.physical_id.as_str().into();
    }
    if let Some(old) = &question.old {
        request["OldResourceProperties"] = texts(old);
    }
    request
}

/// As on AWS, numbers and booleans arrive as text.
fn texts(properties: &Properties) -> Document {
    fn text(value: &Document) -> Document {
        match value {
            Document::Array(items) => items.iter().map(text).collect(),
            Document::Object(members) => texts(members),
            scalar => plain(scalar).into(),
        }
    }
    Document::Object(properties.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn plain(value: &Document) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// To a function as an event, or to a topic as a message.
async fn send(effect: &Effect, service_token: &str, request: &Document) -> Result<(), Fault> {
    let service = service_token.split(':').nth(2).unwrap_or_default();
    let (operation, input) = match service {
        "lambda" => {
            let payload = Blob::from(request.to_string().into_bytes());
            (
                "Invoke",
                json!({ "FunctionName": service_token, "InvocationType": "Event", "Payload": payload }),
            )
        }
        "sns" => {
            let subject = "AWS CloudFormation custom resource request";
            (
                "Publish",
                json!({ "TopicArn": service_token, "Subject": subject, "Message": request.to_string() }),
            )
        }
        _ => return Err(invalid(format!("Invalid service token: {service_token}"))),
    };
    effect.call(service, operation, input.to_string().into()).await.map(drop)
}

async fn give_up(tx: &mut Tx, (token, outcome): (String, Outcome)) -> Result<()> {
    let key = AwaitedKey { token };
    let Some(awaited) = tx.get(&key).await? else { return Ok(()) };
    tx.cancel(&awaited.timer);
    tx.delete(&key);
    end::end(tx, (awaited.step, outcome)).await
}

/// Whose time is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TimedOut {
    token: String,
}

/// No answer came.
pub(crate) async fn answer_time_out(tx: &mut Tx, input: TimedOut) -> Result<()> {
    let key = AwaitedKey { token: input.token.clone() };
    let Some(awaited) = tx.get(&key).await? else { return Ok(()) };
    tx.delete(&key);
    let reason = format!(
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId \
         [{}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so \
         that CloudFormation can attach the updated version.",
        input.token
    );
    let id = (awaited.asks == Asks::Create).then_some(awaited.fallback);
    end::end(tx, (awaited.step, Outcome::Failed { reason, id })).await
}

/// What a custom resource has sent to its `ResponseURL`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The last part of the URL.
    token: String,
    /// The request's body.
    body: String,
}

/// Takes an answer and goes on with the step that waits for it.
///
/// # Errors
/// `NoSuchKey` (404): nobody waits, or no more.
pub(crate) async fn answer(tx: &mut Tx, input: Answer) -> Result<()> {
    let key = AwaitedKey { token: input.token.clone() };
    let missing = || Fault::new("NoSuchKey", "nobody waits for this answer").with_status(404);
    let Some(awaited) = tx.get(&key).await? else {
        // A handle has a URL of the same form.
        return if wait::signalled(tx, &input.token, &input.body).await? {
            Ok(())
        } else {
            Err(missing().into())
        };
    };
    tx.cancel(&awaited.timer);
    tx.delete(&key);
    match judge(&awaited, &input) {
        Verdict::Ends(outcome) => end::end(tx, (awaited.step, outcome)).await,
        Verdict::Gone => gone(tx, awaited).await,
    }
}

/// What an answer means for its step.
#[derive(Debug)]
enum Verdict {
    Ends(Outcome),
    /// One of what the step takes away is gone.
    Gone,
}

fn judge(awaited: &Awaited, input: &Answer) -> Verdict {
    let failed = |reason: String, id: Option<String>| Verdict::Ends(Outcome::Failed { reason, id });
    if input.body.len() > ANSWER_BYTES_MAX {
        return failed("Response object is too long.".to_owned(), None);
    }
    let Ok(Document::Object(answer)) = serde_json::from_str::<Document>(&input.body) else {
        return failed("Response is not a valid JSON object.".to_owned(), None);
    };
    let text = |member: &str| answer.get(member).and_then(Document::as_str).filter(|text| !text.is_empty());
    let id = text("PhysicalResourceId").map(str::to_owned);
    if text("Status") != Some("SUCCESS") {
        let reason = text("Reason").unwrap_or("See the details in CloudWatch Log Stream");
        let reason = format!(
            "Received response status [FAILED] from custom resource. Message returned: {reason} (RequestId: {})",
            input.token
        );
        // What failed to be made is taken away by the id that it gave, or by ours; so is the successor that a failed update names.
        let made = match awaited.asks {
            Asks::Create => Some(id.unwrap_or_else(|| awaited.fallback.clone())),
            Asks::Update => id,
            Asks::Delete => None,
        };
        return failed(reason, made);
    }
    if awaited.asks == Asks::Delete {
        return Verdict::Gone;
    }
    let known = Some(awaited.physical_id.clone()).filter(|id| !id.is_empty());
    let Some(id) = id.or(known) else {
        return failed("Invalid PhysicalResourceId".to_owned(), Some(awaited.fallback.clone()));
    };
    let attributes = match answer.get("Data") {
        None | Some(Document::Null) => Map::new(),
        Some(Document::Object(data)) => data.clone(),
        Some(_) => return failed("Response Data is not a JSON object.".to_owned(), Some(id)),
    };
    Verdict::Ends(Outcome::Made(Made { reference: id.as_str().into(), id, attributes, ready: true }))
}

/// The step that takes things away goes on with what is left.
async fn gone(tx: &mut Tx, awaited: Awaited) -> Result<()> {
    let Some(plan) = tx.get(&awaited.step.plan()).await? else { return Ok(()) };
    let deletes = matches!(plan.phase, Phase::Clear | Phase::Cleanup | Phase::RevertCleanup | Phase::Undo);
    if !deletes || !plan.is_running(&awaited.step.logical_id, awaited.step.generation) {
        return Ok(());
    }
    let Some(mut resource) = tx.get(&awaited.step.row()).await? else { return Ok(()) };
    resource.gone.insert(awaited.physical_id);
    resource.awaiting = None;
    tx.put(&awaited.step.row(), &resource)?;
    let stack = tx.peek(&StackKey { id: awaited.step.stack.clone() }).await?;
    let stack = stack.ok_or_else(|| kernel::Error::bug("go on with a deletion: the stack is gone"))?;
    let now = tx.now();
    enqueue_step(tx, &stack, &plan, &awaited.step.logical_id, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_arrive_as_text() {
        let properties = json!({"A": true, "B": [1, {"C": 2.5}], "D": "x"});
        let expected = json!({"A": "true", "B": ["1", {"C": "2.5"}], "D": "x"});
        assert_eq!(texts(properties.as_object().unwrap()), expected);
    }
}
