use std::time::Duration;

use asl::Stimulus;
use futures::future::select;
use kernel::{Effect, Parts, Result, Tx};

use crate::activity::{Offer, find};
use crate::api::{GetActivityTaskInput, GetActivityTaskOutput};
use crate::arn::activity_name;
use crate::keys::OfferKey;
use crate::run::Live;
use crate::token::Token;

use super::create_state_machine::scope_of;

/// How long a worker waits for a task.
const WAIT: Duration = Duration::from_secs(60);
/// Offers looked at in one step: other workers may be taking them.
const OFFERS: usize = 16;

/// Hands the oldest task of an activity to a worker; waits up to a minute for one, and then answers with none.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html>
pub(crate) async fn get_activity_task(
    effect: &Effect,
    input: GetActivityTaskInput,
) -> Result<GetActivityTaskOutput> {
    let name = activity_name(&scope_of(effect), &input.activity_arn)?;
    let deadline = effect.now() + WAIT;
    loop {
        // Asked for before the look, so that what comes in between wakes us.
        let wake = effect.watch::<OfferKey>(&Parts::of(&name));
        if let Some(Offer { token, input }) = effect.transact("GetActivityTask", take, input.clone()).await? {
            return Ok(GetActivityTaskOutput { task_token: Some(token), input: Some(input) });
        }
        if effect.now() >= deadline {
            return Ok(GetActivityTaskOutput { task_token: None, input: None });
        }
        let sleep = std::pin::pin!(effect.clock().sleep_until(deadline));
        select(wake, sleep).await;
    }
}

/// The oldest task that nobody else is taking; its execution learns who has it.
async fn take(tx: &mut Tx, input: GetActivityTaskInput) -> Result<Option<Offer>> {
    let (activity, _) = find(tx, &input.activity_arn).await?;
    for (key, _) in tx.scan::<OfferKey>(Parts::of(&activity.name), OFFERS).await? {
        if !tx.reserve(&key) {
            continue;
        }
        let Some(offer) = tx.get(&key).await? else { continue };
        tx.delete(&key);
        let Some(token) = Token::parse(&offer.token) else { continue };
        let Some(mut live) = Live::load(tx, &token.execution).await? else { continue };
        if live.task(token.wait).is_none_or(|task| task.nonce != Some(token.nonce)) {
            continue;
        }
        live.step(tx, Stimulus::TaskStarted { wait_id: token.wait, worker_name: input.worker_name })?;
        live.store(tx)?;
        return Ok(Some(offer));
    }
    Ok(None)
}
