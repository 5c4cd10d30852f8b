//! The resource that Cloud Control asks about, found among those of the stacks.

use base::{Document, Fault};
use kernel::{Effect, Parts, Result, Tx};
use serde::{Deserialize, Serialize};

use super::patch;
use crate::api_control::error;
use crate::deploy::resolve;
use crate::keys::{ControlKey, ResourceKey, StackKey};
use crate::provider::{Failure, Properties, Provider, ResourceType, Special};
use crate::resource::Standing;

/// The internal operations behind the service.
pub(crate) const READ: &str = "ReadStackResource";
pub(crate) const UPDATE: &str = "PatchStackResource";
pub(crate) const STATUS: &str = "ReadResourceChange";

/// Which resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub type_name: String,
    /// The physical id, what `Ref` yields, or the ARN.
    pub identifier: String,
}

/// A resource as it stands.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub identifier: String,
    pub properties: Document,
}

/// How a resource shall change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Patched {
    pub identity: Identity,
    /// A JSON patch.
    pub patch: String,
    /// Names the request: the same one again changes nothing, and answers as the first time.
    pub token: String,
}

/// A change that was made, kept under its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Changed {
    pub identity: Identity,
    pub token: String,
    /// As it was asked for.
    pub patch: String,
    /// When, in seconds since the epoch.
    pub at: f64,
    /// The properties behind it.
    pub model: Document,
}
store::stored!(Changed, format = 1);

/// A resource among those of the stacks.
#[derive(Clone, Debug)]
struct Found {
    key: ResourceKey,
    standing: Standing,
}

/// The properties of a resource.
pub(crate) async fn read(tx: &mut Tx, input: Identity) -> Result<Shown> {
    known_type(&input)?;
    let Found { standing, .. } = find(tx, &input).await?;
    let properties = standing.live.as_ref().unwrap_or_else(|| standing.shown()).clone();
    Ok(Shown { identifier: input.identifier, properties: Document::Object(properties) })
}

/// What became of a change.
pub(crate) async fn status(tx: &mut Tx, token: String) -> Result<Changed> {
    let found = tx.peek(&ControlKey { token: token.clone() }).await?;
    let unknown = || error::request_token_not_found_exception(format!("Request token {token} was not found"));
    Ok(found.ok_or_else(unknown)?)
}

/// Changes a resource, and keeps what it has become beside what its template says.
pub(crate) async fn update(effect: &Effect, input: Patched) -> Result<Changed> {
    let kind = known_type(&input.identity)?;
    let begun = effect.transact("ReadStackResource", begin, input.clone()).await?;
    let (found, before) = match begun {
        Begun::Known(changed) => return Ok(*changed),
        Begun::New(found, before) => (found, before),
    };
    let after = patch::apply(kind, &before, &input.patch)?;
    let Standing { id, name, .. } = &found.standing;
    let (old, new) = (resolved(effect, &before).await?, resolved(effect, &after).await?);
    let provider = Provider::new(effect, kind);
    provider.update((id, name.as_deref()), &old, &new).await.map_err(refused)?;
    effect.transact("PatchStackResource", keep, (input, *found, after)).await
}

/// What a patch meets.
enum Begun {
    Known(Box<Changed>),
    New(Box<Found>, Properties),
}

async fn begin(tx: &mut Tx, input: Patched) -> Result<Begun> {
    if let Some(known) = tx.peek(&ControlKey { token: input.token.clone() }).await? {
        if (&known.identity, &known.patch) != (&input.identity, &input.patch) {
            let why = "The client token was used with another request";
            return Err(error::client_token_conflict_exception(why).into());
        }
        return Ok(Begun::Known(Box::new(known)));
    }
    let found = find(tx, &input.identity).await?;
    settled(tx, &found).await?;
    let before = found.standing.live.clone().unwrap_or_else(|| found.standing.properties.clone());
    Ok(Begun::New(Box::new(found), before))
}

async fn keep(tx: &mut Tx, (input, found, after): (Patched, Found, Properties)) -> Result<Changed> {
    let changed = Changed {
        identity: input.identity,
        token: input.token.clone(),
        patch: input.patch,
        at: tx.now().as_epoch_seconds(),
        model: Document::Object(after.clone()),
    };
    // A deployment that began meanwhile says what stands.
    if let Some(mut resource) = tx.get(&found.key).await?
        && let Some(standing) = resource.standing.as_mut().filter(|now| **now == found.standing)
    {
        standing.live = Some(after);
        tx.put(&found.key, &resource)?;
    }
    tx.put(&ControlKey { token: input.token }, &changed)?;
    Ok(changed)
}

/// A type that operations make.
fn known_type(identity: &Identity) -> Result<&'static ResourceType, Fault> {
    let name = &identity.type_name;
    match ResourceType::find(name) {
        None => Err(error::type_not_found_exception(format!("The type '{name}' cannot be found."))),
        Some(kind) if kind.special != Special::None || kind.service.is_empty() => {
            let why = format!("Resource type {name} does not support UPDATE action");
            Err(error::unsupported_action_exception(why))
        }
        Some(kind) => Ok(kind),
    }
}

async fn find(tx: &mut Tx, identity: &Identity) -> Result<Found> {
    let is_meant = |standing: &Standing| {
        let wanted = identity.identifier.as_str();
        standing.kind == identity.type_name
            && (standing.id == wanted
                || standing.reference == wanted
                || standing.attributes.get("Arn").is_some_and(|arn| arn == wanted))
    };
    for (key, resource) in tx.scan::<ResourceKey>(Parts::none(), usize::MAX).await? {
        if let Some(standing) = resource.standing.filter(is_meant) {
            return Ok(Found { key, standing });
        }
    }
    let Identity { type_name, identifier } = identity;
    let why =
        format!("Resource of type '{type_name}' with identifier '{identifier}' was not found in any stack.");
    Err(error::resource_not_found_exception(why).into())
}

/// While its stack changes, a resource is not changed beside it.
async fn settled(tx: &mut Tx, found: &Found) -> Result<()> {
    let stack = tx.peek(&StackKey { id: found.key.stack.clone() }).await?;
    match stack.filter(|stack| stack.status.as_str().ends_with("_IN_PROGRESS")) {
        None => Ok(()),
        Some(stack) => {
            let why = format!("Stack {} is in {} state", stack.arn, stack.status);
            Err(error::concurrent_operation_exception(why).into())
        }
    }
}

async fn resolved(effect: &Effect, properties: &Properties) -> Result<Properties> {
    Ok(resolve(effect, properties).await.map_err(refused)?)
}

/// What the service says that the resource belongs to.
fn refused(failure: Failure) -> Fault {
    let Failure { fault, service, .. } = failure;
    let why = format!(
        "{} (Service: {service}, Status Code: {}, Error Code: {})",
        fault.message, fault.status, fault.code
    );
    if fault.status < 500 {
        error::invalid_request_exception(why)
    } else {
        error::general_service_exception(why)
    }
}
