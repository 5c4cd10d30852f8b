// The functions of examples/recent-actions as they are packed, before any platform: against a Runtime API and a table
// of our own. Needs examples/recent-actions/build.sh to have run; a variant that was not built is skipped by name.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../../examples/recent-actions/dist/", import.meta.url));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MACHINE = "arn:aws:states:eu-central-1:000000000000:stateMachine:dev-meetup-deposit";
const RUNNING = {
  executionArn: "arn:aws:states:eu-central-1:000000000000:execution:dev-meetup-deposit:one",
  stateMachineArn: MACHINE,
  name: "one",
  status: "RUNNING",
  startDate: 1700000000000,
  stopDate: null,
  input: '{ "amount": 50, "clientId": "90876" }',
  inputDetails: { included: true },
  output: null,
  outputDetails: null,
  error: null,
  cause: null,
};
const SUCCEEDED = { ...RUNNING, status: "SUCCEEDED", stopDate: 1700000000500, output: '{"ticketNumber":"t"}' };

/** A table that remembers what was put, and answers the failed condition when told to. */
const table = { puts: [], refuses: false };
let endpoint;
let tableServer;

before(async () => {
  tableServer = createServer(async (request, response) => {
    const put = JSON.parse(await text(request));
    table.puts.push({ target: request.headers["x-amz-target"], ...put });
    response.setHeader("Content-Type", "application/x-amz-json-1.0");
    response.statusCode = table.refuses ? 400 : 200;
    response.end(table.refuses ? '{"__type":"ConditionalCheckFailedException","message":"no"}' : "{}");
  });
  endpoint = await listen(tableServer);
  Object.assign(process.env, environment());
});

after(() => tableServer.close());

for (const [variant, load] of Object.entries({ node: loadNode, rust: loadRust })) {
  const missing = existsSync(`${DIST}${variant}`) ? false : `build.sh ${variant} did not run`;
  describe(`the ${variant} variant`, { skip: missing }, () => {
    for (const [name, kind] of [["deposit", "Deposit"], ["withdrawal", "Withdrawal"]]) {
      test(`${name} answers its input and a ticket`, async (t) => {
        const invoke = await load(t, name);
        const input = { amount: 50, accountNumber: "179", clientId: "90876", sleepMs: 1 };
        const { ticketNumber, ...rest } = await invoke(input);
        assert.deepEqual(rest, input);
        assert.match(ticketNumber, UUID);
        const refused = { name: "Error", message: `${kind} was refused by the trading account` };
        await assert.rejects(async () => await invoke({ ...input, fail: true }), refused);
      });
    }

    test("the writer puts a row for each status change", async (t) => {
      table.puts = [];
      const invoke = await load(t, "recent-actions-writer");
      await invoke({ "detail-type": "Step Functions Execution Status Change", detail: RUNNING });
      await invoke({ "detail-type": "Step Functions Execution Status Change", detail: SUCCEEDED });
      const common = {
        executionId: { S: RUNNING.executionArn },
        machine: { S: MACHINE },
        kind: { S: "deposit" },
        clientId: { S: "90876" },
        startDate: { N: "1700000000000" },
        redriveCount: { N: "0" },
        input: { S: RUNNING.input },
      };
      const ended = { status: { S: "SUCCEEDED" }, stopDate: { N: "1700000000500" }, output: { S: SUCCEEDED.output } };
      assert.deepEqual(table.puts.map((put) => put.Item), [
        { ...common, status: { S: "RUNNING" } },
        { ...common, ...ended },
      ]);
      assert.deepEqual(new Set(table.puts.map((put) => `${put.target} ${put.TableName}`)), new Set(["DynamoDB_20120810.PutItem executions"]));
    });
  });
}

test("the rust writer lets a newer row stand", { skip: existsSync(`${DIST}rust`) ? false : "not built" }, async (t) => {
  t.after(() => (table.refuses = false));
  table.puts = [];
  table.refuses = true;
  const invoke = await loadRust(t, "recent-actions-writer");
  assert.equal(await invoke({ detail: RUNNING }), null);
  assert.match(table.puts[0].ConditionExpression, /^attribute_not_exists\(executionId\)/);
  assert.equal(table.puts.length, 1, "a failed condition is an answer, not a reason to try again");
});

async function loadNode(_, name) {
  const { handler } = createRequire(import.meta.url)(`${DIST}node/${name}/index.js`);
  return handler;
}

/** Starts the executable with a Runtime API of its own; each call of the answered function is one invocation. */
async function loadRust(t, name) {
  const invocations = new EventEmitter();
  const waiting = [];
  let settle;
  const api = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url.endsWith("/invocation/next")) {
      if (waiting.length === 0) await once(invocations, "new");
      response.setHeader("Lambda-Runtime-Aws-Request-Id", crypto.randomUUID());
      response.setHeader("Lambda-Runtime-Deadline-Ms", String(Date.now() + 10_000));
      response.setHeader("Lambda-Runtime-Invoked-Function-Arn", `arn:aws:lambda:eu-central-1:000000000000:function:${name}`);
      response.end(JSON.stringify(waiting.shift()));
      return;
    }
    response.writeHead(202).end();
    const answer = JSON.parse(body);
    if (request.url.endsWith("/response")) settle.resolve(answer);
    else settle.reject(Object.assign(new Error(answer.errorMessage), { name: answer.errorType }));
  });
  const host = new URL(await listen(api)).host;
  const env = { ...environment(), AWS_LAMBDA_RUNTIME_API: host };
  const child = spawn(`${DIST}rust/${name}/bootstrap`, { env, stdio: "inherit" });
  t.after(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    api.closeAllConnections();
    api.close();
  });
  return (event) =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      waiting.push(event);
      invocations.emit("new");
    });
}

function environment() {
  return {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "eu-central-1",
    AWS_ENDPOINT_URL: endpoint,
    AWS_LAMBDA_FUNCTION_NAME: "function",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_LOG_STREAM_NAME: "stream",
    AWS_LAMBDA_LOG_GROUP_NAME: "group",
    TABLE_NAME: "executions",
  };
}

async function listen(server) {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${server.address().port}`;
}
