// The page of examples/recent-actions in a real browser, as deploy.sh left it on the server at AWS_ENDPOINT_URL.
// CHROMIUM names the browser's executable, PAGE_URL the page when no stack tells; SCREENSHOT names the picture's file.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { chromium } from "playwright-core";

process.env.AWS_REGION ??= "eu-central-1";
process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

const SCREENSHOT = process.env.SCREENSHOT ?? fileURLToPath(new URL("../../target/recent-actions-page.png", import.meta.url));
const CLIENT = String(Date.now());
const DEADLINE_MS = 15_000;

let browser;
let page;
const troubles = [];

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  page = await browser.newPage({ locale: "en-GB", viewport: { width: 1000, height: 720 } });
  page.setDefaultTimeout(DEADLINE_MS);
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
});

after(() => browser?.close());

test("a client without actions sees an empty list", async () => {
  await page.goto(`${await pageUrl()}?client=${CLIENT}`);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByText("Nothing yet").waitFor();
  // A reload would forget the mark, so its presence at the end proves that there was none.
  await page.evaluate(() => (window.mark = "kept"));
});

test("a deposit appears and completes without reload", async () => {
  await page.getByLabel("Amount").fill("12.5");
  await page.getByRole("button", { name: "Deposit" }).click();
  await seen(0, { kind: "Deposit", account: "Account 179", amount: "+€12.50", status: "Completed" });
});

test("a slow withdrawal is in progress until it is completed", async () => {
  await page.getByText("Rehearse trouble").click();
  await page.getByLabel("takes five seconds").check();
  await page.getByRole("button", { name: "Withdraw" }).click();
  await seen(0, { kind: "Withdrawal", amount: "−€12.50", status: "In progress" });
  await seen(0, { kind: "Withdrawal", status: "Completed" });
  await page.getByLabel("takes five seconds").uncheck();
});

test("a refused deposit is shown as failed", async () => {
  await page.getByLabel("service refuses").check();
  await page.getByRole("button", { name: "Deposit" }).click();
  await seen(0, { kind: "Deposit", status: "Failed" });
  const reason = await page.locator(".action").first().getAttribute("title");
  assert.equal(reason, "Deposit was refused by the trading account");
  await page.getByLabel("service refuses").uncheck();
});

test("the newest five are shown, and all of them on request", async () => {
  for (const amount of ["1", "2", "3"]) {
    await page.getByLabel("Amount").fill(amount);
    await page.getByRole("button", { name: "Deposit" }).click();
    await seen(0, { amount: `+€${amount}.00`, status: "Completed" });
  }
  assert.equal(await page.locator(".action").count(), 5);
  mkdirSync(dirname(SCREENSHOT), { recursive: true });
  await page.screenshot({ path: SCREENSHOT });
  await page.getByRole("button", { name: "Show full history" }).click();
  await page.getByText("6 actions").waitFor();
  assert.equal(await page.locator(".action").count(), 6);
  assert.equal(await page.evaluate(() => window.mark), "kept");
  assert.deepEqual(troubles, []);
});

/** Waits until the row at `place` shows each of the texts, which are named by the classes of its cells. */
async function seen(place, texts) {
  let row = page.locator("#actions > .action").nth(place);
  const filters = Object.entries(texts).map(([name, text]) => `.${name}:text-is(${JSON.stringify(text)})`);
  row = filters.reduce((row, filter) => row.and(page.locator(`.action:has(${filter})`)), row);
  await row.waitFor();
}

async function pageUrl() {
  if (process.env.PAGE_URL) return process.env.PAGE_URL;
  const { Stacks } = await new CloudFormationClient({}).send(
    new DescribeStacksCommand({ StackName: process.env.STORAGE_STACK ?? "recent-actions-storage" }),
  );
  return Stacks[0].Outputs.find((output) => output.OutputKey === "PageUrl").OutputValue;
}
