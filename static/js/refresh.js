// Says how old figures are and asks for newer ones: sends refresh:due to what a refresh control names.
// It waits while the browser's tab is hidden and while somebody types or selects, and keeps the chosen interval.
(() => {
  "use strict";
  const TICK_MS = 1000;
  const KEPT = "refresh-every-s";
  const NOISY = "input:not([type=checkbox]), select, textarea, dialog[open], details.pop[open], [role=listbox]";

  const everyS = (control) => Number(localStorage.getItem(KEPT) ?? control.dataset.interval);
  const ageS = (control) => Math.max(0, Math.round((Date.now() - Number(control.dataset.at)) / 1000));
  const spoken = (age) => (age < 60 ? `${age} s` : age < 3600 ? `${Math.floor(age / 60)} min` : `${Math.floor(age / 3600)} h`);

  const occupied = (target) => {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && target.contains(selection.anchorNode)) return true;
    return Boolean(target.contains(document.activeElement) && document.activeElement.closest(NOISY))
      || Boolean(target.querySelector("dialog[open], details.pop[open]"));
  };

  const refresh = (control) => {
    control.dataset.asked = String(Date.now());
    control.classList.add("is-busy");
    document.getElementById(control.dataset.refresh)?.dispatchEvent(new CustomEvent("refresh:due", { bubbles: true }));
  };

  const show = (control) => {
    control.querySelector("[data-age]").textContent = `updated ${spoken(ageS(control))} ago`;
  };

  const begin = (control) => {
    if (control.dataset.at) return;
    control.dataset.at = String(Date.parse(control.dataset.captured) || Date.now());
    control.dataset.asked = String(Date.now());
    const select = control.querySelector("[data-every]");
    if (select) select.value = String(everyS(control));
    show(control);
  };

  const tick = () => {
    for (const control of document.querySelectorAll("[data-refresh]")) {
      begin(control);
      show(control);
      const due = everyS(control) > 0 && Date.now() - Number(control.dataset.asked) >= everyS(control) * 1000;
      if (due && !isHeld(control)) refresh(control);
    }
  };

  const isHeld = (control) => {
    const target = document.getElementById(control.dataset.refresh);
    return !target || document.hidden || control.classList.contains("is-paused") || occupied(target);
  };

  // Who comes back to the browser's tab sees what is, at once.
  const returned = () => {
    for (const control of document.querySelectorAll("[data-refresh]")) {
      if (everyS(control) > 0 && !isHeld(control)) refresh(control);
    }
  };

  const arrived = (event) => {
    for (const control of document.querySelectorAll("[data-refresh]")) {
      if (event.detail.target?.id !== control.dataset.refresh) continue;
      control.classList.remove("is-busy");
      if (event.detail.successful) control.dataset.at = String(Date.now());
      show(control);
    }
  };

  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-refresh]");
    if (!control) return;
    if (event.target.closest("[data-refresh-now]")) {
      event.preventDefault();
      refresh(control);
    }
    const pause = event.target.closest("[data-pause]");
    if (!pause) return;
    const paused = control.classList.toggle("is-paused");
    pause.setAttribute("aria-pressed", String(paused));
    pause.title = paused ? "Go on" : "Pause";
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-every]")) localStorage.setItem(KEPT, event.target.value);
  });
  document.addEventListener("htmx:afterRequest", arrived);
  document.addEventListener("visibilitychange", returned);
  document.addEventListener("DOMContentLoaded", tick);
  setInterval(tick, TICK_MS);
})();
