"""The AWS CLI creates, shows, changes and deletes every kind of resource that Recent actions has: all that tools like it ask for."""

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from conftest import ACCOUNT, KEY, REGION, SECRET

AWS = Path(sys.executable).with_name("aws")
SOURCE = "import os\n\ndef handler(event, context):\n    return os.environ.get('SAYS', '%s')\n"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}]}
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"


@pytest.fixture(scope="module")
def aws(server, tmp_path_factory):
    directory = tmp_path_factory.mktemp("cli")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_PAGER": "",
    }

    def run(*arguments, fails=None):
        """Runs a command in a directory of its own; its answer as a document, or its text where that is no JSON."""
        words = [word if isinstance(word, str) else json.dumps(word) for word in arguments]
        # For queues, version 1 does not read AWS_ENDPOINT_URL.
        command = [AWS, "--endpoint-url", server.address, "--output", "json", *words]
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=120)
        if fails:
            assert done.returncode != 0 and fails in done.stderr, done.stderr or done.stdout
            return None
        assert done.returncode == 0, f"{words}: {done.stderr}"
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return done.stdout

    run.directory = directory
    return run


def package(aws, name, text):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", SOURCE % text)
    (aws.directory / name).write_bytes(buffer.getvalue())
    return f"fileb://{name}"


def test_functions(aws):
    name = ["--function-name", "cli"]
    made = aws(
        "lambda", "create-function", *name, "--runtime", "python3.12", "--handler", "index.handler",
        "--role", ROLE, "--zip-file", package(aws, "one.zip", "one"), "--tags", "team=a", "--publish",
    )  # fmt: skip
    aws("lambda", "wait", "function-active-v2", *name)
    got = aws("lambda", "get-function", *name)
    assert got["Configuration"]["CodeSha256"] == made["CodeSha256"]
    assert got["Tags"] == {"team": "a"}
    assert got["Code"]["Location"].startswith("http")
    assert "arn:" not in json.dumps(aws("lambda", "get-function-code-signing-config", *name))
    aws("lambda", "update-function-configuration", *name, "--timeout", "9", "--environment", "Variables={STAGE=dev}")
    aws("lambda", "wait", "function-updated", *name)
    aws("lambda", "update-function-code", *name, "--zip-file", package(aws, "two.zip", "two"))
    shown = aws("lambda", "get-function-configuration", *name)
    assert (shown["Timeout"], shown["Environment"]) == (9, {"Variables": {"STAGE": "dev"}})
    aws("lambda", "invoke", *name, "answer.json")
    assert json.loads((aws.directory / "answer.json").read_text()) == "two"
    aws("lambda", "put-function-concurrency", *name, "--reserved-concurrent-executions", "3")
    assert aws("lambda", "get-function-concurrency", *name)["ReservedConcurrentExecutions"] == 3
    aws("lambda", "create-alias", *name, "--name", "live", "--function-version", "1")
    assert aws("lambda", "get-alias", *name, "--name", "live")["FunctionVersion"] == "1"
    aws("lambda", "tag-resource", "--resource", made["FunctionArn"].removesuffix(":1"), "--tags", "team=b")
    assert aws("lambda", "list-tags", "--resource", made["FunctionArn"].removesuffix(":1"))["Tags"] == {"team": "b"}
    allowed = ["--statement-id", "s", "--action", "lambda:InvokeFunction", "--principal", "events.amazonaws.com"]
    aws("lambda", "add-permission", *name, *allowed)
    assert '"s"' in aws("lambda", "get-policy", *name)["Policy"]
    aws("lambda", "remove-permission", *name, "--statement-id", "s")
    assert len(aws("lambda", "list-versions-by-function", *name)["Versions"]) == 2
    aws("lambda", "delete-function", *name)
    aws("lambda", "get-function", *name, fails="ResourceNotFoundException")


def test_roles(aws):
    name = ["--role-name", "cli"]
    aws("iam", "create-role", *name, "--assume-role-policy-document", TRUST, "--tags", "Key=team,Value=a")
    aws("iam", "wait", "role-exists", *name)
    aws("iam", "put-role-policy", *name, "--policy-name", "write", "--policy-document", ALLOW)
    assert aws("iam", "get-role-policy", *name, "--policy-name", "write")["PolicyDocument"] == ALLOW
    aws("iam", "attach-role-policy", *name, "--policy-arn", READ_ONLY)
    assert aws("iam", "list-attached-role-policies", *name)["AttachedPolicies"][0]["PolicyArn"] == READ_ONLY
    aws("iam", "update-role", *name, "--description", "by the CLI", "--max-session-duration", "7200")
    aws("iam", "update-assume-role-policy", *name, "--policy-document", TRUST)
    role = aws("iam", "get-role", *name)["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("by the CLI", 7200)
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert aws("iam", "list-role-tags", *name)["Tags"] == [{"Key": "team", "Value": "a"}]
    aws("iam", "delete-role", *name, fails="DeleteConflict")
    assert aws("iam", "list-instance-profiles-for-role", *name)["InstanceProfiles"] == []
    aws("iam", "detach-role-policy", *name, "--policy-arn", READ_ONLY)
    aws("iam", "delete-role-policy", *name, "--policy-name", "write")
    aws("iam", "delete-role", *name)
    aws("iam", "get-role", *name, fails="NoSuchEntity")


def test_tables(aws):
    name = ["--table-name", "cli"]
    made = aws(
        "dynamodb", "create-table", *name, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S", "AttributeName=client,AttributeType=S",
        "--key-schema", "AttributeName=id,KeyType=HASH", "--tags", "Key=team,Value=a",
        "--global-secondary-indexes",
        "IndexName=by-client,KeySchema=[{AttributeName=client,KeyType=HASH}],Projection={ProjectionType=ALL}",
    )["TableDescription"]  # fmt: skip
    aws("dynamodb", "wait", "table-exists", *name)
    aws("dynamodb", "put-item", *name, "--item", {"id": {"S": "1"}, "client": {"S": "c"}})
    asked = ["--key-condition-expression", "client = :c", "--expression-attribute-values", {":c": {"S": "c"}}]
    assert aws("dynamodb", "query", *name, "--index-name", "by-client", *asked)["Count"] == 1
    aws("dynamodb", "update-time-to-live", *name, "--time-to-live-specification", "Enabled=true,AttributeName=end")
    ttl = aws("dynamodb", "describe-time-to-live", *name)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "end"
    backups = aws("dynamodb", "describe-continuous-backups", *name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    streams = "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
    aws("dynamodb", "update-table", *name, "--stream-specification", streams, "--deletion-protection-enabled")
    aws("dynamodb", "wait", "table-exists", *name)
    table = aws("dynamodb", "describe-table", *name)["Table"]
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    tags = aws("dynamodb", "list-tags-of-resource", "--resource-arn", made["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]
    aws("dynamodb", "delete-table", *name, fails="ValidationException")
    aws("dynamodb", "update-table", *name, "--no-deletion-protection-enabled")
    aws("dynamodb", "delete-table", *name)
    aws("dynamodb", "wait", "table-not-exists", *name)


def test_queues(aws):
    url = aws("sqs", "create-queue", "--queue-name", "cli", "--attributes", "VisibilityTimeout=60", "--tags", "team=a")
    named = ["--queue-url", url["QueueUrl"]]
    assert aws("sqs", "get-queue-url", "--queue-name", "cli") == url
    aws("sqs", "set-queue-attributes", *named, "--attributes", "VisibilityTimeout=30")
    attributes = aws("sqs", "get-queue-attributes", *named, "--attribute-names", "All")["Attributes"]
    assert attributes["VisibilityTimeout"] == "30"
    aws("sqs", "tag-queue", *named, "--tags", "stage=dev")
    assert aws("sqs", "list-queue-tags", *named)["Tags"] == {"team": "a", "stage": "dev"}
    aws("sqs", "send-message", *named, "--message-body", "hello")
    assert aws("sqs", "receive-message", *named)["Messages"][0]["Body"] == "hello"
    aws("sqs", "purge-queue", *named)
    aws("sqs", "delete-queue", *named)
    aws("sqs", "get-queue-url", "--queue-name", "cli", fails="NonExistentQueue")


def test_rules(aws):
    name = ["--name", "cli"]
    made = aws("events", "put-rule", *name, "--event-pattern", {"source": ["cli"]}, "--tags", "Key=team,Value=a")
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:any"
    aws("events", "put-targets", "--rule", "cli", "--targets", f"Id=q,Arn={queue}")
    assert aws("events", "list-targets-by-rule", "--rule", "cli")["Targets"] == [{"Id": "q", "Arn": queue}]
    aws("events", "put-rule", *name, "--event-pattern", {"source": ["other"]}, "--description", "by the CLI")
    aws("events", "disable-rule", *name)
    rule = aws("events", "describe-rule", *name)
    assert (rule["State"], rule["Description"]) == ("DISABLED", "by the CLI")
    assert json.loads(rule["EventPattern"]) == {"source": ["other"]}
    tags = aws("events", "list-tags-for-resource", "--resource-arn", made["RuleArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]
    aws("events", "delete-rule", *name, fails="ValidationException")
    aws("events", "remove-targets", "--rule", "cli", "--ids", "q")
    aws("events", "delete-rule", *name)
    aws("events", "describe-rule", *name, fails="ResourceNotFoundException")


def test_machines(aws):
    role = ["--role-arn", ROLE]
    valid = aws("stepfunctions", "validate-state-machine-definition", "--definition", MACHINE)
    assert valid["result"] == "OK"
    made = aws("stepfunctions", "create-state-machine", "--name", "cli", "--definition", MACHINE, *role)
    named = ["--state-machine-arn", made["stateMachineArn"]]
    changed = MACHINE | {"Comment": "by the CLI"}
    aws("stepfunctions", "update-state-machine", *named, "--definition", changed)
    assert json.loads(aws("stepfunctions", "describe-state-machine", *named)["definition"]) == changed
    arn = ["--resource-arn", made["stateMachineArn"]]
    aws("stepfunctions", "tag-resource", *arn, "--tags", "key=team,value=a")
    assert aws("stepfunctions", "list-tags-for-resource", *arn)["tags"] == [{"key": "team", "value": "a"}]
    started = aws("stepfunctions", "start-execution", *named, "--input", "{}")
    execution = ["--execution-arn", started["executionArn"]]
    assert aws("stepfunctions", "describe-execution", *execution)["status"] == "SUCCEEDED"
    assert aws("stepfunctions", "list-state-machine-versions", *named)["stateMachineVersions"] == []
    aws("stepfunctions", "delete-state-machine", *named)


def test_buckets(aws):
    name = ["--bucket", "cli-bucket"]
    aws("s3", "mb", "s3://cli-bucket")
    aws("s3api", "wait", "bucket-exists", *name)
    assert aws("s3api", "get-bucket-location", *name)["LocationConstraint"] == REGION
    aws("s3api", "put-bucket-versioning", *name, "--versioning-configuration", "Status=Enabled")
    assert aws("s3api", "get-bucket-versioning", *name)["Status"] == "Enabled"
    aws("s3api", "put-bucket-tagging", *name, "--tagging", "TagSet=[{Key=team,Value=a}]")
    assert aws("s3api", "get-bucket-tagging", *name)["TagSet"] == [{"Key": "team", "Value": "a"}]
    website = {"IndexDocument": {"Suffix": "index.html"}}
    aws("s3api", "put-bucket-website", *name, "--website-configuration", website)
    assert aws("s3api", "get-bucket-website", *name) == website
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::cli-bucket/*"}
        ],
    }
    aws("s3api", "put-bucket-policy", *name, "--policy", policy)
    assert json.loads(aws("s3api", "get-bucket-policy", *name)["Policy"]) == policy
    blocked = {key: False for key in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
    aws("s3api", "put-public-access-block", *name, "--public-access-block-configuration", blocked)
    assert aws("s3api", "get-public-access-block", *name)["PublicAccessBlockConfiguration"] == blocked
    assert aws("s3api", "get-bucket-acl", *name)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert aws("s3api", "get-bucket-encryption", *name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert aws("s3api", "get-bucket-request-payment", *name) == {"Payer": "BucketOwner"}
    for nothing in ("get-bucket-logging", "get-bucket-accelerate-configuration"):
        assert aws("s3api", nothing, *name) == ""
    for absent, code in (
        ("get-bucket-cors", "NoSuchCORSConfiguration"),
        ("get-bucket-lifecycle-configuration", "NoSuchLifecycleConfiguration"),
        ("get-bucket-replication", "ReplicationConfigurationNotFoundError"),
        ("get-object-lock-configuration", "ObjectLockConfigurationNotFoundError"),
    ):
        aws("s3api", absent, *name, fails=code)
    (aws.directory / "index.html").write_text("<p>hello</p>")
    aws("s3", "cp", "index.html", "s3://cli-bucket/index.html")
    assert aws("s3api", "head-object", *name, "--key", "index.html")["ContentType"] == "text/html"
    assert aws("s3", "cp", "s3://cli-bucket/index.html", "-") == "<p>hello</p>"
    aws("s3api", "delete-bucket", *name, fails="BucketNotEmpty")
    for version in aws("s3api", "list-object-versions", *name)["Versions"]:
        aws("s3api", "delete-object", *name, "--key", version["Key"], "--version-id", version["VersionId"])
    aws("s3", "rb", "s3://cli-bucket")
    aws("s3api", "wait", "bucket-not-exists", *name)


def test_parameters(aws):
    name = ["--name", "/cli/stage"]
    aws("ssm", "put-parameter", *name, "--value", "dev", "--type", "String", "--tags", "Key=team,Value=a")
    aws("ssm", "put-parameter", *name, "--value", "prod", "--overwrite")
    got = aws("ssm", "get-parameter", *name)["Parameter"]
    assert (got["Value"], got["Version"]) == ("prod", 2)
    filters = ["--parameter-filters", "Key=Name,Values=/cli/stage"]
    assert aws("ssm", "describe-parameters", *filters)["Parameters"][0]["Name"] == "/cli/stage"
    tagged = ["--resource-type", "Parameter", "--resource-id", "/cli/stage"]
    assert aws("ssm", "list-tags-for-resource", *tagged)["TagList"] == [{"Key": "team", "Value": "a"}]
    aws("ssm", "delete-parameter", *name)
    aws("ssm", "get-parameter", *name, fails="ParameterNotFound")


def test_stacks(aws):
    name = ["--stack-name", "cli"]
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Url": {"Value": {"Ref": "Q"}}}}
    aws("cloudformation", "create-stack", *name, "--template-body", template)
    aws("cloudformation", "wait", "stack-create-complete", *name)
    template["Resources"]["Q"]["Properties"] = {"DelaySeconds": 1}
    (aws.directory / "template.json").write_text(json.dumps(template))
    aws("cloudformation", "deploy", *name, "--template-file", "template.json")
    stack = aws("cloudformation", "describe-stacks", *name)["Stacks"][0]
    attributes = ["--queue-url", stack["Outputs"][0]["OutputValue"], "--attribute-names", "DelaySeconds"]
    assert aws("sqs", "get-queue-attributes", *attributes)["Attributes"] == {"DelaySeconds": "1"}
    aws("cloudformation", "delete-stack", *name)
    aws("cloudformation", "wait", "stack-delete-complete", *name)
