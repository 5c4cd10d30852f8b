//! Cloud Control: one resource of a stack looked at or changed by its type, without a template. `cdk deploy --hotswap` and
//! `cdk watch` change most types this way.
//!
//! What it changes differs from the template then, as on AWS: the next deployment sees the template's properties only.
//! Its operations have a service of their own, and ask CloudFormation for the rows.
//!
//! <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/Welcome.html>

mod patch;
mod resource;

use base::{Fault, Timestamp};
use kernel::{Effect, Result, Service};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api_control::{
    self as api, GetResourceInput, GetResourceOutput, GetResourceRequestStatusInput,
    GetResourceRequestStatusOutput, Operation, OperationStatus, ProgressEvent, ResourceDescription,
    UpdateResourceInput, UpdateResourceOutput,
};

pub(crate) use resource::{Changed, READ, STATUS, UPDATE, read, status, update};

use resource::{Identity, Patched, Shown};

/// What CloudFormation is called where its internal operations are asked.
const CLOUDFORMATION: &str = "cloudformation";

/// The service, for the router.
pub fn control_service() -> Service {
    Service::new(&api::SERVICE)
        .effect::<api::GetResource, _>(get_resource)
        .effect::<api::GetResourceRequestStatus, _>(get_resource_request_status)
        .effect::<api::UpdateResource, _>(update_resource)
}

/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>
async fn get_resource(effect: &Effect, input: GetResourceInput) -> Result<GetResourceOutput> {
    own_types_only(input.type_version_id.as_deref())?;
    let asked = Identity { type_name: input.type_name.clone(), identifier: input.identifier };
    let Shown { identifier, properties } = ask(effect, READ, &asked).await?;
    let description =
        ResourceDescription { identifier: Some(identifier), properties: Some(properties.to_string()) };
    Ok(GetResourceOutput { type_name: Some(input.type_name), resource_description: Some(description) })
}

/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_UpdateResource.html>
async fn update_resource(effect: &Effect, input: UpdateResourceInput) -> Result<UpdateResourceOutput> {
    own_types_only(input.type_version_id.as_deref())?;
    let asked = Patched {
        identity: Identity { type_name: input.type_name, identifier: input.identifier },
        patch: input.patch_document,
        token: input.client_token.unwrap_or_else(|| effect.id().to_string()),
    };
    let changed = ask(effect, UPDATE, &asked).await?;
    Ok(UpdateResourceOutput { progress_event: Some(progress(changed)) })
}

/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResourceRequestStatus.html>
async fn get_resource_request_status(
    effect: &Effect,
    input: GetResourceRequestStatusInput,
) -> Result<GetResourceRequestStatusOutput> {
    let changed = ask(effect, STATUS, &input.request_token).await?;
    Ok(GetResourceRequestStatusOutput {
        progress_event: Some(progress(changed)),
        hooks_progress_event: Some(Vec::new()),
    })
}

/// Types have one version here.
fn own_types_only(version: Option<&str>) -> Result<(), Fault> {
    match version {
        None => Ok(()),
        Some(_) => Err(api::error::unsupported_action_exception("TypeVersionId is not supported by Buswork")),
    }
}

async fn ask<O: DeserializeOwned>(
    effect: &Effect,
    operation: &str,
    input: &(impl Serialize + Sync),
) -> Result<O> {
    let input = json!(input);
    let answer = effect.kernel().ask(effect.caller().clone(), CLOUDFORMATION, operation, &input).await?;
    Ok(serde_json::from_value(answer)?)
}

/// A change is done when it is answered.
fn progress(changed: Changed) -> ProgressEvent {
    ProgressEvent {
        type_name: Some(changed.identity.type_name),
        identifier: Some(changed.identity.identifier),
        request_token: Some(changed.token),
        operation: Some(Operation::Update),
        operation_status: Some(OperationStatus::Success),
        event_time: Timestamp::from_epoch_seconds(changed.at),
        resource_model: Some(changed.model.to_string()),
        ..ProgressEvent::default()
    }
}
