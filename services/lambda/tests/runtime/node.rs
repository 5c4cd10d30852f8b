//! The Node.js loop.

use std::sync::Arc;
use std::time::Duration;

use lambda::runtime::Trusted;

use crate::support::{House, answer, failure, has, in_json, json_lines, node, package, path_text};
use serde_json::{Value, json};

async fn run(house: &House, files: &[(&str, &str)], event: Value) -> Option<lambda::runtime::Invoked> {
    if !has(house, "nodejs20.x").await {
        return None;
    }
    Some(house.invoke(&Arc::new(node(files)), event).await)
}

async fn check(files: &[(&str, &str)], event: Value, expected: Value) {
    let house = House::new();
    if let Some(invoked) = run(&house, files, event).await {
        assert_eq!((answer(&invoked), invoked.function_error), (expected, None), "{}", invoked.log_tail);
    }
}

/// The members of an error, but its trace.
async fn check_error(files: &[(&str, &str)], error_type: &str, message: &str) {
    let house = House::new();
    if let Some(invoked) = run(&house, files, json!({})).await {
        let mut error = failure(&invoked);
        let trace = error.as_object_mut().unwrap().remove("trace").unwrap();
        assert!(trace.is_array());
        let found = (error["errorType"].as_str().unwrap(), error["errorMessage"].as_str().unwrap());
        assert_eq!(found.0, error_type);
        assert!(found.1.starts_with(message), "{}", found.1);
    }
}

#[tokio::test]
async fn handlers_answer_by_promise_callback_and_context() {
    for source in [
        "exports.handler = async (e) => ({ got: e.n })",
        "exports.handler = (e, c, done) => done(null, { got: e.n })",
        "exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); done(null, { got: e.n }) }",
        "exports.handler = (e, c) => c.succeed({ got: e.n })",
        "exports.handler = (e, c, done) => { setTimeout(() => done(undefined, { got: e.n }), 5) }",
    ] {
        check(&[("index.js", source)], json!({ "n": 7 }), json!({ "got": 7 })).await;
    }
    check(&[("index.js", "exports.handler = () => {}")], json!({}), Value::Null).await;
    check(&[("index.js", "exports.handler = async () => {}")], json!({}), Value::Null).await;
}

#[tokio::test]
async fn modules_are_found_as_aws_finds_them() {
    check(&[("index.mjs", "export const handler = async () => 'mjs'")], json!({}), json!("mjs")).await;
    check(&[("index.cjs", "exports.handler = async () => 'cjs'")], json!({}), json!("cjs")).await;
    let module =
        [("index.js", "export const handler = async () => 'esm'"), ("package.json", r#"{"type":"module"}"#)];
    check(&module, json!({}), json!("esm")).await;
    let both = [
        ("index.js", "exports.handler = async () => 'js'"),
        ("index.mjs", "export const handler = async () => 'mjs'"),
    ];
    check(&both, json!({}), json!("js")).await;
    check(&[("index.mjs", "export default { handler: async () => 'default' }")], json!({}), json!("default"))
        .await;

    let house = House::new();
    if has(&house, "nodejs20.x").await {
        let mut spec = node(&[("src/deep/app.js", "exports.inner = { run: async () => 'deep' }")]);
        spec.handler = "src/deep/app.inner.run".to_owned();
        assert_eq!(answer(&house.invoke(&Arc::new(spec), json!({})).await), json!("deep"));
    }
}

#[tokio::test]
async fn errors_are_mapped() {
    let throws = [("index.js", "exports.handler = async () => { throw new TypeError('bad') }")];
    check_error(&throws, "TypeError", "bad").await;
    let fails = [("index.js", "exports.handler = (e, c, done) => done(new Error('no'))")];
    check_error(&fails, "Error", "no").await;
    check_error(&[("index.js", "exports.handler = async () => { throw 'text' }")], "string", "text").await;
    check_error(
        &[("index.js", "exports.other = 1")],
        "Runtime.HandlerNotFound",
        "index.handler is undefined",
    )
    .await;
    check_error(&[("index.js", "syntax error here")], "Runtime.UserCodeSyntaxError", "Unexpected identifier")
        .await;
    check_error(
        &[("index.js", "require('./missing')")],
        "Runtime.ImportModuleError",
        "Error: Cannot find module",
    )
    .await;
    check_error(&[("other.js", "")], "Runtime.ImportModuleError", "Error: Cannot find module 'index'").await;
    let lost =
        [("index.js", "exports.handler = () => new Promise(() => { Promise.reject(new Error('lost')) })")];
    check_error(&lost, "Runtime.UnhandledPromiseRejection", "Error: lost").await;
    let uncaught = [(
        "index.js",
        "exports.handler = () => new Promise(() => setImmediate(() => { throw new Error('out') }))",
    )];
    check_error(&uncaught, "Error", "out").await;
    check_error(
        &[("index.js", "exports.handler = async () => 1n")],
        "Error",
        "Unable to stringify response body",
    )
    .await;
}

#[tokio::test]
async fn the_context_and_the_environment_are_aws_s() {
    let source = "exports.handler = async (e, c) => ({ c, left: c.getRemainingTimeInMillis() > 1000, env: process.env })";
    let house = House::new();
    let Some(invoked) = run(&house, &[("index.js", source)], json!({})).await else { return };
    let found = answer(&invoked);
    let context = &found["c"];
    assert_eq!(context["awsRequestId"], "r1");
    assert_eq!(context["functionName"], "f");
    assert_eq!(context["invokedFunctionArn"], "arn:aws:lambda:eu-central-1:000000000000:function:f:live");
    assert_eq!(context["clientContext"], json!({ "custom": { "a": "b" } }));
    assert_eq!(context["logStreamName"], json!(invoked.log_stream));
    assert_eq!(found["left"], true);
    let env = found["env"].as_object().unwrap();
    for (name, value) in [
        ("_HANDLER", "index.handler"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x"),
        ("_X_AMZN_TRACE_ID", "Root=1-2-3"),
        ("TZ", ":UTC"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert!(!env["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().contains("://"));
    assert!(!env.contains_key("CARGO_MANIFEST_DIR"), "the server's environment leaks");
    let root = path_text(house.root.path().to_owned());
    assert!(env["LAMBDA_TASK_ROOT"].as_str().unwrap().starts_with(&root));
}

#[tokio::test]
async fn console_lines_are_log_events() {
    let source = "exports.handler = async () => { console.log('two\\nlines %d', 3); console.error({ a: 1 }); process.stdout.write('raw\\n') }";
    let house = House::new();
    let Some(invoked) = run(&house, &[("index.js", source)], json!({})).await else { return };
    let lines = house.log.lines();
    let after = |line: &str| line.split_once("\tr1\t").map(|(_, rest)| rest.to_owned());
    assert_eq!(after(&lines[2]).unwrap(), "INFO\ttwo\nlines 3");
    assert_eq!(after(&lines[3]).unwrap(), "ERROR\t{ a: 1 }");
    assert_eq!(lines[4], "raw");
    assert!(invoked.log_tail.contains("\tINFO\ttwo\nlines 3\n"));
}

#[tokio::test]
async fn logs_are_json_from_a_level_on() {
    let source = "exports.handler = async (event) => { console.debug('no'); console.log('n is %d', 3); console.warn({ a: 1 });
        console.error('broken:', new TypeError('x')); if (event.fail) throw new RangeError('far') }";
    let house = House::new();
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let spec = in_json(node(&[("index.js", source)]), "INFO", "INFO");
    house.invoke(&Arc::new(spec), json!({})).await;
    let lines = json_lines(&house);
    let kinds: Vec<_> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(kinds, ["platform.initStart", "platform.start", "platform.report"]);
    assert_eq!(lines[2], json!({ "level": "INFO", "requestId": "r1", "message": "n is 3" }));
    assert_eq!(lines[3], json!({ "level": "WARN", "requestId": "r1", "message": { "a": 1 } }));
    assert_eq!((&lines[4]["level"], &lines[4]["errorType"]), (&json!("ERROR"), &json!("TypeError")));
    assert_eq!(
        (&lines[4]["errorMessage"], &lines[4]["stackTrace"][0]),
        (&json!("x"), &json!("TypeError: x"))
    );
    assert_eq!(
        (&lines[5]["record"]["requestId"], &lines[5]["record"]["status"]),
        (&json!("r1"), &json!("success"))
    );

    let house = House::new();
    let spec = in_json(node(&[("index.js", source)]), "ERROR", "WARN");
    house.invoke(&Arc::new(spec), json!({ "fail": true })).await;
    let lines = json_lines(&house);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0]["errorType"], "TypeError");
    assert_eq!(lines[1]["message"]["errorType"], "RangeError");
    assert_eq!(
        (&lines[2]["type"], &lines[2]["record"]["status"]),
        (&json!("platform.report"), &json!("error"))
    );
}

#[tokio::test]
async fn responses_are_streamed() {
    let source = "exports.handler = awslambda.streamifyResponse(async (e, out) => {
        const http = awslambda.HttpResponseStream.from(out, { statusCode: 201 });
        http.write('a'); http.write('b'); http.end(); })";
    let house = House::new();
    let Some(invoked) = run(&house, &[("index.js", source)], json!({})).await else { return };
    assert_eq!(invoked.payload, "{\"statusCode\":201}\0\0\0\0\0\0\0\0ab");
    assert_eq!(invoked.content_type.as_deref(), Some("application/vnd.awslambda.http-integration-response"));
    assert!(invoked.streamed);
    let source = "exports.handler = awslambda.streamifyResponse(async (e, out) => { out.write('a'); throw new RangeError('cut') })";
    let mut spec = node(&[("index.js", source)]);
    spec.revision = "2".to_owned();
    let error = failure(&house.invoke(&Arc::new(spec), json!({})).await);
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("RangeError"), &json!("cut")));
}

#[tokio::test]
async fn layers_and_the_runtime_s_packages_are_found_by_both_module_systems() {
    let sdk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::create_dir_all(sdk.path().join("@aws-sdk/client-x")).unwrap();
    std::fs::write(sdk.path().join("@aws-sdk/client-x/index.js"), "exports.sdk = 'sdk'").unwrap();
    let house = House::with(|config| config.node_modules = Some(sdk.path().to_owned()));
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let required = "const l = require('layered'); const s = require('@aws-sdk/client-x'); exports.handler = async () => [l.name, s.sdk]";
    let imported = "import l from 'layered'; import s from '@aws-sdk/client-x'; export const handler = async () => [l.name, s.sdk]";
    for (name, source) in [("index.js", required), ("index.mjs", imported)] {
        let mut spec = node(&[(name, source)]);
        spec.revision = name.to_owned();
        spec.layers = vec![package(&[("nodejs/node_modules/layered/index.js", b"exports.name = 'layer'")])];
        let invoked = house.invoke(&Arc::new(spec), json!({})).await;
        assert_eq!(answer(&invoked), json!(["layer", "sdk"]), "{}", invoked.log_tail);
    }
}

#[tokio::test]
async fn layers_are_at_opt_for_all_that_the_code_does() {
    let house = House::new();
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let can = house.lays_over_opt().await;
    let source = "const fs = require('fs'); const { execFileSync } = require('child_process');
        const attempt = (f) => { try { return f() } catch (e) { return e.code } };
        exports.handler = async () => ({
            read: attempt(() => fs.readFileSync('/opt/config/app.txt', 'utf8')),
            module: attempt(() => require('/opt/nodejs/util').name),
            once: attempt(() => require('/opt/nodejs/util').layered === require('layered')),
            program: attempt(() => execFileSync('cat', ['/opt/config/app.txt']).toString()),
            write: attempt(() => fs.writeFileSync('/opt/config/app.txt', 'mine')),
            own: fs.readdirSync('/opt').sort(),
            path: process.env.NODE_PATH.split(':')[1],
        })";
    let mut spec = node(&[("index.js", source)]);
    spec.layers = vec![
        package(&[
            ("config/app.txt", b"lower"),
            ("nodejs/util.js", b"exports.name = 'util'; exports.layered = require('layered')"),
        ]),
        package(&[("config/app.txt", b"upper"), ("nodejs/node_modules/layered/index.js", b"exports.a = {}")]),
    ];
    let invoked = house.invoke(&Arc::new(spec), json!({})).await;
    let found = answer(&invoked);
    let mut machine: Vec<String> = std::fs::read_dir("/opt")
        .map(|found| found.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    if !can {
        assert_eq!((&found["read"], &found["module"]), (&json!("ENOENT"), &json!("MODULE_NOT_FOUND")));
        return println!("layers are not seen at /opt on this machine");
    }
    assert_eq!((&found["read"], &found["module"]), (&json!("upper"), &json!("util")), "{}", invoked.log_tail);
    assert_eq!((&found["once"], &found["program"]), (&json!(true), &json!("upper")));
    assert!(["EACCES", "EROFS"].contains(&found["write"].as_str().unwrap()), "{found}");
    assert_eq!(found["path"], "/opt/nodejs/node_modules");
    // What the machine has there stays, and gets nothing.
    assert!(!std::path::Path::new("/opt/config/app.txt").exists());
    machine.extend(["config".to_owned(), "nodejs".to_owned()]);
    machine.sort();
    machine.dedup();
    assert_eq!(found["own"], json!(machine));
}

#[tokio::test]
async fn code_is_read_only_and_the_server_s_files_are_out_of_reach() {
    let source = "const fs = require('fs'); const os = require('os');
        const attempt = (f) => { try { f(); return 'ok' } catch (e) { return e.code } };
        exports.handler = async (e) => ({
            task: attempt(() => fs.writeFileSync(process.env.LAMBDA_TASK_ROOT + '/x', '')),
            outside: attempt(() => fs.readFileSync(e.secret)),
            scratch: attempt(() => fs.writeFileSync(os.tmpdir() + '/x', '')),
            home: attempt(() => fs.readdirSync(os.homedir())),
            signal: attempt(() => process.kill(e.pid, 0)),
        })";
    let house = House::new();
    let secret = house.root.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let event = json!({ "secret": secret, "pid": std::process::id() });
    let Some(invoked) = run(&house, &[("index.js", source)], event).await else { return };
    let isolation = lambda::runtime::Isolation::probe(true);
    if !isolation.files {
        return println!("skipped: {isolation}");
    }
    if house.root.path().starts_with("/tmp") {
        return println!("skipped: this checkout is below /tmp, which functions may write");
    }
    let found = answer(&invoked);
    assert_eq!(found["task"], "EACCES");
    assert_eq!(found["outside"], "EACCES");
    assert_eq!(found["scratch"], "ok");
    assert_eq!(found["home"], "ok");
    assert_eq!(found["signal"], if isolation.signals { "EPERM" } else { "ok" });
}

#[tokio::test]
async fn too_much_memory_ends_the_process() {
    let source = "exports.handler = async () => { const kept = []; for (;;) { kept.push(Buffer.alloc(4e6, 1)); await new Promise(setImmediate) } }";
    let house = House::new();
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let mut spec = node(&[("index.js", source)]);
    spec.memory_mb = 128;
    let invoked = house.invoke(&Arc::new(spec), json!({})).await;
    let message = "RequestId: r1 Error: Runtime exited with error: signal: killed";
    assert_eq!(failure(&invoked), json!({ "errorType": "Runtime.OutOfMemory", "errorMessage": message }));
}

#[tokio::test]
async fn a_busy_loop_with_children_is_ended_at_the_timeout() {
    let source = "exports.handler = async () => { require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit' }); for (;;); }";
    let house = House::new();
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let mut spec = node(&[("index.js", source)]);
    spec.timeout = Duration::from_millis(500);
    let invoked = house.invoke(&Arc::new(spec), json!({})).await;
    assert_eq!(failure(&invoked)["errorType"], "Sandbox.Timedout");
}

#[tokio::test]
async fn another_version_than_asked_for_is_reported() {
    let house = House::new();
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let mut spec = node(&[("index.js", "exports.handler = async () => process.version")]);
    spec.runtime = "nodejs99.x".to_owned();
    house.invoke(&Arc::new(spec), json!({})).await;
    let first = &house.log.lines()[0];
    assert!(first.contains("WARNING: nodejs99.x is not installed, running on "), "{first}");
}

#[tokio::test]
async fn the_platforms_certificates_are_trusted() {
    let files = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let trusted =
        Trusted { certificate: files.path().join("ca.pem"), bundle: files.path().join("bundle.pem") };
    std::fs::write(&trusted.certificate, "one").unwrap();
    std::fs::write(&trusted.bundle, "all").unwrap();
    let house = House::with(|config| config.trusted = Some(trusted));
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let source = "
        const read = (name) => require('fs').readFileSync(process.env[name], 'utf8');
        const names = ['NODE_EXTRA_CA_CERTS', 'AWS_CA_BUNDLE', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'];
        exports.handler = async () => names.map(read);";
    let invoked = house.invoke(&Arc::new(node(&[("index.js", source)])), Value::Null).await;
    assert_eq!(answer(&invoked), json!(["one", "all", "all", "all", "all"]), "{}", invoked.log_tail);
}

#[tokio::test]
async fn only_old_runtimes_bring_the_old_sdk() {
    let old = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::create_dir_all(old.path().join("aws-sdk")).unwrap();
    std::fs::write(old.path().join("aws-sdk/index.js"), "exports.version = 2").unwrap();
    let house = House::with(|config| config.legacy_node_modules = Some(old.path().to_owned()));
    if !has(&house, "nodejs20.x").await {
        return;
    }
    let source = "exports.handler = async () => { try { return require('aws-sdk').version } catch (e) { return e.code } }";
    for (runtime, found) in [("nodejs16.x", json!(2)), ("nodejs20.x", json!("MODULE_NOT_FOUND"))] {
        let mut spec = node(&[("index.js", source)]);
        (spec.runtime, spec.revision) = (runtime.to_owned(), runtime.to_owned());
        let invoked = house.invoke(&Arc::new(spec), Value::Null).await;
        assert_eq!(answer(&invoked), found, "{runtime}: {}", invoked.log_tail);
    }
}
