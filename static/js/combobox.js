// A choice out of many: asks the server for matches of what is typed and lets arrows, Enter and Escape work on them.
(() => {
  "use strict";
  const WAIT_MS = 200;
  const timers = new WeakMap();

  const parts = (box) => ({ input: box.querySelector("input"), list: box.querySelector(".options"), said: box.querySelector("[data-said]") });

  const close = (box) => {
    const { input, list } = parts(box);
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const options = (box) => [...box.querySelectorAll("[role=option]")];

  const point = (box, to) => {
    const { input } = parts(box);
    options(box).forEach((one, index) => {
      one.id = `${input.id}-option-${index}`;
      one.setAttribute("aria-selected", String(index === to));
      if (index !== to) return;
      input.setAttribute("aria-activedescendant", one.id);
      one.scrollIntoView({ block: "nearest" });
    });
  };

  const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;

  const load = async (box, url, { more = null } = {}) => {
    const { input, list, said } = parts(box);
    const asked = input.value;
    const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) {
      said.textContent = "No answer; type the whole name.";
      return;
    }
    const found = parsed(await answer.text());
    if (input.value !== asked) return;
    if (more) {
      const from = options(box).length - 1;
      more.replaceWith(...found.querySelectorAll("li"));
      point(box, from);
    } else {
      list.replaceChildren(...found.childNodes);
      list.querySelector("ul").id = `${input.id}-options`;
      input.setAttribute("aria-controls", `${input.id}-options`);
    }
    said.textContent = found.querySelector("[data-count]")?.dataset.count ?? "";
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  };

  const search = (box) => {
    const url = new URL(box.dataset.combobox, location.href);
    url.searchParams.set("q", parts(box).input.value);
    return load(box, url);
  };

  const choose = (box, option) => {
    if (option.dataset.more) {
      load(box, option.dataset.more, { more: option });
      return;
    }
    const { input } = parts(box);
    input.value = option.dataset.value;
    input.dispatchEvent(new CustomEvent("combobox:chosen", { bubbles: true, detail: option.dataset.value }));
    close(box);
  };

  const move = (box, step) => {
    const all = options(box);
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    point(box, at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length);
  };

  const upgrade = (box) => {
    const { input } = parts(box);
    if (input.getAttribute("role")) return;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
  };
  const upgradeAll = () => document.querySelectorAll("[data-combobox]").forEach(upgrade);

  document.addEventListener("input", (event) => {
    const box = event.target.closest("[data-combobox]");
    if (!box) return;
    clearTimeout(timers.get(box));
    timers.set(box, setTimeout(search, WAIT_MS, box));
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest("[data-combobox]");
    if (!box) return;
    const { list } = parts(box);
    const chosen = box.querySelector("[role=option][aria-selected=true]");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) search(box);
      else if (options(box).length) move(box, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !list.hidden && chosen) {
      event.preventDefault();
      choose(box, chosen);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close(box);
    }
  });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[data-combobox] [role=option]");
    if (!option) return;
    event.preventDefault();
    choose(option.closest("[data-combobox]"), option);
  });
  document.addEventListener("focusout", (event) => {
    const box = event.target.closest("[data-combobox]");
    if (box && !box.contains(event.relatedTarget)) close(box);
  });
  document.addEventListener("DOMContentLoaded", upgradeAll);
  document.addEventListener("htmx:afterSettle", upgradeAll);
})();
