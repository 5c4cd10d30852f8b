"""The recent-actions system as its authors deploy it: the CDK command line from bootstrap to destroy, one step a test, in order."""

import json
import time

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

SOURCE = EXAMPLE / "cdk"
STACKS = ["dev-deposit", "dev-withdrawal", "dev-recent-actions"]


def test_bootstrap_and_once_more(app, cloud, address):
    app.cdk("synth", "--quiet", synthesized=False)
    assert "bootstrapped" in app.cdk("bootstrap", f"aws://000000000000/{REGION}")
    assert status(cloud, "CDKToolkit") == "CREATE_COMPLETE"
    ssm = boto3.client("ssm", endpoint_url=address, region_name=REGION)
    version = ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]
    assert version == "33"
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


def test_the_console_shows_the_executions(app, cloud):
    shows_in_the_console(app, cloud)


def test_the_page_shows_recent_actions(app, cloud):
    shows_on_the_page(app, cloud)


def test_the_system_does_what_the_plain_templates_do(app):
    behaves(app)


def test_a_killed_server_forgets_nothing(server, cloud):
    survives(server, cloud)


def test_a_changed_handler_is_swapped_in(app, cloud):
    source = app.functions / "src" / "trading.ts"
    text = source.read_text()
    source.write_text(text.replace("ticketNumber: randomUUID()", 'ticketNumber: randomUUID(), desk: "new"'))
    app.cdk("synth", "--quiet", synthesized=False)
    assert "[~] AWS::Lambda::Function" in app.cdk("diff", "dev-deposit")
    said = app.cdk("deploy", "dev-deposit", "--hotswap", "--require-approval", "never")
    assert "hotswapped" in said, said
    answer = cloud.lambda_.invoke(FunctionName="dev-meetup-deposit", Payload=b'{"amount": 1}')
    assert json.load(answer["Payload"])["desk"] == "new"


def test_a_changed_machine_is_swapped_in(app, cloud):
    stack = app.directory / "lib" / "service-stack.ts"
    stack.write_text(stack.read_text().replace("{ resultPath:", '{ comment: "swapped in", resultPath:'))
    app.cdk("synth", "--quiet", synthesized=False)
    said = app.cdk("deploy", "dev-deposit", "--hotswap", "--require-approval", "never")
    assert "hotswapped" in said, said
    (arn,) = [
        machine["stateMachineArn"]
        for machine in cloud.states.list_state_machines()["stateMachines"]
        if machine["name"] == "dev-meetup-deposit"
    ]
    assert "swapped in" in cloud.states.describe_state_machine(stateMachineArn=arn)["definition"]


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
    nothing_is_left(cloud, STACKS)
    assert cloud.lambda_.list_functions()["Functions"] == []
    assert cloud.events.list_rules()["Rules"] == []
    assert status(cloud, "CDKToolkit") == "CREATE_COMPLETE"
