"""Rules that walk the tree: documents anywhere, dependencies, silenced tools, named places, evidence."""

import io
import os
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

from governance import evidence
from governance.documents import GOVERNED, TODO
from governance.findings import Finding
from governance.reading import Reading
from governance.rules.places import outsider

SKIPPED = {"var", "node_modules", "__pycache__", "staticfiles", "test-results", "vendor", "build", "dist"}
PROSE_ENDINGS = (".md", ".markdown", ".rst", ".adoc", ".org")
MARK = re.compile(r"#\s*(?:noqa(?::\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+\b)*)?|type:\s*ignore(?:\[[^\]]*\])?)")
LEAST_REASON = 8
PROJECT = "pyproject.toml"


def check(reading: Reading) -> list[Finding]:
    """Return the faults of E003 anywhere, E061, E062, W023 and W050."""
    files = list(walk(reading.root))
    found = [finding for path in files if (finding := stray(reading, path))]
    found += dependencies(reading)
    for path in files:
        if path.endswith(".py"):
            found += unreasoned(reading.root, path)
    return found + places(reading) + changed_evidence(reading)


def walk(root: str) -> Iterator[str]:
    """Yield the files of a tree by their path from its top, without hidden, made and foreign ones."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield os.path.relpath(os.path.join(folder, name), root)


def stray(reading: Reading, path: str) -> Finding | None:
    """E003: a document in a folder where none is looked for."""
    top = path.partition("/")[0]
    if top == path or top == "docs" or not path.lower().endswith(PROSE_ENDINGS):
        return None
    return outsider(reading, path)


def dependencies(reading: Reading) -> list[Finding]:
    """E061: every dependency of pyproject.toml is named under #### Decision of some entry."""
    try:
        text = (Path(reading.root) / PROJECT).read_text()
        project = tomllib.loads(text).get("project", {})
    except (OSError, ValueError) as error:
        return [Finding("E061", PROJECT, 1, f"it cannot be read ({error}).", f"git diff {PROJECT}")]
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    approved = " ".join(entry.body.lower() for entry in reading.log.entries) if reading.log else ""
    found = []
    for requirement in (name for group in groups for name in group):
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        if not re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", approved):
            line = next((n for n, words in enumerate(text.split("\n"), 1) if f'"{requirement}"' in words), 1)
            hint = f"./run manage governance decide --task T-id --title 'Depend on {name}' …"
            found.append(Finding("E061", PROJECT, line, f"no decision approves {name}.", hint))
    return found


def unreasoned(root: str, path: str) -> list[Finding]:
    """E062: a comment that silences a tool says why."""
    text = (Path(root) / path).read_text(encoding="utf-8", errors="replace")
    if not any(MARK.search(line) and not has_reason(line[line.index("#") :]) for line in text.split("\n")):
        return []  # telling comments from strings is slow, and seldom needed
    found = []
    for line, comment in comments(text):
        if MARK.search(comment) and not has_reason(comment):
            sign = "#" if "type:" in comment else "-"
            hint = f"write why behind it: `{comment.strip()} {sign} what makes it right here`"
            said = f"`{comment.strip()}` gives no reason."
            found.append(Finding("E062", path, line, said, hint))
    return found


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment, up to where a file stops being Python."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return


def has_reason(comment: str) -> bool:
    """Say whether something in words is left of a comment without its marks."""
    return sum(letter.isalpha() for letter in MARK.sub(" ", comment)) >= LEAST_REASON


def places(reading: Reading) -> list[Finding]:
    """W050: what a task is said to be implemented in, or was made of, is still there."""
    found = []
    for task in reading.todo.tasks if reading.todo else ():
        named = [(place, task.line_of("pre-verified")) for place in task.names("pre-verified")]
        for field in ("files", "tests") if task.state == "done" else ():
            named += [
                (place, task.closing.get(field, ("", task.line))[1]) for place in task.closed_with(field)
            ]
        for place, line in named:
            if place not in GOVERNED and not is_there(reading.root, place):
                hint = f"correct the line in {TODO}; ./run manage governance inventory shows what there is"
                found.append(Finding("W050", TODO, line, f"{task.id} names {place}, which is gone.", hint))
    return found


def is_there(root: str, place: str) -> bool:
    """Say whether path or path#symbol (or path::test) is there."""
    path, _, symbol = place.replace("::", "#").partition("#")
    target = Path(root) / path
    if not symbol or not target.is_file():
        return target.exists()
    names = [re.escape(part) for part in re.split(r"[.:\[]", symbol) if part]
    text = target.read_text(encoding="utf-8", errors="replace")
    return all(re.search(rf"\b{name}\b", text) for name in names[:2])


def changed_evidence(reading: Reading) -> list[Finding]:
    """W023: the files that proved a task are as they were; a report that was not kept says nothing."""
    found = []
    for task in reading.todo.tasks if reading.todo else ():
        changed = []
        for pair in task.closed_with("evidence"):
            path, _, mark = pair.rpartition("@")
            now = evidence.digest(reading.root, path)
            if now and not now.startswith(mark):
                changed.append(path)
        if changed:
            line = task.closing["evidence"][1]
            message = f"{task.id}: {', '.join(changed)} changed since they proved it."
            hint = f"run them again, then ./run manage governance task done {task.id} --again …"
            found.append(Finding("W023", TODO, line, message, hint))
    return found
