use std::collections::BTreeMap;

use base::Fault;
use kernel::{Direction, Parts, Result, Tx};

use crate::access::{self, Who};
use crate::api::{
    GetSubscriptionAttributesInput, GetSubscriptionAttributesOutput, ListSubscriptionsByTopicInput,
    ListSubscriptionsByTopicOutput, ListSubscriptionsInput, ListSubscriptionsOutput,
    SetSubscriptionAttributesInput, SetSubscriptionAttributesOutput, Subscription as Listed,
};
use crate::keys::SubscriptionKey;
use crate::subscription::{self, Setting, Subscription};
use crate::topic::{self, arn, find};
use crate::{fault, retry, token};

/// Subscriptions of one answer.
const PAGE: usize = 100;

/// All subscriptions of the account in this region.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html>
pub(crate) async fn list_subscriptions(
    tx: &mut Tx,
    input: ListSubscriptionsInput,
) -> Result<ListSubscriptionsOutput> {
    let (subscriptions, next_token) = page(tx, None, input.next_token).await?;
    Ok(ListSubscriptionsOutput { subscriptions: Some(subscriptions), next_token })
}

/// The subscriptions of a topic.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>
pub(crate) async fn list_subscriptions_by_topic(
    tx: &mut Tx,
    input: ListSubscriptionsByTopicInput,
) -> Result<ListSubscriptionsByTopicOutput> {
    let (name, _) = find(tx, &input.topic_arn, Who::Owner("ListSubscriptionsByTopic")).await?;
    let (subscriptions, next_token) = page(tx, Some(&name), input.next_token).await?;
    Ok(ListSubscriptionsByTopicOutput { subscriptions: Some(subscriptions), next_token })
}

/// A token names the last subscription of the answer before: `topic:id`.
async fn page(tx: &mut Tx, of: Option<&str>, token: Option<String>) -> Result<(Vec<Listed>, Option<String>)> {
    let parts = of.map_or_else(Parts::none, Parts::of);
    let mut rows = match token {
        None => tx.scan::<SubscriptionKey>(parts, PAGE + 1).await?,
        Some(token) => {
            let (topic, id) =
                subscription::parse_arn(&token::last_of(&token)?).map_err(|_| fault::invalid("NextToken"))?;
            if !topic::is_name(&topic) || of.is_some_and(|of| of != topic) {
                return Err(fault::invalid("NextToken").into());
            }
            let after = SubscriptionKey { topic, id };
            tx.scan_after(parts, &after, PAGE + 1, Direction::Forward).await?
        }
    };
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next =
        rows.last().filter(|_| more).map(|(key, _)| base::page::token(&format!("{}:{}", key.topic, key.id)));
    Ok((rows.into_iter().map(|(key, subscription)| listed(tx, &key, subscription)).collect(), next))
}

fn listed(tx: &Tx, key: &SubscriptionKey, subscription: Subscription) -> Listed {
    let topic = arn(tx, &key.topic);
    let own = match subscription.token {
        Some(_) => "PendingConfirmation".to_owned(),
        None => subscription::arn(&topic, key.id),
    };
    Listed {
        subscription_arn: Some(own),
        owner: Some(subscription.owner),
        protocol: Some(subscription.protocol.as_str().to_owned()),
        endpoint: Some(subscription.endpoint),
        topic_arn: Some(topic.to_string()),
    }
}

/// All attributes of a subscription.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html>
pub(crate) async fn get_subscription_attributes(
    tx: &mut Tx,
    input: GetSubscriptionAttributesInput,
) -> Result<GetSubscriptionAttributesOutput> {
    let (topic_arn, id) = subscription::parse_arn(&input.subscription_arn)?;
    let (name, topic) = find(tx, &topic_arn, Who::Anybody).await?;
    let subscription = tx.peek(&SubscriptionKey { topic: name.clone(), id }).await?;
    check_owner(tx, &name, subscription.as_ref(), "GetSubscriptionAttributes")?;
    let subscription = subscription.ok_or_else(fault::no_subscription)?;
    let mut attributes: BTreeMap<String, String> = subscription.settings.to_attributes();
    let own = [
        ("SubscriptionArn", input.subscription_arn.clone()),
        ("SubscriptionPrincipal", format!("arn:aws:iam::{}:root", subscription.owner)),
        ("TopicArn", topic_arn),
        ("Owner", subscription.owner.clone()),
        ("Protocol", subscription.protocol.as_str().to_owned()),
        ("Endpoint", subscription.endpoint.clone()),
        ("PendingConfirmation", subscription.token.is_some().to_string()),
        ("ConfirmationWasAuthenticated", subscription.authenticated.to_string()),
    ];
    attributes.extend(own.map(|(name, value)| (name.to_owned(), value)));
    if subscription.protocol.is_http() {
        let (topic, own) = (&topic.settings.delivery_policy, &subscription.settings.delivery_policy);
        let effective = serde_json::json!({ "healthyRetryPolicy": retry::effective(topic, own)?.0 });
        attributes.insert("EffectiveDeliveryPolicy".to_owned(), effective.to_string());
    }
    Ok(GetSubscriptionAttributesOutput { attributes: Some(attributes) })
}

/// Sets one attribute.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html>
pub(crate) async fn set_subscription_attributes(
    tx: &mut Tx,
    input: SetSubscriptionAttributesInput,
) -> Result<SetSubscriptionAttributesOutput> {
    let (topic_arn, id) = subscription::parse_arn(&input.subscription_arn)?;
    let (name, topic) = find(tx, &topic_arn, Who::Anybody).await?;
    let key = SubscriptionKey { topic: name, id };
    let subscription = tx.get(&key).await?;
    check_owner(tx, &key.topic, subscription.as_ref(), "SetSubscriptionAttributes")?;
    let mut subscription = subscription.ok_or_else(fault::no_subscription)?;
    let attributes = BTreeMap::from([(input.attribute_name, input.attribute_value.unwrap_or_default())]);
    let setting = Setting {
        protocol: subscription.protocol,
        fifo_topic: topic.settings.fifo.is_some(),
        attributes: &attributes,
    };
    subscription.settings.set(tx, &setting)?;
    tx.put(&key, &subscription)?;
    Ok(SetSubscriptionAttributesOutput {})
}

/// A subscription is its own account's and its topic's; others learn not even whether it is there.
pub(super) fn check_owner(
    tx: &Tx,
    topic: &str,
    subscription: Option<&Subscription>,
    action: &str,
) -> Result<(), Fault> {
    let is_mine = |subscription: &Subscription| access::is_of(tx.caller(), &subscription.owner);
    if access::is_owner(tx) || subscription.is_some_and(is_mine) {
        return Ok(());
    }
    Err(access::denied(tx, topic, action))
}
