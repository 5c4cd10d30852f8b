"""Constructs of the CDK that bring functions of their own: made, changed and taken away, one step a test, in order."""

import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from conftest import REGION, server_seconds, status
from recent_actions import outputs

SOURCE = Path(__file__).with_name("constructs")
STACK = "constructs"


@pytest.fixture(scope="module")
def client(address):
    return lambda name: boto3.client(name, endpoint_url=address, region_name=REGION)


@pytest.fixture
def made(cloud):
    return outputs(cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0])


def deploy(app, cloud, *context):
    app.cdk("synth", "--quiet", *context, synthesized=False)
    app.cdk("deploy", STACK, "--require-approval", "never")
    print(f"  {STACK}: {server_seconds(cloud, STACK):.2f} s of the server's")


def keys(cloud, bucket):
    return [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def retention(client, name):
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return group["retentionInDays"]


def test_deploy(app, cloud):
    app.cdk("bootstrap", f"aws://000000000000/{REGION}", synthesized=False)
    deploy(app, cloud)
    assert status(cloud, STACK) == "CREATE_COMPLETE"


def test_files_are_in_their_buckets(cloud, made):
    assert keys(cloud, made["SiteBucket"]) == ["about.html", "config.json", "index.html"]
    page = cloud.s3.get_object(Bucket=made["SiteBucket"], Key="index.html")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html", "max-age=300")
    config = json.load(cloud.s3.get_object(Bucket=made["SiteBucket"], Key="config.json")["Body"])
    assert config == {"table": made["TableName"], "arn": made["TableArn"], "title": "first"}
    assert keys(cloud, made["DocsBucket"]) == ["manual/today/title.txt", "manual/today/use.txt"]


def test_functions_have_done_their_part(client, made):
    assert retention(client, made["LogGroup"]) == 7
    assert client("ssm").get_parameter(Name="/constructs/title")["Parameter"]["Value"] == "first"
    assert (made["Asked"], made["Answered"]) == ("Create first", "yes")
    assert made["TicketId"] == "ticket-of-Ticket"
    assert made["Quick"] == "Create first"


def test_a_change_is_deployed(app, cloud, client):
    (app.directory / "site" / "about.html").rename(app.directory / "site" / "contact.html")
    (app.directory / "docs" / "use.txt").rename(app.directory / "docs" / "repair.txt")
    deploy(app, cloud, "--context", "title=second")
    made = outputs(cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0])
    assert status(cloud, STACK) == "UPDATE_COMPLETE"
    assert keys(cloud, made["SiteBucket"]) == ["config.json", "contact.html", "index.html"]
    config = json.load(cloud.s3.get_object(Bucket=made["SiteBucket"], Key="config.json")["Body"])
    assert (config["table"], config["title"]) == (made["TableName"], "second")
    # Without pruning, what is not deployed any more stays.
    names = ["repair.txt", "title.txt", "use.txt"]
    assert keys(cloud, made["DocsBucket"]) == [f"manual/today/{name}" for name in names]
    assert retention(client, made["LogGroup"]) == 30
    assert client("ssm").get_parameter(Name="/constructs/title")["Parameter"]["Value"] == "second"
    assert (made["Asked"], made["Answered"], made["Quick"]) == ("Update second", "yes", "Update second")


def test_destroy(app, cloud, client, made):
    app.cdk("destroy", STACK, "--force")
    assert status(cloud, STACK) is None
    left = {bucket["Name"] for bucket in cloud.s3.list_buckets()["Buckets"]}
    assert not left & {made["SiteBucket"], made["DocsBucket"]}
    assert cloud.lambda_.list_functions()["Functions"] == []
    assert cloud.states.list_state_machines()["stateMachines"] == []
    assert cloud.dynamodb.list_tables()["TableNames"] == []
    with pytest.raises(ClientError, match="ParameterNotFound"):
        client("ssm").get_parameter(Name="/constructs/title")
