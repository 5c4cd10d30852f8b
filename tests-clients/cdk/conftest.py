"""A server of its own with empty data, a copy of the example's app to change, and the pinned command line of CDK or SST."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests-clients" / "python"))
EXAMPLE = ROOT / "examples" / "recent-actions"
BINARY = Path(os.environ.get("BUSWORK_BIN", ROOT / "target" / "release" / "buswork"))
REGION = "eu-central-1"


class App:
    """The example's app in a directory of its own, so that a test may change a handler."""

    def __init__(self, directory, address, tool):
        self.directory = directory / tool
        self.functions = directory / "functions-ts"
        for name in (tool, "functions-ts"):
            ignored = shutil.ignore_patterns("node_modules", "cdk.out", "dist", ".sst")
            shutil.copytree(EXAMPLE / name, directory / name, ignore=ignored, symlinks=True)
            (directory / name / "node_modules").symlink_to(EXAMPLE / name / "node_modules")
        home = directory / "home"
        home.mkdir()
        self.environment = {
            "PATH": f"{self.directory / 'node_modules' / '.bin'}:{os.environ['PATH']}",
            # CDK remembers the account of a key in the user's home, which may be another one's.
            "HOME": str(home),
            "CI": "true",
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "SST_TELEMETRY_DISABLED": "1",
            "NODE_NO_WARNINGS": "1",
        }

    def cdk(self, *arguments, succeeds=True, synthesized=True):
        """Runs `cdk`, on what was synthesized last unless told otherwise; answers what it prints."""
        app = ["--app", "cdk.out"] if synthesized else []
        return self.run(["cdk", *app, "--no-notices", "--no-color", *arguments], succeeds)

    def sst(self, *arguments):
        """Runs `sst`; answers what it prints."""
        return self.run(["sst", *arguments, "--stage", "dev"])

    def run(self, command, succeeds=True):
        begun = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        print(f"{' '.join(command)}: {time.monotonic() - begun:.1f} s")
        assert (done.returncode == 0) == succeeds, done.stdout
        return done.stdout


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Where a server with empty data listens. It finds the SDKs that `buswork runtime install` has put into .tools."""
    directory = tmp_path_factory.mktemp("server")
    log = open(directory / "log", "w")
    command = [BINARY, "start", "--port", "0", "--data-dir", directory / "data"]
    environment = {"PATH": os.environ["PATH"], "BUSWORK_RUNTIME_DIR": str(ROOT / ".tools" / "runtime")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    line = process.stdout.readline()
    assert line.startswith("listening on "), (directory / "log").read_text()
    yield line.split()[-1]
    process.terminate()
    code = process.wait(timeout=30)
    log.close()
    shown = (directory / "log").read_text()
    assert code == 0, shown
    assert "not implemented" not in shown, shown


@pytest.fixture(scope="module")
def app(address, tmp_path_factory, request):
    return App(tmp_path_factory.mktemp("app"), address, request.module.TOOL)


def behaves(app):
    """The tests of the plain templates' system, on the stacks of the stage `dev` that somebody else has made."""
    tests = ROOT / "tests-clients" / "python" / "test_recent_actions.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = app.environment | {"RECENT_ACTIONS_DEPLOYED": "dev"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def status(cloud, stack):
    """The stack's status; `None` once it is gone."""
    try:
        return cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as refused:
        error = refused.response["Error"]
        assert (error["Code"], error["Message"]) == ("ValidationError", f"Stack with id {stack} does not exist")
        return None


def nothing_is_left(cloud, stacks):
    assert [status(cloud, stack) for stack in stacks] == [None] * len(stacks)
    assert cloud.states.list_state_machines()["stateMachines"] == []
    assert cloud.dynamodb.list_tables()["TableNames"] == []


@pytest.fixture(autouse=True)
def in_order(request):
    """A step whose predecessor failed says nothing."""
    if request.session.testsfailed:
        pytest.skip("an earlier step failed")


@pytest.fixture(scope="session")
def cloud(address):
    os.environ |= {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    from recent_actions import Cloud

    return Cloud(endpoint_url=address)
