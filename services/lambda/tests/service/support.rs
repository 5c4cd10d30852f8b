//! A kernel in memory with this service, and neighbours that write down what they are called with.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::schema::{Blob, Kind, OperationSchema, ServiceSchema, Shape, ValidationStyle};
use base::{AccountId, Arn, Document, Fault, Region, Timestamp};
use kernel::trace::Chain;
use kernel::{
    Call, Caller, Chance, Clock, Delivery, Effect, Kernel, Operation, Result, Service, TargetKind, Tx,
};
use lambda::Functions;
use lambda::runtime::{Launcher, SupervisorConfig};
use serde_json::{Value, json};
use store::{Location, SharedEngine};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Everything that neighbours were called with, in order.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Vec<(String, Value)>>);

impl Calls {
    fn add(&self, operation: &str, input: Value) {
        self.0.lock().unwrap().push((operation.to_owned(), input));
    }

    /// The inputs of one operation.
    pub(crate) fn of(&self, operation: &str) -> Vec<Value> {
        let calls = self.0.lock().unwrap();
        calls.iter().filter(|(name, _)| name == operation).map(|(_, input)| input.clone()).collect()
    }
}

static ANY: Shape = Shape::new("Any", Kind::Document);

const fn schema(name: &'static str, operations: &'static [&'static OperationSchema]) -> ServiceSchema {
    ServiceSchema {
        signing_name: name,
        endpoint_prefix: name,
        service_id: name,
        target_prefix: None,
        protocols: &[],
        json_version: "1.1",
        api_version: "1",
        xml_namespace: None,
        query_compatible: false,
        error_namespace: None,
        validation: ValidationStyle::Listed { code: "ValidationException" },
        operations,
        all_operations: &[],
        all_routes: &[],
        errors: &[],
    }
}

const fn operation(service: &'static ServiceSchema, name: &'static str) -> OperationSchema {
    OperationSchema {
        service,
        name,
        http_method: "POST",
        uri: "/",
        success_status: 200,
        input: &ANY,
        output: &ANY,
        result_wrapper: None,
        input_element: None,
        has_output: true,
    }
}

macro_rules! neighbour {
    ($service:ident = $name:literal { $($operation:ident = $schema:ident),* }) => {
        static $service: ServiceSchema = schema($name, &[$(&$schema),*]);
        $(
            static $schema: OperationSchema = operation(&$service, stringify!($operation));
            struct $operation;
            impl Operation for $operation {
                type Input = Value;
                type Output = Value;
                const SCHEMA: &'static OperationSchema = &$schema;
            }
        )*
    };
}

neighbour!(LOGS = "logs" { CreateLogGroup = CREATE_LOG_GROUP, CreateLogStream = CREATE_LOG_STREAM, PutLogEvents = PUT_LOG_EVENTS });
neighbour!(S3 = "s3" { GetObject = GET_OBJECT });
neighbour!(EVENTS = "events" { PutEvents = PUT_EVENTS });

async fn put_log_events(effect: &Effect, input: Value) -> Result<Value> {
    let calls = effect.state::<Calls>()?;
    if calls.of("CreateLogStream").is_empty() {
        return Err(Fault::new("ResourceNotFoundException", "The specified log group does not exist.").into());
    }
    calls.add("PutLogEvents", input);
    Ok(json!({}))
}

async fn create_log_group(effect: &Effect, input: Value) -> Result<Value> {
    effect.state::<Calls>()?.add("CreateLogGroup", input);
    Ok(json!({}))
}

async fn create_log_stream(effect: &Effect, input: Value) -> Result<Value> {
    effect.state::<Calls>()?.add("CreateLogStream", input);
    Ok(json!({}))
}

async fn get_object(_: &Effect, input: Value) -> Result<Value> {
    if input["Key"] != "code.zip" {
        return Err(Fault::new("NoSuchKey", "The specified key does not exist.").with_status(404).into());
    }
    Ok(json!({ "Body": Blob::from(echo_package()).to_base64() }))
}

async fn put_events(effect: &Effect, input: Value) -> Result<Value> {
    effect.state::<Calls>()?.add("PutEvents", input);
    Ok(json!({ "FailedEntryCount": 0, "Entries": [] }))
}

async fn deliver(effect: &Effect, input: Value) -> Result<Value> {
    effect.state::<Calls>()?.add("Deliver", input);
    Ok(json!({}))
}

const QUEUE: TargetKind =
    TargetKind { service: "sqs", name: "queue", serves: |_| true, call: to_queue, at_once: |_| false };
const BUS: TargetKind =
    TargetKind { service: "events", name: "bus", serves: |_| true, call: to_queue, at_once: |_| false };

fn to_queue(arn: &Arn, delivery: Delivery) -> Result<Call, Fault> {
    let body: Document = serde_json::from_str(&delivery.payload).unwrap_or_default();
    let attributes: serde_json::Map<String, Value> =
        delivery.attributes.into_iter().map(|(name, value)| (name, value.into())).collect();
    let input = json!({ "arn": arn.to_string(), "body": body, "attributes": attributes });
    Ok(Call::new("sqs", "Deliver", &input).unwrap())
}

pub(crate) struct House {
    pub(crate) kernel: Kernel,
    pub(crate) functions: Functions,
    pub(crate) calls: Arc<Calls>,
    pub(crate) engine: SharedEngine,
    _root: tempfile::TempDir,
}

impl House {
    pub(crate) async fn new() -> House {
        House::over(store::open(&Location::Memory).unwrap()).await
    }

    /// A house over a store that another one may have left.
    pub(crate) async fn over(engine: SharedEngine) -> House {
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut config = SupervisorConfig::new(root.path());
        config.launcher =
            Some(Launcher { program: env!("CARGO_BIN_EXE_lambda-sandbox-exec").into(), arguments: vec![] });
        let functions = Functions::new(config).unwrap();
        let calls = Arc::new(Calls::default());
        let services = vec![
            lambda::service(&functions),
            Service::new(&LOGS)
                .state(calls.clone())
                .effect::<PutLogEvents, _>(put_log_events)
                .effect::<CreateLogGroup, _>(create_log_group)
                .effect::<CreateLogStream, _>(create_log_stream),
            Service::new(&S3).effect::<GetObject, _>(get_object),
            Service::new(&EVENTS).state(calls.clone()).targets(&[BUS]).effect::<PutEvents, _>(put_events),
            Service::internal_only("sqs")
                .state(calls.clone())
                .targets(&[QUEUE])
                .internal_effect("Deliver", deliver),
        ];
        let clock = Clock::virtual_at(Timestamp::from_iso("2026-11-22T10:00:00Z").unwrap());
        let kernel = Kernel::new(engine.clone(), clock, Chance::seeded(7), services);
        kernel.start().await.unwrap();
        House { kernel, functions, calls, engine, _root: root }
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, Fault> {
        let region = Region::parse("eu-central-1").unwrap();
        let caller = Caller::root_user(AccountId::default(), region, self.kernel.new_id());
        self.kernel.run_document(caller, "lambda", operation, &input).await
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap_or_else(|fault| panic!("{operation}: {fault}"))
    }

    /// The code and the message of the fault that the call must meet.
    pub(crate) async fn fault(&self, operation: &str, input: Value) -> (String, String) {
        match self.call(operation, input).await {
            Ok(output) => panic!("{operation} succeeded: {output}"),
            Err(fault) => (fault.code.into_owned(), fault.message),
        }
    }

    /// Creates the function `f` from the custom runtime of this crate.
    pub(crate) async fn create(&self, changes: Value) -> Value {
        let mut input = json!({
            "FunctionName": "f",
            "Runtime": "provided.al2023",
            "Handler": "any",
            "Role": "arn:aws:iam::000000000000:role/r",
            "Code": { "ZipFile": Blob::from(echo_package()).to_base64() },
        });
        for (name, value) in changes.as_object().unwrap() {
            input[name] = value.clone();
        }
        self.ok("CreateFunction", input).await
    }

    pub(crate) async fn invoke(&self, name: &str, payload: Value) -> Value {
        self.ok("Invoke", json!({ "FunctionName": name, "Payload": base64(&payload) })).await
    }

    pub(crate) async fn invoke_event(&self, name: &str, payload: Value) {
        let input = json!({ "FunctionName": name, "InvocationType": "Event", "Payload": base64(&payload) });
        assert_eq!(self.ok("Invoke", input).await["StatusCode"], 202);
    }

    /// The notes of one kind on all traces that `subject` belongs to.
    pub(crate) async fn notes(&self, kind: &str, subject: &str) -> Vec<Document> {
        let caller = self.kernel.house_caller();
        let chains =
            self.kernel.transact("kernel", caller, "Find", find_chains, subject.to_owned()).await.unwrap();
        let notes = chains.into_iter().flat_map(|chain| chain.spans).flat_map(|span| span.notes);
        notes.filter(|note| note.kind == kind).map(|note| note.detail.unwrap_or_default()).collect()
    }

    pub(crate) async fn advance(&self, secs: u64) {
        self.kernel.advance(Duration::from_secs(secs)).await;
    }
}

async fn find_chains(tx: &mut Tx, subject: String) -> Result<Vec<Chain>> {
    kernel::trace::find(tx, &subject).await
}

pub(crate) fn base64(value: &Value) -> String {
    Blob::from(value.to_string().into_bytes()).to_base64()
}

/// The document of an answer's payload.
pub(crate) fn payload(output: &Value) -> Value {
    let blob = Blob::from_base64(output["Payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(blob.as_bytes()).unwrap()
}

/// The custom runtime of this crate.
pub(crate) fn echo_package() -> Vec<u8> {
    zip(&[("bootstrap", &std::fs::read(env!("CARGO_BIN_EXE_lambda-echo-bootstrap")).unwrap())])
}

pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in files {
        writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        writer.write_all(body).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The members of a document that a test is about.
pub(crate) fn only(document: &Value, names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| ((*name).to_owned(), document[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
