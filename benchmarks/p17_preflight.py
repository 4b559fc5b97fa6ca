"""P17: what the look at the documents adds to a command, its import included, with many tasks and entries."""

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Spread
from governance import edit, preflight
from governance.budgets import PREFLIGHT_COLD_MS, PREFLIGHT_WARM_MS
from governance.decisions import parse
from governance.documents import DECISIONS, GOVERNED, TODO

TASKS, ENTRIES = 400, 300
RUNS = 15
WORDS = (
    "cost",
    "import",
    "queue",
    "page",
    "alert",
    "budget",
    "shipper",
    "token",
    "status",
    "export",
    "chart",
)
# A process of its own that does what manage.py does first, and says what it cost: its own time on a core, for
# waiting is what others on the machine cause.
PROBE = (
    "import time; began = time.process_time(); from governance import preflight; "
    "preflight.run(['manage.py', 'migrate']); print(time.process_time() - began)"
)


def measure(bench: Bench) -> Measurement:
    """Time a fresh process each, with the kept verdict and without it; the ratio is of time to budget."""
    with tempfile.TemporaryDirectory(prefix="hp-bench-documents-") as folder:
        root = Path(folder) / "repository"
        make(root)
        var = Path(folder) / "var"
        var.mkdir(mode=0o700)
        seconds_of(root, var)
        warm, cold = [], []
        for _ in range(RUNS):
            (var / preflight.CACHE).unlink()
            cold.append(seconds_of(root, var) * 1000)
            warm.append(seconds_of(root, var) * 1000)
    cold_ms, warm_ms = Spread.of(cold), Spread.of(warm)
    note = f"cold {shown(cold_ms)} ms of {PREFLIGHT_COLD_MS}, warm {shown(warm_ms)} ms of {PREFLIGHT_WARM_MS}"
    ratio = Spread.of([ms / PREFLIGHT_COLD_MS for ms in cold])
    return Measurement(ratio, RUNS, note, holds=warm_ms.median <= PREFLIGHT_WARM_MS)


def shown(spread: Spread) -> str:
    """Return milliseconds with their spread."""
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def seconds_of(root: Path, var: Path) -> float:
    """Return what the preflight cost in a process of its own; raises when it found a fault."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    decided = {"CI": "", "HEALTHPILOT_GOVERNANCE": "enforce", "HEALTHPILOT_VAR": str(var)}
    environment = inherited | decided | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def make(root: Path) -> None:
    """Make a repository with this one's documents, many more tasks and decisions, and the checker itself."""
    for path in GOVERNED:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(preflight.ROOT) / path, root / path)
    shutil.copytree(
        Path(preflight.ROOT) / "governance", root / "governance", ignore=shutil.ignore_patterns("__pycache__")
    )
    text = (root / TODO).read_text(encoding="utf-8")
    more = [task(number) for number in range(9000, 9000 + TASKS - text.count("\n### T-"))]
    (root / TODO).write_text(text + "".join(more), encoding="utf-8")
    log = (root / DECISIONS).read_text(encoding="utf-8")
    (root / DECISIONS).write_text(decisions(log), encoding="utf-8")


def task(number: int) -> str:
    """Return a task as long as a real one, under a title of its own."""
    first, second, third = (WORDS[number // len(WORDS) ** power % len(WORDS)] for power in range(3))
    title = f"{first.title()} {number * 7919 % 10**6:x} of the {second} by {third}"
    return (
        f"\n### T-{number} — {title}\n- state: todo\n- plan: P-099\n- type: ui, bigdata\n- needs: none\n"
        "- doc-target: docs/UI_SPEC.md#routes\n- accept:\n  - [ ] A1 check: exit 0\n"
        "  - [ ] A2 playwright: tests/e2e/test_cost.py\n  - [ ] A3 axe: 0 violations\n"
        "  - [ ] A4 batching: 500 rows\n  - [ ] A5 pagination: by cursor\n  - [ ] A6 dataqueue: one job\n"
        "- pre-verified: none\n"
    )


def decisions(text: str) -> str:
    """Return docs/DECISIONS.md with entries up to ENTRIES, each sealed."""
    log = parse(text)
    prose = "What was seen, what was chosen, and why nothing else would do. " * 5
    parts, prev = [text.rstrip()], log.entries[-1].seal
    for number in range(log.entries[-1].number + 1, ENTRIES + 1):
        body = edit.Draft(f"Choice {number}", prose, prose, prose, date(2026, 1, 2)).body(number)
        parts.append(edit.sealed(body, prev))
        prev = parts[-1][-64:]
    return "\n\n".join(parts) + "\n"
