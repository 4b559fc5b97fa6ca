// Switches the theme at once and keeps it in a cookie, so the server renders the next page in it without a flash.
(() => {
  "use strict";
  const root = document.documentElement;
  const ONE_YEAR_S = 31536000;

  const show = (theme) => {
    root.dataset.theme = theme;
    for (const form of document.querySelectorAll("form[data-theme-form]")) {
      const next = theme === "light" ? "dark" : "light";
      form.elements.theme.value = next;
      form.querySelector("[data-label]").textContent = next === "light" ? "Light theme" : "Dark theme";
    }
    document.dispatchEvent(new CustomEvent("theme:changed"));
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-theme-form]")) return;
    event.preventDefault();
    const theme = event.target.elements.theme.value;
    document.cookie = `theme=${theme}; path=/; max-age=${ONE_YEAR_S}; samesite=lax`;
    show(theme);
  });
})();
