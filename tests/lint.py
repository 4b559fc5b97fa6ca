"""`./run check`: every check that needs no running service, one line for each, all of them even when one
fails.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def checks() -> dict[str, list[str]]:
    """Return the command of each check by what it looks at."""
    manage = [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py"]
    templates = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.html"))
    return {
        "style (ruff)": [str(BIN / "ruff"), "check", "."],
        "layout (ruff format)": [str(BIN / "ruff"), "format", "--check", "."],
        "templates (djade)": [str(BIN / "djade"), "--check", "--target-version", "5.2", *templates],
        "types (mypy)": [str(BIN / "mypy"), "."],
        "architecture (import-linter)": [str(BIN / "lint-imports"), "--no-cache"],
        "configuration (Django)": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        "documents (governance)": [*manage, "governance", "verify"],
        "migrations (Django)": [*manage, "makemigrations", "--check", "--dry-run"],
    }


def main() -> int:
    """Run all checks, print one line each and the output of those that fail; returns 1 when any does."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="hp-check-") as var:
        environment = os.environ | {"HEALTHPILOT_VAR": var, "HEALTHPILOT_HTTPS": "1", "PYTHONPATH": str(ROOT)}
        for name, command in checks().items():
            began = time.monotonic()
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            good = done.returncode == 0
            print(f"{'✓ ok  ' if good else '✕ fail'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
            if not good:
                failed.append(name)
                print(done.stdout + done.stderr, flush=True)
    print(f"✕ {len(failed)} failed: {', '.join(failed)}" if failed else "✓ all checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
