"""`./run screenshots`: takes the pictures of README.md anew; with --check it says whether they are old."""

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests import browser

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
STAMP = ROOT / "tests" / "e2e" / "pictures-taken-from"
# What a picture shows; the figures themselves come from a fixed seed.
SHOWN = ("templates/**/*.html", "static/css/*.css", "static/js/*.js")


def main(arguments: list[str]) -> int:
    """Take the pictures, or compare; returns 1 where they are old or could not be taken."""
    asks = argparse.ArgumentParser(prog="./run screenshots", description=__doc__)
    asks.add_argument("--check", action="store_true", help="take none; exit 1 when they are old")
    if asks.parse_args(arguments).check:
        print("The pictures are old: ./run screenshots" if are_old() else "The pictures show what there is.")
        return 1 if are_old() else 0
    return take()


def digest() -> str:
    """Return what the looks depend on: templates, styles and scripts, by name and content."""
    seen = hashlib.sha256()
    for path in sorted(path for pattern in SHOWN for path in ROOT.glob(pattern)):
        seen.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return seen.hexdigest()


def are_old() -> bool:
    """Return whether a template, style or script changed since the pictures were taken."""
    return not STAMP.exists() or STAMP.read_text().strip() != digest()


def take() -> int:
    """Run tests/e2e/take_pictures.py, which writes them, and note what they were taken from."""
    try:
        found = browser.find()
    except browser.BrowserMissingError as error:
        print(error, file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"HEALTHPILOT_CHROMIUM": str(found), "HEALTHPILOT_PICTURES": str(IMAGES)}
    command = [sys.executable, "-m", "pytest", "-q", "tests/e2e/take_pictures.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode == 0:
        STAMP.write_text(digest() + "\n")
        for path in sorted(IMAGES.glob("*.webp")):
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
