"""The seam that scheduled work asks: is the emergency stop in force? Standard library only."""

import os

from governance import decisions, documents
from governance.preflight import ROOT
from governance.rules.entries import stop_of

_seen: tuple[object, str] = (None, "")


def active(root: str = ROOT) -> str:
    """Return the stop that is in force, as 'D-0042: Title', or ''.

    docs/DECISIONS.md is read again only when it changed. One that is missing or cannot be read stops nothing:
    a stop is a deliberate act, never the effect of a fault.
    """
    global _seen
    try:
        facts = os.lstat(os.path.join(root, documents.DECISIONS))
        state = (root, facts.st_mtime_ns, facts.st_size, facts.st_ino)
        if state != _seen[0]:
            entry = stop_of(decisions.parse(documents.read(root, documents.DECISIONS)).entries)
            _seen = (state, f"{entry.id}: {entry.title}" if entry else "")
    except (OSError, documents.Unreadable):
        return ""
    return _seen[1]
