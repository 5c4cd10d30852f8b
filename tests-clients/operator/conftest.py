"""A server, in the strict profile if nothing else is said, started from BUSWORK_BIN, and clients that sign for it."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("BUSWORK_BIN", ROOT / "target" / "release" / "buswork"))
REGION = "eu-central-1"
ACCOUNT = "111122223333"
KEY = "AKIAOPERATOR00000001"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "an-operator-token-of-tests"


class Server:
    """A process of the server, and clients of it."""

    def __init__(self, directory, profile="strict"):
        settings = directory / "buswork.toml"
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        operator = f'operator_token = "{TOKEN}"\n'
        keys = f'[[access_keys]]\nid = "{KEY}"\nsecret = "{SECRET}"\naccount = "{ACCOUNT}"\n'
        if profile == "development":
            operator = keys = ""
        settings.write_text(
            f'profile = "{profile}"\n{operator}data_dir = "{directory / "data"}"\nport = 0\n'
            f'[functions]\npython_packages = "{packages}"\ninterpreters = {{ python = "{sys.executable}" }}\n'
            f"{keys}"
        )
        environment = {"PATH": os.environ["PATH"]}
        self.log = open(directory / "log", "w")
        self.process = subprocess.Popen(
            [BINARY, "start", "--config", settings],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), (directory / "log").read_text()
        self.address = line.split()[-1]

    def client(self, service, key=KEY, secret=SECRET, token=None, **options):
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, **options),
        )

    def command(self, *arguments, key=KEY, secret=SECRET, token=TOKEN):
        """Runs a command of the binary against the server."""
        environment = {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "BUSWORK_OPERATOR_TOKEN": token,
        }
        return subprocess.run([BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=60)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.log.close()
        return code


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("strict"))
    yield server
    assert server.stop() == 0
