"""Terraform with AWS's provider, as they are published: apply, no differences, a change in place, no differences, destroy.

Neither is in a package registry that the project installs from: the test takes the `terraform` of the PATH, and the provider
from wherever its configuration (`TF_CLI_CONFIG_FILE`) says.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests-clients" / "python"))

from server import Server  # noqa: E402

BINARY = Path(os.environ.get("BUSWORK_BIN", ROOT / "target" / "release" / "buswork"))
REGION = "eu-central-1"
FUNCTIONS = {
    "fn.zip": ("index.mjs", "export const handler = async (event) => ({ got: event });\n"),
    "py.zip": ("index.py", "def handler(event, context):\n    return {'got': event}\n"),
}

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH")


class Terraform:
    """A copy of the configuration, and its command line against one server."""

    def __init__(self, directory, address):
        self.directory = directory
        for file in Path(__file__).parent.glob("*.tf"):
            shutil.copy(file, directory)
        for package, (name, text) in FUNCTIONS.items():
            with zipfile.ZipFile(directory / package, "w") as archive:
                archive.writestr(name, text)
        self.environment = os.environ | {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "TF_IN_AUTOMATION": "1",
        }

    def run(self, *arguments, note="one"):
        """Runs a command; answers its exit code and what it printed."""
        begun = time.monotonic()
        variables = [f"-var=note={note}"] if arguments[0] in ("plan", "apply", "destroy") else []
        done = subprocess.run(
            ["terraform", *arguments, "-no-color", *variables],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        print(f"terraform {arguments[0]}: {time.monotonic() - begun:.1f} s")
        return done.returncode, done.stdout

    def apply(self, note):
        code, said = self.run("apply", "-auto-approve", "-input=false", note=note)
        assert code == 0, said
        return said

    def differences(self, note):
        """What `plan` would change; nothing if it ends with 0."""
        code, said = self.run("plan", "-input=false", "-detailed-exitcode", note=note)
        return "" if code == 0 else said


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(str(BINARY), tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    code = server.stop()
    shown = server.log.read_text()
    assert code == 0 and "not implemented" not in shown, shown


@pytest.fixture(scope="module")
def terraform(server, tmp_path_factory):
    terraform = Terraform(tmp_path_factory.mktemp("terraform"), server.url)
    code, said = terraform.run("init", "-input=false")
    if code:
        pytest.skip(f"the provider cannot be had: {said}")
    return terraform


@pytest.fixture(scope="module")
def client(server):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return lambda name: boto3.client(name, region_name=REGION, endpoint_url=server.url, **keys)


def test_what_is_applied_stands_and_differs_in_nothing(terraform, client):
    assert "0 changed, 0 destroyed" in terraform.apply("one")
    assert terraform.differences("one") == ""
    assert client("ssm").get_parameter(Name="/app/p")["Parameter"]["Value"] == "one"


def test_what_was_applied_works(terraform, client):
    entry = {"EventBusName": "b", "Source": "app", "DetailType": "OrderPlaced", "Detail": '{"id": "42"}'}
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    queues = client("sqs")
    url = queues.get_queue_url(QueueName="work")["QueueUrl"]
    bodies = []
    deadline = time.monotonic() + 30
    while '{"id": "42"}' not in bodies and time.monotonic() < deadline:
        got = queues.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)
        bodies += [message["Body"] for message in got.get("Messages", [])]
    assert '{"id": "42"}' in bodies, bodies
    answer = client("lambda").invoke(FunctionName="f:live", Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"got": {"a": 1}}


def test_a_change_is_made_in_place(terraform, client):
    said = terraform.apply("two")
    # The provider makes an invocation and a secret's version anew; all else is changed where it stands.
    assert "2 added, 27 changed, 2 destroyed" in said, said
    assert terraform.differences("two") == ""
    assert client("ssm").get_parameter(Name="/app/p")["Parameter"]["Value"] == "two"


def test_all_of_it_is_destroyed(terraform, client):
    code, said = terraform.run("destroy", "-auto-approve", "-input=false", note="two")
    assert code == 0, said
    assert client("sqs").list_queues().get("QueueUrls", []) == []
    assert client("lambda").list_functions()["Functions"] == []
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert client("s3").list_buckets()["Buckets"] == []
    assert [bus["Name"] for bus in client("events").list_event_buses()["EventBuses"]] == ["default"]
