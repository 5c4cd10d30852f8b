//! What a new template would do to a stack, resource by resource, without doing it. Pure.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>

use std::collections::{BTreeMap, BTreeSet};

use base::Document;
use serde_json::json;

use crate::api::{
    AfterValueFrom, AttributeChangeType, BeforeValueFrom, Change, ChangeAction, ChangeSource, ChangeType,
    EvaluationType, PolicyAction, Replacement, RequiresRecreation, ResourceAttribute, ResourceChange,
    ResourceChangeDetail, ResourceTargetDefinition,
};
use crate::change_set::ChangeSet;
use crate::deploy::{Wanted, masked, properties_of};
use crate::provider::{self, Properties, PropertyChange, ResourceType, Special};
use crate::resource::{Resource, Standing};
use crate::template::{
    DeletionPolicy, Environment, Expr, ParameterValues, Pseudo, Scope, Template, TemplateError, order,
};

/// AWS's word for a value that only the deployment will tell.
const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// A stack as it stands.
pub(crate) struct Before<'b> {
    pub template: Option<&'b Template>,
    pub parameters: &'b ParameterValues,
    pub resources: &'b BTreeMap<String, Resource>,
    /// The values of the exports that the new template imports.
    pub imports: &'b BTreeMap<String, String>,
}

/// A stack inside the stack, as it would be.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub properties: Properties,
    /// Its ARN, if it stands.
    pub standing: Option<String>,
}

/// What would change.
pub(crate) struct Changes {
    /// By logical id.
    pub list: Vec<Change>,
    /// The stacks inside, by logical id.
    pub inner: BTreeMap<String, Inner>,
}

/// The changes, by logical id.
///
/// # Errors
/// An expression that cannot be evaluated: a missing export, a wrong argument.
pub(crate) fn changes(
    before: &Before<'_>,
    wanted: &Wanted,
    pseudo: &Pseudo,
) -> Result<Changes, TemplateError> {
    let template = &wanted.template;
    let conditions = &wanted.deployed.conditions;
    let exists = |name: &str| template.resources.contains_key(name) && template.exists(name, conditions);
    let mut found = BTreeMap::new();
    let mut inner = BTreeMap::new();
    for (name, resource) in before.resources {
        if let Some(standing) = resource.standing.as_ref().filter(|_| !exists(name)) {
            found.insert(name.clone(), removal(name, standing));
        }
    }
    let needs = template
        .resources
        .keys()
        .filter(|name| exists(name))
        .map(|name| (name.clone(), template.needs(name, Some(conditions))))
        .collect();
    let mut forecast = Forecast { before, unknown: BTreeSet::new(), restless: BTreeSet::new() };
    for name in order(&needs).map_err(|cycle| TemplateError::new(format!("circle: {:?}", cycle.0)))? {
        let scope = Scope {
            mappings: &template.mappings,
            parameters: &wanted.deployed.parameters,
            pseudo,
            conditions,
            environment: &forecast,
        };
        let after = properties_of(template, &name, &scope, &wanted.deployed.tags)?;
        let shown = masked(template, &name, (&scope, &wanted.deployed.tags), &after);
        let shown = shown.unwrap_or_else(|| after.clone());
        let standing = before.resources.get(&name).and_then(|resource| resource.standing.as_ref());
        if is_stack(&template.resources[&name].kind) {
            let standing = standing.map(|standing| standing.id.clone());
            inner.insert(name.clone(), Inner { properties: after.clone(), standing });
        }
        let change = match standing {
            None => Some(addition(&name, template, &shown)),
            Some(standing) => {
                let comparison = Comparison { before, wanted, forecast: &forecast, name: &name, standing };
                comparison.change(&after, &shown)
            }
        };
        let Some(change) = change else { continue };
        if standing.is_none() || change.replacement.is_some_and(|replaced| replaced != Replacement::False) {
            forecast.unknown.insert(name.clone());
        } else if ResourceType::find(&template.resources[&name].kind).is_some_and(ResourceType::is_restless) {
            forecast.restless.insert(name.clone());
        }
        found.insert(name, change);
    }
    Ok(Changes { list: found.into_values().map(of_resource).collect(), inner })
}

fn of_resource(resource_change: ResourceChange) -> Change {
    Change {
        r#type: Some(ChangeType::Resource),
        hook_invocation_count: None,
        resource_change: Some(resource_change),
    }
}

fn is_stack(kind: &str) -> bool {
    ResourceType::find(kind).is_some_and(|kind| kind.special == Special::Stack)
}

/// Names the change set of a stack inside at its change, if there is one; where nothing of the resource itself changes,
/// the change is what may be inside.
pub(crate) fn link(changes: &mut Vec<Change>, (logical_id, arn): (&str, &str), inside: Option<&ChangeSet>) {
    let change_set_id = inside.map(|inside| inside.arn.clone());
    let name = |change: &Change| {
        change.resource_change.as_ref().and_then(|change| change.logical_resource_id.clone())
    };
    let known = changes.iter_mut().find(|change| name(change).as_deref() == Some(logical_id));
    if let Some(change) = known.and_then(|change| change.resource_change.as_mut()) {
        change.change_set_id = change_set_id;
        return;
    }
    let detail = ResourceChangeDetail {
        evaluation: Some(EvaluationType::Dynamic),
        change_source: Some(ChangeSource::Automatic),
        ..of_attribute(ResourceAttribute::Properties)
    };
    changes.push(of_resource(ResourceChange {
        action: Some(ChangeAction::Modify),
        logical_resource_id: Some(logical_id.to_owned()),
        physical_resource_id: Some(arn.to_owned()),
        resource_type: Some("AWS::CloudFormation::Stack".to_owned()),
        replacement: Some(Replacement::False),
        scope: Some(vec![ResourceAttribute::Properties]),
        details: Some(vec![detail]),
        change_set_id,
        ..ResourceChange::default()
    }));
    changes.sort_by_key(name);
}

/// The world as it would be: what is new or replaced is unknown.
struct Forecast<'f> {
    before: &'f Before<'f>,
    /// New, or replaced.
    unknown: BTreeSet<String>,
    /// Changed in place, and its attributes may change with it.
    restless: BTreeSet<String>,
}

impl Forecast<'_> {
    fn standing(&self, logical_id: &str) -> Option<&Standing> {
        let resource = self.before.resources.get(logical_id).filter(|_| !self.unknown.contains(logical_id));
        resource.and_then(|resource| resource.standing.as_ref())
    }
}

impl Environment for Forecast<'_> {
    fn reference(&self, logical_id: &str) -> Option<Document> {
        Some(self.standing(logical_id).map_or_else(|| UNKNOWN.into(), |standing| standing.reference.clone()))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Document, TemplateError> {
        let standing = self.standing(logical_id).filter(|_| !self.restless.contains(logical_id));
        let known = standing.and_then(|standing| standing.attributes.get(attribute));
        Ok(known.cloned().unwrap_or_else(|| UNKNOWN.into()))
    }

    fn import(&self, name: &str) -> Option<String> {
        self.before.imports.get(name).cloned()
    }
}

fn removal(name: &str, standing: &Standing) -> ResourceChange {
    let policy = match standing.deletion_policy {
        DeletionPolicy::Delete => PolicyAction::Delete,
        _ => PolicyAction::Retain,
    };
    ResourceChange {
        policy_action: Some(policy),
        action: Some(ChangeAction::Remove),
        logical_resource_id: Some(name.to_owned()),
        physical_resource_id: Some(standing.id.clone()),
        resource_type: Some(standing.kind.clone()),
        scope: Some(Vec::new()),
        details: Some(Vec::new()),
        before_context: Some(context(standing.shown(), None)),
        ..ResourceChange::default()
    }
}

fn addition(name: &str, template: &Template, shown: &Properties) -> ResourceChange {
    let declared = &template.resources[name];
    ResourceChange {
        action: Some(ChangeAction::Add),
        logical_resource_id: Some(name.to_owned()),
        resource_type: Some(declared.kind.clone()),
        scope: Some(Vec::new()),
        details: Some(Vec::new()),
        after_context: Some(context(shown, declared.metadata.as_ref())),
        ..ResourceChange::default()
    }
}

/// The properties and metadata of a resource, as the API shows them: JSON text.
fn context(properties: &Properties, metadata: Option<&Document>) -> String {
    let mut shown = json!({ "Properties": properties });
    if let Some(metadata) = metadata {
        shown["Metadata"] = metadata.clone();
    }
    shown.to_string()
}

fn text(value: &Document) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether only the deployment will tell the value.
pub(crate) fn is_unknown(value: &Document) -> bool {
    match value {
        Document::String(text) => text.contains(UNKNOWN),
        Document::Array(items) => items.iter().any(is_unknown),
        Document::Object(members) => members.values().any(is_unknown),
        _ => false,
    }
}

/// A standing resource beside what the template wants of it.
struct Comparison<'c> {
    before: &'c Before<'c>,
    wanted: &'c Wanted,
    forecast: &'c Forecast<'c>,
    name: &'c str,
    standing: &'c Standing,
}

impl Comparison<'_> {
    /// From what stands to `after`, of which `shown` may be shown.
    fn change(&self, after: &Properties, shown: &Properties) -> Option<ResourceChange> {
        let declared = &self.wanted.template.resources[self.name];
        let kind = ResourceType::find(&declared.kind)?;
        let mut scope = BTreeSet::new();
        let mut details = Vec::new();
        let mut replacement = Replacement::False;
        for (name, change) in provider::changes(kind, &self.standing.properties, after) {
            let found = self.details(name, change, (after.get(name), shown.get(name)));
            for detail in &found {
                let target = detail.target.as_ref();
                scope.extend(target.and_then(|target| target.attribute));
                replacement = replacement.max_of(target.and_then(|target| target.requires_recreation));
            }
            details.extend(found);
        }
        for (attribute, differs) in self.attributes() {
            if differs {
                scope.insert(attribute);
                details.push(of_attribute(attribute));
            }
        }
        if details.is_empty() && replacement == Replacement::False {
            return None;
        }
        Some(ResourceChange {
            policy_action: self.policy(replacement),
            action: Some(ChangeAction::Modify),
            logical_resource_id: Some(self.name.to_owned()),
            physical_resource_id: Some(self.standing.id.clone()),
            resource_type: Some(declared.kind.clone()),
            replacement: Some(replacement),
            scope: Some(scope.into_iter().collect()),
            details: Some(details),
            before_context: Some(context(
                self.standing.shown(),
                self.old().and_then(|old| old.metadata.as_ref()),
            )),
            after_context: Some(context(shown, declared.metadata.as_ref())),
            ..ResourceChange::default()
        })
    }

    fn old(&self) -> Option<&crate::template::Resource> {
        self.before.template.and_then(|template| template.resources.get(self.name))
    }

    /// What else of a resource a template may change.
    fn attributes(&self) -> Vec<(ResourceAttribute, bool)> {
        let declared = &self.wanted.template.resources[self.name];
        let metadata = self.old().is_some_and(|old| old.metadata != declared.metadata);
        vec![
            (ResourceAttribute::Metadata, metadata),
            (ResourceAttribute::DeletionPolicy, self.standing.deletion_policy != declared.deletion_policy),
            (
                ResourceAttribute::UpdateReplacePolicy,
                self.standing.replace_policy != declared.update_replace_policy,
            ),
        ]
    }

    fn policy(&self, replacement: Replacement) -> Option<PolicyAction> {
        match (replacement, self.standing.replace_policy) {
            (Replacement::False, _) => None,
            (_, DeletionPolicy::Delete) => Some(PolicyAction::ReplaceAndDelete),
            _ => Some(PolicyAction::ReplaceAndRetain),
        }
    }

    /// One detail for each cause of a property's change.
    fn details(
        &self,
        property: &str,
        change: PropertyChange,
        (after, shown): (Option<&Document>, Option<&Document>),
    ) -> Vec<ResourceChangeDetail> {
        let before = self.standing.shown().get(property);
        let dynamic = after.is_some_and(is_unknown);
        let recreation = match (change, dynamic) {
            (PropertyChange::InPlace, _) => RequiresRecreation::Never,
            (PropertyChange::Replaces, true) => RequiresRecreation::Conditionally,
            (PropertyChange::Replaces, false) => RequiresRecreation::Always,
        };
        let of_tags = property == "Tags";
        let target = ResourceTargetDefinition {
            attribute: Some(if of_tags { ResourceAttribute::Tags } else { ResourceAttribute::Properties }),
            name: (!of_tags).then(|| property.to_owned()),
            requires_recreation: Some(recreation),
            path: Some(format!("/Properties/{property}")),
            before_value: before.map(text),
            after_value: shown.map(text),
            before_value_from: before.map(|_| BeforeValueFrom::PreviousDeploymentState),
            after_value_from: after.map(|_| AfterValueFrom::Template),
            drift: None,
            attribute_change_type: Some(match (before, after) {
                (None, _) => AttributeChangeType::Add,
                (_, None) => AttributeChangeType::Remove,
                _ => AttributeChangeType::Modify,
            }),
        };
        let evaluation = if dynamic { EvaluationType::Dynamic } else { EvaluationType::Static };
        let causes = self.causes(property);
        let detail = |(change_source, causing_entity)| ResourceChangeDetail {
            target: Some(target.clone()),
            evaluation: Some(evaluation),
            change_source: Some(change_source),
            causing_entity,
        };
        causes.into_iter().map(detail).collect()
    }

    /// Why a property changes: its expression is another one, or what the expression refers to changes.
    fn causes(&self, property: &str) -> Vec<(ChangeSource, Option<String>)> {
        let direct = vec![(ChangeSource::DirectModification, None)];
        let new = self.wanted.template.resources[self.name].properties.get(property);
        let (Some(old), Some(new)) = (self.old().and_then(|old| old.properties.get(property)), new) else {
            return direct;
        };
        if old != new {
            return direct;
        }
        let causes = self.entities(new);
        if causes.is_empty() { direct } else { causes }
    }

    fn entities(&self, expr: &Expr) -> Vec<(ChangeSource, Option<String>)> {
        let parameters = &self.wanted.deployed.parameters;
        let mut found = Vec::new();
        for (name, attribute) in expr.references() {
            let cause = match attribute {
                None if parameters.contains_key(&name) => {
                    let differs = self.before.parameters.get(&name) != parameters.get(&name);
                    differs.then_some((ChangeSource::ParameterReference, name))
                }
                None => {
                    self.forecast.unknown.contains(&name).then_some((ChangeSource::ResourceReference, name))
                }
                Some(attribute) => {
                    let moves =
                        self.forecast.unknown.contains(&name) || self.forecast.restless.contains(&name);
                    moves.then(|| (ChangeSource::ResourceAttribute, format!("{name}.{attribute}")))
                }
            };
            let cause = cause.map(|(source, entity)| (source, Some(entity)));
            found.extend(cause.filter(|cause| !found.contains(cause)));
        }
        found
    }
}

fn of_attribute(attribute: ResourceAttribute) -> ResourceChangeDetail {
    ResourceChangeDetail {
        target: Some(ResourceTargetDefinition {
            attribute: Some(attribute),
            requires_recreation: Some(RequiresRecreation::Never),
            ..ResourceTargetDefinition::default()
        }),
        evaluation: Some(EvaluationType::Static),
        change_source: Some(ChangeSource::DirectModification),
        causing_entity: None,
    }
}

/// The gravest of several consequences.
trait Gravest {
    fn max_of(self, recreation: Option<RequiresRecreation>) -> Self;
}

impl Gravest for Replacement {
    fn max_of(self, recreation: Option<RequiresRecreation>) -> Replacement {
        match (self, recreation) {
            (Replacement::True, _) | (_, Some(RequiresRecreation::Always)) => Replacement::True,
            (Replacement::Conditional, _) | (_, Some(RequiresRecreation::Conditionally)) => {
                Replacement::Conditional
            }
            _ => Replacement::False,
        }
    }
}
