"""The recent-actions system as a test sees it: deployed by boto3 from the example's own templates and packages."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import boto3
from botocore.config import Config

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "recent-actions"
VARIANTS = {
    "node": {"Runtime": "nodejs22.x", "Handler": "index.handler"},
    "rust": {"Runtime": "provided.al2023", "Handler": "bootstrap"},
}
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
STATUS_CHANGE = "Step Functions Execution Status Change"
INPUT = '{"amount": 50, "accountNumber": "179", "clientId": "90876"}'


def built_variants():
    """The variants that build.sh has packed, by name."""
    return [name for name in VARIANTS if (EXAMPLE / "dist" / name / "recent-actions-writer.zip").exists()]


def eventually(read, is_enough, deadline_s=30.0, pause_s=0.05):
    """Reads until what was read is enough, and answers it. Fails with the last answer after `deadline_s` seconds."""
    end = time.monotonic() + deadline_s
    while True:
        answer = read()
        if is_enough(answer):
            return answer
        assert time.monotonic() < end, f"not within {deadline_s} s; last seen: {shortened(answer)}"
        time.sleep(pause_s)


def shortened(value, length=600):
    text = repr(value)
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


def all_at_once(do, items, parallel=20):
    """Does something with each item, `parallel` of them at a time; answers the results in the order of the items."""
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(do, items))


class Cloud:
    """The clients of one endpoint. Only region and endpoint come from outside, as every AWS SDK reads them."""

    def __init__(self, endpoint_url=None, retries=3):
        session = boto3.Session()
        config = Config(retries={"total_max_attempts": retries}, max_pool_connections=32)

        def client(name):
            return session.client(name, endpoint_url=endpoint_url, config=config)

        self.cloudformation = client("cloudformation")
        self.dynamodb = client("dynamodb")
        self.events = client("events")
        self.lambda_ = client("lambda")
        self.s3 = client("s3")
        self.sqs = client("sqs")
        self.states = client("stepfunctions")
        self.sts = client("sts")


class System:
    """Three stacks with names of their own, so that a run neither finds nor leaves anything of another one."""

    def __init__(self, cloud, variant, stage=None):
        self.cloud = cloud
        self.variant = variant
        self.stage = stage or f"t{uuid.uuid4().hex[:8]}"
        self.bucket = f"packages-{self.stage}"
        self.stacks = []
        self.outputs = {}
        self.is_ours = True

    def deploy(self):
        self.cloud.s3.create_bucket(
            Bucket=self.bucket,
            CreateBucketConfiguration={"LocationConstraint": self.cloud.s3.meta.region_name},
        )
        self.deploy_stack("deposit", "deposit")
        self.deploy_stack("withdrawal", "withdrawal")
        self.deploy_stack("recent-actions", "recent-actions-writer", TableName=f"{self.stage}-executions")
        return self

    def attached(self):
        """The system as it stands, deployed by other means than ours."""
        self.is_ours = False
        for kind in ("deposit", "withdrawal", "recent-actions"):
            self.outputs[kind] = outputs(self.stack(f"{self.stage}-{kind}"))
        return self

    def deploy_stack(self, template, function, **parameters):
        package = (EXAMPLE / "dist" / self.variant / f"{function}.zip").read_bytes()
        key = f"{function}/{sha256(package).hexdigest()[:16]}.zip"
        self.cloud.s3.put_object(Bucket=self.bucket, Key=key, Body=package)
        parameters |= {"Stage": self.stage, "CodeBucket": self.bucket, "CodeKey": key} | VARIANTS[self.variant]
        name = f"{self.stage}-{template}"
        self.cloud.cloudformation.create_stack(
            StackName=name,
            TemplateBody=(EXAMPLE / "templates" / f"{template}.yaml").read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        )
        self.stacks.append(name)
        stack = self.settled(name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", self.failures(name)
        self.outputs[template] = outputs(stack)

    def stack(self, name):
        return self.cloud.cloudformation.describe_stacks(StackName=name)["Stacks"][0]

    def settled(self, name):
        """The stack's description, once nothing is going on any more."""
        return eventually(lambda: self.stack(name), lambda stack: not stack["StackStatus"].endswith("IN_PROGRESS"), 60)

    def failures(self, name):
        events = self.cloud.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        ]

    def machine(self, kind):
        return self.outputs[kind]["StateMachineArn"]

    @property
    def machines(self):
        return [self.machine("deposit"), self.machine("withdrawal")]

    @property
    def table(self):
        return self.outputs["recent-actions"]["ExecutionsTable"]

    def start(self, kind, text=INPUT, **more):
        return self.cloud.states.start_execution(stateMachineArn=self.machine(kind), input=text, **more)["executionArn"]

    def ended(self, execution_arn, deadline_s=30.0):
        """The description of an execution, once it has ended."""
        return eventually(
            lambda: self.cloud.states.describe_execution(executionArn=execution_arn),
            lambda execution: execution["status"] in ENDED,
            deadline_s,
            pause_s=0.02,
        )

    def run(self, kind, text=INPUT, **more):
        return self.ended(self.start(kind, text, **more))

    def rows(self):
        """All rows of the table, as plain dictionaries by execution ARN."""
        pages = self.cloud.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        items = [{name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        assert len({item["executionId"] for item in items}) == len(items), "two rows for one execution"
        return {item["executionId"]: item for item in items}

    def ended_rows(self, executions, deadline_s=30.0):
        """The rows of these executions, once each of them shows an end."""

        def all_ended(rows):
            return all(rows.get(arn, {}).get("status") in ENDED for arn in executions)

        rows = eventually(self.rows, all_ended, deadline_s)
        return {arn: rows[arn] for arn in executions}

    def delete(self):
        while self.stacks:
            self.delete_stack(self.stacks.pop())
        objects = self.cloud.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        for item in objects:
            self.cloud.s3.delete_object(Bucket=self.bucket, Key=item["Key"])
        self.cloud.s3.delete_bucket(Bucket=self.bucket)

    def delete_stack(self, name):
        stack_id = self.stack(name)["StackId"]
        self.cloud.cloudformation.delete_stack(StackName=name)
        stack = self.settled(stack_id)
        assert stack["StackStatus"] == "DELETE_COMPLETE", self.failures(stack_id)


class Listener:
    """A second rule on the default bus, which sends the status changes of some machines to a queue."""

    def __init__(self, cloud, machines):
        self.cloud = cloud
        self.name = f"listener-{uuid.uuid4().hex[:12]}"
        pattern = {
            "source": ["aws.states"],
            "detail-type": [STATUS_CHANGE],
            "detail": {"stateMachineArn": machines},
        }
        self.rule_arn = cloud.events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))["RuleArn"]
        self.url = cloud.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = cloud.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        cloud.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": self.policy(arn)})
        refused = cloud.events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": arn}])["FailedEntries"]
        assert refused == []
        self.received = []

    def policy(self, queue_arn):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.rule_arn}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def receive(self, wait_s):
        """Takes what is in the queue, waiting up to `wait_s` seconds for a first message; answers how many came."""
        answer = self.cloud.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s)
        messages = answer.get("Messages", [])
        for message in messages:
            self.received.append(json.loads(message["Body"]))
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self.cloud.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        return len(messages)

    def events(self, count, deadline_s=30.0):
        """The events received, once there are `count` of them and the queue stays empty for a second after them."""
        end = time.monotonic() + deadline_s
        while len(self.received) < count:
            assert time.monotonic() < end, f"{len(self.received)} of {count} events within {deadline_s} s"
            self.receive(wait_s=1)
        while self.receive(wait_s=1):
            pass
        assert len(self.received) == count
        return self.received

    def delete(self):
        self.cloud.events.remove_targets(Rule=self.name, Ids=["queue"])
        self.cloud.events.delete_rule(Name=self.name)
        self.cloud.sqs.delete_queue(QueueUrl=self.url)


def outputs(stack):
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def plain(value):
    ((kind, content),) = value.items()
    return int(content) if kind == "N" else content


def milliseconds(moment: datetime):
    return round(moment.timestamp() * 1000)


def duration_ms(execution):
    return milliseconds(execution["stopDate"]) - milliseconds(execution["startDate"])


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
