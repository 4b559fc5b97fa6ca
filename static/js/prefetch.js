// Asks for a link when the pointer rests on it or the focus reaches it; the browser keeps the answer for 30 s.
// In a list of tabs with data-prefetch-near its neighbours are asked for as well.
(() => {
  "use strict";
  const REST_MS = 80;
  const KEPT_MS = 25000;
  const asked = new Map();
  let waiting = 0;

  // The same headers as HTMX will send, or the answer kept would be another.
  const headersOf = (link) => {
    if (!link.hasAttribute("hx-get")) return {};
    const target = link.closest("[hx-target]")?.getAttribute("hx-target")?.slice(1);
    return { "HX-Request": "true", ...(target ? { "HX-Target": target } : {}) };
  };

  const ask = (link) => {
    const address = link.href.split("#")[0];
    const headers = headersOf(link);
    const key = `${address} ${headers["HX-Target"] ?? ""}`;
    const now = Date.now();
    if (now - (asked.get(key) ?? 0) < KEPT_MS || navigator.connection?.saveData) return;
    asked.set(key, now);
    fetch(address, { headers, credentials: "same-origin", priority: "low" }).catch(() => asked.delete(key));
  };

  const isOpen = (link) => link.hasAttribute("aria-current") || link.getAttribute("aria-selected") === "true";

  // A link, and in a list of tabs those before and after it.
  const askAround = (link) => {
    const near = [...(link.closest("[data-prefetch-near]")?.querySelectorAll("a") ?? [link])];
    const at = near.indexOf(link);
    for (const one of [link, near[at - 1], near[at + 1]]) if (one && !isOpen(one)) ask(one);
  };

  const consider = (event) => {
    const link = event.target.closest?.("a[data-prefetch], .nav a, [data-prefetch-near] a");
    clearTimeout(waiting);
    if (link && link.origin === location.origin) waiting = setTimeout(askAround, REST_MS, link);
  };

  document.addEventListener("pointerover", consider);
  document.addEventListener("focusin", consider);
})();
