// A link to a claim: the browser jumps there at once, and then the page grows, as formulas are set and figures drawn. The claim
// is kept in view until the reader moves.
(function () {
  if (!location.hash) return;
  const place = () => document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const growth = new ResizeObserver(() => place()?.scrollIntoView({ behavior: "instant" }));
  const leave = () => growth.disconnect();
  for (const moved of ["wheel", "touchstart", "pointerdown", "keydown", "hashchange"]) {
    addEventListener(moved, leave, { once: true, passive: true });
  }
  addEventListener("DOMContentLoaded", () => growth.observe(document.body));
})();
