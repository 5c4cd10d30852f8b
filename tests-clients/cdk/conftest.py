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

from recent_actions import Cloud, Listener, System, eventually  # noqa: E402
from server import Server  # noqa: E402

EXAMPLE = ROOT / "examples" / "recent-actions"
BINARY = Path(os.environ.get("BUSWORK_BIN", ROOT / "target" / "release" / "buswork"))
REGION = "eu-central-1"


class App:
    """An app in a directory of its own, beside the functions of the example, so that a test may change either."""

    def __init__(self, directory, address, source):
        self.directory = directory / source.name
        self.functions = directory / "functions-ts"
        for folder in (source, EXAMPLE / "functions-ts"):
            ignored = shutil.ignore_patterns("node_modules", "cdk.out", "dist", ".sst")
            shutil.copytree(folder, directory / folder.name, ignore=ignored, symlinks=True)
            packages = folder if (folder / "package.json").exists() else EXAMPLE / "cdk"
            (directory / folder.name / "node_modules").symlink_to(packages / "node_modules")
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
def server(tmp_path_factory):
    """A server with empty data. It finds the SDKs that `buswork runtime install` has put into .tools."""
    runtime = str(ROOT / ".tools" / "runtime")
    server = Server(str(BINARY), tmp_path_factory.mktemp("server"), BUSWORK_RUNTIME_DIR=runtime)
    server.start()
    yield server
    code = server.stop()
    shown = server.log.read_text()
    assert code == 0, shown
    assert "not implemented" not in shown, shown


@pytest.fixture(scope="session")
def address(server):
    return server.url


@pytest.fixture(scope="module")
def app(address, tmp_path_factory, request):
    return App(tmp_path_factory.mktemp("app"), address, request.module.SOURCE)


def behaves(app):
    """The tests of the plain templates' system, on the stacks of the stage `dev` that somebody else has made."""
    tests = ROOT / "tests-clients" / "python" / "test_recent_actions.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = app.environment | {"RECENT_ACTIONS_DEPLOYED": "dev"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def shows_in_the_console(app, cloud):
    """The pages of the console show the four executions that are started, and no others: the system is new."""
    assert cloud.dynamodb.scan(TableName="executions")["Count"] == 0
    browse(app, "test:recent")
    assert cloud.dynamodb.scan(TableName="executions")["Count"] >= 4


def shows_on_the_page(app, cloud):
    """The example's page, fed by the table that somebody else has deployed. Page and bucket go again."""
    environment = app.environment | {"STAGE": "dev", "BUSWORK": str(BINARY)}
    subprocess.run([EXAMPLE / "page.sh"], env=environment, check=True, timeout=60)
    browse(app, "test:page")
    names = cloud.cloudformation.describe_stack_resources(StackName="recent-actions-storage")["StackResources"]
    for bucket in (found["PhysicalResourceId"] for found in names if found["ResourceType"] == "AWS::S3::Bucket"):
        for item in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            cloud.s3.delete_object(Bucket=bucket, Key=item["Key"])
    cloud.cloudformation.delete_stack(StackName="recent-actions-storage")
    eventually(lambda: status(cloud, "recent-actions-storage"), lambda found: found is None)


def browse(app, script):
    """Runs a script of the tests with a browser."""
    chosen = {name: os.environ[name] for name in ("CHROMIUM", "SCREENSHOTS") if name in os.environ}
    command = ["npm", "--prefix", ROOT / "tests-clients" / "node", "run", script]
    environment = app.environment | chosen | {"STAGE": "dev"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def survives(server, cloud):
    """The server is killed while an execution runs, and starts again."""
    system = System(cloud, "node", "dev").attached()
    listener = Listener(cloud, system.machines)
    slow = system.start("deposit", '{"amount": 50, "clientId": "90876", "sleepMs": 4000}')
    eventually(system.rows, lambda rows: rows.get(slow, {}).get("status") == "RUNNING")
    before = everything_but(slow, system)
    assert len(before["executions"]) >= 4
    server.kill()
    print(f"up again in {server.start():.2f} s")
    assert cloud.states.describe_execution(executionArn=slow)["name"] == slow.rpartition(":")[2]
    assert everything_but(slow, system) == before
    assert system.ended(slow, deadline_s=60)["status"] == "SUCCEEDED"
    assert system.ended_rows([slow])[slow]["status"] == "SUCCEEDED"
    told = [(event["detail"]["executionArn"], event["detail"]["status"]) for event in listener.events(2)]
    assert sorted(told) == [(slow, "RUNNING"), (slow, "SUCCEEDED")]
    listener.delete()


def everything_but(execution_arn, system):
    """All stacks, executions and rows, but for those of one execution."""
    stacks = system.cloud.cloudformation.describe_stacks()["Stacks"]
    executions = {}
    for machine in system.machines:
        pages = system.cloud.states.get_paginator("list_executions").paginate(stateMachineArn=machine)
        executions |= {found["executionArn"]: found for page in pages for found in page["executions"]}
    rows = system.rows()
    executions.pop(execution_arn, None)
    rows.pop(execution_arn, None)
    statuses = {stack["StackName"]: stack["StackStatus"] for stack in stacks}
    return {"stacks": statuses, "executions": executions, "rows": rows}


def status(cloud, stack):
    """The stack's status; `None` once it is gone."""
    try:
        return cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as refused:
        error = refused.response["Error"]
        assert (error["Code"], error["Message"]) == ("ValidationError", f"Stack with id {stack} does not exist")
        return None


def server_seconds(cloud, stack):
    """From the first event of the stack's last operation to its last."""
    pages = cloud.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    events = [event for page in pages for event in page["StackEvents"]]
    own = [event for event in events if event["PhysicalResourceId"] == event["StackId"]]
    begun = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
    first = next(event for event in own if event["ResourceStatus"] in begun)
    return (own[0]["Timestamp"] - first["Timestamp"]).total_seconds()


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
    return Cloud(endpoint_url=address)
