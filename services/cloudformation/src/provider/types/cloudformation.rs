//! Types that CloudFormation makes without another service's operations: custom resources, stacks inside stacks, and what
//! waits for signals.

use super::super::{Naming, ResourceType, Special, aside};

/// Under this name, and under every name that begins with `Custom::`.
pub(crate) const CUSTOM: ResourceType = ResourceType {
    name: "AWS::CloudFormation::CustomResource",
    service: "cloudformation",
    naming: Some(Naming::new("", 128)),
    open: true,
    special: Special::Custom,
    ..ResourceType::BASE
};

/// CDK's files of a site. Its properties are read where it is made.
pub(crate) const BUCKET_DEPLOYMENT: ResourceType = ResourceType {
    name: "Custom::CDKBucketDeployment",
    service: "s3",
    naming: Some(Naming::new("", 128)),
    open: true,
    special: Special::BucketDeployment,
    ..ResourceType::BASE
};

pub(super) const STACK: ResourceType = ResourceType {
    name: "AWS::CloudFormation::Stack",
    service: "cloudformation",
    properties: &[aside("Parameters"), aside("Tags"), aside("TemplateURL"), aside("TimeoutInMinutes")],
    naming: Some(Naming::new("", 128)),
    special: Special::Stack,
    ..ResourceType::BASE
};

/// No property can be changed.
pub(super) const WAIT_CONDITION: ResourceType = ResourceType {
    name: "AWS::CloudFormation::WaitCondition",
    service: "cloudformation",
    properties: &[aside("Count"), aside("Handle"), aside("Timeout")],
    naming: Some(Naming::new("", 100)),
    special: Special::WaitCondition,
    ..ResourceType::BASE
};

pub(super) const WAIT_CONDITION_HANDLE: ResourceType = ResourceType {
    name: "AWS::CloudFormation::WaitConditionHandle",
    service: "cloudformation",
    naming: Some(Naming::new("", 100)),
    special: Special::WaitConditionHandle,
    ..ResourceType::BASE
};
