//! A supervisor on a scratch directory, functions from texts, and the log that they leave.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::{AccountId, Region, Timestamp};
use bytes::Bytes;
use lambda::runtime::{
    Archive, Code, Credentials, FunctionSpec, Invocation, InvokeError, Invoked, Launcher, LogSink, Logging,
    Supervisor, SupervisorConfig,
};
use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Keeps every line.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<String>>);

impl LogSink for Recorder {
    fn write(&self, _spec: &FunctionSpec, _stream: &str, lines: Vec<(Timestamp, String)>) {
        self.0.lock().unwrap().extend(lines.into_iter().map(|(_, line)| line));
    }
}

impl Recorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) struct House {
    pub(crate) supervisor: Supervisor,
    pub(crate) log: Arc<Recorder>,
    pub(crate) root: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> House {
        House::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut SupervisorConfig)) -> House {
        // Not below /tmp, which functions may write.
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let log = Arc::new(Recorder::default());
        let mut config = SupervisorConfig::new(root.path());
        config.sink = log.clone();
        config.launcher =
            Some(Launcher { program: env!("CARGO_BIN_EXE_lambda-sandbox-exec").into(), arguments: vec![] });
        change(&mut config);
        House { supervisor: Supervisor::new(config).unwrap(), log, root }
    }

    /// Whether this machine lets a process see layers at `/opt`.
    #[expect(clippy::disallowed_methods, reason = "asks the launcher as the supervisor does")]
    pub(crate) async fn lays_over_opt(&self) -> bool {
        let mut launcher = tokio::process::Command::new(env!("CARGO_BIN_EXE_lambda-sandbox-exec"));
        launcher.arg("--can-opt").arg(self.root.path()).status().await.unwrap().success()
    }

    /// Invokes with an event; the request id is `r1`.
    pub(crate) async fn invoke(&self, spec: &Arc<FunctionSpec>, event: Value) -> Invoked {
        self.try_invoke(spec, event).await.unwrap()
    }

    pub(crate) async fn try_invoke(
        &self,
        spec: &Arc<FunctionSpec>,
        event: Value,
    ) -> Result<Invoked, InvokeError> {
        self.supervisor.invoke(spec, invocation(event)).await
    }
}

pub(crate) fn invocation(event: Value) -> Invocation {
    Invocation {
        request_id: "r1".to_owned(),
        payload: event.to_string().into(),
        invoked_arn: "arn:aws:lambda:eu-central-1:000000000000:function:f:live".to_owned(),
        trace_header: Some("Root=1-2-3".to_owned()),
        client_context: Some(r#"{"custom":{"a":"b"}}"#.to_owned()),
    }
}

/// A zip package of files.
pub(crate) fn package(files: &[(&str, &[u8])]) -> Archive {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in files {
        writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o644)).unwrap();
        writer.write_all(body).unwrap();
    }
    Archive::inline(Bytes::from(writer.finish().unwrap().into_inner()))
}

/// A zip package of one program.
pub(crate) fn executable(name: &str, body: &str) -> Archive {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    writer.write_all(body.as_bytes()).unwrap();
    Archive::inline(Bytes::from(writer.finish().unwrap().into_inner()))
}

/// A function of the runtime with these files.
pub(crate) fn function(runtime: &str, handler: &str, files: &[(&str, &[u8])]) -> FunctionSpec {
    FunctionSpec {
        arn: "arn:aws:lambda:eu-central-1:000000000000:function:f:$LATEST".to_owned(),
        name: "f".to_owned(),
        version: "$LATEST".to_owned(),
        revision: "1".to_owned(),
        runtime: runtime.to_owned(),
        handler: handler.to_owned(),
        code: Code::Zip(package(files)),
        layers: vec![],
        memory_mb: 256,
        ephemeral_storage_mb: 512,
        timeout: Duration::from_secs(20),
        environment: BTreeMap::new(),
        account: AccountId::default(),
        region: Region::parse("eu-central-1").unwrap(),
        credentials: Credentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: "token".to_owned(),
        },
        log_group: "/aws/lambda/f".to_owned(),
        logging: Logging::Text,
        endpoint_url: "http://127.0.0.1:9".to_owned(),
    }
}

/// The custom runtime of this crate, as a package.
pub(crate) fn provided() -> FunctionSpec {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_lambda-echo-bootstrap")).unwrap();
    function("provided.al2023", "any", &[("bootstrap", &binary)])
}

pub(crate) fn node(files: &[(&str, &str)]) -> FunctionSpec {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    function("nodejs20.x", "index.handler", &files)
}

pub(crate) fn python(files: &[(&str, &str)]) -> FunctionSpec {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    function("python3.11", "app.handler", &files)
}

/// The same function with logs in JSON, from these levels on.
pub(crate) fn in_json(spec: FunctionSpec, application_level: &str, system_level: &str) -> FunctionSpec {
    let logging = Logging::Json {
        application_level: application_level.to_owned(),
        system_level: system_level.to_owned(),
    };
    FunctionSpec { logging, ..spec }
}

/// What stands in a JSON log, without times and traces.
pub(crate) fn json_lines(house: &House) -> Vec<Value> {
    let read = |line: String| {
        let mut event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let time = event
            .as_object_mut()
            .and_then(|event| event.remove("timestamp").or_else(|| event.remove("time")));
        assert!(time.is_some_and(|time| time.as_str().unwrap().ends_with('Z')), "{line}");
        event
    };
    house.log.lines().into_iter().map(read).collect()
}

/// Whether the interpreter of the runtime is here; says so if it is not.
pub(crate) async fn has(house: &House, runtime: &str) -> bool {
    match house.supervisor.check_runtime(runtime).await {
        Ok(()) => true,
        Err(error) => {
            println!("skipped: {error}");
            false
        }
    }
}

pub(crate) fn answer(invoked: &Invoked) -> Value {
    serde_json::from_slice(&invoked.payload)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&invoked.payload).into_owned()))
}

/// The answer of an invocation that must have failed.
pub(crate) fn failure(invoked: &Invoked) -> Value {
    assert_eq!(invoked.function_error.map(|kind| kind.as_str()), Some("Unhandled"), "{invoked:?}");
    answer(invoked)
}

pub(crate) fn path_text(path: PathBuf) -> String {
    path.canonicalize().unwrap().display().to_string()
}
