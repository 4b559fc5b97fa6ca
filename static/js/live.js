// After a swap: says what is now shown in the one polite live region, outside everything that is swapped, and no
// oftener than every 30 s unless somebody asked for it.
(() => {
  "use strict";
  const LEAST_MS = 30000;
  let saidAt = 0;

  const say = (words, byItself) => {
    const region = document.getElementById("live");
    if (!region || (byItself && Date.now() - saidAt < LEAST_MS)) return;
    saidAt = Date.now();
    region.textContent = words;
  };

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.closest("[data-quiet]") || event.detail.target?.closest?.("[data-quiet]")) return;
    if (event.detail.elt.closest("[data-quiet]")) return;
    const said = event.detail.elt.closest("[data-said]") || document.querySelector("[data-said]");
    const asked = event.detail.requestConfig;
    const byItself = asked?.headers?.["X-Shown-Version"] !== undefined;
    const polled = ["poll", "refresh:due"].includes(asked?.triggeringEvent?.type);
    // What is followed by polling is said when it changes, not each time that it is asked for.
    if (said && !(polled && document.getElementById("live")?.textContent === said.dataset.said)) {
      say(byItself ? `Figures updated. ${said.dataset.said}` : said.dataset.said, byItself || polled);
    }
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
