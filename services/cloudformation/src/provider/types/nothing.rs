//! Types that stand for nothing outside the stack.

use super::super::{Naming, ResourceType};

pub(super) const CDK_METADATA: ResourceType = ResourceType {
    name: "AWS::CDK::Metadata",
    naming: Some(Naming::new("", 100)),
    open: true,
    ..ResourceType::BASE
};
