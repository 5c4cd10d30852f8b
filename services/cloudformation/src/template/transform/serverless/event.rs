//! `Events` of functions and state machines: a rule, a schedule, a queue, a topic, a stream, a bucket.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html>

use std::sync::LazyLock;

use base::Document;
use serde_json::json;

use super::function::{Target, reader};
use super::policy::Policies;
use super::{Declared, Made, Members};
use crate::template::error::TemplateError;

/// One event source of a resource.
pub(super) struct Event<'e> {
    declared: &'e Declared,
    name: &'e str,
    kind: &'e str,
    properties: &'e Members,
}

impl Event<'_> {
    /// The logical id of what is made for it.
    fn id(&self) -> String {
        format!("{}{}", self.declared.logical_id, self.name)
    }

    fn check(&self, known: &[&str]) -> Result<(), TemplateError> {
        match self.properties.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                Err(self.declared.unsupported(&format!("the property {name} of the event {}", self.name)))
            }
        }
    }

    fn required(&self, name: &str) -> Result<Document, TemplateError> {
        let missing = || {
            self.declared.invalid(&format!(
                "Event with id [{}] is invalid. Missing required property '{name}'.",
                self.name
            ))
        };
        self.properties.get(name).cloned().ok_or_else(missing)
    }

    fn copied(&self, names: &[&str]) -> Members {
        let copy = |name: &&str| Some(((*name).to_owned(), self.properties.get(*name)?.clone()));
        names.iter().filter_map(copy).collect()
    }

    fn put(&self, made: &mut Made, id: String, kind: &str, properties: Members) {
        made.put(id, self.declared.beside(kind, properties));
    }
}

/// The events of a resource, by name.
pub(super) fn each<'e>(declared: &'e Declared) -> Result<Vec<Event<'e>>, TemplateError> {
    static NOTHING: LazyLock<Members> = LazyLock::new(Members::new);
    let Some(events) = declared.get("Events").and_then(Document::as_object) else { return Ok(Vec::new()) };
    let event = |(name, event): (&'e String, &'e Document)| {
        let kind = event.get("Type").and_then(Document::as_str);
        let kind = kind.ok_or_else(|| {
            declared.invalid(&format!("Event with id [{name}] is invalid. Missing required property 'Type'."))
        })?;
        let properties = event.get("Properties").and_then(Document::as_object).unwrap_or_else(|| &NOTHING);
        Ok(Event { declared, name, kind, properties })
    };
    events.iter().map(event).collect()
}

pub(super) fn of_function(
    declared: &Declared,
    target: &Target,
    policies: &mut Policies,
    made: &mut Made,
) -> Result<(), TemplateError> {
    for event in each(declared)? {
        match event.kind {
            "EventBridgeRule" | "CloudWatchEvent" | "Schedule" => {
                rule(&event, target.arn(), None, made)?;
                allow(
                    &event,
                    target,
                    ("events.amazonaws.com", json!({ "Fn::GetAtt": [event.id(), "Arn"] })),
                    made,
                );
            }
            "ScheduleV2" => schedule(&event, target.arn(), "lambda:InvokeFunction", made)?,
            "SQS" => source(&event, target, ("Queue", "AWSLambdaSQSQueueExecutionRole"), policies, made)?,
            "DynamoDB" => {
                source(&event, target, ("Stream", "AWSLambdaDynamoDBExecutionRole"), policies, made)?
            }
            "Kinesis" => source(&event, target, ("Stream", "AWSLambdaKinesisExecutionRole"), policies, made)?,
            "SNS" => topic(&event, target, made)?,
            "S3" => bucket(&event, target, made)?,
            kind => return Err(declared.unsupported(&format!("the event type {kind}"))),
        }
    }
    Ok(())
}

/// A rule with the target. State machines are started in the name of `role`.
pub(super) fn rule(
    event: &Event<'_>,
    arn: Document,
    role: Option<Document>,
    made: &mut Made,
) -> Result<(), TemplateError> {
    let known = [
        "DeadLetterConfig",
        "Description",
        "Enabled",
        "EventBusName",
        "Input",
        "InputPath",
        "InputTransformer",
        "Name",
        "Pattern",
        "RetryPolicy",
        "RuleName",
        "Schedule",
        "State",
        "Target",
    ];
    event.check(&known)?;
    let mut properties = event.copied(&["Description", "EventBusName", "State"]);
    let name = event.properties.get("RuleName").or_else(|| event.properties.get("Name"));
    properties.extend(name.map(|name| ("Name".to_owned(), name.clone())));
    if event.kind == "Schedule" {
        properties.insert("ScheduleExpression".to_owned(), event.required("Schedule")?);
    } else {
        properties.insert("EventPattern".to_owned(), event.required("Pattern")?);
    }
    if let Some(enabled) = event.properties.get("Enabled") {
        let off = *enabled == false || *enabled == *"false";
        properties.insert("State".to_owned(), if off { "DISABLED" } else { "ENABLED" }.into());
    }
    let mut target = event.copied(&["Input", "InputPath", "InputTransformer", "RetryPolicy"]);
    let id = event.properties.get("Target").and_then(|target| target.get("Id")).cloned();
    target.insert("Id".to_owned(), id.unwrap_or_else(|| format!("{}Target", event.id()).into()));
    target.insert("Arn".to_owned(), arn);
    target.extend(role.map(|role| ("RoleArn".to_owned(), role)));
    if let Some(queue) = event.properties.get("DeadLetterConfig") {
        let arn = queue.get("Arn").cloned();
        let arn = arn.ok_or_else(|| {
            event.declared.unsupported("a dead-letter queue that the transform makes: give its Arn")
        })?;
        target.insert("DeadLetterConfig".to_owned(), json!({ "Arn": arn }));
    }
    properties.insert("Targets".to_owned(), json!([target]));
    event.put(made, event.id(), "AWS::Events::Rule", properties);
    Ok(())
}

/// A schedule of EventBridge Scheduler, with a role of its own where the template gives none.
pub(super) fn schedule(
    event: &Event<'_>,
    arn: Document,
    action: &str,
    made: &mut Made,
) -> Result<(), TemplateError> {
    let same = [
        "Description",
        "EndDate",
        "FlexibleTimeWindow",
        "GroupName",
        "KmsKeyArn",
        "Name",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "StartDate",
        "State",
    ];
    event.check(&[&same[..], &["Input", "RetryPolicy", "RoleArn"]].concat())?;
    event.required("ScheduleExpression")?;
    let mut properties = event.copied(&same);
    properties.entry("FlexibleTimeWindow").or_insert_with(|| json!({ "Mode": "OFF" }));
    properties.entry("Name").or_insert_with(|| event.id().into());
    let role_id = format!("{}Role", event.id());
    let role = match event.properties.get("RoleArn") {
        Some(role) => role.clone(),
        None => {
            event.put(
                made,
                role_id.clone(),
                "AWS::IAM::Role",
                caller_role("scheduler.amazonaws.com", action, &arn),
            );
            json!({ "Fn::GetAtt": [role_id, "Arn"] })
        }
    };
    let mut target = event.copied(&["Input", "RetryPolicy"]);
    target.insert("Arn".to_owned(), arn);
    target.insert("RoleArn".to_owned(), role);
    properties.insert("Target".to_owned(), target.into());
    event.put(made, event.id(), "AWS::Scheduler::Schedule", properties);
    Ok(())
}

/// A role in which a service may do one thing.
pub(super) fn caller_role(service: &str, action: &str, arn: &Document) -> Members {
    let role = json!({
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": [service] }, "Action": ["sts:AssumeRole"] }
        ] },
        "Policies": [{ "PolicyName": "Call", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": action, "Resource": arn }
        ] } }],
    });
    role.as_object().cloned().unwrap_or_default()
}

fn allow(event: &Event<'_>, target: &Target, (principal, source): (&str, Document), made: &mut Made) {
    let mut permission = Members::new();
    permission.insert("Action".to_owned(), "lambda:InvokeFunction".into());
    permission.insert("FunctionName".to_owned(), target.reference());
    permission.insert("Principal".to_owned(), principal.into());
    permission.insert("SourceArn".to_owned(), source);
    event.put(made, format!("{}Permission", event.id()), "AWS::Lambda::Permission", permission);
}

/// A queue or a stream that is read for the function.
fn source(
    event: &Event<'_>,
    target: &Target,
    (property, policy): (&str, &str),
    policies: &mut Policies,
    made: &mut Made,
) -> Result<(), TemplateError> {
    let same = [
        "BatchSize",
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "Enabled",
        "FilterCriteria",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "ParallelizationFactor",
        "ScalingConfig",
        "StartingPosition",
        "StartingPositionTimestamp",
        "TumblingWindowInSeconds",
    ];
    event.check(&[&same[..], &[property]].concat())?;
    let mut properties = event.copied(&same);
    properties.insert("EventSourceArn".to_owned(), event.required(property)?);
    properties.insert("FunctionName".to_owned(), target.reference());
    policies.manage(reader(policy));
    event.put(made, event.id(), "AWS::Lambda::EventSourceMapping", properties);
    Ok(())
}

fn topic(event: &Event<'_>, target: &Target, made: &mut Made) -> Result<(), TemplateError> {
    event.check(&["FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Topic"])?;
    let topic = event.required("Topic")?;
    let mut properties = event.copied(&["FilterPolicy", "FilterPolicyScope", "RedrivePolicy"]);
    properties.insert("TopicArn".to_owned(), topic.clone());
    properties.insert("Protocol".to_owned(), "lambda".into());
    properties.insert("Endpoint".to_owned(), target.arn());
    event.put(made, event.id(), "AWS::SNS::Subscription", properties);
    allow(event, target, ("sns.amazonaws.com", topic), made);
    Ok(())
}

/// The bucket itself is told to tell the function.
fn bucket(event: &Event<'_>, target: &Target, made: &mut Made) -> Result<(), TemplateError> {
    event.check(&["Bucket", "Events", "Filter"])?;
    let bucket = event.required("Bucket")?;
    let id = bucket.get("Ref").and_then(Document::as_str);
    let id =
        id.ok_or_else(|| event.declared.unsupported("an S3 event of a bucket that is no Ref"))?.to_owned();
    let events = match event.required("Events")? {
        Document::Array(events) => events,
        one => vec![one],
    };
    let permission = format!("{}Permission", event.id());
    for kind in events {
        let mut entry = event.copied(&["Filter"]);
        entry.insert("Event".to_owned(), kind);
        entry.insert("Function".to_owned(), target.arn());
        made.notifications.push((id.clone(), entry.into(), permission.clone()));
    }
    let mut properties = Members::new();
    properties.insert("Action".to_owned(), "lambda:InvokeFunction".into());
    properties.insert("FunctionName".to_owned(), target.reference());
    properties.insert("Principal".to_owned(), "s3.amazonaws.com".into());
    // Not the bucket's ARN: the bucket needs the permission first.
    properties.insert("SourceAccount".to_owned(), json!({ "Ref": "AWS::AccountId" }));
    event.put(made, permission, "AWS::Lambda::Permission", properties);
    Ok(())
}

impl<'e> Event<'e> {
    pub(super) fn kind(&self) -> &'e str {
        self.kind
    }

    /// A role in which rules start the state machine.
    pub(super) fn role(&self, action: &str, arn: &Document, made: &mut Made) -> Document {
        let id = format!("{}Role", self.id());
        self.put(made, id.clone(), "AWS::IAM::Role", caller_role("events.amazonaws.com", action, arn));
        json!({ "Fn::GetAtt": [id, "Arn"] })
    }
}
