"""Makes decisions of what a person gives: options of a command line, or a file in the grammar."""

import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from governance import decisions
from governance.edit import Draft
from governance.verbs import decide
from governance.writing import Refused


def day(text: str) -> date:
    """Return a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-22") from None


def prose(text: str) -> str:
    """Return an argument's text: as it is, of a file (@FILE), or of standard input (-)."""
    if text == "-":
        return sys.stdin.read()
    return Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text


def draft(options: dict[str, Any], kind: str) -> Draft:
    """Return the decision that the options make."""
    if not options["title"].strip():
        raise Refused("Give the decision a --title.")
    return Draft(
        options["title"],
        prose(options["context"]),
        prose(options["decision"]),
        prose(options["consequences"]),
        options["date"] or decide.today(),
        kind,
        options["by"],
        options["task"],
        options.get("supersedes", "none"),
        options.get("sets", []),
    )


def drafts(options: dict[str, Any]) -> list[Draft]:
    """Return the decisions of --file, in which every field but the prose may be left out."""
    text = prose("-" if options["file"] == "-" else f"@{options['file']}")
    return [read_draft(part, options) for part in ("\n" + text).split("\n### ")[1:]]


def read_draft(part: str, options: dict[str, Any]) -> Draft:
    """Return one decision of a file: `### Title`, fields, then the three sections."""
    head, *rest = part.split("\n")
    title = head.partition(" — ")[2] if head.startswith("D-") else head
    start = next((n for n, line in enumerate(rest) if line.startswith("#### ")), len(rest))
    fields, sets = read_fields(rest[:start])
    sections = read_sections(rest[start:])
    context, decision, consequences = (sections.get(name, "") for name in decisions.SECTIONS)
    when = day(fields["date"]) if "date" in fields else options["date"] or decide.today()
    kind, by, task, supersedes = (fields.get(name, options[name]) for name in decisions.FIELDS[1:])
    return Draft(title, context, decision, consequences, when, kind, by, task, supersedes, sets)


def read_fields(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the fields above the prose, and what the entry sets."""
    fields: dict[str, str] = {}
    sets: list[str] = []
    for line in lines:
        name, colon, value = line.removeprefix("- ").partition(": ")
        if colon and name == "sets":
            sets.append(value)
        elif colon and name in decisions.FIELDS:
            fields[name] = value
        elif line.strip():
            known = ", ".join(decisions.FIELDS)
            raise Refused(f"{line[:60]!r} stands before #### Context: fields are {known}, sets.")
    return fields, sets


def read_sections(lines: list[str]) -> dict[str, str]:
    """Return the prose by its heading; a seal that stands there is left out, for it is made anew."""
    sections: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("#### "):
            current = sections.setdefault(line[5:].strip(), [])
        elif not line.startswith(("- prev: ", "- seal: ")):
            current.append(line)
    return {name: "\n".join(prose) for name, prose in sections.items()}
