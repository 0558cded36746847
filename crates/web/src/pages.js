// Shortcuts and nothing else: every page works without this file.
"use strict";

const GO = { h: "/admin", c: "/admin/customers", r: "/admin/refunds", e: "/admin/events" };
let waiting = "";

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row] a[data-first]")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  if (next) next.focus();
}

function press(key) {
  const marked = document.querySelector(`[data-key="${key}"]`);
  if (marked) marked.focus();
  return marked !== null;
}

document.addEventListener("keydown", (event) => {
  const search = document.querySelector("#search");
  if ((event.metaKey || event.ctrlKey) && event.key === "k") {
    event.preventDefault();
    if (search) search.focus();
    else location.assign("/admin/customers");
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target)) return;
  if (waiting === "g" && GO[event.key]) {
    location.assign(GO[event.key]);
    return;
  }
  waiting = event.key === "g" ? "g" : "";
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "?") location.assign("/admin/help");
  else if ("are".includes(event.key) && press(event.key)) event.preventDefault();
});
