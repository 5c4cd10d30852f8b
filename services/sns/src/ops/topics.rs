use std::collections::BTreeMap;

use base::Fault;
use kernel::{Direction, Parts, Result, Tx};

use crate::access::Who;
use crate::api::{
    CreateTopicInput, CreateTopicOutput, DeleteTopicInput, DeleteTopicOutput, GetTopicAttributesInput,
    GetTopicAttributesOutput, ListTopicsInput, ListTopicsOutput, SetTopicAttributesInput,
    SetTopicAttributesOutput, Topic as Listed,
};
use crate::deliver::SUBSCRIPTIONS_MAX;
use crate::keys::{EndpointKey, SubscriptionKey, TopicKey};
use crate::topic::{self, Fifo, Settings, Topic, arn, enter, find, find_guarded};
use crate::{fault, order, retry, token};

/// Topics of one answer.
const PAGE: usize = 100;

/// Makes a topic; one that is already there with the same attributes and tags is given back.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html>
pub(crate) async fn create_topic(tx: &mut Tx, input: CreateTopicInput) -> Result<CreateTopicOutput> {
    if input.data_protection_policy.is_some_and(|policy| !policy.is_empty()) {
        return Err(fault::not_served("DataProtectionPolicy").into());
    }
    let attributes = input.attributes.unwrap_or_default();
    let fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
    check_name(&input.name, fifo)?;
    let tags: BTreeMap<String, String> =
        input.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    let mut settings = Settings { fifo: fifo.then(Fifo::default), ..Settings::default() };
    set(&mut settings, &attributes)?;
    let key = TopicKey { name: input.name.clone() };
    if let Some(existing) = tx.get(&key).await? {
        let mut wanted = existing.settings.clone();
        set(&mut wanted, &attributes)?;
        let what = match (wanted != existing.settings, !tags.is_empty() && tags != existing.tags) {
            (true, _) => Some(("Attributes", "attributes")),
            (_, true) => Some(("Tags", "tags")),
            _ => None,
        };
        if let Some((member, what)) = what {
            return Err(fault::invalid(format!(
                "{member} Reason: Topic already exists with different {what}"
            ))
            .into());
        }
    } else {
        super::tags::check(&tags)?;
        let topic =
            Topic { generation: tx.id(), created_at: tx.now(), settings, tags, subscriptions_deleted: 0 };
        tx.put(&key, &topic)?;
        if fifo {
            order::schedule(tx, &key.name, &topic)?;
        }
    }
    Ok(CreateTopicOutput { topic_arn: Some(arn(tx, &input.name).to_string()) })
}

fn set(settings: &mut Settings, attributes: &BTreeMap<String, String>) -> Result<(), Fault> {
    attributes.iter().try_for_each(|(name, value)| settings.set(name, value))
}

fn check_name(name: &str, fifo: bool) -> Result<(), Fault> {
    let stem = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let letters = |stem: &str| {
        !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if name.len() <= topic::NAME_BYTES_MAX && stem.is_some_and(letters) {
        return Ok(());
    }
    Err(match fifo {
        true => fault::invalid(
            "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, \
             numbers, underscores, and hyphens, and must be between 1 and 256 characters long.",
        ),
        false => fault::invalid("Topic Name"),
    })
}

/// Removes a topic with its subscriptions. A topic that is not there is no error.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html>
pub(crate) async fn delete_topic(tx: &mut Tx, input: DeleteTopicInput) -> Result<DeleteTopicOutput> {
    let key = TopicKey { name: enter(tx, &input.topic_arn, Who::Owner("DeleteTopic"))? };
    if tx.get(&key).await?.is_none() {
        return Ok(DeleteTopicOutput {});
    }
    tx.delete(&key);
    let parts = Parts::of(&key.name);
    for (subscription, _) in tx.scan::<SubscriptionKey>(parts.clone(), SUBSCRIPTIONS_MAX).await? {
        tx.delete(&subscription);
    }
    for (endpoint, _) in tx.scan::<EndpointKey>(parts, SUBSCRIPTIONS_MAX).await? {
        tx.delete(&endpoint);
    }
    Ok(DeleteTopicOutput {})
}

/// The topics, in the order of their names.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html>
pub(crate) async fn list_topics(tx: &mut Tx, input: ListTopicsInput) -> Result<ListTopicsOutput> {
    let mut rows = match input.next_token {
        None => tx.scan::<TopicKey>(Parts::none(), PAGE + 1).await?,
        Some(token) => {
            let last = TopicKey { name: token::last_of(&token)? };
            tx.scan_after(Parts::none(), &last, PAGE + 1, Direction::Forward).await?
        }
    };
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next_token = rows.last().filter(|_| more).map(|(key, _)| base::page::token(&key.name));
    let topics = rows.iter().map(|(key, _)| Listed { topic_arn: Some(arn(tx, &key.name).to_string()) });
    Ok(ListTopicsOutput { topics: Some(topics.collect()), next_token })
}

/// All attributes of a topic.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html>
pub(crate) async fn get_topic_attributes(
    tx: &mut Tx,
    input: GetTopicAttributesInput,
) -> Result<GetTopicAttributesOutput> {
    let (name, topic) = find(tx, &input.topic_arn, Who::Owner("GetTopicAttributes")).await?;
    let arn = arn(tx, &name);
    let subscriptions = tx.scan::<SubscriptionKey>(Parts::of(&name), SUBSCRIPTIONS_MAX).await?;
    let pending = subscriptions.iter().filter(|(_, subscription)| subscription.token.is_some()).count();
    let mut attributes = topic.settings.to_attributes(&arn);
    let (healthy, request) = retry::effective(&topic.settings.delivery_policy, "")?;
    let effective = serde_json::json!({ "http": {
        "defaultHealthyRetryPolicy": healthy,
        "disableSubscriptionOverrides":
            retry::TopicPolicy::parse(&topic.settings.delivery_policy)?.http.disable_subscription_overrides,
        "defaultRequestPolicy": {
            "headerContentType":
                request.header_content_type.unwrap_or_else(|| "text/plain; charset=UTF-8".to_owned()),
        },
    } });
    let own = [
        ("TopicArn", arn.to_string()),
        ("Owner", arn.account.clone()),
        ("SubscriptionsConfirmed", (subscriptions.len() - pending).to_string()),
        ("SubscriptionsPending", pending.to_string()),
        ("SubscriptionsDeleted", topic.subscriptions_deleted.to_string()),
        ("EffectiveDeliveryPolicy", effective.to_string()),
    ];
    attributes.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Ok(GetTopicAttributesOutput { attributes: Some(attributes) })
}

/// Sets one attribute.
///
/// <https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html>
pub(crate) async fn set_topic_attributes(
    tx: &mut Tx,
    input: SetTopicAttributesInput,
) -> Result<SetTopicAttributesOutput> {
    let (key, mut topic) = find_guarded(tx, &input.topic_arn, Who::Owner("SetTopicAttributes")).await?;
    topic.settings.set(&input.attribute_name, &input.attribute_value.unwrap_or_default())?;
    tx.put(&key, &topic)?;
    Ok(SetTopicAttributesOutput {})
}
