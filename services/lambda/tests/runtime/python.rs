//! The Python loop.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{House, answer, executable, failure, has, in_json, json_lines, package, python};
use serde_json::{Value, json};

async fn run(house: &House, source: &str, event: Value) -> Option<lambda::runtime::Invoked> {
    if !has(house, "python3.11").await {
        return None;
    }
    Some(house.invoke(&Arc::new(python(&[("app.py", source)])), event).await)
}

async fn check(source: &str, event: Value, expected: Value) {
    let house = House::new();
    if let Some(invoked) = run(&house, source, event).await {
        assert_eq!((answer(&invoked), invoked.function_error), (expected, None), "{}", invoked.log_tail);
    }
}

async fn check_error(source: &str, error_type: &str, message: &str) {
    let house = House::new();
    if let Some(invoked) = run(&house, source, json!({})).await {
        let error = failure(&invoked);
        let found = (error["errorType"].as_str().unwrap(), error["errorMessage"].as_str().unwrap());
        assert_eq!(found, (error_type, message));
        assert!(error["stackTrace"].is_array());
    }
}

#[tokio::test]
async fn handlers_answer() {
    check("def handler(e, c): return {'got': e['n']}", json!({ "n": 7 }), json!({ "got": 7 })).await;
    check("def handler(e, c): pass", json!({}), Value::Null).await;
    let decimal =
        "from decimal import Decimal\ndef handler(e, c): return [Decimal('3'), Decimal('1.5'), 'é']";
    check(decimal, json!({}), json!([3, 1.5, "é"])).await;
    let context = "def handler(e, c): return [c.aws_request_id, c.function_name, c.memory_limit_in_mb, c.get_remaining_time_in_millis() > 1000, c.client_context.custom]";
    check(context, json!({}), json!(["r1", "f", "256", true, { "a": "b" }])).await;
    let env = "import os\ndef handler(e, c): return [os.environ['_X_AMZN_TRACE_ID'], os.environ['AWS_EXECUTION_ENV'], 'CARGO_MANIFEST_DIR' in os.environ]";
    check(env, json!({}), json!(["Root=1-2-3", "AWS_Lambda_python3.11", false])).await;
}

#[tokio::test]
async fn decimals_keep_their_digits_and_bytes_are_passed_on() {
    for (value, payload, content_type) in [
        ("{'price': Decimal('0.1000'), 'n': [Decimal('3'), 1]}", r#"{"price": 0.1000, "n": [3, 1]}"#, "json"),
        (
            "Decimal('12345678901234567890.12345678901234567890')",
            "12345678901234567890.12345678901234567890",
            "json",
        ),
        ("[Decimal('NaN'), 'x']", r#"[NaN, "x"]"#, "json"),
        ("b'plain\\x00bytes'", "plain\0bytes", "unknown"),
    ] {
        let house = House::new();
        let source = format!("from decimal import Decimal\ndef handler(e, c): return {value}");
        let Some(invoked) = run(&house, &source, json!({})).await else { return };
        let found = (std::str::from_utf8(&invoked.payload).unwrap(), invoked.content_type.as_deref());
        let content_type = format!("application/{content_type}");
        assert_eq!(found, (payload, Some(content_type.as_str())), "{value}");
    }
}

#[tokio::test]
async fn errors_are_mapped() {
    check_error("def handler(e, c): raise ValueError('bad')", "ValueError", "bad").await;
    check_error(
        "import nowhere",
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'nowhere'",
    )
    .await;
    check_error("other = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'").await;
    check_error(
        "def handler(:",
        "Runtime.UserCodeSyntaxError",
        "Syntax error in module 'app': invalid syntax (app.py, line 1)",
    )
    .await;
    check_error(
        "def handler(e, c): return {1, 2}",
        "Runtime.MarshalError",
        "Unable to marshal response: Object of type set is not JSON serializable",
    )
    .await;
}

/// Starts three processes in sessions of their own: a child, one without a parent of ours, and one without our environment.
const LEAVERS: &str = r#"
import os, subprocess
def session(*command):
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def handler(event, context):
    child = session('sleep', '300').pid
    orphan = int(session('sh', '-c', 'sleep 300 >/dev/null & echo $!').stdout.readline())
    bare = session('env', '-i', 'sleep', '300').pid
    print(child, orphan, bare, flush=True)
    if event['hang']:
        os.read(os.pipe()[0], 1)
"#;

/// Whether there is such a process, and it has not ended.
fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn what_the_code_starts_ends_with_it_wherever_it_went() {
    for hang in [true, false] {
        let house = House::new();
        if !has(&house, "python3.11").await {
            return;
        }
        let mut spec = python(&[("app.py", LEAVERS)]);
        spec.timeout = if hang { Duration::from_secs(2) } else { spec.timeout };
        house.invoke(&Arc::new(spec), json!({ "hang": hang })).await;
        let lines = house.log.lines();
        let line = lines.iter().find(|line| line.split(' ').all(|pid| pid.parse::<u32>().is_ok()));
        let pids: Vec<String> = line.unwrap().split(' ').map(str::to_owned).collect();
        assert_eq!(pids.len(), 3);
        let running = |pids: &[String]| pids.iter().filter(|pid| is_running(pid)).count();
        if !hang {
            assert_eq!(running(&pids), 3, "a process that is kept keeps what it has started");
            drop(house);
        }
        // The kernel may need a moment to take a killed process down.
        for _ in 0..1000 {
            if running(&pids) == 0 {
                break;
            }
            std::thread::yield_now();
        }
        assert_eq!(running(&pids), 0, "hang: {hang}");
    }
}

#[tokio::test]
async fn leaving_the_interpreter_is_an_exit_error() {
    let house = House::new();
    let Some(invoked) = run(&house, "import sys\ndef handler(e, c): sys.exit(4)", json!({})).await else {
        return;
    };
    let message = "RequestId: r1 Error: Runtime exited with error: exit status 4";
    assert_eq!(failure(&invoked), json!({ "errorType": "Runtime.ExitError", "errorMessage": message }));
}

#[tokio::test]
async fn modules_in_directories_and_layers_are_found() {
    let house = House::new();
    if !has(&house, "python3.11").await {
        return;
    }
    let mut spec = python(&[("src/app.py", "import layered\ndef handler(e, c): return layered.name")]);
    spec.handler = "src/app.handler".to_owned();
    spec.layers = vec![
        package(&[("python/layered.py", b"name = 'lower'")]),
        package(&[("python/layered.py", b"name = 'upper'")]),
    ];
    assert_eq!(answer(&house.invoke(&Arc::new(spec), json!({})).await), json!("upper"));
}

#[tokio::test]
async fn a_wrapper_of_a_layer_runs_the_interpreter() {
    let house = House::new();
    if !has(&house, "python3.11").await {
        return;
    }
    if !house.lays_over_opt().await {
        return println!("layers are not seen at /opt on this machine");
    }
    let source = "import os, sys\ndef handler(e, c): return [os.environ['WRAPPED'], sys.flags.dev_mode]";
    let wrapper = "#!/bin/sh\nexport WRAPPED=yes\nprogram=$1\nshift\nexec \"$program\" -X dev \"$@\"\n";
    let mut spec = python(&[("app.py", source)]);
    spec.layers = vec![executable("wrapper", wrapper)];
    spec.environment = [("AWS_LAMBDA_EXEC_WRAPPER".to_owned(), "/opt/wrapper".to_owned())].into();
    let invoked = house.invoke(&Arc::new(spec), json!({})).await;
    assert_eq!(answer(&invoked), json!(["yes", true]), "{}", invoked.log_tail);
}

#[tokio::test]
async fn output_and_logging_become_events() {
    let source = "import logging\nlogging.getLogger().setLevel(logging.INFO)\ndef handler(e, c):\n  print('plain')\n  logging.info('two\\nlines')\n  print('last')";
    let house = House::new();
    let Some(invoked) = run(&house, source, json!({})).await else { return };
    let lines = house.log.lines();
    assert_eq!(lines[2], "plain");
    assert!(lines[3].starts_with("[INFO]\t") && lines[3].ends_with("Z\tr1\ttwo\nlines"), "{}", lines[3]);
    assert_eq!(lines[4], "last");
    assert!(invoked.log_tail.contains("plain\n[INFO]"));
}

#[tokio::test]
async fn logging_is_json_from_a_level_on() {
    let source = "import logging\nlog = logging.getLogger('shop')\ndef handler(e, c):\n  log.info('no')\n  log.warning('n is %d', 3, extra={'sku': 'cup'})\n  raise KeyError('gone')";
    let house = House::new();
    if !has(&house, "python3.11").await {
        return;
    }
    let spec = in_json(python(&[("app.py", source)]), "WARN", "WARN");
    house.invoke(&Arc::new(spec), json!({})).await;
    let lines = json_lines(&house);
    let warned =
        json!({ "level": "WARNING", "message": "n is 3", "logger": "shop", "requestId": "r1", "sku": "cup" });
    assert_eq!((lines.len(), &lines[0]), (3, &warned));
    assert_eq!((&lines[1]["log_level"], &lines[1]["errorType"]), (&json!("ERROR"), &json!("KeyError")));
    assert_eq!(lines[2]["type"], "platform.report");
}
