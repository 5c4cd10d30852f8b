//! Roles and policies.

use base::Document;

use super::super::{
    Facet, Known, Life, Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open, path, tags,
};

pub(super) const ROLE: ResourceType = ResourceType {
    name: "AWS::IAM::Role",
    service: "iam",
    properties: &[
        fixed("RoleName"),
        fixed("Path"),
        fixed("PermissionsBoundary"),
        open("Description").reset("\"\""),
        open("MaxSessionDuration").reset("3600"),
        open("AssumeRolePolicyDocument").by(1),
        aside("ManagedPolicyArns"),
        aside("Policies"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("RoleName", 64)),
    create: Some(call("CreateRole", &[])),
    updates: &[
        Update { call: call("UpdateRole", &[("RoleName", Source::Id)]), takes: Takes::All },
        Update {
            call: call(
                "UpdateAssumeRolePolicy",
                &[("RoleName", Source::Id), ("PolicyDocument", Source::Property("AssumeRolePolicyDocument"))],
            ),
            takes: Takes::Nothing,
        },
    ],
    delete: Some(call("DeleteRole", &[("RoleName", Source::Id)])),
    read: Some(call("GetRole", &[("RoleName", Source::Name)])),
    attributes: &[("Arn", Source::Read("Role.Arn")), ("RoleId", Source::Read("Role.RoleId"))],
    facets: &[
        Facet {
            property: "Policies",
            key: "PolicyName",
            put: Some(call(
                "PutRolePolicy",
                &[
                    ("RoleName", Source::Id),
                    ("PolicyName", Source::Item("PolicyName")),
                    ("PolicyDocument", Source::Item("PolicyDocument")),
                ],
            )),
            remove: Some(call(
                "DeleteRolePolicy",
                &[("RoleName", Source::Id), ("PolicyName", Source::Item("PolicyName"))],
            )),
            ..Facet::BASE
        },
        Facet {
            property: "ManagedPolicyArns",
            put: Some(call("AttachRolePolicy", &[("RoleName", Source::Id), ("PolicyArn", Source::Item(""))])),
            remove: Some(call(
                "DetachRolePolicy",
                &[("RoleName", Source::Id), ("PolicyArn", Source::Item(""))],
            )),
            ..Facet::BASE
        },
        Facet {
            property: "Tags",
            key: "Key",
            put: Some(call("TagRole", &[("RoleName", Source::Id), ("Tags.0", Source::Item(""))])),
            remove: Some(call("UntagRole", &[("RoleName", Source::Id), ("TagKeys.0", Source::Item("Key"))])),
            life: Life::Changes,
            ..Facet::BASE
        },
    ],
    iam: true,
    ..ResourceType::BASE
};

/// An inline policy. It has no existence of its own: it is put into each role and user.
pub(super) const POLICY: ResourceType = ResourceType {
    name: "AWS::IAM::Policy",
    service: "iam",
    properties: &[fixed("PolicyName").to(""), aside("PolicyDocument"), aside("Roles"), aside("Users")],
    naming: Some(Naming::new("", 100)),
    attributes: &[("Id", Source::Id)],
    facets: &[
        Facet {
            property: "Roles",
            put: Some(call(
                "PutRolePolicy",
                &[
                    ("RoleName", Source::Item("")),
                    ("PolicyName", Source::Property("PolicyName")),
                    ("PolicyDocument", Source::Property("PolicyDocument")),
                ],
            )),
            remove: Some(call(
                "DeleteRolePolicy",
                &[("RoleName", Source::Item("")), ("PolicyName", Source::Property("PolicyName"))],
            )),
            also_on: &["PolicyDocument"],
            ..Facet::BASE
        },
        Facet {
            property: "Users",
            put: Some(call(
                "PutUserPolicy",
                &[
                    ("UserName", Source::Item("")),
                    ("PolicyName", Source::Property("PolicyName")),
                    ("PolicyDocument", Source::Property("PolicyDocument")),
                ],
            )),
            remove: Some(call(
                "DeleteUserPolicy",
                &[("UserName", Source::Item("")), ("PolicyName", Source::Property("PolicyName"))],
            )),
            also_on: &["PolicyDocument"],
            ..Facet::BASE
        },
    ],
    iam: true,
    ..ResourceType::BASE
};

pub(super) const MANAGED_POLICY: ResourceType = ResourceType {
    name: "AWS::IAM::ManagedPolicy",
    service: "iam",
    properties: &[
        fixed("ManagedPolicyName").to("PolicyName"),
        fixed("Path"),
        fixed("Description"),
        fixed("PolicyDocument"),
        aside("Roles"),
    ],
    naming: Some(Naming::new("ManagedPolicyName", 128)),
    create: Some(call("CreatePolicy", &[])),
    delete: Some(call("DeletePolicy", &[("PolicyArn", Source::Id)])),
    read: Some(call("GetPolicy", &[("PolicyArn", Source::Id)])),
    id: Source::Function(policy_arn),
    attributes: &[("PolicyArn", Source::Id), ("PolicyId", Source::Read("Policy.PolicyId"))],
    facets: &[Facet {
        property: "Roles",
        put: Some(call("AttachRolePolicy", &[("RoleName", Source::Item("")), ("PolicyArn", Source::Id)])),
        remove: Some(call("DetachRolePolicy", &[("RoleName", Source::Item("")), ("PolicyArn", Source::Id)])),
        ..Facet::BASE
    }],
    iam: true,
    ..ResourceType::BASE
};

fn policy_arn(known: &Known<'_>) -> Option<Document> {
    let path = known.properties.get("Path").and_then(Document::as_str).unwrap_or("/");
    Some(format!("arn:aws:iam::{}:policy{path}{}", known.place.account, known.name?).into())
}

pub(super) const USER: ResourceType = ResourceType {
    name: "AWS::IAM::User",
    service: "iam",
    properties: &[
        fixed("UserName"),
        fixed("Path"),
        fixed("PermissionsBoundary"),
        aside("ManagedPolicyArns"),
        aside("Policies"),
        aside("Tags").to("Tags"),
    ],
    naming: Some(Naming::new("UserName", 64)),
    create: Some(call("CreateUser", &[])),
    delete: Some(call("DeleteUser", &[("UserName", Source::Id)])),
    read: Some(call("GetUser", &[("UserName", Source::Name)])),
    attributes: &[("Arn", Source::Read("User.Arn"))],
    facets: &[
        Facet {
            property: "Policies",
            key: "PolicyName",
            put: Some(call(
                "PutUserPolicy",
                &[
                    ("UserName", Source::Id),
                    ("PolicyName", Source::Item("PolicyName")),
                    ("PolicyDocument", Source::Item("PolicyDocument")),
                ],
            )),
            remove: Some(call(
                "DeleteUserPolicy",
                &[("UserName", Source::Id), ("PolicyName", Source::Item("PolicyName"))],
            )),
            ..Facet::BASE
        },
        Facet {
            property: "ManagedPolicyArns",
            put: Some(call("AttachUserPolicy", &[("UserName", Source::Id), ("PolicyArn", Source::Item(""))])),
            remove: Some(call(
                "DetachUserPolicy",
                &[("UserName", Source::Id), ("PolicyArn", Source::Item(""))],
            )),
            ..Facet::BASE
        },
        tags(
            call("TagUser", &[("UserName", Source::Id), ("Tags.0", Source::Item(""))]),
            call("UntagUser", &[("UserName", Source::Id), ("TagKeys.0", Source::Item("Key"))]),
        ),
    ],
    iam: true,
    ..ResourceType::BASE
};

/// Its secret is told only once, by the operation that makes it.
pub(super) const ACCESS_KEY: ResourceType = ResourceType {
    name: "AWS::IAM::AccessKey",
    service: "iam",
    properties: &[fixed("UserName"), fixed("Serial").to(""), aside("Status")],
    create: Some(call("CreateAccessKey", &[])),
    delete: Some(call(
        "DeleteAccessKey",
        &[("UserName", Source::Property("UserName")), ("AccessKeyId", Source::Id)],
    )),
    id: Source::Function(access_key_id),
    attributes: &[("SecretAccessKey", Source::Function(secret_access_key))],
    facets: &[Facet {
        property: "Status",
        many: false,
        put: Some(call(
            "UpdateAccessKey",
            &[
                ("UserName", Source::Property("UserName")),
                ("AccessKeyId", Source::Id),
                ("Status", Source::Item("")),
            ],
        )),
        remove: Some(call(
            "UpdateAccessKey",
            &[
                ("UserName", Source::Property("UserName")),
                ("AccessKeyId", Source::Id),
                ("Status", Source::Text("Active")),
            ],
        )),
        life: Life::Set,
        ..Facet::BASE
    }],
    iam: true,
    ..ResourceType::BASE
};

fn access_key_id(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "AccessKey.AccessKeyId").cloned().or_else(|| known.id.map(Document::from))
}

fn secret_access_key(known: &Known<'_>) -> Option<Document> {
    path::get(known.created, "AccessKey.SecretAccessKey").cloned()
}
