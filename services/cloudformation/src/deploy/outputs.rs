//! The outputs of a stack whose resources stand.

use super::world::Evaluation;
use crate::stack::StackOutput;
use crate::template::{Output, TemplateError, output_text};

/// Evaluates the outputs whose conditions hold.
pub(super) fn evaluate(evaluation: &Evaluation<'_>) -> Result<Vec<StackOutput>, TemplateError> {
    let scope = evaluation.scope();
    let mut outputs = Vec::new();
    for (key, output) in &evaluation.template.outputs {
        if output.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))? {
            outputs.push(one(evaluation, key, output)?);
        }
    }
    Ok(outputs)
}

fn one(evaluation: &Evaluation<'_>, key: &str, output: &Output) -> Result<StackOutput, TemplateError> {
    let scope = evaluation.scope();
    let value = output_text(key, scope.value(&output.value)?)?;
    let export = output.export.as_ref().map(|name| scope.text(name, "Export")).transpose()?;
    if let Some(name) = &export {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-');
        if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
            return Err(TemplateError::format(format!(
                "Output {key} is malformed. The Name field of every Export member must be specified and consist only \
                 of alphanumeric characters, colons, or hyphens."
            )));
        }
    }
    Ok(StackOutput { key: key.to_owned(), value, description: output.description.clone(), export })
}
