//! Types that stand for nothing outside the stack.

use super::super::{Naming, ResourceType, Source};

pub(super) const CDK_METADATA: ResourceType = ResourceType {
    name: "AWS::CDK::Metadata",
    naming: Some(Naming::new("", 100)),
    open: true,
    ..ResourceType::BASE
};

/// Its URL takes no signals: wait conditions are not served, and CDK uses the handle as an empty resource.
pub(super) const WAIT_CONDITION_HANDLE: ResourceType = ResourceType {
    name: "AWS::CloudFormation::WaitConditionHandle",
    naming: Some(Naming::new("", 100)),
    id: Source::Text("https://cloudformation-waitcondition-{region}.s3.{region}.amazonaws.com/{name}"),
    ..ResourceType::BASE
};
