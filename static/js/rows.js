// On a phone a list shows its first rows; this shows the rest.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-rows-more]");
    if (!button) return;
    const table = button.previousElementSibling;
    const seen = [...table.querySelectorAll("tbody tr")].filter((row) => row.checkVisibility()).length;
    table.classList.add("is-whole");
    button.remove();
    table.querySelector(`tbody tr:nth-child(${seen + 1}) a`)?.focus();
  });
})();
