//! Which resources a definition may name: those that somebody here serves.

use asl::{Code, Diagnostic, Machine, Resource, Severity};

use super::{sdk, table};

/// What a definition asks for and nobody would do, worded as diagnostics. `serves` is the router's word.
pub(crate) fn check(machine: &Machine, serves: &dyn Fn(&str, &str) -> bool) -> Vec<Diagnostic> {
    let refuse = |(location, resource): (&str, &Resource)| {
        let why = why_not(resource, serves)?;
        let shown = format!("{}:{}", resource.resource_type(), resource.resource_name());
        Some(Diagnostic {
            severity: Severity::Error,
            code: Code::SchemaValidationFailed,
            message: format!("The resource {shown} is not served by Buswork: {why}"),
            location: Some(format!("{location}/Resource")),
        })
    };
    machine.resources().into_iter().filter_map(refuse).collect()
}

fn why_not(resource: &Resource, serves: &dyn Fn(&str, &str) -> bool) -> Option<String> {
    let unserved = |service: &str, operation: &str| {
        (!serves(service, operation)).then(|| format!("{service}:{operation} is not implemented"))
    };
    match resource {
        Resource::LambdaArn(_) => unserved("lambda", "Invoke"),
        // Whether it is there is found when the task is offered, as at AWS.
        Resource::Activity(_) => None,
        // Its operation is not one of AWS's; whether it is there is found when the task runs.
        Resource::Integration { service, .. } if service == "http" => None,
        Resource::Integration { service, action, pattern } => match table::optimised(service, action) {
            Some(known) if known.patterns.contains(pattern) => unserved(known.signing, known.operation),
            _ => {
                let known = |known: &table::Integration| format!("{}:{}", known.service, known.action);
                let all: Vec<String> = table::OPTIMISED.iter().map(known).collect();
                Some(format!("the optimised integrations are {}, beside aws-sdk", all.join(", ")))
            }
        },
        Resource::AwsSdk { service, action, .. } => match sdk::client(service) {
            Some(client) => unserved(client.signing, &sdk::operation(action)),
            None => Some(format!("the service {service} is not implemented")),
        },
    }
}
