// The page works without this. With it, links and forms marked data-live change the page in place, rows of the list
// move to where they now belong, exact numbers show on hover, and the address stays true.
"use strict";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let asked = null; // the request whose answer is awaited
let address = location.pathname + location.search; // of what is shown

function places() {
  return new Map([...document.querySelectorAll("[data-flip]")].map((row) => [row.dataset.flip, row.getBoundingClientRect().top]));
}

function glide(before) {
  if (calm.matches) return;
  for (const row of document.querySelectorAll("[data-flip]")) {
    const was = before.get(row.dataset.flip);
    const by = was === undefined ? 0 : was - row.getBoundingClientRect().top;
    if (was === undefined && before.size) row.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 320 });
    else if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 320, easing: "cubic-bezier(.2,.7,.2,1)" });
  }
}

function show(html, keepPlace) {
  const next = new DOMParser().parseFromString(html, "text/html");
  const before = places();
  const focused = document.activeElement?.id;
  for (const id of ["top", "main"]) document.getElementById(id).replaceWith(next.getElementById(id));
  document.title = next.title;
  if (keepPlace) glide(before);
  else scrollTo(0, 0);
  const heading = document.getElementById("changed") || document.querySelector("h1");
  const same = focused && document.getElementById(focused);
  (same || document.getElementById("history-title") || document.getElementById("main")).focus({ preventScroll: true });
  document.getElementById("told").textContent = heading ? heading.textContent.replace(/\s+/g, " ").trim() : next.title;
}

async function go(url, { push = true } = {}) {
  asked?.abort();
  const mine = (asked = new AbortController());
  const keepPlace = new URL(url, location).pathname === location.pathname;
  document.documentElement.classList.add("busy");
  document.getElementById("main").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: mine.signal });
    const html = await answer.text();
    if (!(answer.headers.get("content-type") || "").startsWith("text/html") || answer.redirected) {
      location.assign(url); // not a page of ours, or one has to sign in first
      return;
    }
    if (push) history.pushState(null, "", url);
    address = location.pathname + location.search;
    show(html, keepPlace);
  } catch (error) {
    if (error.name === "AbortError") return;
    document.getElementById("told").textContent = "The service does not answer.";
    trouble(url);
  } finally {
    if (asked === mine) {
      document.documentElement.classList.remove("busy");
      document.getElementById("main").removeAttribute("aria-busy");
    }
  }
}

function trouble(url) {
  document.getElementById("trouble")?.remove();
  const told = document.createElement("p");
  told.id = "trouble";
  told.className = "problem";
  told.setAttribute("role", "alert");
  told.append("The service does not answer. What is shown is from before. ");
  const again = document.createElement("a");
  again.href = url;
  again.dataset.live = "";
  again.textContent = "Try again";
  told.append(again);
  document.getElementById("main").prepend(told);
}

addEventListener("click", (event) => {
  const link = event.target.closest("a[data-live]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-live]");
  if (!form) return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
  go(url.href);
});

addEventListener("popstate", () => {
  if (location.pathname + location.search !== address) go(location.href, { push: false });
});

// the space key presses what says that it is a button
addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.('a[role="button"]')) {
    event.preventDefault();
    event.target.click();
  }
});

// exact numbers on hover; a click or the keyboard shows them without this script
let shown = null;
addEventListener("pointerover", (event) => {
  if (event.pointerType !== "mouse") return;
  const button = event.target.closest?.("[data-hover]");
  const wanted = button ? document.getElementById(button.getAttribute("popovertarget")) : event.target.closest?.(".numbers");
  if (wanted === shown) return;
  if (shown?.isConnected && shown.matches(":popover-open")) shown.hidePopover();
  shown = wanted;
  if (button && wanted && !wanted.matches(":popover-open")) wanted.showPopover({ source: button });
  light(event.target.closest?.("[data-item]")?.dataset.item);
});

// an item of the history is lit wherever it stands
let lit = null;
function light(id) {
  if (id === lit) return;
  lit = id;
  document.querySelectorAll("[data-lit]").forEach((place) => place.removeAttribute("data-lit"));
  if (id) document.querySelectorAll(`[data-item="${CSS.escape(id)}"]`).forEach((place) => place.setAttribute("data-lit", ""));
}

// a picture that cannot be shown gives way to its title
addEventListener("error", (event) => {
  const picture = event.target;
  if (!(picture instanceof HTMLImageElement) || !picture.dataset.title) return;
  const tile = picture.parentElement;
  const whole = document.createElement("span");
  whole.className = "whole";
  whole.textContent = picture.dataset.title;
  const letter = document.createElement("span");
  letter.className = "letter";
  letter.textContent = (picture.dataset.title.match(/[\p{L}\p{N}]/u) || ["?"])[0].toUpperCase();
  tile.classList.add("bare");
  tile.setAttribute("aria-hidden", "true");
  picture.replaceWith(whole, letter);
}, true);
