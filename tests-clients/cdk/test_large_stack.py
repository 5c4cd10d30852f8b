"""One stack of two hundred resources is made, changed and taken away; what the server takes for it is printed."""

import json

from conftest import server_seconds
from recent_actions import eventually

STACK = "large"
COUNTS = {"Queue": 40, "Topic": 30, "Table": 20, "Rule": 30, "Function": 20, "Parameter": 30, "Role": 30}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def template(word):
    """`word` is in a property of every resource but the tables and topics, and can be changed in place."""
    makers = {
        "Queue": lambda n: ("AWS::SQS::Queue", {"Tags": [{"Key": "word", "Value": word}]}),
        "Topic": lambda n: ("AWS::SNS::Topic", {"DisplayName": f"topic {n}"}),
        "Table": table,
        "Rule": lambda n: rule(n, word),
        "Function": lambda n: function(n, word),
        "Parameter": lambda n: parameter(n, word),
        "Role": lambda n: ("AWS::IAM::Role", {"AssumeRolePolicyDocument": TRUST, "Description": word}),
    }
    resources = {}
    for kind, count in COUNTS.items():
        for n in range(count):
            made, properties = makers[kind](n)
            resources[f"{kind}{n}"] = {"Type": made, "Properties": properties}
    assert len(resources) == 200
    return json.dumps({"Resources": resources}, separators=(",", ":"))


def table(n):
    names = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    return "AWS::DynamoDB::Table", names | {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}


def parameter(n, word):
    return "AWS::SSM::Parameter", {"Type": "String", "Value": {"Fn::Sub": f"{word} ${{Queue{n}}}"}}


def rule(n, word):
    target = {"Id": "queue", "Arn": {"Fn::GetAtt": [f"Queue{n}", "Arn"]}}
    return "AWS::Events::Rule", {"EventPattern": {"source": [word]}, "Targets": [target]}


def function(n, word):
    return "AWS::Lambda::Function", {
        "Runtime": "nodejs22.x",
        "Handler": "index.handler",
        "Code": {"ZipFile": "exports.handler = async () => null"},
        "Role": {"Fn::GetAtt": [f"Role{n}", "Arn"]},
        "Environment": {"Variables": {"WORD": word, "TABLE": {"Ref": f"Table{n}"}}},
    }


def test_two_hundred_resources(cloud):
    stacks = cloud.cloudformation
    capabilities = {"Capabilities": ["CAPABILITY_IAM"]}
    stack_id = stacks.create_stack(StackName=STACK, TemplateBody=template("first"), **capabilities)["StackId"]
    settled(cloud, stack_id, "CREATE_COMPLETE")
    pages = stacks.get_paginator("list_stack_resources").paginate(StackName=STACK)
    found = [resource["ResourceStatus"] for page in pages for resource in page["StackResourceSummaries"]]
    assert found == ["CREATE_COMPLETE"] * 200

    stacks.update_stack(StackName=STACK, TemplateBody=template("second"), **capabilities)
    settled(cloud, stack_id, "UPDATE_COMPLETE")
    functions = cloud.lambda_.get_paginator("list_functions").paginate()
    words = [found["Environment"]["Variables"]["WORD"] for page in functions for found in page["Functions"]]
    assert words == ["second"] * COUNTS["Function"]
    rules = cloud.events.list_rules()["Rules"]
    assert [json.loads(rule["EventPattern"]) for rule in rules] == [{"source": ["second"]}] * COUNTS["Rule"]

    stacks.delete_stack(StackName=STACK)
    settled(cloud, stack_id, "DELETE_COMPLETE")
    assert cloud.lambda_.list_functions()["Functions"] == []
    assert cloud.events.list_rules()["Rules"] == []
    assert cloud.dynamodb.list_tables()["TableNames"] == []
    assert cloud.sqs.list_queues().get("QueueUrls", []) == []


def settled(cloud, stack_id, wanted):
    """Waits until the stack's operation is over, and prints how long the server took for it."""

    def read():
        return cloud.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]

    found = eventually(read, lambda status: not status.endswith("IN_PROGRESS"), deadline_s=300, pause_s=0.2)
    assert found == wanted
    print(f"\n{wanted} of 200 resources: {server_seconds(cloud, stack_id):.2f} s")
