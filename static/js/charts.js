// Draws every figure on the page from the JSON beside it, in the colours of the CSS tokens, again when those change.
(() => {
  "use strict";
  const NARROW_PX = 460;
  const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };
  const widths = new WeakMap();

  // "token:tier-1" in a figure stands for the value of --tier-1 here and now.
  const resolve = (value, style) => {
    if (typeof value === "string") {
      return value.startsWith("token:") ? style.getPropertyValue(`--${value.slice(6)}`).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => resolve(item, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, style)]));
  };

  const draw = (plot) => {
    const source = document.getElementById(plot.dataset.figure);
    if (!source || !plot.clientWidth || !window.Plotly) return;
    const figure = resolve(JSON.parse(source.textContent), getComputedStyle(document.documentElement));
    const narrow = plot.clientWidth < NARROW_PX ? figure.narrow : {};
    const layout = {
      ...figure.layout, ...narrow, width: plot.clientWidth, height: plot.clientHeight,
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, ...figure.layout.font },
    };
    widths.set(plot, plot.clientWidth);
    window.Plotly.react(plot, figure.data, layout, CONFIG);
    listen(plot);
  };

  // A click on a point, a bar or a label follows the link that the table has for the same row.
  const follow = (address) => {
    if (!address) return;
    const link = [...document.querySelectorAll("#cost a[href]")].find(
      (one) => (one.dataset.made ?? one.getAttribute("href")) === address,
    );
    if (link) link.click();
    else location.assign(address);
  };
  const listen = (plot) => {
    if (plot.classList.contains("is-linked")) return;
    plot.classList.add("is-linked");
    plot.on("plotly_click", ({ points }) => {
      const point = points.find((one) => one.data.meta?.[one.pointNumber]);
      follow(point?.data.meta[point.pointNumber]);
    });
    plot.on("plotly_clickannotation", ({ annotation }) => follow(annotation.name));
  };

  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.clientWidth !== widths.get(target)) draw(target);
    }
  });
  const drawAll = () => {
    for (const plot of document.querySelectorAll("[data-figure]")) {
      draw(plot);
      observer.observe(plot);
    }
  };

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  document.addEventListener("htmx:historyRestore", drawAll);
  document.addEventListener("theme:changed", drawAll);
})();
