"""What is wrong with a page in a browser: for the eye, the finger, the keyboard, and without scripts."""

from typing import Any

from playwright.sync_api import Page

from tests.e2e.conftest import overflow, violations

LEAST_TARGET_PX = 24
CONTROLS = (
    "a[href], button, input:not([type=hidden]), select, textarea, summary, progress[tabindex], [tabindex='0']"
)

# A walk takes longer than a refresh, which would take the numbered controls away.
HOLD_STILL = """() => {
  for (const one of document.querySelectorAll("#refresh-pause, [data-pause]")) one.click();
  document.activeElement.blur();
  window.scrollTo(0, 0);
}"""

# Numbers every control that the keyboard must reach, in the order of the document.
NUMBER = """(controls) => [...document.querySelectorAll(controls)]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0
    && !one.closest("[inert]") && !one.matches(".skip"))
  .map((one, index) => {
    one.dataset.seen = index;
    return `${one.tagName.toLowerCase()}${one.id ? "#" + one.id : ""} ${one.textContent.trim().slice(0, 40)}`;
  })"""

# Notes, before each key moves it on, where the focus is, whether it can be seen, and whether something lies
# over all of it.
WATCH = """() => {
  window.seen = [];
  window.look = () => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    // Of what is taller than the screen, the part that is on it.
    const [left, top] = [Math.max(box.left, 0), Math.max(box.top, 0)];
    const [width, height] = [Math.min(box.right, innerWidth) - left, Math.min(box.bottom, innerHeight) - top];
    const places = width <= 0 || height <= 0 ? [] : [[.5, .5], [.1, .2], [.9, .2], [.1, .8], [.9, .8]]
      .map(([x, y]) => [left + width * x, top + height * y]);
    const seen = places.some(([x, y]) => { const top = document.elementFromPoint(x, y);
      return top && (one.contains(top) || top.contains(one)); });
    window.seen.push({ at: one.dataset.seen === undefined ? -1 : Number(one.dataset.seen),
      outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1, seen });
  };
  addEventListener("keydown", window.look, { capture: true });
}"""
SEEN = """() => {
  removeEventListener("keydown", window.look, { capture: true });
  window.look();
  return window.seen;
}"""

# Controls smaller than they may be; a link within a sentence is as high as its line and may be.
SMALL = """([controls, least]) => [...document.querySelectorAll(controls)]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(".skip, [tabindex]")
    && getComputedStyle(one).display !== "inline")
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.width > 2 && (box.width < least || box.height < least) && !one.closest("label"))
  .map(([one, box]) => `${one.tagName.toLowerCase()}${one.id ? "#" + one.id : ""} `
    + `${one.textContent.trim().slice(0, 30)}: ${box.width.toFixed(0)} × ${box.height.toFixed(0)} px`)"""

# What sticks out at the right.
WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""

# What must not be seen where no script runs: controls that need one, shapes that wait for one.
DEAD = """() => [...document.querySelectorAll(".needs-js, .plot")]
  .filter((one) => one.checkVisibility()).map((one) => one.outerHTML.slice(0, 120))"""
UNREADABLE = """() => [...document.querySelectorAll("main h1, main h2, main table")]
  .filter((one) => !one.checkVisibility() && !one.closest("dialog"))
  .map((one) => one.outerHTML.slice(0, 120))"""

Findings = dict[str, list[str]]


def looked_at(page: Page) -> Findings:
    """Return what axe, the ruler and the eye for small targets find."""
    wide = overflow(page)
    return {
        "axe": violations(page),
        "overflow": [f"{wide} px: {one}" for one in page.evaluate(WIDE)] or [f"{wide} px"] if wide else [],
        "targets": page.evaluate(SMALL, [CONTROLS, LEAST_TARGET_PX]),
    }


def walked_through(page: Page) -> list[str]:
    """Hold Tab down; return what was not reached, came out of order, or could not be seen."""
    page.evaluate(HOLD_STILL)
    names: list[str] = page.evaluate(NUMBER, CONTROLS)
    page.evaluate(WATCH)
    page.keyboard.press("+".join(["Tab"] * (len(names) + 12)))  # held down, so it repeats
    found: list[dict[str, Any]] = page.evaluate(SEEN)
    wrong, reached, last = [], set[int](), -1
    for focus in found[1:]:
        at = focus["at"]
        if at < 0 or at in reached:
            continue
        reached.add(at)
        if at < last:
            wrong.append(f"out of order: {names[at]} after {names[last]}")
        if not focus["outlined"]:
            wrong.append(f"no focus ring: {names[at]}")
        if not focus["seen"]:
            wrong.append(f"focus lies hidden: {names[at]}")
        last = at
    return wrong + [f"not reached: {name}" for index, name in enumerate(names) if index not in reached]


def without_scripts(page: Page) -> list[str]:
    """Return what a page that was opened without scripts still waits for, or does not show."""
    dead = [f"needs a script: {one}" for one in page.evaluate(DEAD)]
    return dead + [f"not shown: {one}" for one in page.evaluate(UNREADABLE)]
