//! How often a delivery is tried: a table for endpoints inside, delivery policies for HTTP endpoints.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>

use std::time::Duration;

use base::Fault;
use kernel::{RetryPolicy, RetryWhen};
use serde::{Deserialize, Serialize};

use crate::fault;

/// Queues and functions: 100,015 retries over 23 days, as at AWS. The waits double from one second to twenty.
pub(crate) fn inside() -> RetryPolicy {
    RetryPolicy {
        retries_max: 100_015,
        age_ms_max: 23 * 86_400_000,
        backoff_ms: 1_000,
        backoff_ms_max: 20_000,
        when: RetryWhen::ServiceFault,
    }
}

/// HTTP endpoints: so many retries. The waits are those of the policy, which the delivery itself asks for.
pub(crate) fn outside(policy: &Healthy) -> RetryPolicy {
    RetryPolicy {
        retries_max: policy.num_retries,
        age_ms_max: u64::MAX,
        backoff_ms: 0,
        backoff_ms_max: 0,
        when: RetryWhen::ServiceFault,
    }
}

/// The phases of a delivery policy: at once, before the backoff, the backoff, and after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Healthy {
    /// The shortest wait, in seconds.
    pub min_delay_target: u32,
    /// The longest wait, in seconds.
    pub max_delay_target: u32,
    /// All retries.
    pub num_retries: u32,
    /// Of them, those at the end with the longest wait.
    pub num_max_delay_retries: u32,
    /// Of them, those that come at once.
    pub num_no_delay_retries: u32,
    /// Of them, those after these with the shortest wait.
    pub num_min_delay_retries: u32,
    /// How the waits grow between.
    pub backoff_function: Backoff,
}

/// How waits grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Backoff {
    Linear,
    Arithmetic,
    Geometric,
    Exponential,
}

impl Default for Healthy {
    fn default() -> Healthy {
        Healthy {
            min_delay_target: 20,
            max_delay_target: 20,
            num_retries: 3,
            num_max_delay_retries: 0,
            num_no_delay_retries: 0,
            num_min_delay_retries: 0,
            backoff_function: Backoff::Linear,
        }
    }
}

impl Healthy {
    fn check(&self) -> Result<(), Fault> {
        let invalid = |reason: &str| fault::invalid(format!("DeliveryPolicy: {reason}"));
        if self.min_delay_target < 1 || self.min_delay_target > self.max_delay_target {
            return Err(invalid("minDelayTarget must be at least 1 and not more than maxDelayTarget"));
        }
        if self.max_delay_target > 3_600 {
            return Err(invalid("maxDelayTarget must be at most 3600"));
        }
        if self.num_retries > 100 {
            return Err(invalid("numRetries must be at most 100"));
        }
        let phases = [self.num_max_delay_retries, self.num_no_delay_retries, self.num_min_delay_retries];
        if phases.iter().map(|count| u64::from(*count)).sum::<u64>() > u64::from(self.num_retries) {
            return Err(invalid("the phases must not have more retries than numRetries"));
        }
        Ok(())
    }

    /// The wait before retry `number`; 1 is the first.
    pub(crate) fn wait(&self, number: u32) -> Duration {
        let (min, max) = (f64::from(self.min_delay_target), f64::from(self.max_delay_target));
        let Some(after_first) = number.checked_sub(self.num_no_delay_retries + 1) else {
            return Duration::ZERO;
        };
        let Some(step) = after_first.checked_sub(self.num_min_delay_retries) else {
            return Duration::from_secs_f64(min);
        };
        let others = self.num_no_delay_retries + self.num_min_delay_retries + self.num_max_delay_retries;
        let steps = self.num_retries.saturating_sub(others);
        if step >= steps {
            return Duration::from_secs_f64(max);
        }
        // From the shortest wait at the first step to the longest at the last one.
        let part = if steps > 1 { f64::from(step) / f64::from(steps - 1) } else { 1.0 };
        let seconds = match self.backoff_function {
            Backoff::Linear => min + (max - min) * part,
            Backoff::Arithmetic => min + (max - min) * part * (part + 1.0) / 2.0,
            Backoff::Geometric => min * (max / min).powf(part),
            Backoff::Exponential => (min * 2_f64.powf(f64::from(step))).min(max),
        };
        Duration::from_secs_f64(seconds)
    }
}

/// How requests look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RequestPolicy {
    pub header_content_type: Option<String>,
}

/// The `DeliveryPolicy` of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct SubscriptionPolicy {
    pub healthy_retry_policy: Option<Healthy>,
    pub request_policy: Option<RequestPolicy>,
}

impl SubscriptionPolicy {
    pub(crate) fn parse(text: &str) -> Result<SubscriptionPolicy, Fault> {
        if text.is_empty() {
            return Ok(SubscriptionPolicy::default());
        }
        let policy: SubscriptionPolicy = parse(text)?;
        policy.healthy_retry_policy.as_ref().map_or(Ok(()), Healthy::check)?;
        Ok(policy)
    }
}

/// The `DeliveryPolicy` of a topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TopicPolicy {
    pub http: HttpPolicy,
}

/// What a topic says of its HTTP endpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct HttpPolicy {
    pub default_healthy_retry_policy: Option<Healthy>,
    pub disable_subscription_overrides: bool,
    pub default_request_policy: Option<RequestPolicy>,
}

impl TopicPolicy {
    pub(crate) fn parse(text: &str) -> Result<TopicPolicy, Fault> {
        if text.is_empty() {
            return Ok(TopicPolicy::default());
        }
        let policy: TopicPolicy = parse(text)?;
        policy.http.default_healthy_retry_policy.as_ref().map_or(Ok(()), Healthy::check)?;
        Ok(policy)
    }
}

/// What holds for a subscription of a topic: its own policy, or the topic's, or the default.
pub(crate) fn effective(topic: &str, subscription: &str) -> Result<(Healthy, RequestPolicy), Fault> {
    let (topic, own) = (TopicPolicy::parse(topic)?.http, SubscriptionPolicy::parse(subscription)?);
    let own = if topic.disable_subscription_overrides { SubscriptionPolicy::default() } else { own };
    let healthy = own.healthy_retry_policy.or(topic.default_healthy_retry_policy).unwrap_or_default();
    let request = own.request_policy.or(topic.default_request_policy).unwrap_or_default();
    Ok((healthy, request))
}

/// A policy that asks for what is not honoured (a throttle, a member that nobody knows) is refused with its name.
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    if text.contains("throttlePolicy") || text.contains("ThrottlePolicy") {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        if value.pointer("/throttlePolicy").or_else(|| value.pointer("/http/defaultThrottlePolicy")).is_some()
        {
            return Err(fault::not_served("DeliveryPolicy: a throttlePolicy"));
        }
    }
    serde_json::from_str(text).map_err(|error| fault::invalid(format!("DeliveryPolicy: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(policy: &str) -> Vec<u64> {
        let (healthy, _) = effective("", &format!(r#"{{"healthyRetryPolicy":{policy}}}"#)).unwrap();
        (1..=healthy.num_retries).map(|number| healthy.wait(number).as_secs()).collect()
    }

    #[test]
    fn retries_come_in_phases() {
        assert_eq!(waits("{}"), [20, 20, 20]);
        let phases = r#"{"minDelayTarget":1,"maxDelayTarget":9,"numRetries":8,"numNoDelayRetries":1,"numMinDelayRetries":2,"numMaxDelayRetries":2,"backoffFunction":"linear"}"#;
        assert_eq!(waits(phases), [0, 1, 1, 1, 5, 9, 9, 9]);
        assert_eq!(waits(&phases.replace("linear", "geometric")), [0, 1, 1, 1, 3, 9, 9, 9]);
        assert_eq!(waits(&phases.replace("linear", "exponential")), [0, 1, 1, 1, 2, 4, 9, 9]);
    }

    #[test]
    fn policies_are_judged_and_the_topics_may_win() {
        for policy in [
            r#"{"healthyRetryPolicy":{"numRetries":101}}"#,
            r#"{"healthyRetryPolicy":{"minDelayTarget":30}}"#,
            r#"{"healthyRetryPolicy":{"numNoDelayRetries":4}}"#,
            r#"{"throttlePolicy":{"maxReceivesPerSecond":1}}"#,
            r#"{"unknown":{}}"#,
        ] {
            assert!(SubscriptionPolicy::parse(policy).is_err(), "{policy}");
        }
        let topic =
            r#"{"http":{"defaultHealthyRetryPolicy":{"numRetries":1},"disableSubscriptionOverrides":true}}"#;
        let own = r#"{"healthyRetryPolicy":{"numRetries":2}}"#;
        assert_eq!(effective(topic, own).unwrap().0.num_retries, 1);
        assert_eq!(effective(&topic.replace("true", "false"), own).unwrap().0.num_retries, 2);
    }
}
