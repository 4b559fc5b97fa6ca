// Renews the budget controls when the figures around them were, unless somebody is changing a budget there.
(() => {
  "use strict";
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "cost") return;
    const controls = document.getElementById("controls");
    if (controls && !controls.querySelector("[data-editor]")) htmx.trigger(controls, "budgets:due");
  });
})();
