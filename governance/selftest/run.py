"""Runs every mutation on one copy and compares what fires with what should."""

import tempfile
from pathlib import Path

from governance.findings import CATALOGUE
from governance.output import Answer
from governance.selftest.mutations import MUTATIONS
from governance.selftest.sandbox import Sandbox, names


def run(root: str) -> Answer:
    """Return a line for each id; exit code 1 where one does not fire alone and once."""
    with tempfile.TemporaryDirectory(prefix="governance-selftest-") as folder:
        box = Sandbox(root, Path(folder))
        clean = box.findings()
        lines = [f"{'✕' if clean else '✓'} clean: {', '.join(names(clean)) or 'nothing fires'}"]
        outcomes = {id_: mutate(box, id_) for id_ in CATALOGUE}
    wrong = [id_ for id_, seen in outcomes.items() if seen != [id_]]
    for id_, seen in outcomes.items():
        said = CATALOGUE[id_] if id_ not in wrong else f"fires as {', '.join(seen) or 'nothing'}"
        lines.append(f"{'✕' if id_ in wrong else '✓'} {id_}: {said}")
    good = not wrong and not clean
    lines.append(
        f"{'✓' if good else '✕'} {len(outcomes) - len(wrong)} of {len(outcomes)} ids fire exactly once"
    )
    return Answer(lines, {"clean": names(clean), "fired": outcomes}, code=0 if good else 1)


def mutate(box: Sandbox, id_: str) -> list[str]:
    """Return the ids that fire on an id's mutation; the copy is as before afterwards."""
    try:
        MUTATIONS[id_](box)
        return [finding.id for finding in box.findings()]
    except (KeyError, LookupError) as error:
        return [f"no mutation: {error}"]
    finally:
        box.restore()
