"""The escape for one process: loud, recorded, and to be explained by a decision. Standard library only."""

import os
import time

from governance import preflight
from governance.decisions import Log
from governance.findings import Finding
from governance.parser import is_id

LEAST_REASON = 20
USAGE = f'write {preflight.BYPASS}="T-0042: a reason of {LEAST_REASON} characters or more"'


def use(command: str, blocking: list[Finding], var: str) -> tuple[list[str], bool]:
    """Let one command pass what blocks it; returns what to say, and whether it is blocked after all.

    The variable is taken out of the environment, so that it covers this process and no child of it.
    """
    text = os.environ.pop(preflight.BYPASS, "")
    task, _, reason = text.partition(":")
    reason = " ".join(reason.split())
    if not is_id(task, "T") or len(reason) < LEAST_REASON:
        return [f"E091 {preflight.BYPASS}={text!r} is not usable: {USAGE}."], True
    ids = ", ".join(sorted({finding.id for finding in blocking}))
    kept = record(var, task, command, reason)
    lines = [
        f"!! GOVERNANCE BYPASS for `{command}`: {ids} passed over for {task}: {reason}",
        f"!! {kept} The next command asks for the decision that explains it.",
    ]
    return lines, False


def record(var: str, task: str, command: str, reason: str) -> str:
    """Append a bypass to its record; returns a sentence on where, or why not."""
    path = os.path.join(var, preflight.BYPASSES)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        os.makedirs(var, mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{when} {task} {command.split()[0] if command.split() else '?'} {reason}\n")
    except OSError as error:
        return f"It could not be recorded ({error.strerror})."
    return f"Recorded in {path}."


def unexplained(var: str, log: Log | None) -> list[Finding]:
    """E091: a recorded bypass without a later decision of kind bypass for its task; one finding a task."""
    path = os.path.join(var, preflight.BYPASSES)
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            records = [line.split(" ", 3) for line in stream]
    except OSError:
        return []
    explained: dict[str, str] = {}
    for entry in log.entries if log else ():
        if entry.kind == "bypass":
            explained[entry.value("task")] = max(entry.value("date"), explained.get(entry.value("task"), ""))
    found: dict[str, Finding] = {}
    for number, words in enumerate(records, 1):
        if len(words) == 4 and explained.get(words[1], "") < words[0][:10]:
            when, task, command, reason = words
            message = f"`{command}` passed the documents at {when} for {task} ({reason.strip()})."
            hint = f"./run manage governance decide --kind bypass --task {task} --title 'Why it was right' …"
            found[task] = Finding("E091", path, number, message, hint)
    return list(found.values())
