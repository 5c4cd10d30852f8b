use base::Fault;
use kernel::{Effect, Result, Tx};
use serde_json::json;

use crate::api::{
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    NotificationConfiguration, PutBucketNotificationConfigurationInput,
    PutBucketNotificationConfigurationOutput,
};
use crate::bucket::{self, Bucket};
use crate::fault;
use crate::notify::{self, Listener};

/// The most destinations of a bucket.
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html>
const CONFIGURATIONS_MAX: usize = 100;

/// Says where a bucket tells of its objects. Each queue and topic gets a test event, each function is looked up; if one of
/// them cannot be reached, nothing changes.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html>
pub(crate) async fn put_bucket_notification_configuration(
    effect: &Effect,
    input: PutBucketNotificationConfigurationInput,
) -> Result<PutBucketNotificationConfigurationOutput> {
    let mut configuration = input.notification_configuration;
    name(effect, &mut configuration);
    check(&configuration)?;
    let operation = "PutBucketNotificationConfiguration";
    let bucket = effect.transact(operation, look, input.bucket.clone()).await?;
    if input.skip_destination_validation != Some(true) {
        for listener in notify::listeners(&configuration) {
            if !is_kept(&bucket, &listener) {
                reach(effect, &bucket, &input.bucket, &listener).await?;
            }
        }
    }
    effect.transact(operation, keep, (input.bucket, configuration)).await?;
    Ok(PutBucketNotificationConfigurationOutput {})
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html>
pub(crate) async fn get_bucket_notification_configuration(
    tx: &mut Tx,
    input: GetBucketNotificationConfigurationInput,
) -> Result<GetBucketNotificationConfigurationOutput> {
    let found = bucket::look_at(tx, &input.bucket).await?.notification.unwrap_or_default();
    Ok(GetBucketNotificationConfigurationOutput {
        topic_configurations: found.topic_configurations,
        queue_configurations: found.queue_configurations,
        lambda_function_configurations: found.lambda_function_configurations,
        event_bridge_configuration: found.event_bridge_configuration,
    })
}

async fn look(tx: &mut Tx, name: String) -> Result<Bucket> {
    bucket::look_at(tx, &name).await
}

async fn keep(tx: &mut Tx, (name, configuration): (String, NotificationConfiguration)) -> Result<()> {
    let kept = Some(configuration).filter(|it| *it != NotificationConfiguration::default());
    bucket::change(tx, &name, |bucket| bucket.notification = kept).await
}

/// Configurations without an id get one.
fn name(effect: &Effect, configuration: &mut NotificationConfiguration) {
    let queues = configuration.queue_configurations.iter_mut().flatten().map(|to| &mut to.id);
    let topics = configuration.topic_configurations.iter_mut().flatten().map(|to| &mut to.id);
    let functions = configuration.lambda_function_configurations.iter_mut().flatten().map(|to| &mut to.id);
    for id in queues.chain(topics).chain(functions) {
        id.get_or_insert_with(|| effect.id().to_string());
    }
}

fn check(configuration: &NotificationConfiguration) -> Result<(), Fault> {
    let all = notify::listeners(configuration);
    if all.len() > CONFIGURATIONS_MAX {
        let message = "The number of event notification configurations exceeds the maximum of 100";
        return Err(fault::invalid_argument(message));
    }
    let expected = configuration.queue_configurations.iter().flatten().map(|_| "sqs");
    let expected = expected.chain(configuration.topic_configurations.iter().flatten().map(|_| "sns"));
    let expected =
        expected.chain(configuration.lambda_function_configurations.iter().flatten().map(|_| "lambda"));
    for (listener, service) in all.iter().zip(expected) {
        let arn = listener.arn.parse::<base::Arn>().ok().filter(|arn| arn.service == service);
        if arn.is_none_or(|arn| arn.resource.ends_with(".fifo")) {
            return Err(fault::invalid_argument("The ARN is not well formed"));
        }
        if let Some(event) = listener.events.iter().find(|event| !is_told(event.as_str())) {
            return Err(fault::unsupported(&format!("the event {event}")));
        }
        let rules = listener.filter.and_then(|filter| filter.key.as_ref()?.filter_rules.as_deref());
        let named = |wanted: &str| {
            rules
                .unwrap_or_default()
                .iter()
                .filter(|rule| rule.name.map(|name| name.as_str()) == Some(wanted))
                .count()
        };
        let unnamed = rules.unwrap_or_default().iter().any(|rule| rule.name.is_none());
        if unnamed || named("prefix") > 1 || named("suffix") > 1 {
            let message =
                "Cannot specify more than one prefix or suffix rule in a filter, and each rule needs a name";
            return Err(fault::invalid_argument(message));
        }
    }
    let pairs =
        all.iter().enumerate().flat_map(|(at, one)| all[at + 1..].iter().map(move |other| (one, other)));
    if pairs.into_iter().any(|(one, other)| overlap(one, other)) {
        let message =
            "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
        return Err(fault::invalid_argument(message));
    }
    let ids: std::collections::BTreeSet<_> = all.iter().map(|listener| listener.id).collect();
    if ids.len() < all.len() {
        return Err(fault::invalid_argument("Same ID used for multiple configurations. IDs must be unique."));
    }
    Ok(())
}

/// Whether one change could be told by both.
fn overlap(one: &Listener<'_>, other: &Listener<'_>) -> bool {
    let covers = |wide: &str, narrow: &str| {
        wide == narrow || wide.strip_suffix('*').is_some_and(|beginning| narrow.starts_with(beginning))
    };
    let shared = one.events.iter().any(|event| {
        let event = event.as_str();
        other.events.iter().any(|other| covers(event, other.as_str()) || covers(other.as_str(), event))
    });
    let (a, b) = (one.rule("prefix"), other.rule("prefix"));
    let prefixes = a.starts_with(b) || b.starts_with(a);
    let (a, b) = (one.rule("suffix"), other.rule("suffix"));
    shared && prefixes && (a.ends_with(b) || b.ends_with(a))
}

/// Whether an event ever happens here.
fn is_told(event: &str) -> bool {
    ["s3:ObjectCreated:", "s3:ObjectRemoved:", "s3:LifecycleExpiration:", "s3:ObjectTagging:"]
        .iter()
        .any(|told| event.starts_with(told))
        && event != "s3:ObjectCreated:Post"
}

/// Whether the bucket tells this destination already: then it gets no second test event.
fn is_kept(bucket: &Bucket, listener: &Listener<'_>) -> bool {
    bucket
        .notification
        .as_ref()
        .is_some_and(|kept| notify::listeners(kept).iter().any(|kept| kept.arn == listener.arn))
}

/// Sends the test event, or looks the function up.
async fn reach(effect: &Effect, bucket: &Bucket, name: &str, listener: &Listener<'_>) -> Result<()> {
    let caller = bucket.acting(effect.caller());
    let answer = if listener.arn.contains(":lambda:") {
        let input = json!({ "FunctionName": listener.arn }).to_string();
        effect.call_as(caller, "lambda", "GetFunctionConfiguration", input.into()).await
    } else {
        let test = json!({
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": effect.now().to_iso_millis(),
            "Bucket": name,
            "RequestId": effect.caller().request_id.simple().to_string(),
            "HostId": effect.caller().request_id.simple().to_string(),
        });
        let id = effect.id().to_string();
        let call = notify::call_to(effect.kernel().targets(), listener.arn, test.to_string(), id)?;
        effect.call_as(caller, &call.service, &call.operation, call.input).await
    };
    answer.map(|_| ()).map_err(|why| {
        tracing::debug!(arn = listener.arn, %why, "a destination of notifications does not answer");
        fault::invalid_argument("Unable to validate the following destination configurations").into()
    })
}
