// Upgrades links to ARIA tabs: arrows, Home and End move the focus, Enter follows the link, the panel can be focused.
(() => {
  "use strict";
  const WIDE = matchMedia("(min-width: 1181px)");
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  const mark = (nav) => {
    const panel = document.getElementById(nav.dataset.tabs);
    const tabs = [...nav.querySelectorAll("[role=tab]")];
    const current = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
    // Where none is chosen, as on an address that is no tab's, the keyboard enters at the first.
    for (const tab of tabs) tab.tabIndex = tab === (current ?? tabs[0]) ? 0 : -1;
    if (current && panel) panel.setAttribute("aria-labelledby", current.id);
  };

  const upgrade = (nav) => {
    const list = nav.querySelector("ul");
    const panel = document.getElementById(nav.dataset.tabs);
    if (list.getAttribute("role") === "tablist") return;
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", nav.getAttribute("aria-label"));
    nav.setAttribute("role", "presentation");
    nav.removeAttribute("aria-label");
    for (const tab of list.querySelectorAll("a")) {
      tab.parentElement.setAttribute("role", "presentation");
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(tab.hasAttribute("aria-current")));
      tab.removeAttribute("aria-current");
      if (panel) tab.setAttribute("aria-controls", panel.id);
    }
    if (panel) {
      panel.setAttribute("role", "tabpanel");
      panel.tabIndex = 0;
    }
    orient(nav);
    mark(nav);
  };

  const orient = (nav) => {
    const upright = nav.classList.contains("is-vertical") && WIDE.matches;
    nav.querySelector("ul").setAttribute("aria-orientation", upright ? "vertical" : "horizontal");
  };

  const upgradeAll = () => document.querySelectorAll("nav[data-tabs]").forEach(upgrade);

  document.addEventListener("keydown", (event) => {
    const list = event.target.closest("[role=tablist]");
    if (!list || event.ctrlKey || event.metaKey || event.altKey) return;
    const tabs = [...list.querySelectorAll("[role=tab]")];
    const at = tabs.indexOf(event.target);
    const ends = { Home: 0, End: tabs.length - 1 };
    const to = event.key in ends ? ends[event.key] : event.key in STEPS ? at + STEPS[event.key] : null;
    if (to === null) return;
    event.preventDefault();
    tabs[(to + tabs.length) % tabs.length].focus();
  });

  // The chosen tab is the one whose panel has arrived; the focus stays on it.
  document.addEventListener("htmx:afterSwap", (event) => {
    const tab = event.detail.requestConfig?.elt?.closest?.("[role=tab]");
    const nav = tab?.closest("nav[data-tabs]");
    if (!nav || event.detail.target.id !== nav.dataset.tabs) return;
    for (const one of nav.querySelectorAll("[role=tab]")) one.setAttribute("aria-selected", String(one === tab));
    mark(nav);
  });

  document.addEventListener("DOMContentLoaded", upgradeAll);
  document.addEventListener("htmx:afterSettle", upgradeAll);
  WIDE.addEventListener("change", () => document.querySelectorAll("nav[data-tabs]").forEach(orient));
})();
