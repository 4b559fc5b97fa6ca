"""The governed documents: which there are, in which order they are read, what belongs where, and how a file
is read without trusting it. Standard library only.
"""

import os
import stat

from governance.findings import Finding

TODO, DECISIONS, BACKGROUND = "docs/TODO.md", "docs/DECISIONS.md", "replit.md"
READ_ORDER = (
    "docs/AGENT_BRIEF.md",
    TODO,
    "docs/UI_SPEC.md",
    "DESIGN_SYSTEM.md",
    "docs/DB_SCHEMA.md",
    DECISIONS,
    "docs/REFERENCES.md",
    "UI_DEBT.md",
    BACKGROUND,
)
PERFORMANCE = "docs/PERFORMANCE.md"
GOVERNED = (*READ_ORDER, PERFORMANCE)
OUTSIDE = ("README.md", "LICENSE")

# Where a kind of content has its home; what `governance route` answers from.
HOMES = {
    "docs/UI_SPEC.md": "flows, routes, pages, tabs, actions, states, budgets shown",
    "DESIGN_SYSTEM.md": "tokens, components, colour, type, space, motion",
    "docs/DB_SCHEMA.md": "tables, columns, indexes, partitions, retention, schema",
    DECISIONS: "why, trade-offs, thresholds, dependencies, decisions, conflicts, stops",
    TODO: "plans, tasks, acceptance, dependencies between tasks, checklists",
    "docs/REFERENCES.md": "links, sources, formulas, standards, papers",
    "UI_DEBT.md": "UI faults, interface debt, known ugliness",
    "docs/AGENT_BRIEF.md": "rules, governance, gold rules, security, monitoring, architecture, recipes",
    PERFORMANCE: "measured figures, benchmarks, how to reproduce them, what was tried",
    BACKGROUND: "background, bootloader",
}

# Headings that have one home: in any other governed document they are in the wrong place (E005).
HEADINGS = {
    "routes": "docs/UI_SPEC.md",
    "flows": "docs/UI_SPEC.md",
    "tabs": "docs/UI_SPEC.md",
    "tokens": "DESIGN_SYSTEM.md",
    "design tokens": "DESIGN_SYSTEM.md",
    "components": "DESIGN_SYSTEM.md",
    "tables": "docs/DB_SCHEMA.md",
    "indexes": "docs/DB_SCHEMA.md",
    "partitions": "docs/DB_SCHEMA.md",
    "partitions and retention": "docs/DB_SCHEMA.md",
    "decisions": DECISIONS,
    "tasks": TODO,
    "plans": TODO,
    "acceptance": TODO,
    "references": "docs/REFERENCES.md",
    "links": "docs/REFERENCES.md",
    "ui faults": "UI_DEBT.md",
    "ui debt": "UI_DEBT.md",
    "gold rules": "docs/AGENT_BRIEF.md",
    "monitoring rules": "docs/AGENT_BRIEF.md",
    "bootloader": BACKGROUND,
}

LARGEST_BYTES = 4_000_000
DOCUMENT_ENDINGS = (".md", ".markdown", ".rst", ".adoc", ".org", ".txt", ".docx", ".pdf")
PICTURE_ENDINGS = (".png", ".svg", ".jpg", ".jpeg", ".webp", ".gif")

# In UTF-8: U+061C, U+200B to U+200F, U+202A to U+202E, U+2060 to U+2069, U+FEFF and the tag characters.
HIDDEN = (
    (b"\xd8\x9c", "a bidirectional control (U+061C)"),
    *(
        (bytes((0xE2, 0x80, last)), f"an invisible character (U+{0x1F80 + last:04X})")
        for last in range(0x8B, 0x90)
    ),
    *(
        (bytes((0xE2, 0x80, last)), f"a bidirectional control (U+{0x1F80 + last:04X})")
        for last in range(0xAA, 0xAF)
    ),
    *(
        (bytes((0xE2, 0x81, last)), f"a bidirectional control (U+{0x1FC0 + last:04X})")
        for last in range(0xA0, 0xAA)
    ),
    (b"\xef\xbb\xbf", "a byte order mark"),
    (b"\xf3\xa0\x80", "a tag character"),
    (b"\xf3\xa0\x81", "a tag character"),
)
MARKERS = (b"<<<<<<< ", b"||||||| ", b">>>>>>> ")
USUAL = bytes(range(32, 127)) + b"\n"
NOT_CONTROLS = bytes(set(range(256)) - set(range(32)) - {127} | {9, 10})


class Unreadable(Exception):  # noqa: N818 - reads as what happened
    """A document that cannot be read; `finding` says why and how to mend it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def refused(path: str, line: int, message: str, hint: str) -> Unreadable:
    """Return the refusal of a whole file."""
    return Unreadable(Finding("E010", path, line, message, hint))


def missing(path: str) -> Unreadable:
    """Return the finding for a document that is not there."""
    hint = f"git checkout -- {path}   (or write it: docs/AGENT_BRIEF.md says what it holds)"
    return Unreadable(Finding("E001", path, 1, "this required document is missing.", hint))


def read(root: str, path: str) -> str:
    """Return a document's text.

    Fixed path, no symbolic link followed, a plain file of at most LARGEST_BYTES in UTF-8 with LF, without
    NUL, invisible or bidirectional characters, and without the markers of an unfinished merge.

    Raises:
        Unreadable: it is missing (E001) or breaks one of these rules (E010).
    """
    raw = read_bytes(root, path)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse_bytes(path, raw)
        line = raw.count(b"\n", 0, error.start) + 1
        raise refused(
            path, line, "this is not UTF-8.", f"iconv -f latin1 -t utf-8 {path} -o {path}"
        ) from None
    unusual = raw.translate(None, USUAL).decode("utf-8")  # what is not plain ASCII, mostly nothing
    if not unusual.isprintable() or any(marker in raw for marker in MARKERS):
        refuse_bytes(path, raw)
    return text


def read_bytes(root: str, path: str) -> bytes:
    """Return a document's bytes; raises Unreadable for what is no plain file of a bearable size."""
    folder, _, name = path.rpartition("/")
    handles = []
    try:
        handles.append(os.open(root, os.O_RDONLY | os.O_DIRECTORY))
        for part in folder.split("/") if folder else ():
            handles.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handles[-1]))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        handles.append(os.open(name, flags, dir_fd=handles[-1]))
        return read_handle(handles[-1], path)
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        if os.path.islink(os.path.join(root, path)) or os.path.islink(os.path.join(root, folder)):
            hint = f'put the file itself there: cp --remove-destination "$(readlink -f {path})" {path}'
            raise refused(path, 1, "this is a symbolic link; documents are plain files.", hint) from None
        hint = "make it a file that you may read"
        raise refused(path, 1, f"this cannot be read ({error.strerror}).", hint) from None
    finally:
        for handle in handles:
            os.close(handle)


def read_handle(handle: int, path: str) -> bytes:
    """Return what an open file holds, at most LARGEST_BYTES of it."""
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        raise refused(path, 1, "this is no plain file.", f"git checkout -- {path}")
    if facts.st_size > LARGEST_BYTES:
        size = f"{facts.st_size / 1e6:.1f} MB, more than the {LARGEST_BYTES / 1e6:.0f} MB a document may have"
        raise refused(path, 1, f"this has {size}.", f"keep data elsewhere; git checkout -- {path}")
    parts = []
    left = LARGEST_BYTES + 1
    while left and (part := os.read(handle, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def refuse_bytes(path: str, raw: bytes) -> None:
    """Raise Unreadable for bytes that no document holds: controls, hidden characters, merge markers."""
    controls = raw.translate(None, NOT_CONTROLS)
    if controls:
        first = controls[:1]
        name = {b"\0": "a NUL byte", b"\r": "a carriage return"}.get(
            first, f"a control character ({first[0]:#04x})"
        )
        hint = f"tr -d '\\{first[0]:03o}' < {path} > t && mv t {path}   (lines end with LF alone)"
        raise refused(path, line_of(raw, first), f"{name}.", hint)
    for sign, name in HIDDEN if not raw.isascii() else ():
        if sign in raw:
            raise refused(
                path, line_of(raw, sign), f"{name}, which a reader cannot see.", "delete that character"
            )
    for marker in MARKERS:
        if raw.startswith(marker) or b"\n" + marker in raw:
            line = 1 if raw.startswith(marker) else line_of(raw, b"\n" + marker) + 1
            hint = "finish the merge: keep both sides' entries, then `./run manage governance seal`"
            raise refused(path, line, "a conflict marker of an unfinished merge.", hint)


def line_of(raw: bytes, sign: bytes) -> int:
    """Return the line, from 1, on which the bytes first occur."""
    return raw.count(b"\n", 0, raw.index(sign)) + 1


def outside(root: str) -> list[str]:
    """Return the documents at the top and below docs/ that are not in the read order."""
    found = [name for name in names(root) if name.lower().endswith(DOCUMENT_ENDINGS) and is_file(root, name)]
    folders = ["docs"]
    while folders:
        folder = folders.pop()
        for name in names(os.path.join(root, folder)):
            path = f"{folder}/{name}"
            if os.path.isdir(os.path.join(root, path)) and not os.path.islink(os.path.join(root, path)):
                folders.append(path)
            elif not name.lower().endswith(PICTURE_ENDINGS):
                found.append(path)
    return sorted(path for path in found if path not in READ_ORDER and path not in OUTSIDE)


def is_file(root: str, name: str) -> bool:
    """Say whether a name at the top is a file or a link rather than a folder."""
    path = os.path.join(root, name)
    return os.path.islink(path) or not os.path.isdir(path)


def names(folder: str) -> list[str]:
    """Return the names in a folder, hidden ones left out; none where it cannot be listed."""
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []
