// Asks again for what still changes: an element with data-poll (milliseconds) gets a "poll" event that htmx acts on.
// It waits while the page or the element is hidden, while a menu or a field in the element is in use and while text is selected.
(() => {
  "use strict";
  const TICK_MS = 500;
  const askedAt = new WeakMap();

  const inUse = (element) => {
    const focused = document.activeElement;
    const typing = focused && focused.matches("input, select, textarea") && element.contains(focused);
    const selection = document.getSelection();
    const selecting = selection && !selection.isCollapsed && element.contains(selection.anchorNode);
    return typing || selecting || element.querySelector("details.pop[open]");
  };

  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("[data-poll]")) {
      const now = performance.now();
      if (element.getClientRects().length === 0) continue;
      if (!askedAt.has(element)) askedAt.set(element, now);
      if (now - askedAt.get(element) < Number(element.dataset.poll) || inUse(element)) continue;
      askedAt.set(element, now);
      htmx.trigger(element, "poll");
    }
  }, TICK_MS);
})();
