use std::collections::BTreeSet;

use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, LifecycleRule, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, TransitionDefaultMinimumObjectSize,
};
use crate::bucket::{self, Lifecycle};
use crate::{fault, lifecycle};

/// The most rules of a bucket, and the longest id.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
const RULES_MAX: usize = 1000;
const ID_CHARS_MAX: usize = 255;
const DAY_MS: i64 = 86_400_000;

/// Says how objects go by themselves. They do so at midnight (UTC).
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>
pub(crate) async fn put_bucket_lifecycle_configuration(
    tx: &mut Tx,
    input: PutBucketLifecycleConfigurationInput,
) -> Result<PutBucketLifecycleConfigurationOutput> {
    let Some(configuration) = input.lifecycle_configuration else {
        return Err(fault::malformed_xml().into());
    };
    let mut rules = configuration.rules;
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(fault::malformed_xml().into());
    }
    rules.iter().try_for_each(check)?;
    for rule in &mut rules {
        rule.id.get_or_insert_with(|| tx.id().to_string());
    }
    let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id.clone()).collect();
    if ids.len() < rules.len() {
        let message = "Rule ID must be unique. Found same ID for more than one rule";
        return Err(fault::invalid_argument(message).into());
    }
    let generation = tx.id();
    let minimum = input.transition_default_minimum_object_size;
    let kept = Lifecycle { rules, minimum, generation };
    bucket::change(tx, &input.bucket, |bucket| bucket.lifecycle = Some(kept)).await?;
    lifecycle::begin(tx, input.bucket, generation)?;
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: minimum })
}

fn check(rule: &LifecycleRule) -> Result<(), Fault> {
    let invalid = |message: &str| Err(fault::invalid_argument(message));
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARS_MAX) {
        return invalid("ID length should not exceed allowed limit of 255");
    }
    if rule.filter.is_some() == rule.prefix.is_some() {
        return Err(fault::malformed_xml());
    }
    let acts = rule.expiration.is_some()
        || rule.transitions.as_ref().is_some_and(|all| !all.is_empty())
        || rule.noncurrent_version_expiration.is_some()
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|all| !all.is_empty())
        || rule.abort_incomplete_multipart_upload.is_some();
    if !acts {
        let message = "At least one action needs to be specified in a rule.";
        return Err(Fault::new("InvalidRequest", message));
    }
    if let Some(expiration) = &rule.expiration {
        let given = [
            expiration.days.is_some(),
            expiration.date.is_some(),
            expiration.expired_object_delete_marker.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Err(fault::malformed_xml());
        }
        if expiration.date.is_some_and(|date| date.as_millis() % DAY_MS != 0) {
            return invalid("'Date' must be at midnight GMT");
        }
    }
    let transitions = rule.transitions.iter().flatten();
    let days = rule.expiration.iter().filter_map(|expiration| expiration.days);
    let noncurrent = rule.noncurrent_version_expiration.iter().filter_map(|it| it.noncurrent_days);
    let aborted = rule.abort_incomplete_multipart_upload.iter().filter_map(|it| it.days_after_initiation);
    if days.chain(noncurrent).chain(aborted).any(|days| days <= 0) {
        return invalid("'Days' in Expiration action must be a positive integer");
    }
    let timed = |days: Option<i32>, dated: bool| days.is_some_and(|days| days >= 0) != dated;
    if transitions.into_iter().any(|to| !timed(to.days, to.date.is_some()) || to.storage_class.is_none()) {
        return Err(fault::malformed_xml());
    }
    let noncurrent = rule.noncurrent_version_transitions.iter().flatten();
    let later = |to: &crate::api::NoncurrentVersionTransition| {
        to.noncurrent_days.is_some_and(|days| days >= 0) && to.storage_class.is_some()
    };
    if noncurrent.into_iter().all(later) { Ok(()) } else { Err(fault::malformed_xml()) }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>
pub(crate) async fn get_bucket_lifecycle_configuration(
    tx: &mut Tx,
    input: GetBucketLifecycleConfigurationInput,
) -> Result<GetBucketLifecycleConfigurationOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?;
    let absent = || {
        let message = "The lifecycle configuration does not exist";
        Fault::new("NoSuchLifecycleConfiguration", message).with_status(404)
    };
    let kept = found.lifecycle.ok_or_else(absent)?;
    let minimum = kept.minimum.unwrap_or(TransitionDefaultMinimumObjectSize::AllStorageClasses128k);
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(kept.rules),
        transition_default_minimum_object_size: Some(minimum),
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html>
pub(crate) async fn delete_bucket_lifecycle(
    tx: &mut Tx,
    input: DeleteBucketLifecycleInput,
) -> Result<DeleteBucketLifecycleOutput> {
    bucket::change(tx, &input.bucket, |bucket| bucket.lifecycle = None).await?;
    Ok(DeleteBucketLifecycleOutput {})
}
