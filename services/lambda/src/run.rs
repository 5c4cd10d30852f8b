//! Runs a version of a function: the common ground of all ways to invoke one.

use std::sync::Arc;
use std::time::Duration;

use base::Fault;
use bytes::Bytes;
use kernel::{Caller, Kernel, Result, Scope, Tx};
use serde_json::json;

use crate::api::error;
use crate::fault;
use crate::function::{self, Found};
use crate::keys::{JsonLogs, PackageUse, Version};
use crate::name::{FunctionRef, qualified_arn, version_text};
use crate::output::{Record, shown_answer, shown_ms};
use crate::package;
use crate::runtime::{Archive, Code, Credentials, FunctionSpec, Invocation, InvokeError, Invoked, Logging};
use crate::state::Functions;

/// What is to be run, with what.
#[derive(Clone)]
pub(crate) struct Order {
    pub wanted: FunctionRef,
    pub payload: Bytes,
    pub client_context: Option<String>,
    pub request_id: String,
}

/// How a run went.
pub(crate) struct Ran {
    pub invoked: Invoked,
    /// The version's own ARN.
    pub arn: String,
}

impl Ran {
    /// What the trace tells of it.
    pub(crate) fn detail(&self) -> base::Document {
        let invoked = &self.invoked;
        json!({
            "function": self.arn,
            "duration_ms": shown_ms(invoked.duration_ms),
            "init_ms": invoked.init_ms.map(shown_ms),
            "max_memory_mb": invoked.max_memory_mb,
            "function_error": invoked.function_error.map(crate::runtime::ErrorKind::as_str),
            "log_stream": invoked.log_stream,
            "answer": shown_answer(&invoked.payload),
        })
    }
}

/// Finds the function and its version, within its concurrency, and runs it to its end.
///
/// # Errors
/// The function does not exist, has no room, or cannot be run here. What its code does wrong is in the answer.
pub(crate) async fn run(
    kernel: &Kernel,
    functions: &Functions,
    caller: &Caller,
    order: Order,
) -> Result<Ran> {
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    let found =
        kernel.transact(crate::NAME, caller.clone(), "FindFunction", find, order.wanted.clone()).await?;
    let state = &functions.0;
    let room = state.concurrency.enter(&scope, &order.wanted.name, found.function.reserved)?;
    let active = state.outbox.begin(kernel);
    let credentials = (state.issue)(&scope.account, &found.version.role, &order.wanted.name);
    let spec = Arc::new(spec(kernel, caller, &order.wanted.name, found.number, &found.version, credentials));
    let invocation = Invocation {
        request_id: order.request_id,
        payload: order.payload,
        invoked_arn: order.wanted.arn(&scope),
        trace_header: Some(caller.trace.to_header()),
        client_context: order.client_context,
    };
    let running = state.supervisor.invoke_holding(&spec, invocation, (room, active));
    let invoked = running.await.map_err(to_fault)?;
    Ok(Ran { invoked, arn: spec.arn.clone() })
}

/// As [`run`], and puts the invocation on the trace behind the answer.
pub(crate) async fn run_recorded(
    kernel: &Kernel,
    functions: &Functions,
    caller: &Caller,
    order: Order,
) -> Result<Ran> {
    let request_id = order.request_id.clone();
    // Keeps the worker of the outbox until the record is in it.
    let _active = functions.0.outbox.begin(kernel);
    let ran = run(kernel, functions, caller, order).await?;
    functions.0.outbox.record(Record { caller: caller.clone(), request_id, detail: ran.detail() });
    Ok(ran)
}

async fn find(tx: &mut Tx, wanted: FunctionRef) -> Result<Found> {
    let chance = tx.random();
    function::find(tx, &wanted, chance).await
}

/// The function as the supervisor knows it.
fn spec(
    kernel: &Kernel,
    caller: &Caller,
    name: &str,
    number: u64,
    version: &Version,
    credentials: Credentials,
) -> FunctionSpec {
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    let archive = |package: &PackageUse| {
        let (kernel, caller, sha256) = (kernel.clone(), caller.clone(), package.sha256.clone());
        let fetch = move || -> crate::runtime::PackageFuture {
            let (kernel, caller, sha256) = (kernel.clone(), caller.clone(), sha256.clone());
            Box::pin(async move {
                package::read(&kernel, caller, sha256).await.map_err(|error| format!("failed to {error}"))
            })
        };
        Archive { sha256: package.sha256.clone(), fetch: Arc::new(fetch) }
    };
    FunctionSpec {
        arn: qualified_arn(&scope, name, &version_text(number)),
        name: name.to_owned(),
        version: version_text(number),
        revision: version.revision_id.to_string(),
        runtime: version.runtime.as_str().to_owned(),
        handler: version.handler.clone(),
        code: Code::Zip(archive(&version.package)),
        layers: version.layers.iter().map(|layer| archive(&layer.package)).collect(),
        memory_mb: version.memory_mb,
        ephemeral_storage_mb: version.ephemeral_mb,
        timeout: Duration::from_secs(u64::from(version.timeout_s)),
        environment: version.environment.clone(),
        credentials,
        log_group: version.log_group(name),
        logging: logging(version.json_logs),
        endpoint_url: kernel.endpoint().to_owned(),
        account: scope.account,
        region: scope.region,
    }
}

fn logging(json: Option<JsonLogs>) -> Logging {
    json.map_or(Logging::Text, |logs| Logging::Json {
        application_level: logs.application_level.as_str().to_owned(),
        system_level: logs.system_level.as_str().to_owned(),
    })
}

fn to_fault(error: InvokeError) -> Fault {
    let message = error.to_string();
    match error {
        InvokeError::InvalidRuntime(_) => error::invalid_runtime_exception(message),
        InvokeError::InvalidPackage(_) => error::invalid_zip_file_exception(message),
        InvokeError::Throttled => fault::throttled("ConcurrentInvocationLimitExceeded"),
        InvokeError::Start(_) | InvokeError::ShuttingDown => {
            error::service_exception(message).with_status(500)
        }
    }
}
