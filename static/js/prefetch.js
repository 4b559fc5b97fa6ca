// Asks for a link when the pointer rests on it or the focus reaches it; the browser keeps the answer for 30 s.
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

  const consider = (event) => {
    const link = event.target.closest?.("a[data-prefetch], .nav a");
    clearTimeout(waiting);
    if (link && link.origin === location.origin && !link.hasAttribute("aria-current")) {
      waiting = setTimeout(ask, REST_MS, link);
    }
  };

  document.addEventListener("pointerover", consider);
  document.addEventListener("focusin", consider);
})();
