// Keyboard shortcuts: single keys on what the page shows, a dialog that lists them, and a switch that turns them off.
(() => {
  "use strict";
  const OFF = "shortcuts-off";
  const CHORD_MS = 1200;
  let chordAt = 0;

  const isOff = () => localStorage.getItem(OFF) === "yes";
  const dialog = () => document.getElementById("keys");
  const press = (selector) => document.querySelector(selector)?.click();

  const types = (target) =>
    target.matches?.("input, textarea, select, [contenteditable]") || dialog()?.open;

  // The neighbour of the range that is chosen, among the presets.
  const step = (by) => {
    const links = [...document.querySelectorAll("[id^='range-']:is(a)")];
    const at = links.findIndex((link) => link.hasAttribute("aria-current"));
    links[at < 0 ? 0 : at + by]?.click();
  };

  // From one view of a card to the next: chart, table, both. It is the card with the focus, or the first.
  const turn = () => {
    const card = document.activeElement?.closest(".card");
    const group = (card ?? document).querySelector("[aria-label^='Show'] [aria-current]")?.parentElement
      ?? document.querySelector("[aria-label^='Show']");
    const links = [...(group?.querySelectorAll("a") ?? [])];
    const at = links.findIndex((link) => link.hasAttribute("aria-current"));
    const next = links[(at + 1) % links.length];
    next?.focus();
    next?.click();
  };

  const focusFilter = () => document.querySelector("[data-filter]")?.focus();

  const open = () => {
    const box = dialog();
    if (!box || box.open) return;
    box.querySelector("[data-keys-switch]").checked = !isOff();
    box.showModal();
  };

  const actions = {
    "?": open,
    "/": focusFilter,
    t: turn,
    r: () => press("#refresh-now, [data-refresh-now]"),
    p: () => press("#refresh-pause, [data-pause]"),
    "[": () => step(-1),
    "]": () => step(1),
  };

  document.addEventListener("keydown", (event) => {
    if (isOff() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || types(event.target)) return;
    if (Date.now() - chordAt < CHORD_MS) {
      chordAt = 0;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.assign(link.href); return; }
    }
    if (event.key === "g") { chordAt = Date.now(); return; }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) open();
    if (event.target.closest("[data-keys-close]") || event.target === dialog()) dialog().close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-switch]")) localStorage.setItem(OFF, event.target.checked ? "no" : "yes");
  });
})();
