"""The recent-actions system as its authors deploy it: the CDK command line from bootstrap to destroy, one step a test, in order."""

import json
import subprocess
import sys
import time

import boto3
import pytest
from botocore.exceptions import ClientError

from conftest import REGION, ROOT

STACKS = ["dev-deposit", "dev-withdrawal", "dev-recent-actions"]


def status(cloud, stack):
    """The stack's status; `None` once it is gone."""
    try:
        return cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as refused:
        assert refused.response["Error"] == {
            "Type": "Sender",
            "Code": "ValidationError",
            "Message": f"Stack with id {stack} does not exist",
        }
        return None


def server_seconds(cloud, stack):
    """From the operation's first event to the stack's own last."""
    events = cloud.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    own = [event["Timestamp"] for event in events if event["LogicalResourceId"] == stack]
    return (own[0] - own[1]).total_seconds()


@pytest.fixture(autouse=True)
def in_order(request):
    """A step whose predecessor failed says nothing."""
    if request.session.testsfailed:
        pytest.skip("an earlier step failed")


def test_bootstrap_and_once_more(app, cloud, address):
    app.cdk("synth", "--quiet", synthesized=False)
    assert "bootstrapped" in app.cdk("bootstrap", f"aws://000000000000/{REGION}")
    assert status(cloud, "CDKToolkit") == "CREATE_COMPLETE"
    ssm = boto3.client("ssm", endpoint_url=address, region_name=REGION)
    version = ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]
    assert int(version) >= 30
    assert "no changes" in app.cdk("bootstrap", f"aws://000000000000/{REGION}")


def test_deploy(app, cloud):
    begun = time.monotonic()
    said = app.cdk("deploy", "--all", "--require-approval", "never")
    print(f"three stacks in {time.monotonic() - begun:.1f} s, of which the server's:")
    for stack in STACKS:
        assert status(cloud, stack) in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        print(f"  {stack}: {server_seconds(cloud, stack):.2f} s")
    assert "dev-deposit.StateMachineArn = arn:aws:states:" in said
    assert "dev-recent-actions.ExecutionsTable = executions" in said
    machines = {machine["name"] for machine in cloud.states.list_state_machines()["stateMachines"]}
    assert machines == {"dev-meetup-deposit", "dev-meetup-withdrawal"}


def test_deploying_again_changes_nothing(app):
    assert app.cdk("diff").count("There were no differences") == len(STACKS)
    assert app.cdk("deploy", "--all", "--require-approval", "never").count("(no changes)") == len(STACKS)


def test_the_system_does_what_the_plain_templates_do(app):
    """The tests of the plain templates' system, on the stacks that CDK has made."""
    tests = ROOT / "tests-clients" / "python" / "test_recent_actions.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = app.environment | {"RECENT_ACTIONS_DEPLOYED": "dev"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_handler_is_swapped_in(app, cloud):
    source = app.functions / "src" / "trading.ts"
    text = source.read_text()
    source.write_text(text.replace("ticketNumber: randomUUID()", 'ticketNumber: randomUUID(), desk: "new"'))
    app.cdk("synth", "--quiet", synthesized=False)
    assert "Function/Code" in (said := app.cdk("diff", "dev-deposit")) or "[~] AWS::Lambda::Function" in said
    said = app.cdk("deploy", "dev-deposit", "--hotswap", "--require-approval", "never")
    assert "hotswapped" in said, said
    answer = cloud.lambda_.invoke(FunctionName="dev-meetup-deposit", Payload=b'{"amount": 1}')
    assert json.load(answer["Payload"])["desk"] == "new"


def test_a_change_is_deployed(app, cloud):
    app.cdk("deploy", "--all", "--require-approval", "never")
    assert status(cloud, "dev-deposit") == "UPDATE_COMPLETE"
    answer = cloud.lambda_.invoke(FunctionName="dev-meetup-withdrawal", Payload=b'{"amount": 1}')
    assert json.load(answer["Payload"])["desk"] == "new"


def test_a_stack_whose_export_is_used_is_not_destroyed(app, cloud):
    said = app.cdk("destroy", "dev-deposit", "--exclusively", "--force", succeeds=False)
    assert "in use by dev-recent-actions" in said, said
    assert status(cloud, "dev-deposit") in ("UPDATE_COMPLETE", "DELETE_FAILED")


def test_destroy(app, cloud):
    app.cdk("destroy", "--all", "--force")
    assert [status(cloud, stack) for stack in STACKS] == [None, None, None]
    assert cloud.states.list_state_machines()["stateMachines"] == []
    assert cloud.lambda_.list_functions()["Functions"] == []
    assert cloud.dynamodb.list_tables()["TableNames"] == []
    assert cloud.events.list_rules()["Rules"] == []
    assert status(cloud, "CDKToolkit") == "CREATE_COMPLETE"
