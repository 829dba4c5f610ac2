// Keeps a page as it is in the ledger: asks for it again every few seconds and swaps the parts that are live. Without
// this script every page still says and does everything; it only has to be loaded again by hand.
"use strict";

let seconds = Number(document.body.dataset.poll || 0);
const pulse = document.getElementById("pulse");
const unheard = document.getElementById("unheard");
const news = document.getElementById("news");
const shown = new Map();
for (const part of document.querySelectorAll("[data-live]")) shown.set(part.id, part.innerHTML);

/** Whether somebody is writing or choosing something there: then it is left alone until they are done. */
function inUse(part) {
  const active = document.activeElement;
  if (active && part.contains(active) && active.matches("input, select, textarea")) return true;
  return [...part.querySelectorAll("input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
}

/** Put the newer part in, and the focus back to where it was. */
function swap(part, newer) {
  const focus = part.contains(document.activeElement) ? document.activeElement : null;
  const place = focus ? [...part.querySelectorAll("a, button")].indexOf(focus) : -1;
  part.replaceChildren(...newer.childNodes);
  if (place >= 0) {
    const again = part.querySelectorAll("a, button")[place];
    (again || document.getElementById("content")).focus({ preventScroll: true });
  }
}

async function look() {
  const answer = await fetch(location.href, { cache: "no-store", redirect: "error", headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(answer.status === 401 ? "it does not know this browser any more" : `it says ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const newer of page.querySelectorAll("[data-live]")) {
    const part = document.getElementById(newer.id);
    const text = newer.innerHTML;
    if (!part || shown.get(newer.id) === text || inUse(part)) continue;
    shown.set(newer.id, text);
    swap(part, newer);
  }
  if (document.title !== page.title) {
    document.title = page.title;
    news.textContent = page.title;
  }
  seconds = Number(page.body.dataset.poll || 0);
  // A page that has other parts now, as that of an incident which was closed, is loaded anew, unless somebody writes in it.
  const other = page.querySelectorAll("[data-live]").length !== shown.size;
  if (other && ![...document.querySelectorAll("main form[method=post]")].some(inUse)) location.reload();
}

async function live() {
  if (document.hidden) return;
  try {
    await look();
    unheard.hidden = true;
    pulse.textContent = `live, ${new Date().toISOString().slice(11, 19)} UTC`;
  } catch (error) {
    unheard.textContent = `What you see is not live: the console does not answer (${error.message}).`;
    unheard.hidden = false;
  }
}

/** Look again and again, as often as the newest page says. */
function later() {
  if (seconds > 0) setTimeout(() => live().then(later), seconds * 1000);
}

if (seconds > 0) {
  pulse.textContent = `live, every ${seconds} s`;
  document.addEventListener("visibilitychange", live);
  later();
}

// A form is sent once: the page that comes back has another one.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  news.textContent = "Sent; waiting for the answer.";
});
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
