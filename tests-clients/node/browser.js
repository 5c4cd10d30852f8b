// What the tests of the console share: a headless browser, and the server that it looks at.
// CHROMIUM names the browser's executable; SCREENSHOTS a directory for pictures, light and dark, wide and narrow.

import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

process.env.AWS_REGION ??= "eu-central-1";
process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

export const REGION = process.env.AWS_REGION;
export const SERVER = process.env.AWS_ENDPOINT_URL ?? "http://127.0.0.1:4566";
const PICTURES = process.env.SCREENSHOTS;
const DEADLINE_MS = 15_000;
const WIDTHS = [1280, 400];

/** The address of a page of the console. */
export const address = (page, parameters = {}) =>
  `${SERVER}/_buswork/console/${page}?${new URLSearchParams({ region: REGION, ...parameters })}`;

/** A browser with one page; `troubles` gathers what its console says is wrong. */
export async function open() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage({ locale: "en-GB", viewport: { width: WIDTHS[0], height: 900 } });
  page.setDefaultTimeout(DEADLINE_MS);
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  return { browser, page, troubles };
}

/** How far a page is wider than the window, at each width. */
export async function overflow(page) {
  const wider = {};
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    wider[width] = await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
  }
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
  return wider;
}

/** Takes pictures, if somebody wants them. */
export async function picture(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${PICTURES}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
}
