// Marks the lines of a change form whose figure differs from the current one, while it is typed.
(() => {
  "use strict";
  const mark = (form) => {
    for (const input of form.querySelectorAll("[data-current]")) {
      input.closest(".change-line").classList.toggle("is-changed", input.value.trim() !== input.dataset.current);
    }
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-change]");
    if (form) mark(form);
  });
  document.addEventListener("reset", (event) => {
    if (event.target.matches("form[data-change]")) setTimeout(mark, 0, event.target);
  });
})();
