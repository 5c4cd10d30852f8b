//! From a request to what a stack shall be: the template checked against the types, the parameters, the conditions.
//! Whatever can be refused is refused here, before anything is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Document, Fault};
use kernel::{Effect, Kernel};
use serde_json::json;

use crate::api::{self, Capability, Tag};
use crate::deploy::{Wanted, imported_names};
use crate::provider::{ResourceType, Special};
use crate::stack::{Deployed, Stack, invalid};
use crate::template::{
    Draft, Environment, Given, ParameterType, ParameterValues, Pseudo, Resource, Scope, Template,
    TemplateError, resolve_parameters,
};

/// A template's text before its transforms.
pub(super) struct Source {
    pub text: String,
    /// It is not the one that the stack has already.
    pub is_new: bool,
}

/// What a request asks for.
pub(super) struct Asked {
    pub source: Source,
    pub parameters: BTreeMap<String, Given>,
    /// The values of the stack as it stands.
    pub previous: ParameterValues,
    pub tags: Vec<Tag>,
    pub capabilities: Vec<Capability>,
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const VALUE_BYTES_MAX: usize = 4_096;

/// `Parameters` of a request.
pub(super) fn given(parameters: Option<Vec<api::Parameter>>) -> Result<BTreeMap<String, Given>, Fault> {
    let one = |(index, parameter): (usize, api::Parameter)| {
        if parameter.parameter_value.as_ref().is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
            return Err(invalid(format!(
                "1 validation error detected: Value at 'parameters.{}.member.parameterValue' failed to satisfy \
                 constraint: Member must have length less than or equal to {VALUE_BYTES_MAX}",
                index + 1
            )));
        }
        let key = parameter.parameter_key.ok_or_else(|| invalid("Every parameter needs a ParameterKey"))?;
        match (parameter.use_previous_value.unwrap_or_default(), parameter.parameter_value) {
            (true, Some(_)) => Err(invalid(format!(
                "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value \
                 for a parameter"
            ))),
            (true, None) => Ok((key, Given::Previous)),
            (false, value) => Ok((key, Given::Value(value.unwrap_or_default()))),
        }
    };
    parameters.unwrap_or_default().into_iter().enumerate().map(one).collect()
}

/// A template whose transforms are done.
pub(super) fn parse(text: &str) -> Result<Arc<Template>, Fault> {
    Ok(Arc::new(Template::processed(text)?))
}

/// A template for somebody who only looks.
pub(super) fn glance(text: &str) -> Result<(Draft, Template), Fault> {
    let draft = Draft::read(text)?;
    let template = draft.glance(&Pseudo::default())?;
    Ok((draft, template))
}

/// Checks everything and says what the stack shall be.
pub(super) async fn prepare(effect: &Effect, pseudo: &Pseudo, asked: Asked) -> Result<Wanted, Fault> {
    let Asked { source, parameters, previous, tags, capabilities } = asked;
    check_tags(&tags)?;
    let draft = Draft::read(&source.text)?;
    let mut values = resolve_parameters(&draft.parameters, &parameters, &previous)?;
    fetch_parameters(effect, &draft, &mut values).await?;
    let (template, processed) = draft.finish(&values, pseudo)?;
    let (template, transforms) = (Arc::new(template), processed.is_some());
    let original = transforms.then(|| source.text.clone());
    let text = processed.or_else(|| Some(source.text).filter(|_| source.is_new));
    template.assert_rules(&values, pseudo)?;
    let conditions = template.judge(&values, pseudo)?;
    template.check_existing(&conditions)?;
    check_types(effect.kernel(), &template, &conditions)?;
    let mut missing = missing_capabilities(&template, Some(&conditions), &capabilities);
    if transforms && !capabilities.contains(&Capability::CapabilityAutoExpand) {
        missing.push(Capability::CapabilityAutoExpand);
    }
    if !missing.is_empty() {
        let message = format!("Requires capabilities : [{}]", names(&missing));
        return Err(api::error::insufficient_capabilities_exception(message));
    }
    let scope = Scope {
        mappings: &template.mappings,
        parameters: &values,
        pseudo,
        conditions: &conditions,
        environment: &NoResources,
    };
    template.check_known(&scope)?;
    let imports = imported_names(&template, &scope)?;
    let description = template.description.clone();
    let deployed = Deployed { template: 0, description, parameters: values, conditions, tags };
    Ok(Wanted { template, text, original, deployed, imports })
}

/// Tags of AWS's own are not a caller's to give.
fn check_tags(tags: &[Tag]) -> Result<(), Fault> {
    match tags.iter().any(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
        true => Err(invalid("aws: prefixed tag key names are not allowed for external use.")),
        false => Ok(()),
    }
}

/// Parameters that name parameters of Systems Manager get those parameters' values.
async fn fetch_parameters(effect: &Effect, draft: &Draft, values: &mut ParameterValues) -> Result<(), Fault> {
    for (name, declared) in &draft.parameters {
        let named = declared.kind == ParameterType::SsmName;
        let asks = named || matches!(declared.kind, ParameterType::Ssm | ParameterType::SsmList);
        let Some(value) = values.get_mut(name).filter(|_| asks) else { continue };
        if !effect.kernel().serves("ssm", "GetParameter") {
            let what = format!("[/Parameters/{name}] the parameter type {}", declared.kind.name());
            return Err(TemplateError::unsupported(what).into());
        }
        let input = json!({ "Name": value.text }).to_string();
        let answer = effect.call("ssm", "GetParameter", input.into()).await;
        let answer: Option<Document> = answer.ok().and_then(|answer| serde_json::from_slice(&answer).ok());
        if answer.as_ref().is_some_and(|answer| !named && answer["Parameter"]["Type"] == "SecureString") {
            let name = &value.text;
            return Err(invalid(format!(
                "Parameters [{name}] referenced by template have types not supported by CloudFormation."
            )));
        }
        let found = answer.as_ref().and_then(|answer| answer["Parameter"]["Value"].as_str());
        let found = found.ok_or_else(|| {
            let name = &value.text;
            invalid(format!("Unable to fetch parameters [{name}] from parameter store for this account."))
        })?;
        // A name is its own value; that it is one has been seen now.
        value.resolved = (!named).then(|| found.to_owned());
    }
    Ok(())
}

/// Refuses, by name, types, properties and attributes that Buswork does not have.
fn check_types(
    kernel: &Kernel,
    template: &Template,
    conditions: &BTreeMap<String, bool>,
) -> Result<(), TemplateError> {
    let existing = || template.resources.iter().filter(|(name, _)| template.exists(name, conditions));
    let unknown: BTreeSet<&str> =
        existing().map(|(_, r)| r.kind.as_str()).filter(|kind| ResourceType::find(kind).is_none()).collect();
    if !unknown.is_empty() {
        let unknown = unknown.into_iter().collect::<Vec<_>>().join(", ");
        return Err(TemplateError::format(format!("Unrecognized resource types: [{unknown}]")));
    }
    for (name, resource) in existing() {
        check_resource(kernel, name, resource)?;
    }
    for (name, attribute) in template.attributes() {
        let kind = template.resources.get(name).and_then(|resource| ResourceType::find(&resource.kind));
        if kind.is_some_and(|kind| !kind.has_attribute(attribute)) {
            return Err(TemplateError::intrinsic(format!(
                "resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            )));
        }
    }
    Ok(())
}

/// A known type may need operations that this server does not serve, and have properties that it does not take.
fn check_resource(kernel: &Kernel, name: &str, resource: &Resource) -> Result<(), TemplateError> {
    let Some(kind) = ResourceType::find(&resource.kind) else { return Ok(()) };
    let unserved = |operation: &&str| !kernel.serves(kind.service, operation);
    let refused = |what: &str, operation: &str| {
        let why = format!("it needs {}:{operation}", kind.service);
        TemplateError::unsupported(format!("[/Resources/{name}] {what} ({why})"))
    };
    if let Some(operation) = kind.operations().find(unserved) {
        return Err(refused(&format!("the type {}", kind.name), operation));
    }
    let token = resource.properties.contains_key("ServiceToken");
    if kind.special == Special::Custom && !token {
        return Err(TemplateError::new(format!(
            "Properties validation failed for resource {name} with message: #: required key [ServiceToken] not found"
        )));
    }
    for property in resource.properties.keys() {
        if kind.property(property).is_none() && !kind.open {
            return Err(TemplateError::new(format!(
                "Properties validation failed for resource {name} with message: #: extraneous key [{property}] is not \
                 permitted"
            )));
        }
        if let Some(operation) = kind.operation_of(property).filter(unserved) {
            return Err(refused(&format!("the property {property} of {}", kind.name), operation));
        }
    }
    Ok(())
}

/// The capabilities that the template's resources need. Without conditions, of all its resources.
pub(super) fn capabilities(
    template: &Template,
    conditions: Option<&BTreeMap<String, bool>>,
) -> (Vec<Capability>, Vec<String>) {
    let mut named = false;
    let mut types = BTreeSet::new();
    for (name, resource) in &template.resources {
        let exists = conditions.is_none_or(|conditions| template.exists(name, conditions));
        if let Some(kind) = ResourceType::find(&resource.kind).filter(|kind| kind.iam && exists) {
            types.insert(kind.name.to_owned());
            named |= kind.name_property().is_some_and(|property| resource.properties.contains_key(property));
        }
    }
    let needed = match (types.is_empty(), named) {
        (true, _) => Vec::new(),
        (false, true) => vec![Capability::CapabilityNamedIam],
        (false, false) => vec![Capability::CapabilityIam],
    };
    (needed, types.into_iter().collect())
}

fn missing_capabilities(
    template: &Template,
    conditions: Option<&BTreeMap<String, bool>>,
    given: &[Capability],
) -> Vec<Capability> {
    let (needed, _) = capabilities(template, conditions);
    let covered = |capability: &Capability| {
        // The right to named ones includes the right to nameless ones.
        given.contains(capability)
            || (*capability == Capability::CapabilityIam && given.contains(&Capability::CapabilityNamedIam))
    };
    needed.into_iter().filter(|capability| !covered(capability)).collect()
}

fn names(capabilities: &[Capability]) -> String {
    capabilities.iter().map(|capability| capability.as_str()).collect::<Vec<_>>().join(", ")
}

/// Names of imports may not depend on resources.
struct NoResources;

impl Environment for NoResources {
    fn reference(&self, _: &str) -> Option<Document> {
        None
    }

    fn attribute(&self, logical_id: &str, _: &str) -> Result<Document, TemplateError> {
        Err(TemplateError::intrinsic(format!(
            "instance of Fn::GetAtt references undefined resource {logical_id}"
        )))
    }

    fn import(&self, _: &str) -> Option<String> {
        None
    }
}

/// Whether a request asks for what is deployed already.
pub(super) fn is_unchanged(stack: &Stack, old: &Template, wanted: &Wanted) -> bool {
    let (deployed, target) = (&stack.deployed, &wanted.deployed);
    deployed.parameters == target.parameters
        && deployed.conditions == target.conditions
        && deployed.tags == target.tags
        && old.resources == wanted.template.resources
        && old.outputs == wanted.template.outputs
        && old.mappings == wanted.template.mappings
}
