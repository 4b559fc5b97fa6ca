// Toasts leave by themselves after a while, but not while somebody points at them or has the focus in them.
(() => {
  "use strict";
  const SHOWN_MS = 8000;

  const busy = (toast) => toast.matches(":hover, :focus-within");
  const leave = (toast) => (busy(toast) ? setTimeout(leave, SHOWN_MS / 4, toast) : toast.remove());
  const watch = () => {
    for (const toast of document.querySelectorAll("#toasts [data-toast]:not([data-timed])")) {
      toast.dataset.timed = "";
      setTimeout(leave, SHOWN_MS, toast);
    }
  };

  document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove());
  document.addEventListener("DOMContentLoaded", watch);
  document.addEventListener("htmx:afterSettle", watch);
})();
