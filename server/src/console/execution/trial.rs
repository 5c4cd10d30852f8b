//! "Run this state again with this input": one state of a machine by itself, through TestState.

use askama::Template;
use base::Fault;
use serde_json::Value;
use states::api::{
    InspectionLevel, MockInput, TestExecutionStatus, TestState, TestStateInput, TestStateOutput,
};

use super::found;
use crate::console::Result;
use crate::console::desk::{Desk, Frame};
use crate::console::html::{Html, Tone, json, json_text, pill, unfolded};
use crate::console::link::Link;

#[derive(Template)]
#[template(path = "trial.html")]
struct TrialPage {
    frame: Frame,
    state: String,
    back: Link,
    status: Html,
    output: Option<Html>,
    next_state: Option<String>,
    error: Option<String>,
    cause: Option<Html>,
    steps: Vec<(&'static str, Html)>,
    is_mock: bool,
}

/// Runs the state and shows what it does. Its task is really done, unless the form has a result to take instead.
pub(crate) async fn try_state(desk: &Desk<'_>) -> Result {
    let given = |name: &str| desk.form.given(name).map(str::to_owned);
    let state = desk.form.get("state").to_owned();
    let execution = found::execution(desk, desk.form.get("arn")).await?;
    let Some(by) = found::runs_by(desk, &execution).await else {
        return Err(Fault::validation("The definition that this execution ran by is gone."));
    };
    let mock = given("mock").map(|result| MockInput { result: Some(result), ..Default::default() });
    let is_mock = mock.is_some();
    let input = TestStateInput {
        definition: by.definition,
        role_arn: Some(by.role),
        input: given("input"),
        inspection_level: Some(InspectionLevel::Debug),
        variables: given("variables"),
        state_name: Some(state.clone()),
        mock,
        ..Default::default()
    };
    let tried = desk.call::<TestState>(&input).await?;
    let back = desk.link("execution").with("arn", &execution.arn).with("state", &state);
    desk.render(&page(desk, state, back, tried, is_mock))
}

fn page(desk: &Desk<'_>, state: String, back: Link, tried: TestStateOutput, is_mock: bool) -> TrialPage {
    let status = tried.status.unwrap_or_default();
    let tone = match status {
        TestExecutionStatus::Succeeded => Tone::Good,
        TestExecutionStatus::Failed => Tone::Bad,
        TestExecutionStatus::Retriable | TestExecutionStatus::CaughtError => Tone::Warn,
    };
    let data = tried.inspection_data.unwrap_or_default();
    let steps = [
        ("After InputPath", data.after_input_path),
        ("After Parameters", data.after_parameters),
        ("After Arguments", data.after_arguments),
        ("Result", data.result),
        ("After ResultSelector", data.after_result_selector),
        ("After ResultPath", data.after_result_path),
        ("Variables afterwards", data.variables),
    ];
    let shown = |text: String| match serde_json::from_str::<Value>(&text) {
        Ok(value) => json(&unfolded(value)),
        Err(_) => json_text(&text),
    };
    TrialPage {
        frame: desk.frame("state-machines", format!("Trial of {state}")),
        state,
        back,
        status: pill(tone, status.as_str()),
        output: tried.output.as_deref().map(json_text),
        next_state: tried.next_state,
        error: tried.error,
        cause: tried.cause.as_deref().map(json_text),
        steps: steps.into_iter().filter_map(|(name, text)| Some((name, shown(text?)))).collect(),
        is_mock,
    }
}
