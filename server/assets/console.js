// Keeps pages fresh: fetches the page again and swaps the parts marked `data-live` that have changed. Without scripts
// every page works as it is; it only has to be reloaded by hand.
"use strict";

const EVERY_MS = 2000;
const DEBOUNCE_MS = 200;

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const pad = (number, length) => String(number).padStart(length, "0");

/** Times in the reader's own zone, to the millisecond. */
function localTimes(root) {
  for (const element of all("time", root)) {
    const at = new Date(element.dateTime);
    if (element.title || Number.isNaN(at.getTime())) continue;
    element.title = element.dateTime;
    element.textContent =
      `${at.getFullYear()}-${pad(at.getMonth() + 1, 2)}-${pad(at.getDate(), 2)} ` +
      `${pad(at.getHours(), 2)}:${pad(at.getMinutes(), 2)}:${pad(at.getSeconds(), 2)}.${pad(at.getMilliseconds(), 3)}`;
  }
}

/** What the reader has opened, chosen or marked stays as it is. */
function isBusy(part) {
  if (part.querySelector(":popover-open")) return true;
  if (all("textarea", part).some((field) => field.value !== field.defaultValue)) return true;
  const marked = getSelection();
  return !marked.isCollapsed && part.contains(marked.anchorNode);
}

const seen = new Map();

/** Shows a part anew if it has changed; `turned` tells that the reader wants another one, whatever is open in it. */
function swap(part, fresh, turned) {
  const text = fresh.innerHTML;
  const key = part.dataset.live;
  if (seen.get(key) === text || (!turned && isBusy(part))) return;
  seen.set(key, text);
  const open = all("details[data-key][open]", part).map((details) => details.dataset.key);
  const chosen = part.querySelector("input[type=radio]:checked")?.value;
  const scrolled = all(".scroll, .log", part).map((box) => [box.scrollLeft, box.scrollTop]);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.innerHTML = text;
  for (const details of all("details[data-key]", part)) details.open = open.includes(details.dataset.key);
  for (const radio of all("input[type=radio]", part)) radio.checked = radio.value === chosen;
  all(".scroll, .log", part).forEach((box, index) => ([box.scrollLeft, box.scrollTop] = scrolled[index] ?? [0, 0]));
  if (focused) document.getElementById(focused)?.focus();
  prepare(part);
}

let asked = 0;

async function refresh(turned = false) {
  const mine = ++asked;
  const lost = document.getElementById("lost");
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    const text = await answer.text();
    lost.hidden = true;
    if (mine !== asked || !answer.ok) return;
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const part of all("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
      if (fresh) swap(part, fresh, turned);
    }
  } catch {
    lost.hidden = false;
  }
}

async function keepFresh() {
  if (!document.hidden && document.querySelector("[data-live]")) await refresh();
  setTimeout(keepFresh, EVERY_MS);
}

/** A filter changes the address and the list, and keeps the page. */
function onFilter(form) {
  let timer = 0;
  const apply = () => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    history.replaceState(null, "", `${form.getAttribute("action")}?${query}`);
    refresh();
  };
  for (const field of form.elements) {
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(apply, DEBOUNCE_MS);
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
}

/** A form in a dialog stays open with what was typed until the server takes it. */
function onSend(form) {
  const problem = form.querySelector("[data-problem]");
  const editors = all("[data-json]", form);
  const check = () => {
    let message = "";
    for (const editor of editors) {
      try {
        if (editor.value.trim()) JSON.parse(editor.value);
        editor.removeAttribute("aria-invalid");
      } catch (error) {
        message ||= error.message;
        editor.setAttribute("aria-invalid", "true");
      }
    }
    if (problem) {
      problem.hidden = !message;
      problem.textContent = message;
    }
    return !message;
  };
  for (const editor of editors) editor.addEventListener("input", check);
  form.querySelector("[data-format]")?.addEventListener("click", () => {
    if (!check()) return;
    for (const editor of editors) {
      if (editor.value.trim()) editor.value = JSON.stringify(JSON.parse(editor.value), null, 2);
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    const place = form.querySelector("[data-answer]");
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      if (answer.ok && answer.redirected) {
        location.href = answer.url;
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(page.querySelector("[data-result]") ?? page.querySelector(".fault") ?? page.body);
    } catch {
      place.textContent = "The server does not answer.";
    }
  });
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard?.writeText(copy.dataset.copy);
    copy.classList.add("done");
    setTimeout(() => copy.classList.remove("done"), 900);
  }
  if (event.target.closest("a[data-refresh]")) {
    event.preventDefault();
    refresh();
  }
  // Another state of the same page: the address changes, and only what differs is shown anew.
  const turn = event.target.closest("a[data-turn]");
  if (turn && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    history.pushState(null, "", turn.getAttribute("href"));
    refresh(true).then(() => showPane());
  }
  // A row is chosen wherever it is clicked.
  const row = event.target.closest("table.choose tbody tr");
  if (row && !event.target.closest("a, input")) row.querySelector("input[type=radio]").checked = true;
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    document.querySelector("header .find input").focus();
  }
});

addEventListener("popstate", () => refresh(true));

/** On a narrow screen what was asked for is below: it comes into sight. */
function showPane() {
  const pane = document.getElementById("pane");
  if (pane && pane.getBoundingClientRect().top > innerHeight - 80) pane.scrollIntoView({ block: "start" });
}

/** What is new on the page learns what it is for. */
function prepare(root) {
  all("form[data-send]", root).forEach(onSend);
  localTimes(root);
}

for (const part of all("[data-live]")) seen.set(part.dataset.live, part.innerHTML);
all("form[data-filter]").forEach(onFilter);
prepare(document);
setTimeout(keepFresh, EVERY_MS);
