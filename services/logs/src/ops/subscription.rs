//! Subscription filters.

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteSubscriptionFilterInput, DeleteSubscriptionFilterOutput, DescribeSubscriptionFiltersInput,
    DescribeSubscriptionFiltersOutput, Distribution, PutSubscriptionFilterInput, PutSubscriptionFilterOutput,
    SubscriptionFilter,
};
use crate::filter::Filter;
use crate::keys::{Group, GroupKey, Subscription};
use crate::{fault, subscription};

/// The most subscription filters of a group.
const PER_GROUP_MAX: usize = 2;
/// The page size if none is asked for, and the largest.
const PAGE: usize = 50;

/// To Lambda functions. Other destinations are refused by name.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html>
pub(crate) async fn put_subscription_filter(
    tx: &mut Tx,
    input: PutSubscriptionFilterInput,
) -> Result<PutSubscriptionFilterOutput> {
    refuse_what_is_not_honoured(&input)?;
    Filter::parse(&input.filter_pattern)?;
    subscription::check_destination(tx, &input.log_group_name, &input.destination_arn)?;
    let (key, mut group) = find(tx, input.log_group_name).await?;
    let before = group.subscriptions.get(&input.filter_name);
    let subscription = Subscription {
        pattern: input.filter_pattern,
        destination: input.destination_arn,
        created_at: before.map_or_else(|| tx.now(), |before| before.created_at),
    };
    group.subscriptions.insert(input.filter_name, subscription);
    if group.subscriptions.len() > PER_GROUP_MAX {
        return Err(Fault::new("LimitExceededException", "Resource limit exceeded.").into());
    }
    tx.put(&key, &group)?;
    Ok(PutSubscriptionFilterOutput {})
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html>
pub(crate) async fn describe_subscription_filters(
    tx: &mut Tx,
    input: DescribeSubscriptionFiltersInput,
) -> Result<DescribeSubscriptionFiltersOutput> {
    let (key, group) = find(tx, input.log_group_name).await?;
    let prefix = input.filter_name_prefix.unwrap_or_default();
    let behind = |name: &String| input.next_token.as_ref().is_none_or(|token| name > token);
    let limit = input.limit.map_or(PAGE, |limit| limit.unsigned_abs() as usize);
    let all = group.subscriptions.into_iter();
    let mut filters: Vec<SubscriptionFilter> = all
        .filter(|(name, _)| name.starts_with(&prefix) && behind(name))
        .map(|(name, subscription)| show(&key.name, name, subscription))
        .collect();
    let more = filters.len() > limit;
    filters.truncate(limit);
    let next_token = filters.last().filter(|_| more).and_then(|last| last.filter_name.clone());
    Ok(DescribeSubscriptionFiltersOutput { subscription_filters: Some(filters), next_token })
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteSubscriptionFilter.html>
pub(crate) async fn delete_subscription_filter(
    tx: &mut Tx,
    input: DeleteSubscriptionFilterInput,
) -> Result<DeleteSubscriptionFilterOutput> {
    let (key, mut group) = find(tx, input.log_group_name).await?;
    if group.subscriptions.remove(&input.filter_name).is_none() {
        let message = "The specified subscription filter does not exist.";
        return Err(Fault::new("ResourceNotFoundException", message).into());
    }
    tx.put(&key, &group)?;
    Ok(DeleteSubscriptionFilterOutput {})
}

async fn find(tx: &mut Tx, name: String) -> Result<(GroupKey, Group)> {
    let key = GroupKey { name };
    match tx.get(&key).await? {
        Some(group) => Ok((key, group)),
        None => Err(fault::no_such_group().into()),
    }
}

fn show(group: &str, name: String, subscription: Subscription) -> SubscriptionFilter {
    SubscriptionFilter {
        filter_name: Some(name),
        log_group_name: Some(group.to_owned()),
        filter_pattern: Some(subscription.pattern),
        destination_arn: Some(subscription.destination),
        distribution: Some(Distribution::ByLogStream),
        creation_time: Some(subscription.created_at.as_millis()),
        ..SubscriptionFilter::default()
    }
}

fn refuse_what_is_not_honoured(input: &PutSubscriptionFilterInput) -> Result<(), Fault> {
    let refused = [
        ("roleArn of a Lambda destination", input.role_arn.is_some()),
        ("the distribution Random", input.distribution == Some(Distribution::Random)),
        ("applyOnTransformedLogs", input.apply_on_transformed_logs == Some(true)),
        ("fieldSelectionCriteria", input.field_selection_criteria.as_ref().is_some_and(|it| !it.is_empty())),
        ("emitSystemFields", input.emit_system_fields.as_ref().is_some_and(|fields| !fields.is_empty())),
    ];
    match refused.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(fault::not_honoured(name)),
        None => Ok(()),
    }
}
