// Closes an open floating menu on Escape, on a click elsewhere and when the focus leaves it.
(() => {
  "use strict";
  const floating = "details.pop[open], details.top-menu[open]";

  const closeExcept = (target) => {
    for (const menu of document.querySelectorAll(floating)) {
      if (!menu.contains(target)) menu.open = false;
    }
  };

  document.addEventListener("click", (event) => closeExcept(event.target));
  document.addEventListener("focusin", (event) => closeExcept(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(floating)) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });
})();
