"""What every acceptance test needs: a server at AWS_ENDPOINT_URL, and the system deployed on it once per variant.

RECENT_ACTIONS_DEPLOYED names the stage of a system that somebody else has deployed, with functions in Node.js, and takes away.
"""

import os

import pytest

from recent_actions import Cloud, Listener, System, built_variants

os.environ.setdefault("AWS_REGION", "eu-central-1")
os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")


DEPLOYED = os.environ.get("RECENT_ACTIONS_DEPLOYED")


def pytest_sessionstart():
    if "AWS_ENDPOINT_URL" not in os.environ:
        pytest.exit("AWS_ENDPOINT_URL has to name a running server", returncode=2)
    if DEPLOYED is None and not built_variants():
        pytest.exit("examples/recent-actions/build.sh has to run before", returncode=2)


@pytest.fixture(scope="session")
def cloud():
    return Cloud()


@pytest.fixture(scope="session", params=["node"] if DEPLOYED else built_variants())
def system(cloud, request):
    if DEPLOYED:
        yield System(cloud, request.param, DEPLOYED).attached()
        return
    system = System(cloud, request.param)
    yield system.deploy()
    system.delete()


@pytest.fixture
def listen(cloud):
    """Makes listeners, and removes them after the test."""
    listeners = []

    def listen(*machines):
        listeners.append(Listener(cloud, list(machines)))
        return listeners[-1]

    yield listen
    for listener in listeners:
        listener.delete()
