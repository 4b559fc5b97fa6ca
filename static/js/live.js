// After a swap: says what is now shown in the one polite live region, which lies outside everything that is swapped.
(() => {
  "use strict";
  document.addEventListener("htmx:afterSettle", (event) => {
    const said = event.detail.elt.closest("[data-said]") || document.querySelector("[data-said]");
    const region = document.getElementById("live");
    if (said && region) region.textContent = said.dataset.said;
    const notice = document.getElementById("notice");
    if (notice && event.detail.target !== notice) notice.replaceChildren();
  });

  // No answer at all: the old figures stay, and a line says so.
  document.addEventListener("htmx:sendError", () => {
    const offline = document.getElementById("offline");
    const notice = document.getElementById("notice");
    if (offline && notice) notice.replaceChildren(offline.content.cloneNode(true));
  });
})();
