use asl::{Diagnostic, Machine, Severity};
use kernel::{Effect, Result};

use crate::api::{
    StateMachineType, ValidateStateMachineDefinitionDiagnostic, ValidateStateMachineDefinitionInput,
    ValidateStateMachineDefinitionOutput, ValidateStateMachineDefinitionResultCode as ResultCode,
    ValidateStateMachineDefinitionSeverity as Shown,
};
use crate::integration;

/// The most diagnostics of an answer.
const DIAGNOSTICS_MAX: i32 = 100;

/// What is wrong with a definition, without creating anything.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html>
pub(crate) async fn validate_state_machine_definition(
    effect: &Effect,
    input: ValidateStateMachineDefinitionInput,
) -> Result<ValidateStateMachineDefinitionOutput> {
    let express = input.r#type == Some(StateMachineType::Express);
    let mut found = diagnostics(effect, &input.definition, express);
    let failed = found.iter().any(Diagnostic::is_error);
    if input.severity != Some(Shown::Warning) {
        found.retain(Diagnostic::is_error);
    }
    let limit = match input.max_results {
        None | Some(0) => DIAGNOSTICS_MAX,
        Some(limit) => limit.min(DIAGNOSTICS_MAX),
    };
    let limit = usize::try_from(limit).unwrap_or_default();
    let truncated = found.len() > limit;
    Ok(ValidateStateMachineDefinitionOutput {
        result: if failed { ResultCode::Fail } else { ResultCode::Ok },
        diagnostics: found.into_iter().take(limit).map(show).collect(),
        truncated: Some(truncated),
    })
}

fn diagnostics(effect: &Effect, definition: &str, express: bool) -> Vec<Diagnostic> {
    let machine = match Machine::parse(definition) {
        Ok(machine) => machine,
        Err(found) => return found,
    };
    let served = |service: &str, operation: &str| effect.kernel().operation(service, operation);
    let mut found = integration::check(&machine, &served);
    if express {
        found.extend(machine.express_diagnostics());
    }
    found.extend_from_slice(machine.warnings());
    found
}

fn show(diagnostic: Diagnostic) -> ValidateStateMachineDefinitionDiagnostic {
    ValidateStateMachineDefinitionDiagnostic {
        severity: match diagnostic.severity {
            Severity::Error => Shown::Error,
            Severity::Warning => Shown::Warning,
        },
        code: diagnostic.code.as_str().to_owned(),
        message: diagnostic.message,
        location: diagnostic.location,
    }
}
