"""`./run a11y [--full]`: every page of tests/e2e/pages.py, what is wrong with it, as a table and as JSON."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests import browser, everything

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("axe", "policy", "console", "overflow", "targets", "keyboard", "no script")
NOT_TRIED = "·"


def main(arguments: list[str]) -> int:
    """Look at the pages, print the table, write the JSON; returns 1 when anything is wrong."""
    asked = parser().parse_args(arguments)
    try:
        found = browser.find()
    except browser.BrowserMissingError as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="hp-a11y-") as folder:
        report = Path(folder) / "report"
        environment = {
            "HEALTHPILOT_CHROMIUM": str(found),
            "HEALTHPILOT_A11Y": "full" if asked.full else "quick",
            "HEALTHPILOT_A11Y_REPORT": str(report),
        }
        done = run(environment, asked.only)
        lines = read(report)
    print(table(lines))
    written = write(lines, Path(asked.json))
    wrong = sum(len(ones) for line in lines for ones in line["found"].values())
    print(f"{len(lines)} looks at pages, {wrong} findings; {written}")
    if done.returncode and not wrong:
        print(done.stdout[-4000:], file=sys.stderr)
    return 1 if wrong or done.returncode or not lines else 0


def parser() -> argparse.ArgumentParser:
    asks = argparse.ArgumentParser(prog="./run a11y", description=__doc__)
    asks.add_argument("--full", action="store_true", help="every width, theme, forced colours, zoom")
    asks.add_argument("--only", default="", metavar="WORDS", help="pages whose name holds these words")
    default = ROOT / "var" / "a11y.json"
    asks.add_argument("--json", default=str(default), metavar="FILE", help="where the JSON goes")
    return asks


def run(environment: dict[str, str], only: str) -> subprocess.CompletedProcess[str]:
    """Run the registry's test on every core, which appends a line to the report for every look."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_pages.py"]
    if only:
        chosen = ["-k", f"everybody and {' and '.join(only.split())}"]
    else:
        chosen = ["-k", "everybody", *everything.spread([], os.cpu_count() or 1)]
    return subprocess.run(
        [*command, *chosen],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def read(report: Path) -> list[dict[str, Any]]:
    """Return the looks that were written down, those at one page together."""
    lines = report.read_text().splitlines() if report.exists() else []
    return sorted((json.loads(line) for line in lines), key=lambda line: str(line["page"]))


def table(lines: list[dict[str, Any]]) -> str:
    """Return a line for each look with how much of each kind was found, and below it all that was."""
    width = max((len(line["page"]) for line in lines), default=4)
    looks = max((len(line["look"]) for line in lines), default=4)
    head = f"{'page':{width}}  {'look':{looks}}  " + "  ".join(f"{kind:>8}" for kind in KINDS)
    rows, details = [head, "─" * len(head)], []
    for line in lines:
        found = line["found"]
        counts = "  ".join(f"{counted(found, kind):>8}" for kind in KINDS)
        rows.append(f"{line['page']:{width}}  {line['look']:{looks}}  {counts}")
        details += [
            f"✕ {line['page']}, {line['look']}, {kind}: {one}" for kind, ones in found.items() for one in ones
        ]
    return "\n".join([*rows, *details])


def counted(found: dict[str, list[str]], kind: str) -> str:
    """Return how many there are, or a point where that was not tried."""
    return str(len(found[kind])) if kind in found else NOT_TRIED


def write(lines: list[dict[str, Any]], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(lines, indent=1, ensure_ascii=False) + "\n")
    return str(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
