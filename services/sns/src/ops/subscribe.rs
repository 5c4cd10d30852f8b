use base::{Arn, Fault};
use kernel::{Call, NewTask, Parts, Result, Tx};
use uuid::Uuid;

use crate::access::{self, Who};
use crate::api::{
    ConfirmSubscriptionInput, ConfirmSubscriptionOutput, SubscribeInput, SubscribeOutput, UnsubscribeInput,
    UnsubscribeOutput,
};
use crate::deliver::{SUBSCRIPTIONS_MAX, headers};
use crate::envelope::{self, Place};
use crate::http::{DELIVER, Deliver};
use crate::keys::{EndpointKey, Number, SubscriptionKey};
use crate::subscription::{self, Protocol, Setting, Settings, Subscription};
use crate::topic::{self, Topic, find_guarded};
use crate::{fault, retry};

use super::subscriptions::check_owner;

/// The longest endpoint: it is part of a key.
const ENDPOINT_BYTES_MAX: usize = 2_048;

/// Subscribes an endpoint. Queues and functions are subscribed at once; an HTTP endpoint is asked to confirm first.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>
pub(crate) async fn subscribe(tx: &mut Tx, input: SubscribeInput) -> Result<SubscribeOutput> {
    let (key, topic) = find_guarded(tx, &input.topic_arn, Who::Allowed("Subscribe")).await?;
    let protocol = Protocol::parse(&input.protocol)?;
    let endpoint = input.endpoint.unwrap_or_default();
    check_endpoint(tx, protocol, &endpoint, &topic)?;
    let attributes = input.attributes.unwrap_or_default();
    let setting = Setting { protocol, fifo_topic: topic.settings.fifo.is_some(), attributes: &attributes };
    let mut settings = Settings::default();
    settings.set(tx, &setting)?;
    let topic_arn = topic::arn(tx, &key.name);
    let endpoint_key = EndpointKey {
        topic: key.name.clone(),
        protocol: protocol.as_str().to_owned(),
        endpoint: endpoint.clone(),
    };
    let (id, subscription) = match tx.get(&endpoint_key).await? {
        Some(Number(id)) => {
            let id = Uuid::from_u128(id);
            let present = tx.get(&SubscriptionKey { topic: key.name.clone(), id }).await?;
            let present = present.ok_or_else(fault::no_subscription)?;
            if !attributes.is_empty() && present.settings != settings {
                let reason = "Attributes Reason: Subscription already exists with different attributes";
                return Err(fault::invalid(reason).into());
            }
            (id, present)
        }
        None => {
            let all = tx.scan::<EndpointKey>(Parts::of(&key.name), SUBSCRIPTIONS_MAX).await?;
            if all.len() >= SUBSCRIPTIONS_MAX {
                let message = format!("Buswork serves at most {SUBSCRIPTIONS_MAX} subscriptions of a topic");
                return Err(Fault::new("SubscriptionLimitExceededException", message)
                    .with_status(403)
                    .into());
            }
            let token = protocol.is_http().then(|| format!("{:016x}{:016x}", tx.random(), tx.random()));
            let subscription = Subscription {
                protocol,
                endpoint,
                owner: tx.caller().account.to_string(),
                created_at: tx.now(),
                token,
                authenticated: !protocol.is_http(),
                settings,
            };
            let id = tx.id();
            tx.put(&SubscriptionKey { topic: key.name.clone(), id }, &subscription)?;
            tx.put(&endpoint_key, &Number(id.as_u128()))?;
            (id, subscription)
        }
    };
    // The topic's row is written, so that two that subscribe at once meet there.
    tx.put(&key, &topic)?;
    let arn = subscription::arn(&topic_arn, id);
    if let Some(token) = &subscription.token {
        ask_to_confirm(tx, &topic, (&topic_arn, &arn), &subscription, token)?;
    }
    let pending = subscription.token.is_some() && input.return_subscription_arn != Some(true);
    let shown = if pending { "pending confirmation".to_owned() } else { arn };
    Ok(SubscribeOutput { subscription_arn: Some(shown) })
}

fn check_endpoint(tx: &Tx, protocol: Protocol, endpoint: &str, topic: &Topic) -> Result<(), Fault> {
    let invalid = |reason: &str| fault::invalid(format!("Endpoint Reason: {reason}"));
    if endpoint.len() > ENDPOINT_BYTES_MAX {
        return Err(invalid("Endpoint must be at most 2048 characters long"));
    }
    if let Protocol::Http | Protocol::Https = protocol {
        let scheme = format!("{}://", protocol.as_str());
        if topic.settings.fifo.is_some() {
            return Err(invalid("FIFO topics deliver to SQS queues only"));
        }
        return match endpoint.strip_prefix(&scheme).is_some_and(|rest| !rest.is_empty()) {
            true => Ok(()),
            false => Err(invalid("Endpoint must match the specified protocol")),
        };
    }
    let service = protocol.as_str();
    let arn = endpoint.parse::<Arn>().ok().filter(|arn| arn.service == service);
    let Some(arn) = arn.filter(|arn| tx.targets().find(arn).is_some()) else {
        let kind = if protocol == Protocol::Sqs { "SQS" } else { "Lambda" };
        return Err(fault::invalid(format!("{kind} endpoint ARN")));
    };
    match (topic.settings.fifo.is_some(), protocol) {
        (true, Protocol::Lambda) => Err(invalid("FIFO topics deliver to SQS queues only")),
        (false, _) if arn.resource.ends_with(".fifo") => {
            Err(invalid("FIFO SQS Queues can not be subscribed to standard SNS topics"))
        }
        _ => Ok(()),
    }
}

/// Sends the token to the endpoint, which confirms by it.
fn ask_to_confirm(
    tx: &mut Tx,
    topic: &Topic,
    (topic_arn, arn): (&Arn, &str),
    subscription: &Subscription,
    token: &str,
) -> Result<()> {
    let id = tx.id().to_string();
    let endpoint = tx.endpoint().to_owned();
    let place = Place {
        topic: topic_arn,
        subscription: arn,
        endpoint: &endpoint,
        at: tx.now(),
        signature_version: &topic.settings.signature_version,
        protocol: subscription.protocol.as_str(),
    };
    let (policy, _) =
        retry::effective(&topic.settings.delivery_policy, &subscription.settings.delivery_policy)?;
    let task = NewTask {
        retry: retry::outside(&policy),
        lane: Some(subscription.endpoint.clone()),
        note: Some("subscription confirmation".to_owned()),
        ..NewTask::new(Call::new(
            crate::NAME,
            DELIVER,
            &Deliver {
                url: subscription.endpoint.clone(),
                headers: headers(&place, "SubscriptionConfirmation", &id, None, false),
                body: envelope::confirmation(&place, &id, token),
                policy,
            },
        )?)
    };
    tx.enqueue(tx.now(), task)?;
    Ok(())
}

/// Confirms the subscription that a token was sent for; each token does so once. The token is the proof: nobody is asked
/// for his account.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html>
pub(crate) async fn confirm_subscription(
    tx: &mut Tx,
    input: ConfirmSubscriptionInput,
) -> Result<ConfirmSubscriptionOutput> {
    let name = topic::find(tx, &input.topic_arn, Who::Anybody).await?.0;
    let all = tx.scan::<SubscriptionKey>(Parts::of(&name), SUBSCRIPTIONS_MAX).await?;
    let named = |subscription: &Subscription| subscription.token.as_deref() == Some(&input.token);
    let Some((key, _)) = all.into_iter().find(|(_, subscription)| named(subscription)) else {
        return Err(fault::invalid("Token").into());
    };
    // Guarded: it may be confirmed or taken away just now.
    let subscription = tx.get(&key).await?.ok_or_else(fault::no_subscription)?;
    // Only a signed call can ask for it.
    let authenticated = input.authenticate_on_unsubscribe.as_deref() == Some("true")
        && tx.caller().principal != access::ANONYMOUS;
    tx.put(&key, &Subscription { token: None, authenticated, ..subscription })?;
    let arn = subscription::arn(&topic::arn(tx, &name), key.id);
    Ok(ConfirmSubscriptionOutput { subscription_arn: Some(arn) })
}

/// Takes a subscription away. One that is not there is no error.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html>
pub(crate) async fn unsubscribe(tx: &mut Tx, input: UnsubscribeInput) -> Result<UnsubscribeOutput> {
    let (topic_arn, id) = subscription::parse_arn(&input.subscription_arn)?;
    let (topic_key, mut topic) = match find_guarded(tx, &topic_arn, Who::Anybody).await {
        Err(kernel::Error::Fault(fault)) if fault.code == "NotFoundException" => {
            return Ok(UnsubscribeOutput {});
        }
        found => found?,
    };
    let key = SubscriptionKey { topic: topic_key.name.clone(), id };
    let Some(subscription) = tx.get(&key).await? else { return Ok(UnsubscribeOutput {}) };
    // Whoever has the link of an endpoint may use it, unless it was confirmed otherwise.
    if subscription.authenticated {
        check_owner(tx, &key.topic, Some(&subscription), "Unsubscribe")?;
    }
    tx.delete(&key);
    let (protocol, endpoint) = (subscription.protocol.as_str().to_owned(), subscription.endpoint);
    tx.delete(&EndpointKey { topic: topic_key.name.clone(), protocol, endpoint });
    topic.subscriptions_deleted += 1;
    tx.put(&topic_key, &topic)?;
    Ok(UnsubscribeOutput {})
}
