//! Roles of AWS's services. Nothing acts in them here; they are made for templates and tools that need them to be there.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Result, Tx};

use crate::api::{
    CreateServiceLinkedRoleInput, CreateServiceLinkedRoleOutput, DeleteServiceLinkedRoleInput,
    DeleteServiceLinkedRoleOutput, DeletionTaskStatusType, GetServiceLinkedRoleDeletionStatusInput,
    GetServiceLinkedRoleDeletionStatusOutput,
};
use crate::holder::{SERVICE_LINKED, find};
use crate::keys::{DeletionKey, Role, RoleKey};
use crate::names::{self, Named};
use crate::ops::role::{new_id, show};
use crate::{enter_global, fault};

/// The services that have such roles, with the roles' names.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html> and the
/// services' own pages.
const ROLES: [(&str, &str); 14] = [
    ("apidestinations.events.amazonaws.com", "AWSServiceRoleForAmazonEventBridgeApiDestinations"),
    ("appsync.amazonaws.com", "AWSServiceRoleForAppSync"),
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("cognito-idp.amazonaws.com", "AWSServiceRoleForAmazonCognitoIdp"),
    (
        "dynamodb.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
    ),
    ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    ("elasticache.amazonaws.com", "AWSServiceRoleForElastiCache"),
    ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("events.amazonaws.com", "AWSServiceRoleForCloudWatchEvents"),
    (
        "lambda.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
    ),
    ("opensearchservice.amazonaws.com", "AWSServiceRoleForAmazonOpenSearchService"),
    ("ops.apigateway.amazonaws.com", "AWSServiceRoleForAPIGateway"),
    ("rds.amazonaws.com", "AWSServiceRoleForRDS"),
    ("schemas.amazonaws.com", "AWSServiceRoleForSchemas"),
];

/// Services whose roles may bear a suffix.
const WITH_SUFFIX: [&str; 1] = ["autoscaling.amazonaws.com"];

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html>
pub(crate) async fn create_service_linked_role(
    tx: &mut Tx,
    input: CreateServiceLinkedRoleInput,
) -> Result<CreateServiceLinkedRoleOutput> {
    enter_global(tx);
    let service = input.aws_service_name;
    let Some((_, base)) = ROLES.iter().find(|(name, _)| *name == service) else {
        let message = format!("a service-linked role of {service} is not implemented by Buswork");
        return Err(fault::invalid_input(message).into());
    };
    let name = match input.custom_suffix {
        None => (*base).to_owned(),
        Some(suffix) if WITH_SUFFIX.contains(&service.as_str()) => format!("{base}_{suffix}"),
        Some(_) => {
            let message = format!("Custom suffix is not allowed for {service}");
            return Err(fault::invalid_input(message).into());
        }
    };
    let key = RoleKey { name };
    if tx.get(&key).await?.is_some() || !names::take(tx, Named::Role, &key.name).await? {
        let message = format!(
            "Service role name {} has been taken in this account, please try a different suffix.",
            key.name
        );
        return Err(fault::invalid_input(message).into());
    }
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "Service": [service] }, "Action": ["sts:AssumeRole"],
        }],
    });
    let role = Role {
        path: format!("{SERVICE_LINKED}{service}/"),
        id: new_id(tx, "AROA"),
        created_at: tx.now(),
        trust_policy: trust.to_string(),
        description: input.description,
        session_s_max: 3_600,
        permissions_boundary: None,
        tags: BTreeMap::new(),
        inline: BTreeMap::new(),
        attached: BTreeSet::new(),
    };
    tx.put(&key, &role)?;
    Ok(CreateServiceLinkedRoleOutput { role: Some(show(tx, &key.name, &role)) })
}

/// Nothing uses the role, so it goes at once.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html>
pub(crate) async fn delete_service_linked_role(
    tx: &mut Tx,
    input: DeleteServiceLinkedRoleInput,
) -> Result<DeleteServiceLinkedRoleOutput> {
    let (key, role) = find::<RoleKey>(tx, input.role_name).await?;
    if !role.path.starts_with(SERVICE_LINKED) {
        let message = format!("The role {} is not a service-linked role.", key.name);
        return Err(fault::invalid_input(message).into());
    }
    tx.delete(&key);
    names::release(tx, Named::Role, &key.name);
    let task = format!("task{}{}/{}", role.path, key.name, tx.id());
    tx.put(&DeletionKey { task: task.clone() }, &())?;
    Ok(DeleteServiceLinkedRoleOutput { deletion_task_id: task })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html>
pub(crate) async fn get_service_linked_role_deletion_status(
    tx: &mut Tx,
    input: GetServiceLinkedRoleDeletionStatusInput,
) -> Result<GetServiceLinkedRoleDeletionStatusOutput> {
    enter_global(tx);
    let key = DeletionKey { task: input.deletion_task_id };
    if tx.get(&key).await?.is_none() {
        return Err(fault::no_such(format!("The deletion task {} cannot be found.", key.task)).into());
    }
    let status = DeletionTaskStatusType::Succeeded;
    Ok(GetServiceLinkedRoleDeletionStatusOutput { status, reason: None })
}
