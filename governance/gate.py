"""Decides whether a command may run: what the documents hold against it, in which mode, and with what escape.
Standard library only; imported when the kept verdict does not do.
"""

import gc
import marshal
import os
import sys

from governance import bypass, preflight, rules
from governance.documents import GOVERNED
from governance.findings import ERROR, STOP, Finding, errors
from governance.reading import Reading, on_main

READ_CHECK = "READ CHECK ❌ — I must open the required docs before proceeding."
MOST_SHOWN = 5
READS_ONLY = (
    "showmigrations",
    "sqlmigrate",
    "sqlflush",
    "sqlsequencereset",
    "diffsettings",
    "inspectdb",
    "dumpdata",
    "findstatic",
    "doctor",
    "runserver",
    "up",
    "watchdog",
    "collect_metrics",
    "status_coverage",
    "sendtestemail",
)


def first_look(root: str) -> "list[tuple[str, str, int, str, str, str]]":
    """Return what is wrong, and say what is said once: an installation without documents."""
    if is_absent(root):
        say(["governance: there are no documents beside this installation, so none are checked."])
    return look(root)


def look(root: str) -> "list[tuple[str, str, int, str, str, str]]":
    """Return what is wrong with a folder's documents, packed."""
    if is_absent(root):
        return []
    collecting = gc.isenabled()
    gc.disable()  # thousands of small objects that all live until the end: looking for circles costs a third
    try:
        reading = Reading(root)
        found = rules.check(reading)
        found += bypass.unexplained(preflight.data_folder(root), reading.log)
        return [finding.pack() for finding in found]
    finally:
        if collecting:
            gc.enable()


def is_absent(root: str) -> bool:
    """Say whether this is an installation without its documents, such as a wheel or a container."""
    inside = (os.path.join(root, name) for name in (".git", *GOVERNED))
    return preflight.mode(root) != preflight.ENFORCE and not any(os.path.lexists(path) for path in inside)


def save(path: str, state: "tuple[object, ...]", found: "list[tuple[str, str, int, str, str, str]]") -> None:
    """Keep a verdict for the next command; where the data folder is not there or full, nothing is kept."""
    draft = f"{path}.{os.getpid()}"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(marshal.dumps([state, found]))
        os.replace(draft, path)
    except OSError:
        pass


def judge(
    command: str, packed: "list[tuple[str, str, int, str, str, str]]", root: str
) -> tuple[list[str], bool]:
    """Return what to say on standard error before a command, and whether it is blocked."""
    mode = preflight.mode(root)
    if mode not in (preflight.ENFORCE, preflight.WARN):
        return [f"HEALTHPILOT_GOVERNANCE={mode!r} is not usable: write enforce or warn."], True
    found = strictly([Finding(*values) for values in packed], root)
    faults = [finding for finding in errors(found) if finding.id != STOP]
    stops = [finding for finding in found if finding.id == STOP and not reads_only(command)]
    blocking = stops + (faults if mode == preflight.ENFORCE else [])
    if not blocking:
        return (summary(faults) if faults else []), False
    if os.environ.get(preflight.BYPASS):
        return bypass.use(command, blocking, preflight.data_folder(root))
    return refusal(command, blocking), True


def strictly(found: list[Finding], root: str) -> list[Finding]:
    """Make what is only a warning on a branch an error on main and in CI: entries that nobody sealed."""
    if any(finding.id == "W033" for finding in found) and on_main(root):
        for finding in found:
            finding.level = ERROR if finding.id == "W033" else finding.level
    return found


def reads_only(command: str) -> bool:
    """Say whether a command goes on during an emergency stop: it reads, backs up, or serves what goes on."""
    return command in READS_ONLY or command.startswith(("status", "backup"))


def summary(faults: list[Finding]) -> list[str]:
    """Return the one line that production gets."""
    ids = ", ".join(sorted({finding.id for finding in faults}))
    return [f"governance: the documents have faults ({ids}); ./run manage governance verify names them."]


def refusal(command: str, blocking: list[Finding]) -> list[str]:
    """Return why a command does not run, and how to mend it."""
    stop = any(finding.id == STOP for finding in blocking)
    lines = [] if stop else [READ_CHECK]
    why = "the emergency stop is active" if stop else "the documents are not in order"
    lines.append(f"`{command}` does not run: {why}.")
    for finding in blocking[:MOST_SHOWN]:
        lines += [f"{finding.id} {finding.place}: {finding.message}", f"  mend: {finding.hint}"]
    more = len(blocking) - MOST_SHOWN
    lines.append(f"{f'{more} more: ' if more > 0 else 'All of it: '}./run manage governance verify")
    lines.append(f'For one process: {preflight.BYPASS}="T-0042: a reason of 20 characters or more" …')
    return lines


def failed(error: Exception) -> tuple[list[str], bool]:
    """W099: the checker itself failed; an error in CI, a line elsewhere."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else "?"
    kind = f"{type(error).__name__}: {error}"
    line = f"W099 governance/{where}: the checker itself failed ({kind})."
    return [
        line,
        "  mend: ./run manage governance verify; it is a fault of the checker, not of the documents",
    ], (preflight.truthy("CI"))


def check_command(command: str, root: str) -> tuple[list[str], bool]:
    """Judge a command that did not come through manage.py: django-admin, call_command."""
    if command in preflight.ALWAYS:
        return [], False
    try:
        return judge(command, preflight.verdict(root), root)
    except Exception as error:  # as in preflight.run
        return failed(error)


def say(lines: list[str]) -> None:
    """Write lines to standard error."""
    if lines:
        print("\n".join(lines), file=sys.stderr)
