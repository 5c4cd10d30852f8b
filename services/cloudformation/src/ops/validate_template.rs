//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ValidateTemplate.html>

use kernel::{Effect, Result};

use super::get_template_summary::reason;
use super::{prepare, source};
use crate::api::{Capability, TemplateParameter, ValidateTemplateInput, ValidateTemplateOutput};
use crate::stack::invalid;
use crate::template::Parameter;

/// Checks a template as far as that is possible without parameters.
pub(crate) async fn validate_template(
    effect: &Effect,
    input: ValidateTemplateInput,
) -> Result<ValidateTemplateOutput> {
    let text = source::text(effect, input.template_body, input.template_url).await?;
    let text = text.ok_or_else(|| invalid("Either Template URL or Template Body must be specified."))?;
    let (draft, template) = prepare::glance(&text)?;
    let (mut capabilities, types) = prepare::capabilities(&template, None);
    if !draft.transforms.is_empty() {
        capabilities.push(Capability::CapabilityAutoExpand);
    }
    let needs_some = !capabilities.is_empty();
    Ok(ValidateTemplateOutput {
        parameters: Some(template.parameters.iter().map(parameter).collect()),
        description: template.description.clone(),
        capabilities: needs_some.then_some(capabilities),
        capabilities_reason: reason(&types),
        declared_transforms: Some(draft.transforms).filter(|names| !names.is_empty()),
    })
}

fn parameter((name, parameter): (&String, &Parameter)) -> TemplateParameter {
    TemplateParameter {
        parameter_key: Some(name.clone()),
        default_value: parameter.default.clone(),
        no_echo: Some(parameter.no_echo),
        description: parameter.description.clone(),
    }
}
