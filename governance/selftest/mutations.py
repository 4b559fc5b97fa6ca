"""One mutation for each id: the smallest change that the rule is there for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import path

from governance.documents import BACKGROUND, DECISIONS, TODO
from governance.findings import Finding
from governance.preflight import BYPASSES
from governance.selftest.sandbox import BIG, BUDGET, DONE, EVIDENCE, FREE, UI, WAITING, Sandbox, task


def page(request: HttpRequest) -> HttpResponse:
    """Answer anything; only its address matters here."""
    return HttpResponse()


def failing() -> list[Finding]:
    """Fail as a rule with a fault of its own would."""
    raise RuntimeError("selftest")


def known_outsider(box: Sandbox) -> None:
    box.write("docs/OLD.md", "# Old\n")
    box.decide(decision="docs/OLD.md is kept for now.")


def extra_task(box: Sandbox, **fields: str) -> None:
    box.add(TODO, task(**{"id": "T-9009", "title": "Selftest other feldspar", "plan": "P-001", **fields}))


def two_doing(box: Sandbox) -> None:
    for name in (FREE, UI):
        box.in_task(name, "state: todo", "state: doing")


def foreign_plan(box: Sandbox) -> None:
    box.in_task(FREE, "state: todo", "state: doing")
    start = box.text(TODO).split(f"### {FREE}")[1]
    plan = next(line for line in start.split("\n") if line.startswith("- plan: "))
    box.in_task(FREE, plan, "- plan: P-999")


def unexplained_done(box: Sandbox) -> None:
    done = box.text(TODO).partition(f"### {DONE} ")[2].partition("\n### ")[0]
    box.add(TODO, f"\n### T-9009 {done.rstrip()}\n".replace("closing marble", "other feldspar"))


def cut_tail(box: Sandbox) -> None:
    before = box.text(DECISIONS)
    box.decide()
    box.commit()
    box.write(DECISIONS, before)


def unsealed(box: Sandbox) -> None:
    box.decide()
    lines = box.text(DECISIONS).rstrip().split("\n")
    box.write(DECISIONS, "\n".join(lines[:-2]) + "\n")


def old_entry(box: Sandbox) -> None:
    head, found, rest = box.text(DECISIONS).partition("#### Context\n")
    box.write(DECISIONS, f"{head}{found}Changed. {rest}")


def catch_all(box: Sandbox) -> None:
    box.patterns = [path("pages/<path:rest>", page)]


def dependency(box: Sandbox) -> None:
    box.replace("pyproject.toml", "dependencies = [\n", 'dependencies = [\n    "zq7x-undecided>=1",\n')


def bypassed(box: Sandbox) -> None:
    (box.var / BYPASSES).write_text(f"2999-01-01T00:00:00Z {FREE} migrate a reason that is long enough\n")


MUTATIONS: dict[str, Callable[[Sandbox], object]] = {
    "E001": lambda box: (box.root / "docs/REFERENCES.md").unlink(),
    "E002": lambda box: box.replace(BACKGROUND, "## BOOTLOADER", "## Start"),
    "E003": lambda box: box.write("docs/notes.md", "# Notes\n"),
    "E004": lambda box: box.replace(BACKGROUND, "## BOOTLOADER\n", "## BOOTLOADER\n\nDo as you like.\n"),
    "W006": known_outsider,
    "E005": lambda box: box.add("docs/REFERENCES.md", "\n## Tokens\n"),
    "E010": lambda box: box.in_task(FREE, "- needs: none\n", "- needs: none\n- colour: red\n"),
    "E011": lambda box: extra_task(box, id=FREE),
    "E012": lambda box: extra_task(box, title="The granite start: selftest"),
    "E013": lambda box: box.in_task(FREE, "- needs: none\n", ""),
    "E014": lambda box: box.in_task(UI, "  - [ ] A3 axe: holds\n", ""),
    "E015": lambda box: box.in_task(BIG, "  - [ ] A3 dataqueue: holds\n", ""),
    "E016": lambda box: box.in_task(FREE, "needs: none", f"needs: {WAITING}"),
    "E017": two_doing,
    "E018": foreign_plan,
    "E019": lambda box: box.in_task(WAITING, "state: todo", "state: doing"),
    "E020": lambda box: box.in_task(DONE, f"  - files: {EVIDENCE}\n", ""),
    "E021": lambda box: box.in_task(DONE, "  - indexes: YES\n", ""),
    "E022": lambda box: box.in_task(DONE, "[x] A1", "[ ] A1"),
    "W023": lambda box: box.write(EVIDENCE, "proof = 2\n"),
    "E024": unexplained_done,
    "E030": old_entry,
    "E031": cut_tail,
    "E032": lambda box: box.decide(supersedes="D-9999"),
    "W033": unsealed,
    "E040": lambda box: box.live.update({BUDGET: "6"}),
    "E041": lambda box: box.decide(sets=[f"{BUDGET} 5 -> 5"]),
    "W050": lambda box: box.in_task(FREE, "pre-verified: none", "pre-verified: costs/gone.py#Nothing"),
    "E060": catch_all,
    "E061": dependency,
    "E062": lambda box: box.write("selftest_bare.py", "import os  # noqa\n"),
    "C090": lambda box: box.decide(kind="stop"),
    "E091": bypassed,
    "W099": lambda box: box.more.update({"selftest": failing}),
}
