//! Change sets of stacks inside stacks (`IncludeNestedStacks`): each is computed with that of the stack around it, and
//! all of a hierarchy are kept, executed and deleted with its root.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html>

use std::future::Future;
use std::pin::Pin;

use base::{Document, Fault};
use kernel::{Effect, Error, Result};

use super::create_change_set::{Around, Proposed, propose, read};
use crate::api::{ChangeSetType, CreateChangeSetInput};
use crate::change_set::{ChangeSet, Nested};
use crate::changes::{Inner, is_unknown, link};
use crate::deploy::InnerStack;
use crate::provider::{Properties, ResourceType};
use crate::stack::{Parent, Stack, invalid};

/// How many change sets one hierarchy may have, and how deep it may be: a template may include itself.
const NESTED_MAX: usize = 500;
const DEPTH_MAX: usize = 10;

/// `ChangeSetName` has no more characters.
const NAME_LENGTH_MAX: usize = 128;

type Included<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Computes what would change inside the stacks inside `outer`, and adds it to `found`.
pub(super) fn include<'a>(
    effect: &'a Effect,
    outer: &'a mut Proposed,
    found: &'a mut Vec<(Stack, ChangeSet)>,
    depth: usize,
) -> Included<'a> {
    Box::pin(async move {
        for (logical_id, inner) in std::mem::take(&mut outer.inner) {
            if depth == DEPTH_MAX || found.len() == NESTED_MAX {
                let limits = format!("{DEPTH_MAX} levels and {NESTED_MAX} nested stacks");
                return Err(invalid(format!("A change set has at most {limits}.")).into());
            }
            let guesses = inner.properties.values().any(is_unknown);
            let mut proposed = match propose_inner(effect, outer, (&logical_id, inner)).await {
                Ok(proposed) => proposed,
                // What it takes is known after the deployment only.
                Err(Error::Fault(fault)) if fault.status < 500 && guesses => continue,
                Err(Error::Fault(fault)) if fault.status < 500 => {
                    fail(outer, format!("Nested stack {logical_id}: {}", fault.message));
                    continue;
                }
                Err(error) => return Err(error),
            };
            include(effect, &mut proposed, found, depth + 1).await?;
            if proposed.is_idle() {
                continue;
            }
            let Proposed { stack, change_set, .. } = proposed;
            if change_set.failure.is_some() {
                let arn = &change_set.arn;
                let why =
                    format!("Nested change set {arn} was not successfully created: Currently in FAILED.");
                fail(outer, why);
            }
            link(&mut outer.change_set.changes, (&logical_id, &stack.arn), Some(&change_set));
            found.push((stack, change_set));
        }
        Ok(())
    })
}

/// What is inside the standing stacks inside `outer` may have changed; nobody has looked.
pub(super) fn suspect(outer: &mut Proposed) {
    for (logical_id, inner) in &outer.inner {
        if let Some(arn) = &inner.standing {
            link(&mut outer.change_set.changes, (logical_id, arn), None);
        }
    }
}

fn fail(outer: &mut Proposed, why: String) {
    outer.change_set.failure.get_or_insert(why);
}

/// What the root keeps of the others.
pub(super) fn family(found: &[(Stack, ChangeSet)]) -> Vec<Nested> {
    let one = |(stack, change_set): &(Stack, ChangeSet)| Nested {
        stack: stack.id.clone(),
        name: change_set.name.clone(),
        id: change_set.id.clone(),
        reviewed: change_set.creates,
    };
    found.iter().map(one).collect()
}

/// The change set of one stack inside `outer`.
async fn propose_inner(
    effect: &Effect,
    outer: &Proposed,
    (logical_id, inner): (&str, Inner),
) -> Result<Proposed> {
    let Inner { properties, standing } = inner;
    let wanted = InnerStack::read(&properties).map_err(invalid)?;
    let creates = standing.is_none();
    let random = effect.id().simple().to_string();
    let name = format!("{}-{logical_id}", outer.change_set.name);
    let room = NAME_LENGTH_MAX - 13;
    let change_set_name = format!("{}-{}", name.chars().take(room).collect::<String>(), &random[20..]);
    let parameter = |mut parameter: crate::api::Parameter| {
        // A value that only the deployment will tell is taken to be the one that it has.
        let value = parameter.parameter_value.as_deref().unwrap_or_default();
        if !creates && is_unknown(&Document::from(value)) {
            parameter.parameter_value = None;
            parameter.use_previous_value = Some(true);
        }
        parameter
    };
    let input = CreateChangeSetInput {
        stack_name: standing.unwrap_or_else(|| generated(effect, &outer.stack, logical_id, &properties)),
        change_set_name,
        change_set_type: Some(if creates { ChangeSetType::Create } else { ChangeSetType::Update }),
        template_url: Some(wanted.template_url),
        parameters: Some(wanted.parameters.into_iter().map(parameter).collect()),
        tags: Some(wanted.tags),
        capabilities: Some(outer.change_set.capabilities.clone()),
        role_arn: outer.change_set.role_arn.clone(),
        include_nested_stacks: Some(true),
        ..CreateChangeSetInput::default()
    };
    let asked = (input.stack_name.clone(), creates, input.change_set_name.clone());
    let current = effect.transact("ReadStack", read, asked).await?;
    let around = Around { parent: parent(&outer.stack, logical_id), change_set: &outer.change_set };
    propose(effect, input, current, Some(around)).await
}

fn parent(outer: &Stack, logical_id: &str) -> Parent {
    let root = outer.parent.as_ref().map_or(&outer.arn, |parent| &parent.root_arn);
    Parent {
        stack: outer.id.clone(),
        arn: outer.arn.clone(),
        root_arn: root.clone(),
        logical_id: logical_id.to_owned(),
    }
}

/// A name such as the deployment would give the stack.
fn generated(effect: &Effect, outer: &Stack, logical_id: &str, properties: &Properties) -> String {
    let naming = ResourceType::find("AWS::CloudFormation::Stack").and_then(|kind| kind.naming);
    let random = effect.id().as_u64_pair().1;
    let generate =
        |naming: crate::provider::Naming| naming.generate((&outer.name, logical_id), random, properties);
    naming.map_or_else(|| format!("{}-{logical_id}", outer.name), generate)
}

/// A change set inside another one goes the way of its root.
///
/// # Errors
/// It is one.
pub(super) fn refuse_nested(change_set: &ChangeSet) -> Result<(), Fault> {
    match &change_set.root {
        None => Ok(()),
        Some(root) => Err(invalid(format!(
            "ChangeSet [{}] is nested: the operation must be performed on its root change set [{root}]",
            change_set.arn
        ))),
    }
}
