"""The recent-actions system as an SST app: from nothing at all to removal, one step a test, in order."""

import boto3

from conftest import (
    EXAMPLE,
    REGION,
    behaves,
    nothing_is_left,
    server_seconds,
    shows_in_the_console,
    shows_on_the_page,
    status,
    survives,
)

SOURCE = EXAMPLE / "sst"
STACKS = ["dev-deposit", "dev-withdrawal", "dev-recent-actions"]


def test_deploy(app, cloud, address):
    said = app.sst("deploy")
    assert said.count("StateMachineArn: arn:aws:states:") == 2, said
    assert "ExecutionsTable: executions" in said, said
    for stack in ["CDKToolkit", "SSTBootstrap", *STACKS]:
        assert status(cloud, stack) == "CREATE_COMPLETE"
        print(f"  {stack}: {server_seconds(cloud, stack):.2f} s")
    ssm = boto3.client("ssm", endpoint_url=address, region_name=REGION)
    version = ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]
    assert version == "33"
    machines = {machine["name"] for machine in cloud.states.list_state_machines()["stateMachines"]}
    assert machines == {"dev-meetup-deposit", "dev-meetup-withdrawal"}


def test_deploying_again_changes_nothing(app, cloud):
    app.sst("deploy")
    assert [status(cloud, stack) for stack in STACKS] == ["CREATE_COMPLETE"] * len(STACKS)


def test_the_console_shows_the_executions(app, cloud):
    shows_in_the_console(app, cloud)


def test_the_page_shows_recent_actions(app, cloud):
    shows_on_the_page(app, cloud)


def test_the_system_does_what_the_plain_templates_do(app):
    behaves(app)


def test_a_killed_server_forgets_nothing(server, cloud):
    survives(server, cloud)


def test_remove(app, cloud):
    assert "Removed" in app.sst("remove")
    nothing_is_left(cloud, STACKS)
    functions = [found["FunctionName"] for found in cloud.lambda_.list_functions()["Functions"]]
    rules = [found["Name"] for found in cloud.events.list_rules()["Rules"]]
    assert [name for name in functions + rules if not name.startswith("SSTBootstrap-")] == []
    assert [status(cloud, stack) for stack in ("CDKToolkit", "SSTBootstrap")] == ["CREATE_COMPLETE"] * 2
