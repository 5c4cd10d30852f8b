"""The strict profile as boto3 meets it: who is let in, who is not, and in which words."""

import datetime
import io
import json
import time
import urllib.error
import urllib.request
import zipfile

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, KEY, REGION, SECRET

CALLS = {
    "sqs": "list_queues",
    "events": "list_event_buses",
    "dynamodb": "list_tables",
    "stepfunctions": "list_state_machines",
    "logs": "describe_log_groups",
    "lambda": "list_functions",
    "sts": "get_caller_identity",
    "iam": "list_roles",
    "cloudformation": "list_stacks",
    "s3": "list_buckets",
    "ssm": "describe_parameters",
    "secretsmanager": "list_secrets",
    "kms": "list_keys",
    "ecr": "describe_repositories",
}
UNKNOWN = {"lambda": "UnrecognizedClientException", "s3": "InvalidAccessKeyId"}
JSON = {"events", "dynamodb", "stepfunctions", "logs", "ssm", "secretsmanager", "kms", "ecr"}


def refused(client, service):
    with pytest.raises(ClientError) as caught:
        getattr(client, CALLS[service])()
    return caught.value.response["Error"]


@pytest.mark.parametrize("service", CALLS)
def test_the_right_key_is_let_in(server, service):
    getattr(server.client(service), CALLS[service])()


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_key_is_told_so(server, service):
    code = refused(server.client(service, key="AKIASTRANGER00000001"), service)["Code"]
    wanted = "UnrecognizedClientException" if service in JSON else UNKNOWN.get(service, "InvalidClientTokenId")
    assert code == wanted


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_is_told_so(server, service):
    code = refused(server.client(service, secret="another"), service)["Code"]
    assert code == ("InvalidSignatureException" if service in JSON | {"lambda"} else "SignatureDoesNotMatch")


@pytest.mark.parametrize(("service", "code", "message"), [
    ("sts", "SignatureDoesNotMatch", "Signature expired"),
    ("dynamodb", "InvalidSignatureException", "Signature expired"),
    ("s3", "RequestTimeTooSkewed", "difference between the request time"),
])
def test_a_clock_that_is_wrong_is_told_so(server, monkeypatch, service, code, message):
    client = server.client(service)
    late = datetime.timedelta(minutes=20)
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *given, **named: now(*given, **named) - late)
    error = refused(client, service)
    assert error["Code"] == code and message in error["Message"]


def test_the_account_is_the_keys(server):
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT and identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_temporary_credentials_act_as_their_role(server):
    role = "arn:aws:iam::444455556666:role/deploy"
    given = server.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    identity = server.client("sts", key, secret, token).get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::444455556666:assumed-role/deploy/me"
    server.client("s3", key, secret, token).list_buckets()
    assert refused(server.client("s3", key, secret, "another"), "s3")["Code"] == "InvalidToken"
    assert refused(server.client("sts", key, secret), "sts")["Code"] == "InvalidClientTokenId"


def test_a_users_access_key_signs_until_it_is_switched_off(server):
    iam = server.client("iam")
    iam.create_user(UserName="signer", Path="/team/")
    made = iam.create_access_key(UserName="signer")["AccessKey"]
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    identity = server.client("sts", key, secret).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/signer" and identity["Account"] == ACCOUNT
    assert server.client("iam", key, secret).get_user()["User"]["UserName"] == "signer"
    server.client("s3", key, secret).list_buckets()
    assert refused(server.client("sts", key, "another"), "sts")["Code"] == "SignatureDoesNotMatch"
    iam.update_access_key(UserName="signer", AccessKeyId=key, Status="Inactive")
    assert refused(server.client("sts", key, secret), "sts")["Code"] == "InvalidClientTokenId"
    iam.delete_access_key(UserName="signer", AccessKeyId=key)
    iam.delete_user(UserName="signer")


@pytest.fixture(scope="module")
def bucket(server):
    name = "strict-objects"
    server.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def fetch(url, data=None, method="GET"):
    """The status and the text of a request without credentials of its own."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_objects_come_and_go_with_every_kind_of_payload(server, bucket):
    body = b"0123456789abcdef" * 20_000
    client = server.client("s3")
    client.put_object(Bucket=bucket, Key="a b/ü+x", Body=body)
    client.put_object(Bucket=bucket, Key="streamed", Body=io.BytesIO(body), ChecksumAlgorithm="SHA256")
    unsigned = server.client("s3", s3={"payload_signing_enabled": False})
    unsigned.put_object(Bucket=bucket, Key="unsigned", Body=body)
    for key in ("a b/ü+x", "streamed", "unsigned"):
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == body


def test_presigned_urls_hold_as_they_were_signed(server, bucket):
    client = server.client("s3")
    put = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k y"}, ExpiresIn=60)
    assert fetch(put, b"content", "PUT")[0] == 200
    get = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k y"}, ExpiresIn=60)
    assert fetch(get) == (200, "content")
    for changed in (get.replace("Expires=60", "Expires=6000"), get.replace("k%20y", "other")):
        status, text = fetch(changed)
        assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in text
    status, text = fetch(get.split("?")[0])
    assert status == 403 and "<Code>AccessDenied</Code>" in text
    brief = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k y"}, ExpiresIn=1)
    deadline = time.monotonic() + 30
    while fetch(brief)[0] == 200:
        assert time.monotonic() < deadline, "the URL never ends"
    status, text = fetch(brief)
    assert status == 403 and "Request has expired" in text


def test_a_body_that_was_changed_is_refused(server):
    client = server.client("dynamodb")

    def tamper(request, **_):
        request.data = request.body = b'{"Limit": 1}'

    client.meta.events.register("before-send.dynamodb", tamper)
    assert refused(client, "dynamodb")["Code"] == "InvalidSignatureException"


CODE = """
import boto3
def handler(event, context):
    identity = boto3.client("sts").get_caller_identity()
    queues = boto3.client("sqs").list_queues()
    return {"arn": identity["Arn"], "status": queues["ResponseMetadata"]["HTTPStatusCode"]}
"""


def test_functions_sign_as_their_role(server):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", CODE)
    client = server.client("lambda", read_timeout=120)
    client.create_function(
        FunctionName="who",
        Runtime="python3.12",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/writer",
        Timeout=60,
        Code={"ZipFile": package.getvalue()},
    )
    answer = client.invoke(FunctionName="who")
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    assert payload == {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/writer/who", "status": 200}


def test_function_urls_with_iam_want_a_signature(server):
    client = server.client("lambda")
    url = client.create_function_url_config(FunctionName="who", AuthType="AWS_IAM")["FunctionUrl"]
    host = url.split("/")[2]
    request = botocore.awsrequest.AWSRequest("GET", f"{server.address}/", headers={"Host": host})

    def get(headers):
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{server.address}/", headers=headers)) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert get({"Host": host}) == 403
    credentials = botocore.credentials.Credentials(KEY, SECRET)
    botocore.auth.SigV4Auth(credentials, "lambda", REGION).add_auth(request)
    assert get(dict(request.headers)) == 200
    forged = dict(request.headers) | {"X-Amz-Date": "20200101T000000Z"}
    assert get(forged) == 403
