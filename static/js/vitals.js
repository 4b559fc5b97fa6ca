// Tells how the page was for who reads it: LCP, INP, CLS and TTFB, once, when it is left. It says nothing of the person.
(() => {
  "use strict";
  const own = document.currentScript;
  if (!window.webVitals || !navigator.sendBeacon || Math.random() * 100 >= Number(own.dataset.percent)) return;
  const values = {};
  const note = (metric) => { values[metric.name.toLowerCase()] = Math.round(metric.value * 10000) / 10000; };
  for (const watch of ["onLCP", "onINP", "onCLS", "onTTFB"]) window.webVitals[watch](note, { reportAllChanges: true });

  let isTold = false;
  const tell = () => {
    if (isTold || document.visibilityState !== "hidden" || Object.keys(values).length === 0) return;
    isTold = true;
    const said = JSON.stringify({ portal: own.dataset.portal, ...values });
    navigator.sendBeacon(own.dataset.to, new Blob([said], { type: "application/json" }));
  };
  addEventListener("visibilitychange", tell);
  addEventListener("pagehide", tell);
})();
