use base::Fault;
use kernel::{Result, Tx};

use crate::api::{
    InvokeConfiguration, ResumePosition, StartingPosition, SubscriberState, UpdateInvokeConfiguration,
    UpdateSubscriberInput, UpdateSubscriberOutput,
};
use crate::fault;
use crate::keys::Subscriber;
use crate::subscriber;

/// Changes a subscriber: what is not given stays, a block that is given replaces the whole one before. One that is stopped
/// leaves what comes in the log; resumed, it has it or skips it.
///
/// <https://docs.aws.amazon.com/eventbridgev2/latest/APIReference/API_UpdateSubscriber.html>
pub(crate) async fn update_subscriber(
    tx: &mut Tx,
    input: UpdateSubscriberInput,
) -> Result<UpdateSubscriberOutput> {
    let (key, before) = subscriber::find(tx, &input.subscriber_arn).await?;
    if before.revoked {
        return Err(fault::revoked(&input.subscriber_arn).into());
    }
    let resumes = before.state == SubscriberState::Stopped && input.state == Some(SubscriberState::Running);
    let skips = skips(input.resume_position, resumes)?;
    let arn = input.subscriber_arn.clone();
    let changed = Subscriber { modified_at: tx.now(), ..changed(before, input) };
    subscriber::check(tx, &key.name, &changed)?;
    if skips {
        subscriber::place(tx, &changed.id, StartingPosition::Latest)?;
    }
    subscriber::write(tx, &key, &changed).await?;
    if resumes {
        subscriber::set_going(tx, &key, &changed)?;
    }
    Ok(UpdateSubscriberOutput {
        subscriber_arn: Some(arn),
        name: Some(key.name),
        event_bus_arn: Some(changed.bus_arn),
        r#type: Some(changed.ordering),
        starting_position: Some(changed.start),
        point_in_time_configuration: changed.point,
        state: Some(changed.state),
        last_modified_time: Some(changed.modified_at),
    })
}

/// Whether the subscriber skips what came while it was stopped.
fn skips(position: Option<ResumePosition>, resumes: bool) -> Result<bool, Fault> {
    match position {
        Some(_) if !resumes => {
            Err(fault::invalid("ResumePosition is for a subscriber that goes from STOPPED to RUNNING only."))
        }
        position => Ok(position == Some(ResumePosition::Latest)),
    }
}

fn changed(before: Subscriber, input: UpdateSubscriberInput) -> Subscriber {
    let (batch, single) = match input.batch_configuration {
        Some(given) => subscriber::batch_of(Some(given)),
        None => (before.batch, before.single),
    };
    Subscriber {
        description: input.description.or(before.description),
        state: input.state.unwrap_or(before.state),
        invoke: match input.invoke_configuration {
            Some(given) => invoke(before.invoke.target_arn, given),
            None => before.invoke,
        },
        filter: input.filter_configuration.map_or(before.filter, subscriber::filter_of),
        batch,
        single,
        transformer: input.transformer.or(before.transformer),
        retry: input.retry_policy.map_or(before.retry, |given| subscriber::retry_of(Some(given))),
        // A configuration without an ARN takes the queue away.
        on_failure: match input.on_failure_configuration {
            Some(given) => Some(given).filter(|given| given.arn.is_some()),
            None => before.on_failure,
        },
        log: match input.log_configuration {
            Some(given) => subscriber::log_of(Some(given)),
            None => before.log,
        },
        ..before
    }
}

/// All of it is replaced but for the target, which stays.
fn invoke(target_arn: String, given: UpdateInvokeConfiguration) -> InvokeConfiguration {
    InvokeConfiguration {
        target_arn,
        role_arn: given.role_arn,
        lambda_parameters: given.lambda_parameters,
        sqs_parameters: given.sqs_parameters,
        sns_parameters: given.sns_parameters,
        kinesis_parameters: given.kinesis_parameters,
        step_functions_parameters: given.step_functions_parameters,
        http_parameters: given.http_parameters,
        universal_target_parameters: given.universal_target_parameters,
        event_bus_v2_parameters: given.event_bus_v2_parameters,
    }
}
