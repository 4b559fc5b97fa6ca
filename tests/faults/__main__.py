"""Breaks things on purpose: `python -m tests.faults [--full] [--only G3,G4] [--json]`."""

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Sequence

from tests.faults.promises import PROMISES, Promise, Size


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the promises one after the other; returns 0 when all held, else 1."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from tests.faults.sandbox import private_services

    with private_services():
        results = [attempt(promise, options.size, quiet=options.json) for promise in options.only]
    failed = sum(not held for _, held, _ in results)
    if options.json:
        print(json.dumps([{"id": one.id, "held": held, "seen": seen} for one, held, seen in results]))
    else:
        print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./run faults", description=__doc__, allow_abbrev=False)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", dest="size", action="store_const", const="full", help="many more faults")
    size.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="seconds in all")
    parser.add_argument("--only", type=chosen, default=PROMISES, metavar="G3,G4", help="these promises alone")
    parser.add_argument("--json", action="store_true", help="a JSON list instead of lines")
    parser.set_defaults(size="normal")
    return parser.parse_args(arguments)


def chosen(words: str) -> list[Promise]:
    """Return the promises named, in the order they run."""
    ids = {word.strip().upper() for word in words.split(",") if word.strip()}
    known = [promise.id for promise in PROMISES]
    if not ids or not ids <= set(known):
        raise argparse.ArgumentTypeError(f"{words!r} names no promise of {', '.join(known)}")
    return [promise for promise in PROMISES if promise.id in ids]


def attempt(promise: Promise, size: Size, *, quiet: bool) -> tuple[Promise, bool, str]:
    """Try one promise and say how it went; whatever goes wrong in one, the others are tried."""
    began = time.monotonic()
    try:
        held, seen = True, promise.try_it(size)
    except Exception as error:
        traceback.print_exc()
        held, seen = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if not quiet:
        mark = "✓ held  " if held else "✕ broken"
        print(
            f"{mark} {promise.id} {promise.sentence}: {seen} ({time.monotonic() - began:.0f} s)", flush=True
        )
    return promise, held, seen


if __name__ == "__main__":
    sys.exit(main())
