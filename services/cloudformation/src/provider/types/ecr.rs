//! Repositories of container images.

use super::super::{
    Facet, Life, Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open, tags,
};

const ARN: Source = Source::Text("arn:aws:ecr:{region}:{account}:repository/{name}");
const NAME: (&str, Source) = ("repositoryName", Source::Id);

pub(super) const REPOSITORY: ResourceType = ResourceType {
    name: "AWS::ECR::Repository",
    service: "ecr",
    properties: &[
        fixed("RepositoryName").to("repositoryName"),
        fixed("EncryptionConfiguration").to("encryptionConfiguration"),
        open("ImageTagMutability").to("imageTagMutability").reset("\"MUTABLE\""),
        open("ImageScanningConfiguration")
            .to("imageScanningConfiguration")
            .reset(r#"{"scanOnPush": false}"#)
            .by(1),
        aside("EmptyOnDelete"),
        aside("LifecyclePolicy"),
        aside("RepositoryPolicyText"),
        aside("Tags").to("tags"),
    ],
    naming: Some(Naming { lowercase: true, ..Naming::new("RepositoryName", 256) }),
    create: Some(call("CreateRepository", &[])),
    updates: &[
        Update { call: call("PutImageTagMutability", &[NAME]), takes: Takes::All },
        Update { call: call("PutImageScanningConfiguration", &[NAME]), takes: Takes::All },
    ],
    delete: Some(call("DeleteRepository", &[NAME, ("force", Source::Property("EmptyOnDelete"))])),
    read: Some(call("DescribeRepositories", &[("repositoryNames.0", Source::Name)])),
    attributes: &[("Arn", ARN), ("RepositoryUri", Source::Read("repositories.0.repositoryUri"))],
    facets: &[
        Facet {
            property: "LifecyclePolicy",
            many: false,
            put: Some(call(
                "PutLifecyclePolicy",
                &[NAME, ("lifecyclePolicyText", Source::Item("LifecyclePolicyText"))],
            )),
            remove: Some(call("DeleteLifecyclePolicy", &[NAME])),
            life: Life::Set,
            ..Facet::BASE
        },
        Facet {
            property: "RepositoryPolicyText",
            many: false,
            put: Some(call("SetRepositoryPolicy", &[NAME, ("policyText", Source::Item(""))])),
            remove: Some(call("DeleteRepositoryPolicy", &[NAME])),
            life: Life::Set,
            ..Facet::BASE
        },
        tags(
            call("TagResource", &[("resourceArn", ARN), ("tags.0", Source::Item(""))]),
            call("UntagResource", &[("resourceArn", ARN), ("tagKeys.0", Source::Item("Key"))]),
        ),
    ],
    ..ResourceType::BASE
};
