// The console in a real browser: "why did my event not arrive?" on the server at AWS_ENDPOINT_URL, from the front page on.
// CHROMIUM names the browser's executable; SCREENSHOTS a directory for pictures, light and dark.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { chromium } from "playwright-core";

process.env.AWS_REGION ??= "eu-central-1";
process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

const REGION = process.env.AWS_REGION;
const SERVER = process.env.AWS_ENDPOINT_URL ?? "http://127.0.0.1:4566";
const PICTURES = process.env.SCREENSHOTS;
const MARK = `shop-${Date.now()}`;
const DEADLINE_MS = 15_000;

const events = new EventBridgeClient();
const sqs = new SQSClient();
const arn = (queue) => `arn:aws:sqs:${REGION}:000000000000:${queue}`;

let browser;
let page;
let order;
const troubles = [];

before(async () => {
  await seed();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  page = await browser.newPage({ locale: "en-GB", viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(DEADLINE_MS);
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
});

after(() => browser?.close());

/** A rule that matches, one that does not, and one whose queue is gone. */
async function seed() {
  for (const queue of [`${MARK}-orders`, `${MARK}-dead`]) await sqs.send(new CreateQueueCommand({ QueueName: queue }));
  const rules = {
    [`${MARK}-all`]: [{ source: [MARK] }, { Arn: arn(`${MARK}-orders`) }],
    [`${MARK}-big`]: [{ source: [MARK], detail: { amount: [{ numeric: [">", 100] }] } }, { Arn: arn(`${MARK}-orders`) }],
    [`${MARK}-lost`]: [
      { source: [MARK] },
      { Arn: arn(`${MARK}-gone`), DeadLetterConfig: { Arn: arn(`${MARK}-dead`) } },
    ],
  };
  for (const [Name, [pattern, target]] of Object.entries(rules)) {
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: "t", ...target }] }));
  }
  const detail = { order: `${MARK}-4711`, amount: 20.5, items: [{ sku: "cup", count: 2 }] };
  const entry = { Source: MARK, DetailType: "OrderPlaced", Detail: JSON.stringify(detail) };
  order = (await events.send(new PutEventsCommand({ Entries: [entry] }))).Entries[0].EventId;
}

async function picture(name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/${name}-${colorScheme}.png`, fullPage: true });
  }
}

test("the front page shows which target fails and leads to the event", async () => {
  await page.goto(`${SERVER}/_buswork/console/?region=${REGION}`);
  const failing = page.locator("section", { hasText: "Needs attention" }).locator("tr", { hasText: `${MARK}-gone` });
  await failing.getByText("1 failed").waitFor();
  await failing.getByText("QueueDoesNotExist").first().waitFor();
  await picture("front");
  await failing.getByRole("link", { name: order }).click();
  await page.getByRole("heading", { name: "OrderPlaced" }).waitFor();
});

test("an event is found by a text in it, with the keyboard alone", async () => {
  await page.goto(`${SERVER}/_buswork/console/?region=${REGION}`);
  await page.keyboard.type(`${MARK}-4711`);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: order }).waitFor();
  await picture("found");
  await page.getByRole("link", { name: order }).click();
  await page.getByRole("heading", { name: "OrderPlaced" }).waitFor();
});

test("the event page says where it went and why not elsewhere", async () => {
  const rule = (name) => page.getByRole("region", { name: `Rule ${MARK}-${name}` });
  await rule("all").getByText("delivered", { exact: true }).waitFor();
  await rule("lost").getByText("dead letter", { exact: true }).first().waitFor();
  const why = await rule("big").innerText();
  for (const part of ["not matched", "detail.amount", "a number > 100", "20.5"]) assert.ok(why.includes(part), why);
  await page.getByText("events:PutEvents").first().waitFor();
  await picture("event");
});

test("the event is sent again at the push of a button", async () => {
  const target = page.getByRole("region", { name: `Rule ${MARK}-all` });
  await target.getByRole("button", { name: "Redeliver" }).click();
  const again = page.locator("section", { hasText: "Sent again" });
  await again.first().getByText("delivered", { exact: true }).waitFor();
  assert.ok((await again.first().innerText()).includes(`${MARK}-orders`));
  await picture("redelivered");
});

test("queues are looked into without receiving, buses with their rules", async () => {
  await page.goto(`${SERVER}/_buswork/console/queue?region=${REGION}&name=${MARK}-dead`);
  await page.getByText("ERROR_CODE").first().waitFor({ state: "attached" });
  await picture("queue");
  await page.goto(`${SERVER}/_buswork/console/event-buses?region=${REGION}`);
  await page.getByText(`${MARK}-big`).waitFor();
  await picture("buses");
  assert.deepEqual(troubles, []);
});
