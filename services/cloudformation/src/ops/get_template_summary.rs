//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplateSummary.html>

use std::collections::BTreeSet;

use base::Fault;
use kernel::{Effect, Result};

use super::{get_template, prepare, source};
use crate::api::{
    GetTemplateInput, GetTemplateSummaryInput, GetTemplateSummaryOutput, ParameterConstraints,
    ParameterDeclaration, Warnings,
};
use crate::provider::ResourceType;
use crate::stack::invalid;
use crate::template::{Parameter, Template};

/// What a template declares, and what it needs.
pub(crate) async fn get_template_summary(
    effect: &Effect,
    input: GetTemplateSummaryInput,
) -> Result<GetTemplateSummaryOutput> {
    if input.stack_set_name.is_some() {
        return Err(Fault::not_implemented("cloudformation", "GetTemplateSummary of a stack set").into());
    }
    let given = source::text(effect, input.template_body, input.template_url).await?;
    let text = match (given, input.stack_name) {
        (Some(text), None) => text,
        (None, Some(name)) => {
            let input = GetTemplateInput { stack_name: Some(name), ..GetTemplateInput::default() };
            let found = effect.transact("ReadTemplate", get_template::get_template, input).await?;
            found.template_body.unwrap_or_default()
        }
        _ => {
            let message = "One of TemplateBody, TemplateURL or StackName must be specified.";
            return Err(invalid(message).into());
        }
    };
    let (draft, template) = prepare::glance(&text)?;
    let lenient = input.template_summary_config.and_then(|c| c.treat_unrecognized_resource_types_as_warnings);
    let summary = summarise(&template, lenient.unwrap_or_default())?;
    Ok(GetTemplateSummaryOutput { declared_transforms: Some(draft.transforms), ..summary })
}

fn summarise(template: &Template, lenient: bool) -> Result<GetTemplateSummaryOutput> {
    let kinds: BTreeSet<String> = template.resources.values().map(|resource| resource.kind.clone()).collect();
    let unknown: Vec<String> =
        kinds.iter().filter(|kind| ResourceType::find(kind).is_none()).cloned().collect();
    if !unknown.is_empty() && !lenient {
        let unknown = unknown.join(", ");
        return Err(
            invalid(format!("Template format error: Unrecognized resource types: [{unknown}]")).into()
        );
    }
    let (capabilities, types) = prepare::capabilities(template, None);
    let reason = reason(&types);
    Ok(GetTemplateSummaryOutput {
        parameters: Some(template.parameters.iter().map(declaration).collect()),
        description: template.description.clone(),
        capabilities: Some(capabilities),
        capabilities_reason: reason,
        resource_types: Some(kinds.into_iter().collect()),
        version: Some("2010-09-09".to_owned()),
        metadata: template.metadata.as_ref().map(ToString::to_string),
        warnings: lenient.then_some(Warnings { unrecognized_resource_types: Some(unknown) }),
        ..GetTemplateSummaryOutput::default()
    })
}

/// Why capabilities are needed, as AWS puts it.
pub(super) fn reason(types: &[String]) -> Option<String> {
    let types = types.join(", ");
    (!types.is_empty()).then(|| format!("The following resource(s) require capabilities: [{types}]"))
}

fn declaration((name, parameter): (&String, &Parameter)) -> ParameterDeclaration {
    let values = parameter.allowed_values.clone();
    ParameterDeclaration {
        parameter_key: Some(name.clone()),
        default_value: parameter.default.clone(),
        parameter_type: Some(parameter.kind.name().to_owned()),
        no_echo: Some(parameter.no_echo),
        description: parameter.description.clone(),
        parameter_constraints: (!values.is_empty())
            .then_some(ParameterConstraints { allowed_values: Some(values) }),
    }
}
