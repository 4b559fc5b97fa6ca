// Escape hides the tip that hovering or focusing shows, until the pointer and the focus have left.
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const one of document.querySelectorAll(".when:hover, .when:focus")) one.classList.add("is-dismissed");
  });
  const back = (event) => event.target.closest?.(".when.is-dismissed")?.classList.remove("is-dismissed");
  document.addEventListener("mouseout", back);
  document.addEventListener("focusout", back);
})();
