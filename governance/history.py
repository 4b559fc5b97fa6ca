"""The rule on versions: every earlier docs/DECISIONS.md is the beginning of the present one (E031)."""

import os
import subprocess

from governance.documents import DECISIONS
from governance.findings import Finding

SHOWN = 12
RESTORE = "put the bytes of `git show {}:docs/DECISIONS.md` back, then ./run manage governance decide"


class UnknownRevision(Exception):  # noqa: N818 - reads as what happened
    """A revision that git does not know."""


def check(root: str, base: str = "") -> list[Finding]:
    """Return a finding for the first earlier version that is no byte-prefix of its successor.

    Compared are the version at `base` (by default what this branch will land on, where there is any) and, so
    that a copy without other branches is checked too, every version in this branch's own history.

    Raises:
        UnknownRevision: `base` is given and git does not know it.
    """
    if not os.path.exists(os.path.join(root, ".git")):
        return []
    if base and git(root, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}") is None:
        raise UnknownRevision(f"--base {base}: git knows no such revision.")
    found = against(root, base or landing_on(root))
    return found or within(root)


def landing_on(root: str) -> str:
    """Return the commit at which this branch left the one it lands on; '' where no other is known."""
    for name in ("@{upstream}", "origin/main", "origin/master", "main", "master"):
        fork = git(root, "merge-base", "HEAD", name)
        if fork:
            return fork.decode().strip()
    return ""


def against(root: str, revision: str) -> list[Finding]:
    """Compare one revision with the file as it lies there."""
    before = git(root, "show", f"{revision}:{DECISIONS}") if revision else None
    return [] if before is None else compare(before, present(root), revision)


def within(root: str) -> list[Finding]:
    """Compare every version of the branch's own history with the next, the newest with the file."""
    listed = git(root, "log", "--first-parent", "--reverse", "--format=%H", "--", DECISIONS)
    previous, name = b"", ""
    for revision in (listed or b"").decode().split():
        version = git(root, "show", f"{revision}:{DECISIONS}") or b""
        found = compare(previous, version, name)
        if found:
            return found
        previous, name = version, revision
    return compare(previous, present(root), name)


def present(root: str) -> bytes:
    """Return the file's bytes, none where it cannot be read (which other rules say)."""
    try:
        with open(os.path.join(root, DECISIONS), "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def compare(before: bytes, after: bytes, revision: str) -> list[Finding]:
    """Return the finding where one version is not the beginning of the next."""
    if after.startswith(before):
        return []
    pairs = enumerate(zip(before, after, strict=False))
    same = next((index for index, (old, new) in pairs if old != new), min(len(before), len(after)))
    line = before.count(b"\n", 0, same) + 1
    what = "was cut" if before.startswith(after) else "was changed"
    message = f"the version of {revision[:SHOWN]} is no longer its beginning: it {what} here."
    return [Finding("E031", DECISIONS, line, message, RESTORE.format(revision[:SHOWN]))]


def entries_at(root: str, revision: str) -> bytes:
    """Return the file at a revision. Raises UnknownRevision."""
    found = git(root, "show", f"{revision}:{DECISIONS}")
    if found is None:
        raise UnknownRevision(f"--base {revision}: git knows no {DECISIONS} there.")
    return found


def git(root: str, *arguments: str) -> bytes | None:
    """Return what git says, None where it refuses or is not there."""
    command = ["git", "-C", root, "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
