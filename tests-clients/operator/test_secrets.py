"""Parameters, secrets, keys and what stands around them, as boto3 meets them."""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_parameters(server):
    ssm = server.client("ssm")
    assert ssm.put_parameter(Name="/app/url", Value="one", Type="String")["Version"] == 1
    assert code_of(ssm.put_parameter, Name="/app/url", Value="two", Type="String") == "ParameterAlreadyExists"
    ssm.put_parameter(Name="/app/key", Value="hidden", Type="SecureString", Tags=[{"Key": "a", "Value": "1"}])
    assert ssm.get_parameter(Name="/app/key")["Parameter"]["Value"] != "hidden"
    shown = ssm.get_parameter(Name="/app/key", WithDecryption=True)["Parameter"]
    assert shown["Value"] == "hidden" and shown["ARN"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/key"
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/app", WithDecryption=True, PaginationConfig={"PageSize": 1}
    )
    assert [it["Value"] for page in pages for it in page["Parameters"]] == ["hidden", "one"]
    ssm.label_parameter_version(Name="/app/url", Labels=["live"])
    assert ssm.get_parameter(Name="/app/url:live")["Parameter"]["Selector"] == ":live"
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/aws/service/ami-amazon-linux-latest/none")
    described = ssm.describe_parameters(ParameterFilters=[{"Key": "tag:a", "Values": ["1"]}])["Parameters"]
    assert [it["KeyId"] for it in described] == ["alias/aws/ssm"]
    gone = ssm.delete_parameters(Names=["/app/url", "/app/key", "/none"])
    assert gone["InvalidParameters"] == ["/none"]


def test_secrets(server):
    secrets = server.client("secretsmanager")
    made = secrets.create_secret(Name="db/main", SecretString=json.dumps({"user": "a"}))
    assert secrets.get_secret_value(SecretId=made["ARN"])["SecretString"] == '{"user": "a"}'
    secrets.put_secret_value(SecretId="db/main", SecretBinary=b"\x00\x01")
    assert secrets.get_secret_value(SecretId="db/main")["SecretBinary"] == b"\x00\x01"
    before = secrets.get_secret_value(SecretId="db/main", VersionStage="AWSPREVIOUS")
    assert before["VersionId"] == made["VersionId"]
    assert len(secrets.get_random_password(PasswordLength=20)["RandomPassword"]) == 20
    secrets.delete_secret(SecretId="db/main", RecoveryWindowInDays=7)
    with pytest.raises(secrets.exceptions.InvalidRequestException):
        secrets.get_secret_value(SecretId="db/main")
    secrets.restore_secret(SecretId="db/main")
    secrets.delete_secret(SecretId="db/main", ForceDeleteWithoutRecovery=True)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.describe_secret(SecretId="db/main")
    assert code_of(secrets.rotate_secret, SecretId="db/main") == "NotImplementedException"


def test_keys(server):
    kms = server.client("kms")
    key = kms.create_key(Description="mine")["KeyMetadata"]
    assert key["KeyState"] == "Enabled" and key["Arn"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    sealed = kms.encrypt(KeyId="alias/mine", Plaintext=b"text", EncryptionContext={"a": "1"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "1"})["Plaintext"] == b"text"
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=sealed)
    data = kms.generate_data_key(KeyId="alias/mine", KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=data["CiphertextBlob"])["Plaintext"] == data["Plaintext"]
    assert code_of(kms.create_key, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY") == "UnsupportedOperationException"
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")


def test_repositories(server):
    ecr = server.client("ecr")
    made = ecr.create_repository(repositoryName="assets", imageTagMutability="IMMUTABLE")["repository"]
    assert made["repositoryUri"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/assets"
    ecr.set_repository_policy(repositoryName="assets", policyText='{"Statement": []}')
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.get_lifecycle_policy(repositoryName="assets")
    assert code_of(ecr.get_authorization_token) == "NotImplementedException"
    ecr.delete_repository(repositoryName="assets", force=True)


def test_nothing_is_recorded(server):
    trail = server.client("cloudtrail")
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateStack"}])
    assert found["Events"] == []


def test_policies_users_and_groups(server):
    iam = server.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    policy = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    document["Statement"][0]["Action"] = "sqs:*"
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(document), SetAsDefault=True)
    version = iam.get_policy_version(PolicyArn=policy, VersionId="v2")["PolicyVersion"]
    assert version["Document"] == document and version["IsDefaultVersion"]
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.create_group(GroupName="g")
    iam.create_user(UserName="ann", Tags=[{"Key": "a", "Value": "1"}])
    iam.add_user_to_group(GroupName="g", UserName="ann")
    iam.attach_group_policy(GroupName="g", PolicyArn=policy)
    assert [it["GroupName"] for it in iam.list_entities_for_policy(PolicyArn=policy)["PolicyGroups"]] == ["g"]
    assert [it["UserName"] for it in iam.get_group(GroupName="g")["Users"]] == ["ann"]
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Policies"] == 1 and summary["AccessKeysPerUserQuota"] == 2
    role = iam.create_service_linked_role(AWSServiceName="events.amazonaws.com")["Role"]
    assert code_of(iam.delete_role, RoleName=role["RoleName"]) == "UnmodifiableEntity"
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    iam.detach_group_policy(GroupName="g", PolicyArn=policy)
    iam.remove_user_from_group(GroupName="g", UserName="ann")
    for delete in [
        lambda: iam.delete_group(GroupName="g"),
        lambda: iam.delete_user(UserName="ann"),
        lambda: iam.delete_policy(PolicyArn=policy),
    ]:
        delete()


def test_whose_a_key_is(server):
    sts = server.client("sts")
    given = sts.get_federation_token(Name="guest")
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
    assert given["FederatedUser"]["Arn"] == arn
    credentials = given["Credentials"]
    key, secret, token = (credentials[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    assert server.client("sts", key, secret, token).get_caller_identity()["Arn"] == arn
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
