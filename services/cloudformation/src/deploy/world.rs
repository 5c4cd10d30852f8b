//! What a template may ask of the world while a stack is deployed: its resources, and the exports it imports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::Document;
use kernel::{Error, Result, Tx};

use crate::api::Tag;
use crate::keys::{ResourceKey, TemplateKey};
use crate::plan::Plan;
use crate::provider::{Properties, ResourceType, Special};
use crate::resource::Standing;
use crate::stack::Stack;
use crate::template::{Environment, Expr, MASK, Pseudo, Scope, Template, TemplateError};
use crate::templates::Templates;

/// The resources that stand, and the imports.
pub(super) struct World<'w> {
    /// The stack's ARN.
    pub stack: &'w str,
    pub standing: BTreeMap<String, Standing>,
    pub imports: &'w BTreeMap<String, String>,
}

impl Environment for World<'_> {
    fn reference(&self, logical_id: &str) -> Option<Document> {
        self.standing.get(logical_id).map(|standing| standing.reference.clone())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Document, TemplateError> {
        let standing = self.standing.get(logical_id).ok_or_else(|| {
            TemplateError::intrinsic(format!(
                "instance of Fn::GetAtt references undefined resource {logical_id}"
            ))
        })?;
        standing.attributes.get(attribute).cloned().ok_or_else(|| {
            let custom = ResourceType::find(&standing.kind).is_some_and(|kind| kind.special == Special::Custom);
            TemplateError::new(match custom {
                true => format!(
                    "CustomResource attribute error: Vendor response doesn't contain {attribute} attribute in object \
                     {}|{logical_id}|{}",
                    self.stack, standing.id
                ),
                false => format!("Attribute '{attribute}' of resource '{logical_id}' has no value"),
            })
        })
    }

    fn import(&self, name: &str) -> Option<String> {
        self.imports.get(name).cloned()
    }
}

/// A template with what its expressions may ask for.
pub(super) struct Evaluation<'e> {
    pub template: &'e Template,
    pub plan: &'e Plan,
    pub pseudo: &'e Pseudo,
    pub world: &'e World<'e>,
}

impl<'e> Evaluation<'e> {
    pub(super) fn scope(&'e self) -> Scope<'e> {
        Scope {
            mappings: &self.template.mappings,
            parameters: &self.plan.target.parameters,
            pseudo: self.pseudo,
            conditions: &self.plan.target.conditions,
            environment: self.world,
        }
    }
}

/// The plan's target template.
pub(super) async fn template(tx: &mut Tx, stack: &Stack, plan: &Plan) -> Result<Arc<Template>> {
    let key = TemplateKey { stack: stack.id.clone(), version: plan.target.template };
    load(tx, &key).await
}

/// A stored template, parsed.
async fn load(tx: &mut Tx, key: &TemplateKey) -> Result<Arc<Template>> {
    let cache = tx.state::<Templates>()?;
    if let Some(template) = cache.get(key) {
        return Ok(template);
    }
    let text = tx.peek(key).await?.ok_or_else(|| Error::bug("read a stack's template: there is none"))?;
    let template = Template::processed(&text)
        .map_err(|error| Error::bug(format!("parse a stored template: {error}")))?;
    Ok(cache.put(key, template))
}

/// The standing resources of the given logical ids.
pub(super) async fn standing(
    tx: &mut Tx,
    stack: &Stack,
    logical_ids: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, Standing>> {
    let mut found = BTreeMap::new();
    for logical_id in logical_ids {
        let key = ResourceKey { stack: stack.id.clone(), logical_id };
        if let Some(standing) = tx.peek(&key).await?.and_then(|resource| resource.standing) {
            found.insert(key.logical_id, standing);
        }
    }
    Ok(found)
}

/// The properties of a resource, evaluated, with the stack's tags.
///
/// # Errors
/// An expression that cannot be evaluated.
pub(crate) fn properties_of(
    template: &Template,
    logical_id: &str,
    scope: &Scope<'_>,
    tags: &[Tag],
) -> Result<Properties, TemplateError> {
    let declared = &template.resources[logical_id];
    let mut properties = Properties::new();
    for (name, expr) in &declared.properties {
        if let Some(value) = scope.value(expr)? {
            properties.insert(name.clone(), value);
        }
    }
    let takes_tags = ResourceType::find(&declared.kind).is_some_and(|kind| kind.property("Tags").is_some());
    if takes_tags && !tags.is_empty() {
        add_stack_tags(tags, &mut properties);
    }
    Ok(properties)
}

/// The properties as they may be shown: `****` stands for the values of secret parameters (`NoEcho`). `None`: there are none
/// among them.
pub(crate) fn masked(
    template: &Template,
    logical_id: &str,
    (scope, tags): (&Scope<'_>, &[Tag]),
    properties: &Properties,
) -> Option<Properties> {
    if !scope.parameters.values().any(|value| value.no_echo) {
        return None;
    }
    let parameters = scope.parameters.iter().map(|(name, value)| (name.clone(), value.masked())).collect();
    let scope = Scope { parameters: &parameters, ..*scope };
    // What cannot be evaluated without the secret is hidden as a whole.
    let hidden = || properties.keys().map(|name| (name.clone(), MASK.into())).collect();
    let shown = properties_of(template, logical_id, &scope, tags).unwrap_or_else(|_| hidden());
    (shown != *properties).then_some(shown)
}

/// The stack's tags go to every resource that takes tags; the resource's own win.
fn add_stack_tags(tags: &[Tag], properties: &mut Properties) {
    let own = properties.entry("Tags").or_insert_with(|| Document::Array(Vec::new()));
    for tag in tags {
        match own {
            Document::Array(own) if !own.iter().any(|known| known["Key"] == tag.key.as_str()) => {
                own.push(serde_json::json!({ "Key": tag.key, "Value": tag.value }));
            }
            Document::Object(own) => {
                own.entry(tag.key.as_str()).or_insert_with(|| tag.value.as_str().into());
            }
            _ => {}
        }
    }
}

/// The names of all exports that the template imports on the branches that its conditions choose.
pub(crate) fn imported_names(
    template: &Template,
    scope: &Scope<'_>,
) -> Result<BTreeSet<String>, TemplateError> {
    let mut names = BTreeSet::new();
    let existing = template.resources.iter().filter(|(name, _)| template.exists(name, scope.conditions));
    let properties = existing.flat_map(|(_, resource)| resource.expressions());
    let holds = |condition: &Option<String>| condition.as_ref().map_or(Ok(true), |name| scope.holds(name));
    let mut outputs = Vec::new();
    for output in template.outputs.values() {
        if holds(&output.condition)? {
            outputs.push(&output.value);
        }
    }
    for expr in properties.chain(outputs) {
        gather(expr, scope, &mut names)?;
    }
    Ok(names)
}

fn gather(expr: &Expr, scope: &Scope<'_>, names: &mut BTreeSet<String>) -> Result<(), TemplateError> {
    match expr {
        Expr::ImportValue(name) => {
            names.insert(scope.text(name, "Fn::ImportValue")?);
            Ok(())
        }
        Expr::If { condition, then, otherwise } => {
            gather(if scope.holds(condition)? { then } else { otherwise }, scope, names)
        }
        other => other.children().into_iter().try_for_each(|child| gather(child, scope, names)),
    }
}
