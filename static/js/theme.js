// Switches the theme at once and keeps it in a cookie, so the server renders the next page in it without a flash.
(() => {
  "use strict";
  const root = document.documentElement;
  const ONE_YEAR_S = 31536000;

  // The overlays are style sheets that hold in the media a button names, the same that the server would write.
  const show = (button) => {
    root.dataset.theme = button.value;
    document.querySelector("meta[name=color-scheme]").content = button.dataset.scheme;
    document.querySelector("[data-overlay=light]").media = button.dataset.light;
    document.querySelector("[data-overlay=contrast]").media = button.dataset.contrast;
    for (const one of document.querySelectorAll("[data-theme-form] button[name=theme]")) {
      one.setAttribute("aria-pressed", String(one.value === button.value));
    }
    document.dispatchEvent(new CustomEvent("theme:changed"));
  };

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!event.target.matches("form[data-theme-form]") || !button) return;
    event.preventDefault();
    document.cookie = `theme=${button.value}; path=/; max-age=${ONE_YEAR_S}; samesite=lax`;
    show(button);
  });

  for (const query of ["(prefers-color-scheme: light)", "(prefers-contrast: more)", "print"]) {
    matchMedia(query).addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme:changed")));
  }
})();
