use std::collections::BTreeMap;

use kernel::{Direction, Parts, Result, Tx};

use crate::api::{
    GetSubscriptionAttributesInput, GetSubscriptionAttributesOutput, ListSubscriptionsByTopicInput,
    ListSubscriptionsByTopicOutput, ListSubscriptionsInput, ListSubscriptionsOutput,
    SetSubscriptionAttributesInput, SetSubscriptionAttributesOutput, Subscription as Listed,
};
use crate::keys::SubscriptionKey;
use crate::subscription::{self, Setting, Subscription};
use crate::topic::{self, arn, find};
use crate::{fault, retry};

/// Subscriptions of one answer.
const PAGE: usize = 100;

/// All subscriptions of the account in this region.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html>
pub(crate) async fn list_subscriptions(
    tx: &mut Tx,
    input: ListSubscriptionsInput,
) -> Result<ListSubscriptionsOutput> {
    let (subscriptions, next_token) = page(tx, Parts::none(), input.next_token).await?;
    Ok(ListSubscriptionsOutput { subscriptions: Some(subscriptions), next_token })
}

/// The subscriptions of a topic.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html>
pub(crate) async fn list_subscriptions_by_topic(
    tx: &mut Tx,
    input: ListSubscriptionsByTopicInput,
) -> Result<ListSubscriptionsByTopicOutput> {
    let (name, _) = find(tx, &input.topic_arn).await?;
    let (subscriptions, next_token) = page(tx, Parts::of(&name), input.next_token).await?;
    Ok(ListSubscriptionsByTopicOutput { subscriptions: Some(subscriptions), next_token })
}

/// A token is the last subscription of the answer before: `topic:id`.
async fn page(tx: &mut Tx, parts: Parts, token: Option<String>) -> Result<(Vec<Listed>, Option<String>)> {
    let mut rows = match token {
        None => tx.scan::<SubscriptionKey>(parts, PAGE + 1).await?,
        Some(token) => {
            let (topic, id) = subscription::parse_arn(&token).map_err(|_| fault::invalid("NextToken"))?;
            let after = SubscriptionKey { topic, id };
            tx.scan_after(parts, &after, PAGE + 1, Direction::Forward).await?
        }
    };
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|(key, _)| format!("{}:{}", key.topic, key.id));
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
    let (name, topic) = find(tx, &topic_arn).await?;
    let subscription = tx.peek(&SubscriptionKey { topic: name, id }).await?;
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
    let (name, topic) = topic::find(tx, &topic_arn).await?;
    let key = SubscriptionKey { topic: name, id };
    let mut subscription = tx.get(&key).await?.ok_or_else(fault::no_subscription)?;
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
