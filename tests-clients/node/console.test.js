// The console in a real browser: "why did my event not arrive?" on the server at AWS_ENDPOINT_URL, from the front page on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { REGION, address, open, overflow, picture as pictureOf } from "./browser.js";

const MARK = `shop-${Date.now()}`;

const events = new EventBridgeClient();
const sqs = new SQSClient();
const arn = (queue) => `arn:aws:sqs:${REGION}:000000000000:${queue}`;

let browser;
let page;
let order;
let troubles;

before(async () => {
  await seed();
  ({ browser, page, troubles } = await open());
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

const picture = (name) => pictureOf(page, name);

test("the front page shows which target fails and leads to the event", async () => {
  await page.goto(address(""));
  const failing = page.locator("section", { hasText: "Needs attention" }).locator("tr", { hasText: `${MARK}-gone` });
  await failing.getByText("1 failed").waitFor();
  await failing.getByText("QueueDoesNotExist").first().waitFor();
  await picture("front");
  await failing.getByRole("link", { name: order }).click();
  await page.getByRole("heading", { name: "OrderPlaced" }).waitFor();
});

test("the front page says of each lost event why it was lost", async () => {
  await page.goto(address(""));
  const lost = page.locator("section", { hasText: "Events that did not arrive" }).locator("tr", { hasText: order });
  await lost.getByText("dead letter", { exact: true }).waitFor();
  await lost.getByText("QueueDoesNotExist").waitFor();
  await lost.getByRole("link", { name: "OrderPlaced" }).click();
  await page.getByRole("heading", { name: "OrderPlaced" }).waitFor();
});

test("an event is found by a text in it, with the keyboard alone", async () => {
  await page.goto(address(""));
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
  await page.goto(address("queue", { name: `${MARK}-dead` }));
  await page.getByText("ERROR_CODE").first().waitFor({ state: "attached" });
  await picture("queue");
  await page.goto(address("event-buses"));
  await page.getByText(`${MARK}-big`).waitFor();
  await picture("buses");
  assert.deepEqual(troubles, []);
});

test("no page is wider than the window, and each has a title", async () => {
  const pages = ["", "events", "event-buses", "validation", "schemas", "archives", "state-machines", "functions", "tables", "queues"];
  for (const name of pages) {
    await page.goto(address(name));
    assert.ok((await page.title()).endsWith(" – Buswork"), name);
    assert.deepEqual(await overflow(page), { 1280: 0, 400: 0 }, name);
  }
  await page.goto(address("event", { id: order }));
  assert.deepEqual(await overflow(page), { 1280: 0, 400: 0 });
});
