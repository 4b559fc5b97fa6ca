// Copies the text of the element that a button names, and says so in the button and to screen readers.
(() => {
  "use strict";
  const SHOWN_MS = 1600;

  const confirm = (button) => {
    const label = button.querySelector("[data-label]");
    const before = label.textContent;
    label.textContent = "Copied";
    button.classList.add("is-done");
    setTimeout(() => { label.textContent = before; button.classList.remove("is-done"); }, SHOWN_MS);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    const source = button && document.getElementById(button.dataset.copy);
    if (!source || !navigator.clipboard) return;
    await navigator.clipboard.writeText(source.textContent.trim());
    confirm(button);
  });
})();
