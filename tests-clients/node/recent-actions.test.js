// The recent-actions system, end to end, through the AWS SDK for JavaScript v3, on the server at AWS_ENDPOINT_URL.
// Needs examples/recent-actions/build.sh to have run; VARIANT chooses the functions, node without it.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import * as cfn from "@aws-sdk/client-cloudformation";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as ddb from "@aws-sdk/client-dynamodb";
import * as eb from "@aws-sdk/client-eventbridge";
import * as iam from "@aws-sdk/client-iam";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import * as sfn from "@aws-sdk/client-sfn";
import * as sqs from "@aws-sdk/client-sqs";
import * as sts from "@aws-sdk/client-sts";

process.env.AWS_REGION ??= "eu-central-1";
process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

const EXAMPLE = new URL("../../examples/recent-actions/", import.meta.url);
const VARIANT = process.env.VARIANT ?? "node";
const RUNTIMES = { node: ["nodejs22.x", "index.handler"], rust: ["provided.al2023", "bootstrap"] };
const INPUT = '{"amount": 50, "accountNumber": "179", "clientId": "90876"}';
const ENDED = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];
const STAGE = `n${randomUUID().slice(0, 8)}`;
const BUCKET = `packages-${STAGE}`;

const stacks = new cfn.CloudFormationClient({});
const tables = new ddb.DynamoDBClient({});
const events = new eb.EventBridgeClient({});
const functions = new lambda.LambdaClient({});
const objects = new s3.S3Client({ forcePathStyle: true });
const machines = new sfn.SFNClient({});
const queues = new sqs.SQSClient({});

const outputs = {};
const deployed = [];
const keys = [];

before(async () => {
  assert.ok(process.env.AWS_ENDPOINT_URL, "AWS_ENDPOINT_URL has to name a running server");
  await objects.send(new s3.CreateBucketCommand({ Bucket: BUCKET }));
  await deploy("deposit", "deposit");
  await deploy("withdrawal", "withdrawal");
  await deploy("recent-actions", "recent-actions-writer", { TableName: `${STAGE}-executions` });
});

after(async () => {
  for (const StackName of deployed.reverse()) {
    const { Stacks } = await stacks.send(new cfn.DescribeStacksCommand({ StackName }));
    await stacks.send(new cfn.DeleteStackCommand({ StackName }));
    await cfn.waitUntilStackDeleteComplete({ client: stacks, minDelay: 1, maxWaitTime: 60 }, { StackName: Stacks[0].StackId });
  }
  for (const Key of keys) await objects.send(new s3.DeleteObjectCommand({ Bucket: BUCKET, Key }));
  await objects.send(new s3.DeleteBucketCommand({ Bucket: BUCKET }));
});

test("the caller, a role and the functions are there", async () => {
  const { Account } = await new sts.STSClient({}).send(new sts.GetCallerIdentityCommand({}));
  assert.match(Account, /^\d{12}$/);
  const machine = await machines.send(new sfn.DescribeStateMachineCommand({ stateMachineArn: outputs.deposit.StateMachineArn }));
  assert.deepEqual([machine.name, machine.type, machine.status], [`${STAGE}-meetup-deposit`, "STANDARD", "ACTIVE"]);
  const role = await new iam.IAMClient({}).send(new iam.GetRoleCommand({ RoleName: machine.roleArn.split("/").pop() }));
  assert.equal(role.Role.Arn, machine.roleArn);
  const { Configuration } = await functions.send(new lambda.GetFunctionCommand({ FunctionName: `${STAGE}-meetup-deposit` }));
  const definition = JSON.parse(machine.definition);
  assert.equal(definition.States[definition.StartAt].Resource, Configuration.FunctionArn);
});

test("a function answers a direct call, and tells its errors", async () => {
  const FunctionName = `${STAGE}-meetup-withdrawal`;
  const good = await functions.send(new lambda.InvokeCommand({ FunctionName, Payload: INPUT }));
  assert.equal(good.FunctionError, undefined);
  assert.equal(JSON.parse(good.Payload.transformToString()).clientId, "90876");
  const bad = await functions.send(new lambda.InvokeCommand({ FunctionName, Payload: '{"fail":true}' }));
  assert.equal(bad.FunctionError, "Unhandled");
  assert.equal(JSON.parse(bad.Payload.transformToString()).errorType, "Error");
});

test("a deposit succeeds, and its history is complete", async () => {
  const execution = await run("deposit", INPUT);
  assert.equal(execution.status, "SUCCEEDED");
  assert.equal(execution.input, INPUT);
  const { ticketNumber, ...rest } = JSON.parse(execution.output);
  assert.match(ticketNumber, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, JSON.parse(INPUT));
  const { executionArn } = execution;
  const history = await machines.send(new sfn.GetExecutionHistoryCommand({ executionArn, includeExecutionData: true }));
  assert.deepEqual(history.events.map((event) => event.type), [
    "ExecutionStarted",
    "TaskStateEntered",
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
    "LambdaFunctionSucceeded",
    "TaskStateExited",
    "PassStateEntered",
    "PassStateExited",
    "ExecutionSucceeded",
  ]);
  const scheduled = history.events[2].lambdaFunctionScheduledEventDetails;
  assert.match(scheduled.resource, new RegExp(`:function:${STAGE}-meetup-deposit$`));
  assert.deepEqual(JSON.parse(scheduled.input), JSON.parse(INPUT));
});

test("the table follows each execution to its end", async () => {
  const failed = await run("deposit", '{"amount": 50, "clientId": "90876", "fail": true}');
  assert.deepEqual([failed.status, failed.error, failed.output], ["FAILED", "Error", undefined]);
  assert.equal(JSON.parse(failed.cause).errorMessage, "Deposit was refused by the trading account");

  const slow = await start("withdrawal", '{"amount": 50, "clientId": "90876", "sleepMs": 2500}');
  await eventually(() => row(slow), (row) => row?.status.S === "RUNNING");
  await machines.send(new sfn.StopExecutionCommand({ executionArn: slow, error: "Operator", cause: "changed my mind" }));
  const stopped = await ended(slow);
  assert.deepEqual([stopped.status, stopped.error, stopped.cause], ["ABORTED", "Operator", "changed my mind"]);

  const done = await run("withdrawal", INPUT);
  for (const [execution, status] of [[failed, "FAILED"], [stopped, "ABORTED"], [done, "SUCCEEDED"]]) {
    const item = await eventually(() => row(execution.executionArn), (row) => ENDED.includes(row?.status.S));
    assert.deepEqual([item.status.S, item.clientId.S, item.input.S], [status, "90876", execution.input]);
    assert.equal(item.output?.S, execution.output);
    assert.equal(item.stopDate.N, String(execution.stopDate.getTime()));
  }
});

test("a queue on a second rule gets two events for each execution", async (t) => {
  const name = `listener-${STAGE}`;
  const { QueueUrl } = await queues.send(new sqs.CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await queues.send(new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  const EventPattern = JSON.stringify({ source: ["aws.states"], detail: { stateMachineArn: [outputs.withdrawal.StateMachineArn] } });
  const { RuleArn } = await events.send(new eb.PutRuleCommand({ Name: name, EventPattern }));
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: Attributes.QueueArn,
        Condition: { ArnEquals: { "aws:SourceArn": RuleArn } },
      },
    ],
  });
  await queues.send(new sqs.SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  await events.send(new eb.PutTargetsCommand({ Rule: name, Targets: [{ Id: "queue", Arn: Attributes.QueueArn }] }));
  t.after(async () => {
    await events.send(new eb.RemoveTargetsCommand({ Rule: name, Ids: ["queue"] }));
    await events.send(new eb.DeleteRuleCommand({ Name: name }));
    await queues.send(new sqs.DeleteQueueCommand({ QueueUrl }));
  });

  const execution = await run("withdrawal", INPUT);
  await run("deposit", INPUT); // which the rule does not name
  const received = [];
  await eventually(
    async () => {
      const receive = new sqs.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 });
      const { Messages = [] } = await queues.send(receive);
      for (const { Body, ReceiptHandle } of Messages) {
        received.push(JSON.parse(Body));
        await queues.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      return Messages.length;
    },
    (came) => received.length >= 2 && came === 0,
  );
  assert.deepEqual(received.map((event) => [event.detail.executionArn, event.detail.status]).sort(), [
    [execution.executionArn, "RUNNING"],
    [execution.executionArn, "SUCCEEDED"],
  ]);
});

test("executions are listed in pages, newest first, and by status", async () => {
  const stateMachineArn = outputs.deposit.StateMachineArn;
  const newest = [(await run("deposit", INPUT)).executionArn, (await run("deposit", INPUT)).executionArn].reverse();
  const first = await machines.send(new sfn.ListExecutionsCommand({ stateMachineArn, maxResults: 2 }));
  assert.deepEqual(first.executions.map((execution) => execution.executionArn), newest);
  assert.ok(first.nextToken);
  const every = [];
  for await (const page of sfn.paginateListExecutions({ client: machines, pageSize: 2 }, { stateMachineArn })) every.push(...page.executions);
  const failed = await machines.send(new sfn.ListExecutionsCommand({ stateMachineArn, statusFilter: "FAILED" }));
  assert.deepEqual(failed.executions, every.filter((execution) => execution.status === "FAILED"));
});

test("what the functions print is kept", async () => {
  const client = new logs.CloudWatchLogsClient({});
  const logGroupName = `/aws/lambda/${STAGE}-meetup-deposit`;
  const printed = await eventually(
    () => client.send(new logs.FilterLogEventsCommand({ logGroupName })),
    (answer) => answer.events.some((event) => event.message.startsWith("REPORT RequestId:")),
  );
  assert.ok(printed.events.length > 0);
});

async function deploy(template, name, parameters = {}) {
  const Body = readFileSync(new URL(`dist/${VARIANT}/${name}.zip`, EXAMPLE));
  const Key = `${name}/${createHash("sha256").update(Body).digest("hex").slice(0, 16)}.zip`;
  await objects.send(new s3.PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  keys.push(Key);
  const [Runtime, Handler] = RUNTIMES[VARIANT];
  const values = { Stage: STAGE, CodeBucket: BUCKET, CodeKey: Key, Runtime, Handler, ...parameters };
  const StackName = `${STAGE}-${template}`;
  await stacks.send(
    new cfn.CreateStackCommand({
      StackName,
      TemplateBody: readFileSync(new URL(`templates/${template}.yaml`, EXAMPLE), "utf8"),
      Capabilities: ["CAPABILITY_IAM"],
      Parameters: Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    }),
  );
  deployed.push(StackName);
  await cfn.waitUntilStackCreateComplete({ client: stacks, minDelay: 1, maxDelay: 1, maxWaitTime: 60 }, { StackName });
  const { Stacks } = await stacks.send(new cfn.DescribeStacksCommand({ StackName }));
  outputs[template] = Object.fromEntries(Stacks[0].Outputs.map((output) => [output.OutputKey, output.OutputValue]));
}

async function start(kind, input) {
  const stateMachineArn = outputs[kind].StateMachineArn;
  return (await machines.send(new sfn.StartExecutionCommand({ stateMachineArn, input }))).executionArn;
}

function ended(executionArn) {
  const describe = () => machines.send(new sfn.DescribeExecutionCommand({ executionArn }));
  return eventually(describe, (execution) => ENDED.includes(execution.status));
}

async function run(kind, input) {
  return ended(await start(kind, input));
}

async function row(executionArn) {
  const get = { TableName: outputs["recent-actions"].ExecutionsTable, Key: { executionId: { S: executionArn } }, ConsistentRead: true };
  return (await tables.send(new ddb.GetItemCommand(get))).Item;
}

/** Reads until what was read is enough, and answers it; fails with the last answer at the deadline. */
async function eventually(read, isEnough, deadlineMs = 20_000) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await read();
    if (isEnough(answer)) return answer;
    assert.ok(Date.now() < end, `not within ${deadlineMs} ms; last seen: ${JSON.stringify(answer)}`);
    await setTimeout(50);
  }
}
