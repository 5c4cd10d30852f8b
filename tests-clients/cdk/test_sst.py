"""The recent-actions system as an SST app: from nothing at all to removal, one step a test, in order."""

import json

import boto3

from conftest import (
    BINARY,
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
from dev import Dev

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


def test_an_edit_is_swapped_in_even_if_the_server_was_down_meanwhile(app, server, cloud):
    """The first bundles are the deployed ones: the lines of the functions say nothing else."""

    def booked():
        answer = cloud.lambda_.invoke(FunctionName="dev-meetup-deposit", Payload=b'{"amount": 1}')
        said = json.load(answer["Payload"])
        return said["desk"], said["place"]

    dev = Dev(BINARY, app.directory, app.environment)
    try:
        dev.until(r"  not followed: 3 of CDK's or SST's own [^\n]*\n")
        for name in ("deposit", "withdrawal"):
            dev.until(rf"dev-meetup-{name} +\S+/functions-ts/src/{name}.ts\n")
        dev.until(r"following 3 functions\n")
        trading, deposit = (app.functions / "src" / name for name in ("trading.ts", "deposit.ts"))
        ticket = "ticketNumber: randomUUID()"
        text = trading.read_text()
        assert ticket in text
        # What SST's banner makes is there still.
        trading.write_text(text.replace(ticket, f'{ticket}, desk: "one", place: typeof require + typeof __dirname'))
        took = dev.until(r"dev-meetup-deposit: swapped in (\d+) ms \(trading.ts\)\n")[1]
        print(f"an imported file swapped in {took} ms")
        assert booked() == ("one", "functionstring")
        server.kill()
        deposit.write_text(
            'import { book } from "./trading";\n\nconst booking = book("Deposit");\n'
            'export const handler = async (event: never) => ({ ...(await booking(event)), desk: "two" });\n'
        )
        dev.until(r"dev-meetup-deposit: not swapped \(deposit.ts\), tried again when the server answers: [^\n]*\n")
        server.start()
        dev.until(r"dev-meetup-deposit: swapped in \d+ ms \(deposit.ts\)\n")
        assert booked() == ("two", "functionstring")
    finally:
        assert dev.stop() == 0


def test_remove(app, cloud):
    assert "Removed" in app.sst("remove")
    nothing_is_left(cloud, STACKS)
    functions = [found["FunctionName"] for found in cloud.lambda_.list_functions()["Functions"]]
    rules = [found["Name"] for found in cloud.events.list_rules()["Rules"]]
    assert [name for name in functions + rules if not name.startswith("SSTBootstrap-")] == []
    assert [status(cloud, stack) for stack in ("CDKToolkit", "SSTBootstrap")] == ["CREATE_COMPLETE"] * 2
