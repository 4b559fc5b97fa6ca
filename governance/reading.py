"""Everything the documents say at one moment: read and parsed once, then asked by the rules. Standard
library only.
"""

import os

from governance import chain, decisions, documents, todo
from governance.decisions import Log
from governance.findings import Finding
from governance.todo import Todo

BOOTLOADER = "## BOOTLOADER"


class Reading:
    """The documents of one folder.

    texts holds each readable document by its path; todo and log are None where their document is not
    readable; faults says what could not be read or parsed.
    """

    __slots__ = ("faults", "log", "outside", "root", "texts", "todo")

    def __init__(self, root: str, drafts: dict[str, str] | None = None) -> None:
        """Read the documents of a folder; drafts take the place of those they name."""
        self.root = root
        self.texts: dict[str, str] = {}
        self.faults: list[Finding] = []
        self.outside = documents.outside(root)
        for path in documents.GOVERNED:
            try:
                self.texts[path] = drafted(drafts, path) or documents.read(root, path)
            except documents.Unreadable as problem:
                self.faults.append(problem.finding)
        self.todo: Todo | None = None
        self.log: Log | None = None
        if documents.TODO in self.texts:
            self.todo = todo.parse(self.texts[documents.TODO])
            self.faults += self.todo.faults.all()
        if documents.DECISIONS in self.texts:
            self.log = decisions.parse(self.texts[documents.DECISIONS])
            self.faults += self.log.faults.all()

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a document's text, in hex."""
        return chain.digest(self.texts[path].encode())

    def bootloader(self) -> tuple[str, int]:
        """Return the BOOTLOADER section's text and its line; '' and 1 where there is none."""
        return section(self.texts.get(documents.BACKGROUND, ""), BOOTLOADER)


def drafted(drafts: dict[str, str] | None, path: str) -> str:
    """Return a draft's text, '' where there is none; raises Unreadable for what could not be read back."""
    text = (drafts or {}).get(path, "")
    documents.refuse_bytes(path, text.encode())
    return text


def section(text: str, title: str) -> tuple[str, int]:
    """Return a section from its heading to the next of its level, and the heading's line from 1."""
    lines = text.split("\n")
    if title not in lines:
        return "", 1
    start = lines.index(title)
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith(("# ", "## "))), len(lines))
    return "\n".join(lines[start:end]).strip(), start + 1


def on_main(root: str) -> bool:
    """Say whether this is the main branch, or CI, where what is only begun must be finished."""
    if os.environ.get("CI", "").strip().lower() not in ("", "0", "false", "no"):
        return True
    git = os.path.join(root, ".git")
    try:
        if os.path.isfile(git):
            with open(git, encoding="utf-8") as stream:
                git = os.path.join(root, stream.read().removeprefix("gitdir:").strip())
        with open(os.path.join(git, "HEAD"), encoding="utf-8") as stream:
            return stream.read().strip() in ("ref: refs/heads/main", "ref: refs/heads/master")
    except (OSError, ValueError):
        return False
