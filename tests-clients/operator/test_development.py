"""The development profile: nothing is proven, but who was given credentials here is known by them."""

import io
import json
import time
import zipfile

import pytest
from conftest import ACCOUNT, REGION, Server

CODE = """
import boto3
def handler(event, context):
    identity = boto3.client("sts").get_caller_identity()
    place = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket="of-function", CreateBucketConfiguration=place)
    boto3.client("s3").put_object(Bucket="of-function", Key="large", Body=bytes(3 << 20))
    boto3.client("sqs").create_queue(QueueName="of-function")
    return {"arn": identity["Arn"], "account": identity["Account"]}
"""
PLACE = {"LocationConstraint": REGION}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("development"), profile="development")
    yield server
    assert server.stop() == 0


def test_functions_act_as_their_role_in_their_account(server):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", CODE)
    client = server.client("lambda", key=ACCOUNT, read_timeout=120)
    client.create_function(
        FunctionName="who",
        Runtime="python3.12",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/path/absent",
        Timeout=60,
        Code={"ZipFile": package.getvalue()},
    )
    answer = client.invoke(FunctionName="who")
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    assert payload == {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/absent/who", "account": ACCOUNT}
    queues = server.client("sqs", key=ACCOUNT).list_queues()["QueueUrls"]
    assert [url.split("/")[-2:] for url in queues] == [[ACCOUNT, "of-function"]]
    buckets = server.client("s3", key=ACCOUNT).list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == ["of-function"]


def test_sessions_are_known_by_their_keys(server):
    account = "444455556666"
    role = f"arn:aws:iam::{account}:role/deploy"
    given = server.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    session = {"key": given["AccessKeyId"], "secret": "any", "token": given["SessionToken"]}
    who = server.client("sts", **session).get_caller_identity()
    assert (who["Account"], who["Arn"]) == (account, f"arn:aws:sts::{account}:assumed-role/deploy/me")
    server.client("s3", **session).create_bucket(Bucket="of-session", CreateBucketConfiguration=PLACE)
    mine = server.client("s3", key=account).list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in mine] == ["of-session"]


def test_resources_are_found_by_their_tags(server):
    tagging = server.client("resourcegroupstaggingapi")
    names = [f"tagged-{n}" for n in range(3)]
    for name in names:
        server.client("sqs").create_queue(QueueName=name)
    arns = [f"arn:aws:sqs:{REGION}:000000000000:{name}" for name in names]
    assert tagging.tag_resources(ResourceARNList=arns, Tags={"team": "red"})["FailedResourcesMap"] == {}
    pages = tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "team", "Values": ["red"]}], ResourcesPerPage=2
    )
    found = [mapping for page in pages for mapping in page["ResourceTagMappingList"]]
    assert found == [{"ResourceARN": arn, "Tags": [{"Key": "team", "Value": "red"}]} for arn in arns]
    assert list(tagging.get_paginator("get_tag_keys").paginate().search("TagKeys[]")) == ["team"]
    assert tagging.get_tag_values(Key="team")["TagValues"] == ["red"]
    assert tagging.untag_resources(ResourceARNList=arns, TagKeys=["team"])["FailedResourcesMap"] == {}
    assert tagging.get_resources()["ResourceTagMappingList"] == []
    with pytest.raises(tagging.exceptions.InvalidParameterException):
        tagging.get_resources(IncludeComplianceDetails=True)


def test_a_function_that_runs_on_does_not_keep_the_server_from_stopping(tmp_path):
    own = Server(tmp_path, profile="development")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", "import time\ndef handler(event, context):\n    time.sleep(600)\n")
    client = own.client("lambda", key=ACCOUNT)
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    settings = {"Runtime": "python3.12", "Handler": "index.handler", "Timeout": 900}
    client.create_function(FunctionName="slow", Role=role, Code={"ZipFile": package.getvalue()}, **settings)
    assert client.invoke(FunctionName="slow", InvocationType="Event")["StatusCode"] == 202
    logs = own.client("logs", key=ACCOUNT)
    deadline = time.monotonic() + 30
    while "/aws/lambda/slow" not in [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]]:
        assert time.monotonic() < deadline, "the function has not started"
        time.sleep(0.1)
    assert own.stop() == 0
    assert "their events run again at the next start" in (tmp_path / "log").read_text()
