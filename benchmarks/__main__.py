"""Measures the figures: `python -m benchmarks [--full] [--only P2,P5] [--json] [--keep]`."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from rich.console import Console

from benchmarks import report, sandbox
from benchmarks.figures import FIGURES, Bench, Figure
from benchmarks.sizes import FULL, QUICK, TINY

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns 0 when all was measured, else 1; exits with 2 for bad arguments."""
    options = parse(arguments)
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with sandbox.private_services(options.sizes, keep=options.keep) as var:
            rows = measure(
                options.only,
                Bench(options.sizes, lambda line: console.print(line, style="dim", markup=False)),
            )
    except sandbox.DiskError as error:
        console.print(str(error), markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: everything this run started is stopped.")
        return INTERRUPTED
    if options.json:
        print(report.as_json(rows))
    else:
        report.show(rows, title=f"{options.sizes.name} run: ratios of one run, median (lowest–highest)")
    if options.keep:
        console.print(f"The data is kept in {var}", markup=False)
    return 0 if all(row.found for row in rows) else 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; exits with 2 and one line for bad arguments."""
    parser = argparse.ArgumentParser(
        prog="./run bench", description="Ratios measured side by side in one run.", allow_abbrev=False
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--full", dest="sizes", action="store_const", const=FULL, help="10M events instead of 1M"
    )
    size.add_argument(
        "--tiny",
        dest="sizes",
        action="store_const",
        const=TINY,
        help="seconds in all: tries the harness, the ratios mean nothing",
    )
    parser.add_argument("--only", type=chosen, default=FIGURES, metavar="P2,P5", help="these figures alone")
    parser.add_argument("--json", action="store_true", help="a JSON list instead of the table")
    parser.add_argument("--keep", action="store_true", help="leave the data folder in place")
    parser.set_defaults(sizes=QUICK)
    return parser.parse_args(arguments)


def chosen(words: str) -> list[Figure]:
    """Return the figures named, in the order they run."""
    ids = {word.strip().upper() for word in words.split(",") if word.strip()}
    known = [figure.id for figure in FIGURES]
    if not ids or not ids <= set(known):
        raise argparse.ArgumentTypeError(f"{words!r} names no figure of {', '.join(known)}")
    return [figure for figure in FIGURES if figure.id in ids]


def measure(figures: Sequence[Figure], bench: Bench) -> list[report.Row]:
    """Measure one figure after the other; one that fails is reported with its reason and the rest go on."""
    return [measure_one(figure, bench) for figure in figures]


def measure_one(figure: Figure, bench: Bench) -> report.Row:
    bench.say(f"{figure.id}: {figure.figure}")
    began = time.monotonic()
    try:
        row = report.Row(figure, figure.measure(bench))
    except Exception as error:  # whatever goes wrong in one figure, the others are still worth having
        row = report.Row(figure, None, f"{type(error).__name__}: {' '.join(str(error).split())}")
        bench.say(f"{figure.id} could not be measured: {row.failure}")
    bench.say(f"{figure.id}: {time.monotonic() - began:.1f} s")
    return row


if __name__ == "__main__":
    sys.exit(main())
