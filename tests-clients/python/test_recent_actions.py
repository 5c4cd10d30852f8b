"""The recent-actions system, end to end, as its authors' clients see it."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from recent_actions import EXAMPLE, INPUT, STATUS_CHANGE, all_at_once, duration_ms, eventually, milliseconds, percentile

PASS_ONLY = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}


def aws(*arguments):
    """What the AWS CLI answers to a command, as JSON."""
    command = [Path(sys.executable).with_name("aws"), *arguments, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.mark.parametrize("kind", ["deposit", "withdrawal"])
def test_the_machine_is_what_the_template_says(cloud, system, kind):
    machine = cloud.states.describe_state_machine(stateMachineArn=system.machine(kind))
    assert (machine["name"], machine["type"], machine["status"]) == (
        f"{system.stage}-meetup-{kind}",
        "STANDARD",
        "ACTIVE",
    )
    definition = json.loads(machine["definition"])
    task = definition["States"][definition["StartAt"]]
    function = cloud.lambda_.get_function(FunctionName=f"{system.stage}-meetup-{kind}")["Configuration"]
    assert task["Resource"] == function["FunctionArn"]
    assert [retrier["MaxAttempts"] for retrier in task["Retry"]] == [6]
    assert definition["States"]["Notify support"] == {"Type": "Pass", "ResultPath": None, "End": True}


def test_a_deposit_succeeds_quickly(system):
    executions = [system.run("deposit") for _ in range(6)]
    for execution in executions:
        assert execution["status"] == "SUCCEEDED"
        assert execution["input"] == INPUT
        output = json.loads(execution["output"])
        uuid.UUID(output.pop("ticketNumber"))
        assert output == json.loads(INPUT)
    cold, *warm = map(duration_ms, executions)
    print(f"\n{system.variant}: cold {cold} ms, warm {warm} ms")
    assert cold < 3000
    assert min(warm) < 300


def test_the_history_tells_every_step(cloud, system):
    execution_arn = system.run("deposit")["executionArn"]
    events = cloud.states.get_execution_history(executionArn=execution_arn)["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert [event["id"] for event in events] == list(range(1, 10))
    # The first state has no event before it but the start, which AWS says with 0 for both.
    assert [event["previousEventId"] for event in events] == [0, 0, 2, 3, 4, 5, 6, 7, 8]
    backwards = cloud.states.get_execution_history(executionArn=execution_arn, reverseOrder=True, maxResults=4)
    assert [event["id"] for event in backwards["events"]] == [9, 8, 7, 6]


def test_an_execution_sends_exactly_two_events(cloud, system, listen):
    listener = listen(*system.machines)
    text = '{ "amount" : 50,  "clientId": "90876" }'
    execution = system.run("deposit", text)
    running, succeeded = sorted(listener.events(2), key=lambda event: event["detail"]["stopDate"] or 0)
    started_at, stopped_at = milliseconds(execution["startDate"]), milliseconds(execution["stopDate"])
    account = cloud.sts.get_caller_identity()["Account"]
    for event in (running, succeeded):
        uuid.UUID(event["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
        envelope = {
            name: event[name] for name in ("version", "detail-type", "source", "account", "region", "resources")
        }
        assert envelope == {
            "version": "0",
            "detail-type": STATUS_CHANGE,
            "source": "aws.states",
            "account": account,
            "region": cloud.events.meta.region_name,
            "resources": [execution["executionArn"]],
        }
        detail = event["detail"]
        assert (detail["input"], detail["inputDetails"]) == (text, {"included": True})
        assert (detail["executionArn"], detail["stateMachineArn"]) == (
            execution["executionArn"],
            system.machine("deposit"),
        )
        assert (detail["name"], detail["startDate"]) == (execution["name"], started_at)
        assert (detail["error"], detail["cause"]) == (None, None)
    ends = [
        [event["detail"][name] for name in ("status", "stopDate", "output", "outputDetails")]
        for event in (running, succeeded)
    ]
    assert ends == [
        ["RUNNING", None, None, None],
        ["SUCCEEDED", stopped_at, execution["output"], {"included": True}],
    ]


def test_the_table_holds_one_row_for_each_execution(system):
    execution = system.run("deposit")
    row = system.ended_rows([execution["executionArn"]])[execution["executionArn"]]
    assert row == {
        "executionId": execution["executionArn"],
        "machine": system.machine("deposit"),
        "kind": "deposit",
        "clientId": "90876",
        "input": INPUT,
        "output": execution["output"],
        "status": "SUCCEEDED",
        "startDate": milliseconds(execution["startDate"]),
        "stopDate": milliseconds(execution["stopDate"]),
        "redriveCount": 0,
    }


def test_the_index_lists_the_newest_of_a_client(cloud, system):
    client = uuid.uuid4().hex
    text = json.dumps({"amount": 1, "clientId": client})
    executions = []
    for kind in ("deposit", "withdrawal", "deposit"):
        executions.append(system.run(kind, text)["executionArn"])
    system.ended_rows(executions)
    newest = cloud.dynamodb.query(
        TableName=system.table,
        IndexName="by-client",
        KeyConditionExpression="clientId = :client",
        ExpressionAttributeValues={":client": {"S": client}},
        ScanIndexForward=False,
        Limit=2,
    )
    assert [item["executionId"]["S"] for item in newest["Items"]] == executions[:0:-1]


def test_each_end_is_told_to_the_table(cloud, system, listen):
    other = cloud.states.create_state_machine(
        name=f"{system.stage}-other-{uuid.uuid4().hex[:6]}",
        definition=json.dumps(PASS_ONLY),
        roleArn=cloud.states.describe_state_machine(stateMachineArn=system.machine("deposit"))["roleArn"],
    )["stateMachineArn"]
    listener = listen(other)
    others = cloud.states.start_execution(stateMachineArn=other)["executionArn"]

    withdrawn = system.run("withdrawal")
    failed = system.run("deposit", '{"amount": 50, "clientId": "90876", "fail": true}')
    slow = system.start("deposit", '{"amount": 50, "clientId": "90876", "sleepMs": 2500}')
    eventually(system.rows, lambda rows: rows.get(slow, {}).get("status") == "RUNNING")
    cloud.states.stop_execution(executionArn=slow, error="Operator", cause="changed my mind")
    stopped = system.ended(slow)

    assert withdrawn["status"] == "SUCCEEDED"
    assert (failed["status"], failed["error"], failed.get("output")) == ("FAILED", "Error", None)
    cause = json.loads(failed["cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("Error", "Deposit was refused by the trading account")
    if system.variant == "node":  # The runtime for Rust has no stack trace to tell.
        assert cause["trace"][0] == "Error: Deposit was refused by the trading account"
    assert [stopped[name] for name in ("status", "error", "cause")] == ["ABORTED", "Operator", "changed my mind"]

    expected = {withdrawn["executionArn"]: "SUCCEEDED", failed["executionArn"]: "FAILED", slow: "ABORTED"}
    rows = system.ended_rows(expected)
    assert {arn: row["status"] for arn, row in rows.items()} == expected
    assert [rows[slow][name] for name in ("error", "cause")] == ["Operator", "changed my mind"]
    # A rule sees the machines that it names and no other.
    assert {event["detail"]["executionArn"] for event in listener.events(2)} == {others}
    assert others not in system.rows()
    cloud.states.delete_state_machine(stateMachineArn=other)


def test_executions_are_listed_newest_first_in_pages(cloud, system):
    machine = system.machine("withdrawal")
    started = [system.run("withdrawal", text)["executionArn"] for text in (INPUT, '{"amount":1,"fail":true}', INPUT)]
    first = cloud.states.list_executions(stateMachineArn=machine, maxResults=2)
    assert [execution["executionArn"] for execution in first["executions"]] == started[:0:-1]
    second = cloud.states.list_executions(stateMachineArn=machine, maxResults=2, nextToken=first["nextToken"])
    assert second["executions"][0]["executionArn"] == started[0]

    pages = cloud.states.get_paginator("list_executions")
    every = [execution for page in pages.paginate(stateMachineArn=machine) for execution in page["executions"]]
    for status in ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"):
        filtered = pages.paginate(stateMachineArn=machine, statusFilter=status)
        listed = [execution["executionArn"] for page in filtered for execution in page["executions"]]
        assert listed == [execution["executionArn"] for execution in every if execution["status"] == status]


def test_two_hundred_executions_lose_nothing(system, listen):
    listener = listen(*system.machines)
    started_at = time.monotonic()
    executions = all_at_once(
        lambda n: system.run("deposit", json.dumps({"amount": n + 1, "clientId": "load"})), range(200)
    )
    run_s = time.monotonic() - started_at
    assert Counter(execution["status"] for execution in executions) == {"SUCCEEDED": 200}

    arns = [execution["executionArn"] for execution in executions]
    events = listener.events(400, deadline_s=60)
    assert Counter((event["detail"]["executionArn"], event["detail"]["status"]) for event in events) == Counter(
        [(arn, status) for arn in arns for status in ("RUNNING", "SUCCEEDED")]
    )
    rows = system.ended_rows(arns, deadline_s=60)
    assert Counter(row["status"] for row in rows.values()) == {"SUCCEEDED": 200}

    durations = [duration_ms(execution) for execution in executions]
    p50, p95 = percentile(durations, 50), percentile(durations, 95)
    print(f"\n{system.variant}: 200 executions in {run_s:.1f} s, p50 {p50} ms, p95 {p95} ms{resident_memory()}")


def resident_memory():
    """The resident memory of the server, if BUSWORK_PID names its process."""
    if "BUSWORK_PID" not in os.environ:
        return ""
    status = Path(f"/proc/{os.environ['BUSWORK_PID']}/status").read_text()
    kibibytes = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    return f", server {kibibytes // 1024} MiB resident"


def test_the_command_line_sees_the_same(system):
    execution = system.run("deposit")
    system.ended_rows([execution["executionArn"]])
    described = aws("stepfunctions", "describe-execution", "--execution-arn", execution["executionArn"])
    assert (described["status"], described["output"]) == ("SUCCEEDED", execution["output"])
    key = json.dumps({"executionId": {"S": execution["executionArn"]}})
    item = aws("dynamodb", "get-item", "--table-name", system.table, "--key", key, "--consistent-read")
    assert item["Item"]["status"] == {"S": "SUCCEEDED"}
    targets = aws("events", "list-targets-by-rule", "--rule", f"{system.stage}-meetup-recent-actions")
    assert [target["Id"] for target in targets["Targets"]] == ["writer" if system.is_ours else "Target0"]
    exports = {export["Name"]: export["Value"] for export in aws("cloudformation", "list-exports")["Exports"]}
    if system.is_ours:
        assert exports[f"{system.stage}-deposit-state-machine-arn"] == system.machine("deposit")
    else:  # CDK makes the names up.
        assert system.machine("deposit") in exports.values()


def test_deploying_the_same_again_changes_nothing(system):
    if not system.is_ours:
        pytest.skip("the templates are somebody else's")
    stack = system.stack(f"{system.stage}-recent-actions")
    keys = [f"ParameterKey={parameter['ParameterKey']},UsePreviousValue=true" for parameter in stack["Parameters"]]
    template = f"file://{EXAMPLE / 'templates' / 'recent-actions.yaml'}"
    command = ["cloudformation", "update-stack", "--stack-name", stack["StackName"], "--template-body", template]
    with pytest.raises(AssertionError, match="No updates are to be performed"):
        aws(*command, "--capabilities", "CAPABILITY_IAM", "--parameters", *keys)
    assert system.stack(stack["StackName"])["StackStatus"] == "CREATE_COMPLETE"


def test_a_stack_whose_export_is_used_stays(cloud, system):
    name = f"{system.stage}-deposit"
    try:
        cloud.cloudformation.delete_stack(StackName=name)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "ValidationError"
        assert f"{system.stage}-recent-actions" in str(refused)
    assert system.settled(name)["StackStatus"] in ("CREATE_COMPLETE", "DELETE_FAILED")
    assert system.run("deposit")["status"] == "SUCCEEDED"
