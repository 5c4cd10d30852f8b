//! Which resources a definition may name: those that somebody here serves.

use asl::{Code, Diagnostic, Machine, Resource, Severity, TaskParameters};
use base::schema::OperationSchema;

use super::{cased, sdk, table};

/// The router's word on an operation: its schema, if it is served.
pub(super) type Served<'a> = &'a dyn Fn(&str, &str) -> Option<&'static OperationSchema>;

/// What a definition asks for and nobody would do, or not with these parameters, worded as diagnostics.
pub(crate) fn check(machine: &Machine, served: Served<'_>) -> Vec<Diagnostic> {
    let serves = &|service: &str, operation: &str| served(service, operation).is_some();
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
    let misfits = machine.task_parameters().into_iter().flat_map(|parameters| {
        names_that_do_not_fit(&parameters, served).into_iter().map(move |message| Diagnostic {
            severity: Severity::Error,
            code: Code::SchemaValidationFailed,
            message,
            location: Some(parameters.location.clone()),
        })
    });
    machine.resources().into_iter().filter_map(refuse).chain(misfits).collect()
}

fn names_that_do_not_fit(parameters: &TaskParameters<'_>, served: Served<'_>) -> Vec<String> {
    match parameters.resource {
        Resource::Integration { service, action, .. } => table::optimised(service, action)
            .map(|known| known.names_that_do_not_fit(&parameters.names))
            .unwrap_or_default(),
        Resource::AwsSdk { service, action, .. } => sdk::client(service)
            .and_then(|client| served(client.signing, &sdk::operation(action)))
            .map(|operation| cased::names_that_do_not_fit(operation, &parameters.names))
            .unwrap_or_default(),
        Resource::LambdaArn(_) | Resource::Activity(_) => Vec::new(),
    }
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
