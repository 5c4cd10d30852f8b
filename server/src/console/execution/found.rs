//! An execution of either type, and the definition that it runs by.

use base::Timestamp;
use states::api::{
    DescribeExecution, DescribeExecutionInput, DescribeStateMachine, DescribeStateMachineForExecution,
    DescribeStateMachineForExecutionInput, DescribeStateMachineInput, ExecutionRedriveStatus,
    ExecutionStatus, LoggingConfiguration,
};

use crate::console::Result;
use crate::console::desk::Desk;
use crate::console::express;

/// An execution.
pub(crate) struct Found {
    pub arn: String,
    pub machine_arn: String,
    pub name: String,
    pub status: ExecutionStatus,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub input: String,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub map_run: Option<String>,
    pub version: Option<String>,
    pub alias: Option<String>,
    pub redrives: i32,
    pub redriven: Option<Timestamp>,
    pub redrive: Option<ExecutionRedriveStatus>,
    pub redrive_reason: Option<String>,
    pub is_express: bool,
}

/// What an execution runs by.
pub(crate) struct RunsBy {
    pub definition: String,
    pub role: String,
    pub logging: Option<LoggingConfiguration>,
}

/// The execution of that ARN.
pub(crate) async fn execution(desk: &Desk<'_>, arn: &str) -> Result<Found> {
    if express::is_express(arn) {
        return Ok(of_express(express::describe(desk, arn).await?));
    }
    let input = DescribeExecutionInput { execution_arn: arn.to_owned(), ..Default::default() };
    let found = desk.call::<DescribeExecution>(&input).await?;
    Ok(Found {
        name: found.name.unwrap_or_default(),
        arn: found.execution_arn,
        machine_arn: found.state_machine_arn,
        status: found.status,
        started: found.start_date,
        ended: found.stop_date,
        input: found.input.unwrap_or_default(),
        output: found.output,
        error: found.error,
        cause: found.cause,
        map_run: found.map_run_arn,
        version: found.state_machine_version_arn,
        alias: found.state_machine_alias_arn,
        redrives: found.redrive_count.unwrap_or_default(),
        redriven: found.redrive_date,
        redrive: found.redrive_status,
        redrive_reason: found.redrive_status_reason,
        is_express: false,
    })
}

fn of_express(found: express::ExpressExecution) -> Found {
    Found {
        arn: found.execution_arn,
        machine_arn: found.state_machine_arn,
        name: found.name,
        status: found.status,
        started: found.start_date,
        ended: found.stop_date,
        input: found.input.unwrap_or_default(),
        output: found.output,
        error: found.error,
        cause: found.cause,
        map_run: None,
        version: found.state_machine_version_arn,
        alias: found.state_machine_alias_arn,
        redrives: 0,
        redriven: None,
        redrive: None,
        redrive_reason: None,
        is_express: true,
    }
}

/// The definition that it runs by; it may have gone with its machine. That of an EXPRESS one is the version's that it was
/// started with, or the machine's as it is now.
pub(crate) async fn runs_by(desk: &Desk<'_>, found: &Found) -> Option<RunsBy> {
    if found.is_express {
        let arn = found.version.clone().unwrap_or_else(|| found.machine_arn.clone());
        let input = DescribeStateMachineInput { state_machine_arn: arn, ..Default::default() };
        let machine = desk.call::<DescribeStateMachine>(&input).await.ok()?;
        return Some(RunsBy {
            definition: machine.definition,
            role: machine.role_arn,
            logging: machine.logging_configuration,
        });
    }
    let input =
        DescribeStateMachineForExecutionInput { execution_arn: found.arn.clone(), ..Default::default() };
    let machine = desk.call::<DescribeStateMachineForExecution>(&input).await.ok()?;
    Some(RunsBy {
        definition: machine.definition,
        role: machine.role_arn,
        logging: machine.logging_configuration,
    })
}
