//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>

use std::collections::{BTreeMap, BTreeSet};

use base::Fault;
use kernel::{Effect, Result, Tx};

use super::create_stack::{check_name, new_stack};
use super::prepare::{self, Asked};
use super::{Unsupported, get_template, mode, nested_change_sets, resources_of, source, update_stack};
use crate::api::{
    self, Capability, ChangeSetType, CreateChangeSetInput, CreateChangeSetOutput, OnStackFailure, StackStatus,
};
use crate::change_set::{self, ChangeSet};
use crate::changes::{self, Before, Changes, Inner};
use crate::deploy::{Wanted, retyped};
use crate::keys::{ExportKey, NameKey, StackKey};
use crate::record;
use crate::resource::Resource;
use crate::stack::{self, Parent, Settings, Stack, invalid};
use crate::template::Template;

/// Clients compare the beginning of this text.
const NO_CHANGES: &str = "The submitted information didn't contain changes. Submit different information to create a \
change set.";

/// Computes what a template would change and keeps it. A stack that does not exist yet comes into being, empty, under
/// review.
pub(crate) async fn create_change_set(
    effect: &Effect,
    input: CreateChangeSetInput,
) -> Result<CreateChangeSetOutput> {
    refuse(&input)?;
    let creates = input.change_set_type == Some(ChangeSetType::Create);
    let asked = (input.stack_name.clone(), creates, input.change_set_name.clone());
    let current = effect.transact("ReadStack", read, asked).await?;
    let mut root = propose(effect, input, current, None).await?;
    let mut inside = Vec::new();
    if root.change_set.nested {
        nested_change_sets::include(effect, &mut root, &mut inside, 0).await?;
    } else {
        nested_change_sets::suspect(&mut root);
    }
    if root.is_idle() {
        root.change_set.failure = Some(NO_CHANGES.to_owned());
    }
    root.change_set.family = nested_change_sets::family(&inside);
    let kept = (root.stack, root.change_set, inside);
    let (id, stack_id) = effect.transact("CreateChangeSet", keep, kept).await?;
    Ok(CreateChangeSetOutput { id: Some(id), stack_id: Some(stack_id) })
}

/// A computed change set, and the stack that it is of.
pub(super) struct Proposed {
    pub stack: Stack,
    pub change_set: ChangeSet,
    /// The stacks inside, by logical id.
    pub inner: BTreeMap<String, Inner>,
    /// Nothing but resources could change.
    same: bool,
}

impl Proposed {
    /// It would change nothing.
    pub(super) fn is_idle(&self) -> bool {
        let ChangeSet { changes, failure, .. } = &self.change_set;
        let settled = !matches!(self.stack.status, StackStatus::CreateFailed | StackStatus::UpdateFailed);
        self.same && settled && changes.is_empty() && failure.is_none()
    }
}

/// What a change set is inside of.
pub(super) struct Around<'a> {
    pub parent: Parent,
    pub change_set: &'a ChangeSet,
}

/// Computes a change set.
pub(super) async fn propose(
    effect: &Effect,
    input: CreateChangeSetInput,
    current: Current,
    around: Option<Around<'_>>,
) -> Result<Proposed> {
    let old = current.text.as_deref().map(prepare::parse).transpose()?;
    let given = (input.template_body.clone(), input.template_url.clone());
    let original = current.original.as_deref();
    let source = source::template(effect, given, input.use_previous_template, original).await?;
    let stack = current.stack.clone();
    let stack = stack.unwrap_or_else(|| {
        let name = input.stack_name.clone();
        let stack = new_stack(effect, name, Settings::default(), input.client_token.clone());
        let parent = around.as_ref().map(|around| around.parent.clone());
        Stack { parent, status: StackStatus::ReviewInProgress, ..stack }
    });
    let mut pseudo = stack.pseudo();
    pseudo.notification_arns = input.notification_arns.clone().unwrap_or(pseudo.notification_arns);
    let asked = Asked {
        source,
        parameters: prepare::given(input.parameters.clone())?,
        previous: stack.deployed.parameters.clone(),
        tags: input.tags.clone().unwrap_or_else(|| stack.deployed.tags.clone()),
        // Who reviews the changes need not acknowledge that transforms make them.
        capabilities: input
            .capabilities
            .iter()
            .flatten()
            .copied()
            .chain([Capability::CapabilityAutoExpand])
            .collect(),
    };
    let wanted = prepare::prepare(effect, &pseudo, asked).await?;
    let imports = effect.transact("ReadExports", exports, wanted.imports.clone()).await?;
    let compared = compare(&current, (&stack, old.as_deref()), &wanted, &imports)?;
    let Compared { changes, failure, same } = compared;
    let mut change_set = new_change_set(effect, input, &stack, wanted, (changes.list, failure));
    if let Some(Around { change_set: outer, .. }) = around {
        change_set.parent = Some(outer.arn.clone());
        change_set.root = Some(outer.root.clone().unwrap_or_else(|| outer.arn.clone()));
    }
    Ok(Proposed { stack, change_set, inner: changes.inner, same })
}

/// `ImportExistingResources`, which `cdk bootstrap` always sends, is about resources whose names exist already. Such a resource
/// is not imported: its creation fails and says that it exists. Where none exists there is nothing to honour.
fn refuse(input: &CreateChangeSetInput) -> Result<(), Fault> {
    Unsupported { resource_types: &input.resource_types, rollback: &input.rollback_configuration }
        .refuse()?;
    let imports = input.resources_to_import.as_ref().is_some_and(|list| !list.is_empty());
    let creates = input.change_set_type == Some(ChangeSetType::Create);
    let what = if imports || input.change_set_type == Some(ChangeSetType::Import) {
        "the import of resources"
    } else if input.deployment_mode.is_some() {
        "DeploymentMode"
    } else if input.on_stack_failure == Some(OnStackFailure::Delete) && !creates {
        return Err(invalid("OnStackFailure DELETE can only be used with change sets of the type CREATE."));
    } else {
        return Ok(());
    };
    Err(invalid(format!("{what} is not supported by Buswork")))
}

/// The stack that a change set is computed against.
pub(super) struct Current {
    stack: Option<Stack>,
    text: Option<String>,
    /// The text before its transforms.
    original: Option<String>,
    resources: BTreeMap<String, Resource>,
}

pub(super) async fn read(
    tx: &mut Tx,
    (name, creates, change_set): (String, bool, String),
) -> Result<Current> {
    let stack = suitable(tx, &name, creates, &change_set).await?;
    let review = stack.clone();
    let Some(stack) = stack.filter(|stack| stack.status != StackStatus::ReviewInProgress) else {
        return Ok(Current { stack: review, text: None, original: None, resources: BTreeMap::new() });
    };
    let text = get_template::text(tx, &stack).await?;
    let original = get_template::original(tx, &stack).await?;
    let resources = resources_of(tx, &stack).await?;
    Ok(Current { stack: Some(stack), text: Some(text), original: Some(original), resources })
}

/// The stack, if there is one and a change set of that kind may be made for it.
async fn suitable(tx: &mut Tx, name: &str, creates: bool, change_set: &str) -> Result<Option<Stack>> {
    if !creates {
        return update_stack::live(tx, name).await.map(Some);
    }
    match stack::seek(tx, name).await?.filter(|stack| stack.deleted.is_none()) {
        Some(stack) if stack.status != StackStatus::ReviewInProgress => {
            let name = &stack.name;
            let message = format!(
                "Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
            );
            Err(invalid(message).into())
        }
        None => {
            check_name(name)?;
            Ok(None)
        }
        review => Ok(review),
    }
}

async fn exports(tx: &mut Tx, names: BTreeSet<String>) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for name in names {
        if let Some(export) = tx.peek(&ExportKey { name: name.clone() }).await? {
            values.insert(name, export.value);
        }
    }
    Ok(values)
}

/// What differs between a stack and what a template wants of it.
struct Compared {
    changes: Changes,
    /// Why it cannot be.
    failure: Option<String>,
    /// Nothing but resources could differ.
    same: bool,
}

fn compare(
    current: &Current,
    (stack, old): (&Stack, Option<&Template>),
    wanted: &Wanted,
    imports: &BTreeMap<String, String>,
) -> Result<Compared, Fault> {
    let before = Before {
        template: old,
        parameters: &stack.deployed.parameters,
        resources: &current.resources,
        imports,
    };
    let changes = changes::changes(&before, wanted, &stack.pseudo())?;
    let same = old.is_some_and(|old| {
        // Outputs may change where no resource does.
        old.outputs == wanted.template.outputs && stack.deployed.parameters == wanted.deployed.parameters
    });
    Ok(Compared { changes, failure: retyped(&current.resources, wanted), same })
}

fn new_change_set(
    effect: &Effect,
    input: CreateChangeSetInput,
    stack: &Stack,
    wanted: Wanted,
    (changes, failure): (Vec<api::Change>, Option<String>),
) -> ChangeSet {
    let id = effect.id().to_string();
    let caller = effect.caller();
    let resource = format!("changeSet/{}/{id}", input.change_set_name);
    ChangeSet {
        arn: base::Arn::new("cloudformation", &caller.region, &caller.account, resource).to_string(),
        id,
        name: input.change_set_name,
        created: effect.now(),
        description: input.description,
        token: input.client_token,
        creates: input.change_set_type == Some(ChangeSetType::Create),
        failure,
        generation: stack.generation,
        executed: false,
        text: wanted.text,
        original: wanted.original,
        deployed: wanted.deployed,
        imports: wanted.imports,
        changes,
        capabilities: input.capabilities.unwrap_or_default(),
        role_arn: input.role_arn,
        notification_arns: input.notification_arns,
        on_stack_failure: input.on_stack_failure,
        mode: mode(&input.deployment_config),
        disable_rollback: input.deployment_config.and_then(|config| config.disable_rollback),
        nested: input.include_nested_stacks.unwrap_or_default(),
        parent: None,
        root: None,
        family: Vec::new(),
    }
}

/// Takes the change set's name, and the stack's if it is new. A repeated request with the same token finds the change
/// set that the first one made.
async fn keep(
    tx: &mut Tx,
    (computed, change_set, inside): (Stack, ChangeSet, Vec<(Stack, ChangeSet)>),
) -> Result<(String, String)> {
    let known = suitable(tx, &computed.name, change_set.creates, &change_set.name).await?;
    let stack = match known {
        Some(stack) if stack.generation != computed.generation => {
            let message = format!("Stack:{} was changed by another operation; try again", stack.arn);
            return Err(Fault::new("OperationInProgressException", message).into());
        }
        Some(stack) => stack,
        None => {
            let mut stack = computed;
            tx.put(&NameKey { name: stack.name.clone() }, &stack.id)?;
            let reason = Some("User Initiated".to_owned());
            record::stack(tx, &mut stack, StackStatus::ReviewInProgress, reason).await?;
            stack.reason = None;
            tx.put(&StackKey { id: stack.id.clone() }, &stack)?;
            stack
        }
    };
    if let Some(known) = tx.get(&change_set.key(&stack)).await? {
        if known.token.is_some() && known.token == change_set.token {
            return Ok((known.arn, stack.arn));
        }
        let message = format!("ChangeSet [{}] already exists", change_set.name);
        return Err(api::error::already_exists_exception(message).into());
    }
    change_set::put(tx, &stack, &change_set)?;
    for (inner, change_set) in &inside {
        if change_set.creates {
            tx.put(&inner.key(), inner)?;
        }
        change_set::put(tx, inner, change_set)?;
    }
    Ok((change_set.arn, stack.arn))
}
