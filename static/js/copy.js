// Copies what a button names: the text of an element, the file behind an address, or a link; and says so.
(() => {
  "use strict";
  const SHOWN_MS = 1600;

  const confirm = (button, said) => {
    const label = button.querySelector("[data-label]");
    const before = label.textContent;
    label.textContent = said;
    button.classList.add("is-done");
    setTimeout(() => { label.textContent = before; button.classList.remove("is-done"); }, SHOWN_MS);
  };

  // Parts of the page change the address without the button: all but the days is what the address says now.
  const frozen = (button) => {
    const link = new URL(location.href);
    const days = new URL(button.href).searchParams;
    const rest = [...link.searchParams].filter(([name]) => !["days", "from", "to"].includes(name));
    link.search = new URLSearchParams([["from", days.get("from")], ["to", days.get("to")], ...rest]);
    return link.href;
  };

  const textBehind = async (button) => {
    if (button.dataset.copy) return document.getElementById(button.dataset.copy).textContent.trim();
    if (button.hasAttribute("data-copy-link")) return frozen(button);
    const answer = await fetch(button.dataset.copyFrom);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.text();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-link], [data-copy-from]");
    if (!button || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(await textBehind(button));
      confirm(button, "Copied");
    } catch {
      confirm(button, "Not copied");
    }
  });
})();
