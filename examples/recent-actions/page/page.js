// The page of one client: what was done lately, and a form that does more.

import { actionsOf, book, config } from "./aws.js";

const NEWEST = 5;
const KINDS = { deposit: ["Deposit", "↓", "+"], withdrawal: ["Withdrawal", "↑", "−"] };
const STATUSES = {
  RUNNING: "In progress",
  SUCCEEDED: "Completed",
  FAILED: "Failed",
  TIMED_OUT: "Timed out",
  ABORTED: "Cancelled",
};

const element = (id) => document.getElementById(id);
const money = new Intl.NumberFormat(undefined, { style: "currency", currency: config.currency ?? "EUR" });
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

let showsAll = false;
let refresh = () => {};

element("client").value = new URLSearchParams(location.search).get("client") ?? "90876";
element("client").addEventListener("change", () => refresh());
element("history").addEventListener("click", toggleHistory);
element("order").addEventListener("submit", submit);
refresh = follow(wanted, show);

/** What the page shows now. */
function wanted() {
  return actionsOf(element("client").value.trim(), showsAll ? undefined : NEWEST);
}

/**
 * Calls `onChange` with what `read` answers, now and whenever it may have changed. Returns a function that looks at once.
 * This is the only place that knows how changes reach the page: it asks again every second while the page is seen.
 */
function follow(read, onChange) {
  let round = 0;
  let timer;
  const look = async () => {
    clearTimeout(timer);
    const mine = ++round;
    try {
      const answer = await read();
      if (mine !== round) return;
      onChange(answer);
      connection("live", "Live");
    } catch (error) {
      if (mine !== round) return;
      connection("lost", `Not connected: ${error.message}`);
    }
    if (!document.hidden) timer = setTimeout(look, 1000);
  };
  document.addEventListener("visibilitychange", () => document.hidden || look());
  look();
  return look;
}

function connection(state, text) {
  const line = element("connection");
  line.className = `connection ${state}`;
  if (line.textContent !== text) line.textContent = text;
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  const booking = {
    amount: form.amount.valueAsNumber,
    accountNumber: form.accountNumber.value.trim(),
    clientId: element("client").value.trim(),
    ...(form.slow.checked && { sleepMs: 5000 }),
    ...(form.fail.checked && { fail: true }),
  };
  element("order-error").textContent = "";
  try {
    await book(event.submitter?.value ?? "deposit", booking);
    refresh();
  } catch (error) {
    element("order-error").textContent = error.message;
  }
}

function toggleHistory() {
  showsAll = !showsAll;
  element("history").setAttribute("aria-pressed", showsAll);
  element("history").textContent = showsAll ? "Show the newest" : "Show full history";
  element("actions-title").textContent = showsAll ? "Full history" : "Recent actions";
  refresh();
}

/** Rows keep their elements, so that only what is new moves and a selection survives. */
function show(actions) {
  const list = element("actions");
  const first = list.dataset.filled === undefined;
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  actions.forEach((action, place) => {
    const row = filled(rows.get(action.id) ?? newRow(first), action);
    rows.delete(action.id);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
  rows.forEach((row) => row.remove());
  list.dataset.filled = "";
  element("empty").hidden = actions.length > 0;
  element("count").hidden = !showsAll;
  element("count").textContent = `${actions.length} ${actions.length === 1 ? "action" : "actions"}`;
}

function newRow(first) {
  const row = element("action").content.cloneNode(true).firstElementChild;
  row.classList.toggle("new", !first);
  row.addEventListener("animationend", () => row.classList.remove("new"));
  return row;
}

function filled(row, { id, kind, status, started, booking, reason }) {
  const [name, icon, sign] = KINDS[kind] ?? [kind, "•", ""];
  const isNew = row.classList.contains("new");
  row.className = `action ${kind} ${status}${isNew ? " new" : ""}`;
  row.dataset.id = id;
  const texts = {
    ".icon": icon,
    ".kind": name,
    ".account": booking.accountNumber ? `Account ${booking.accountNumber}` : "",
    ".amount": Number.isFinite(booking.amount) ? sign + money.format(booking.amount) : "",
    ".status": STATUSES[status] ?? status,
    time: clock.format(started),
  };
  for (const [selector, text] of Object.entries(texts)) {
    const cell = row.querySelector(selector);
    if (cell.textContent !== text) cell.textContent = text;
  }
  row.querySelector("time").dateTime = new Date(started).toISOString();
  row.title = reason ?? (booking.ticketNumber ? `Ticket ${booking.ticketNumber}` : "");
  return row;
}
