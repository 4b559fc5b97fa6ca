// Keeps today's figures fresh: every 30 s while the page is seen and nobody types, selects or has paused it. When it
// last asked is no age of the figures: that stands in the line below the title.
(() => {
  "use strict";
  const TICK_MS = 1000;
  const EVERY = "refresh-every";
  const PAUSED = "refresh-paused";
  let shownAt = Date.now();
  let asking = false;

  const bar = () => document.querySelector("[data-today]");
  const everyS = () => Number(localStorage.getItem(EVERY) ?? 30);
  const isPaused = () => localStorage.getItem(PAUSED) === "yes";

  // Whoever types, selects text or has a menu open would lose it.
  const isBusy = () =>
    document.activeElement?.matches("input, select, textarea, [contenteditable]") ||
    !(getSelection()?.isCollapsed ?? true) ||
    document.querySelector("details.pop[open], dialog[open]") !== null;

  const age = (seconds) => (seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);

  const show = () => {
    const now = bar();
    if (!now) return;
    const seconds = Math.floor((Date.now() - shownAt) / 1000);
    now.querySelector("[data-age]").textContent = seconds < 2 ? "Checked just now" : `Checked ${age(seconds)} ago`;
    const pause = document.getElementById("refresh-pause");
    if (!pause) return;
    pause.setAttribute("aria-pressed", String(isPaused()));
    const every = document.getElementById(EVERY);
    if (document.activeElement !== every) every.value = String(everyS());
  };

  // Asks the server and not the browser's copy; 204 says that nothing is newer than what is shown.
  const refresh = () => {
    if (!bar() || asking || !window.htmx) return;
    asking = true;
    htmx.ajax("GET", location.pathname + location.search, {
      source: "#refresh-now",
      target: "#cost",
      headers: { "Cache-Control": "no-cache", "X-Shown-Version": bar().dataset.version ?? "" },
    }).finally(() => { asking = false; });
  };

  const tick = () => {
    show();
    const due = bar()?.hasAttribute("data-live") && everyS() > 0 && !isPaused() && !document.hidden;
    if (due && !isBusy() && Date.now() - shownAt >= everyS() * 1000) refresh();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("#refresh-now")) refresh();
    if (!event.target.closest("#refresh-pause")) return;
    localStorage.setItem(PAUSED, isPaused() ? "no" : "yes");
    show();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== EVERY) return;
    localStorage.setItem(EVERY, event.target.value);
    event.target.blur();
  });
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:afterRequest", (event) => {
    const answered = event.detail.xhr?.status;
    if (event.detail.target?.id === "cost" && (answered === 204 || answered === 200)) shownAt = Date.now();
    show();
  });
  document.addEventListener("DOMContentLoaded", show);
  setInterval(tick, TICK_MS);
})();
