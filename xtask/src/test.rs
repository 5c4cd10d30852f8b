//! `cargo xtask test`: everything that must hold, with what it needs installed by the project's own scripts.

use anyhow::bail;

use crate::run::{output, root, run};
use crate::server::{BINARY, Server, TEST_BINARY};

/// Where the AWS SDKs of Lambda's runtimes are for tests.
const RUNTIME: &str = ".tools/runtime";

/// Runs the tests of all crates, PostgreSQL's included, then real clients, a browser and deployment tools against the binary.
/// `--crates` ends after the first part; `--long` takes the release binary, whose build takes long, repeats the crash
/// scenario ten times instead of two, deploys the CDK's constructs that have functions of their own, and deploys with SST,
/// and with Terraform where that is installed.
///
/// # Errors
/// A step fails.
pub(crate) fn run_tests(options: &[&str]) -> anyhow::Result<()> {
    let (mut crates_only, mut long) = (false, false);
    for option in options {
        match *option {
            "--crates" => crates_only = true,
            "--long" => long = true,
            other => bail!("unknown option {other}: use --crates, --long"),
        }
    }
    let postgres = output("scripts/postgres.sh", &["start"])?;
    let crates = run("cargo", &["test", "--workspace"], &[("BUSWORK_TEST_POSTGRES", &postgres)]);
    run("scripts/postgres.sh", &["stop"], &[])?;
    crates?;
    if crates_only {
        return Ok(());
    }
    run("scripts/setup-python.sh", &[], &[])?;
    run("scripts/setup-chromium.sh", &[], &[])?;
    // The tests of the crates have built the other binary.
    if long {
        run("cargo", &["build", "--release", "--package", "buswork"], &[])?;
    }
    run("examples/recent-actions/build.sh", &["rust", "node"], &[])?;
    let (binary, crashes) = if long { (BINARY, "10") } else { (TEST_BINARY, "2") };
    clients(binary)?;
    crash(binary, crashes)?;
    deploy_with("cdk", binary, &["cdk", "large_stack"])?;
    if long {
        deploy_with("cdk", binary, &["constructs"])?;
        deploy_with("sst", binary, &["sst"])?;
        let binary = root().join(binary).display().to_string();
        run(".tools/python/bin/pytest", &["tests-clients/terraform", "-s"], &[("BUSWORK_BIN", &binary)])?;
    }
    Ok(())
}

/// The command line of the CDK or of SST, from bootstrap to destroy, against a server of each test's own.
fn deploy_with(tool: &str, binary: &str, tests: &[&str]) -> anyhow::Result<()> {
    let binary = root().join(binary).display().to_string();
    let app = format!("examples/recent-actions/{tool}");
    run("scripts/setup-node.sh", &["examples/recent-actions/functions-ts", &app], &[])?;
    run(&binary, &["runtime", "install", "--runtime-dir", RUNTIME], &[])?;
    for test in tests {
        let file = format!("tests-clients/cdk/test_{test}.py");
        run(".tools/python/bin/pytest", &[file.as_str(), "-s"], &[("BUSWORK_BIN", binary.as_str())])?;
    }
    Ok(())
}

/// boto3, the AWS CLI, the AWS SDK for JavaScript and a browser against one server.
fn clients(binary: &str) -> anyhow::Result<()> {
    let data_dir = root().join("target/test-data");
    let _ = std::fs::remove_dir_all(&data_dir);
    let server = Server::start(binary, &data_dir, 0)?;
    let (binary, pid) = (root().join(binary).display().to_string(), server.pid().to_string());
    let environment = [
        ("AWS_ENDPOINT_URL", server.address.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("BUSWORK", &binary),
        ("BUSWORK_PID", &pid),
    ];
    run(".tools/python/bin/pytest", &["tests-clients/python", "-s"], &environment)?;
    run("npm", &["--prefix", "tests-clients/node", "test"], &environment)?;
    run("examples/recent-actions/deploy.sh", &["rust"], &environment)?;
    run("npm", &["--prefix", "tests-clients/node", "run", "test:page"], &environment)?;
    run("npm", &["--prefix", "tests-clients/node", "run", "test:console"], &environment)?;
    // These start a server of their own, in the strict profile.
    run(".tools/python/bin/pytest", &["tests-clients/operator"], &[("BUSWORK_BIN", binary.as_str())])
}

/// SIGKILL in the middle of 200 executions, restart, and nothing is lost.
fn crash(binary: &str, loops: &str) -> anyhow::Result<()> {
    let binary = root().join(binary).display().to_string();
    let environment = [("BUSWORK_BIN", binary.as_str())];
    run(".tools/python/bin/python", &["tests-clients/python/crash.py", "--loops", loops], &environment)
}
