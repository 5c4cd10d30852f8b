//! The resource types, a file for each service.
//!
//! Source of names, replacement behaviour, `Ref` and `Fn::GetAtt`:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>

mod bucket;
mod cloudformation;
mod dynamodb;
mod ecr;
mod event_bus;
mod event_source;
mod events;
mod function;
mod iam;
mod kms;
mod lambda;
mod logs;
mod nothing;
mod pipes;
mod s3;
mod scheduler;
mod schemas;
mod secretsmanager;
mod sns;
mod sqs;
mod ssm;
mod states;

use super::ResourceType;

pub(super) use cloudformation::{BUCKET_DEPLOYMENT, CUSTOM};

/// Every type that a template may use.
pub(super) const ALL: &[&ResourceType] = &[
    &cloudformation::BUCKET_DEPLOYMENT,
    &cloudformation::CUSTOM,
    &cloudformation::STACK,
    &cloudformation::WAIT_CONDITION,
    &cloudformation::WAIT_CONDITION_HANDLE,
    &dynamodb::GLOBAL_TABLE,
    &dynamodb::TABLE,
    &ecr::REPOSITORY,
    &event_bus::API_DESTINATION,
    &event_bus::ARCHIVE,
    &event_bus::CONNECTION,
    &event_bus::EVENT_BUS_POLICY,
    &event_source::EVENT_SOURCE_MAPPING,
    &events::EVENT_BUS,
    &events::RULE,
    &function::FUNCTION,
    &iam::ACCESS_KEY,
    &iam::MANAGED_POLICY,
    &iam::POLICY,
    &iam::ROLE,
    &iam::USER,
    &kms::ALIAS,
    &kms::KEY,
    &lambda::ALIAS,
    &lambda::EVENT_INVOKE_CONFIG,
    &lambda::LAYER_VERSION,
    &lambda::PERMISSION,
    &lambda::URL,
    &lambda::VERSION,
    &logs::LOG_GROUP,
    &logs::LOG_STREAM,
    &logs::RESOURCE_POLICY,
    &logs::SUBSCRIPTION_FILTER,
    &nothing::CDK_METADATA,
    &pipes::PIPE,
    &s3::BUCKET,
    &s3::BUCKET_POLICY,
    &scheduler::SCHEDULE,
    &scheduler::SCHEDULE_GROUP,
    &schemas::DISCOVERER,
    &schemas::REGISTRY,
    &schemas::REGISTRY_POLICY,
    &schemas::SCHEMA,
    &secretsmanager::SECRET,
    &sns::SUBSCRIPTION,
    &sns::TOPIC,
    &sns::TOPIC_POLICY,
    &sqs::QUEUE,
    &sqs::QUEUE_POLICY,
    &ssm::PARAMETER,
    &states::ACTIVITY,
    &states::STATE_MACHINE,
    &states::STATE_MACHINE_ALIAS,
    &states::STATE_MACHINE_VERSION,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Change, Life, Source, Special};

    #[test]
    fn rows_are_consistent() {
        for kind in ALL {
            for property in kind.properties {
                let name = property.name;
                let known = match property.change {
                    Change::Update(number) => number < kind.updates.len(),
                    Change::Replace => true,
                    Change::Aside => {
                        let facet = |facet: &crate::provider::Facet| {
                            facet.property == name || facet.also_on.contains(&name)
                        };
                        let deletes = |call: crate::provider::Call| {
                            call.with
                                .iter()
                                .any(|(_, source)| matches!(source, Source::Property(used) if *used == name))
                        };
                        kind.facets.iter().any(facet)
                            || kind.changes.is_some()
                            || kind.shape.is_some()
                            || kind.special != Special::None
                            || kind.delete.is_some_and(deletes)
                    }
                };
                assert!(known, "{}: nothing changes {name}", kind.name);
                let reset = property.reset;
                assert!(reset.is_empty() || serde_json::from_str::<base::Document>(reset).is_ok(), "{reset}");
            }
            for facet in kind.facets {
                assert!(
                    kind.property(facet.property).is_some(),
                    "{}: no property {}",
                    kind.name,
                    facet.property
                );
                assert!(
                    facet.life != Life::Whole || facet.remove.is_some(),
                    "{}: {}",
                    kind.name,
                    facet.property
                );
            }
            if let Some(name) = kind.name_property() {
                assert!(kind.property(name).is_some(), "{}: no property {name}", kind.name);
            }
            assert_eq!(ResourceType::find(kind.name).map(|found| found.name), Some(kind.name));
        }
    }
}
