// The console on the system of examples/recent-actions: executions, items and the schema of their events, in a real browser. It does
// not matter how the three stacks came to the server at AWS_ENDPOINT_URL; STAGE (dev) is the beginning of their names.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { address, open, overflow, picture } from "./browser.js";

const STAGE = process.env.STAGE ?? "dev";
const MARK = `by-hand-${Date.now()}`;
const BOOKING = { amount: 50, accountNumber: "179", clientId: "90876" };
const ROWS = 25; // of a page of executions
const ITEMS_MAX = 100; // of a page of items
const SCHEMA = "aws.states@StepFunctionsExecutionStatusChange";

const states = new SFNClient();
const tables = new DynamoDBClient();

let browser;
let page;
let troubles;
let machines;
let table;
let rowsBefore;

before(async () => {
  const kinds = await Promise.all(["deposit", "withdrawal", "recent-actions"].map(outputs));
  machines = { deposit: kinds[0].StateMachineArn, withdrawal: kinds[1].StateMachineArn };
  table = kinds[2].ExecutionsTable;
  rowsBefore = (await tables.send(new ScanCommand({ TableName: table, Select: "COUNT", ConsistentRead: true }))).Count;
  ({ browser, page, troubles } = await open());
});

after(() => browser?.close());

test("executions are started in the editor, and each ends as it must", async () => {
  await startByHand("deposit", "paid", BOOKING);
  await ended("SUCCEEDED");
  await startByHand("deposit", "refused", { ...BOOKING, fail: true });
  await ended("FAILED");
  await page.getByText("Deposit was refused by the trading account").first().waitFor();
  await startByHand("withdrawal", "drawn", BOOKING);
  await ended("SUCCEEDED");
});

test("one that runs is stopped from the list", async () => {
  await startByHand("deposit", "slow", { ...BOOKING, sleepMs: 9000 });
  await page.goto(address("state-machine", { arn: machines.deposit }));
  await row("slow").getByText("RUNNING").waitFor();
  await page.getByLabel(`Select ${MARK}-slow`).check();
  await page.getByRole("button", { name: "Stop execution" }).click();
  await row("slow").getByText("ABORTED").waitFor();
  const described = await states.send(new DescribeExecutionCommand({ executionArn: arnOf("deposit", "slow") }));
  assert.equal(described.status, "ABORTED");
});

test("the list shows them newest first, searched and filtered", async () => {
  await page.goto(address("state-machine", { arn: machines.deposit }));
  const { executions } = await states.send(new ListExecutionsCommand({ stateMachineArn: machines.deposit }));
  await page.getByRole("heading", { name: `Executions (${executions.length})` }).waitFor();
  await shows(executions.slice(0, ROWS).map((execution) => execution.name));
  await page.getByLabel("Search for executions by name").fill(MARK.toUpperCase());
  await page.getByRole("heading", { name: "Executions (3)" }).waitFor();
  await shows(["slow", "refused", "paid"].map((name) => `${MARK}-${name}`));
  await page.getByText("1–3 of 3").waitFor();
  await picture(page, "recent-executions");
  for (const [status, name] of [["SUCCEEDED", "paid"], ["FAILED", "refused"], ["ABORTED", "slow"]]) {
    await page.getByLabel("Filter by status").selectOption(status);
    await shows([`${MARK}-${name}`]);
  }
  await page.getByLabel("Filter by status").selectOption("RUNNING");
  await page.getByText("No execution matches.").waitFor();
  await page.getByLabel("Filter by status").selectOption("FAILED");
  await page.getByLabel(`Select ${MARK}-refused`).check();
  await page.getByRole("button", { name: "View details" }).click();
  await page.getByRole("heading", { name: `${MARK}-refused` }).waitFor();
  await page.getByRole("link", { name: "Event view" }).click();
  await page.locator("tr", { hasText: "LambdaFunctionFailed" }).waitFor();
});

test("the items of the table are the same four", async () => {
  const shown = Math.min(rowsBefore + 4, ITEMS_MAX);
  await page.goto(address("table", { name: table }));
  await page.getByRole("heading", { name: `Items returned (${shown})` }).waitFor();
  const expected = { paid: "SUCCEEDED", refused: "FAILED", drawn: "SUCCEEDED", slow: "ABORTED" };
  for (const [name, status] of Object.entries(expected)) {
    const item = page.locator("table.items tr", { hasText: `:${MARK}-${name}` });
    await item.getByText(status, { exact: true }).waitFor();
    await item.getByText(BOOKING.clientId, { exact: true }).waitFor();
  }
  await page.locator("table.items tr", { hasText: `:${MARK}-paid` }).getByRole("button").click();
  await page.getByRole("heading", { name: "Item", exact: true }).locator("visible=true").waitFor();
  await picture(page, "recent-items");
});

test("the events' schema is found by its name and by its content", async () => {
  for (const text of ["StepFunctionsExecutionStatusChange", "stateMachineArn"]) {
    await page.goto(address("schemas"));
    await page.getByLabel("Search names and contents").fill(text);
    const found = page.locator("tr", { has: page.getByRole("link", { name: SCHEMA, exact: true }) });
    await found.getByText("version 1").waitFor();
  }
  await page.getByRole("link", { name: SCHEMA, exact: true }).click();
  await page.getByRole("heading", { name: SCHEMA }).waitFor();
  await page.getByText("executionArn").first().waitFor();
});

test("more executions than a page are turned over", async () => {
  const counted = async () => (await states.send(new ListExecutionsCommand({ stateMachineArn: machines.withdrawal }))).executions.length;
  for (let missing = ROWS + 1 - (await counted()); missing > 0; missing -= 1) {
    await states.send(new StartExecutionCommand({ stateMachineArn: machines.withdrawal, input: '{"amount":1}' }));
  }
  const all = await counted();
  await page.goto(address("state-machine", { arn: machines.withdrawal }));
  await page.getByText(`1–${ROWS} of ${all}`).waitFor();
  await page.getByRole("link", { name: "Next page" }).click();
  await page.getByText(`${ROWS + 1}–${Math.min(2 * ROWS, all)} of ${all}`).waitFor();
  assert.equal(await page.locator("table.choose tbody tr").count(), Math.min(ROWS, all - ROWS));
  await page.getByRole("link", { name: "Previous page" }).click();
  await page.getByText(`1–${ROWS} of ${all}`).waitFor();
  assert.deepEqual(await overflow(page), { 1280: 0, 400: 0 });
  assert.deepEqual(troubles, []);
});

const row = (name) => page.locator("table.choose tbody tr", { hasText: `${MARK}-${name}` });
const arnOf = (kind, name) => `${machines[kind].replace(":stateMachine:", ":execution:")}:${MARK}-${name}`;

async function startByHand(kind, name, booking) {
  await page.goto(address("state-machine", { arn: machines[kind] }));
  await page.getByRole("button", { name: "Start execution" }).first().click();
  const dialog = page.locator("#start");
  await dialog.getByLabel("Name").fill(`${MARK}-${name}`);
  await dialog.getByLabel("Input").fill("{ no json");
  await dialog.locator("[data-problem]").waitFor();
  await dialog.getByLabel("Input").fill(JSON.stringify(booking));
  await dialog.locator("[data-problem]").waitFor({ state: "hidden" });
  await dialog.getByRole("button", { name: "Start execution" }).click();
  await page.getByRole("heading", { name: `${MARK}-${name}` }).waitFor();
}

/** Waits until the page of an execution shows the status. */
async function ended(status) {
  await page.locator("main").getByText(status, { exact: true }).first().waitFor();
}

/** Waits until the rows are these and no others. */
async function shows(names) {
  const wanted = names.join("\n");
  const listed = (text) => [...document.querySelectorAll("table.choose tbody a")].map((a) => a.innerText).join("\n") === text;
  await page.waitForFunction(listed, wanted);
}

async function outputs(kind) {
  const { Stacks } = await new CloudFormationClient().send(new DescribeStacksCommand({ StackName: `${STAGE}-${kind}` }));
  return Object.fromEntries(Stacks[0].Outputs.map((output) => [output.OutputKey, output.OutputValue]));
}
