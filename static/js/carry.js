// Carries what one part of the page changed in the address (filter, order, tier, kind of change) on to the links and
// forms outside of it: they were made for the address before.
(() => {
  "use strict";
  const OWNED = { users: ["q", "sort", "tier"], change: ["by"] };
  let before = new URLSearchParams(location.search);

  // An empty filter is none; the tier without a name is one.
  const said = (query, name) => (name === "tier" ? query.get(name) : query.get(name) || null);
  const put = (query, name, value) => (value === null ? query.delete(name) : query.set(name, value));

  const carryLink = (link, names, now) => {
    const [query, hash] = link.getAttribute("href").slice(1).split("#");
    const asked = new URLSearchParams(query);
    // A link that leads to the users chooses a tier itself.
    const carried = names.filter((name) => said(asked, name) === said(before, name) && !(hash === "users" && name === "tier"));
    for (const name of carried) put(asked, name, said(now, name));
    const address = `?${asked}${hash ? `#${hash}` : ""}`;
    link.dataset.made ??= link.getAttribute("href");
    link.setAttribute("href", address);
    if (!link.hasAttribute("hx-get")) return;
    link.setAttribute("hx-get", `?${asked}`);
    htmx.process(link);
  };

  const carryForm = (form, names, now) => {
    for (const name of names) {
      form.querySelector(`input[type=hidden][name=${name}]`)?.remove();
      if (form.elements.namedItem(name) || said(now, name) === null) continue;
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: said(now, name) }));
    }
  };

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const now = new URLSearchParams(location.search);
    const names = OWNED[detail.target?.id];
    if (names && String(now) !== String(before)) {
      const outside = (one) => !detail.target.contains(one) && !one.closest("[data-quiet]");
      [...document.querySelectorAll('#cost a[href^="?"]')].filter(outside).forEach((link) => carryLink(link, names, now));
      [...document.querySelectorAll("#cost form[method=get]")].filter(outside).forEach((form) => carryForm(form, names, now));
    }
    before = now;
  });
})();
