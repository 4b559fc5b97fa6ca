"""Shows what a verb found or did: as text, as JSON, or as annotations that CI puts beside the line."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from governance.findings import Finding

Format = Literal["text", "json", "annotations"]


@dataclass
class Answer:
    """What a verb has to say.

    Attributes: lines for reading; data for --json; findings, shown after the lines; code, the exit code.
    """

    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    code: int = 0


def render(answer: Answer, form: Format) -> str:
    """Return an answer in one of the three forms, without a line feed at its end."""
    if form == "json":
        listed = [as_data(finding) for finding in answer.findings]
        return json.dumps(
            {"ok": answer.code == 0, **answer.data, "findings": listed}, ensure_ascii=False, indent=2
        )
    shown = [annotation(finding) if form == "annotations" else text(finding) for finding in answer.findings]
    return "\n".join([*answer.lines, *shown])


def as_data(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    names = ("id", "level", "path", "line", "message", "hint")
    return {name: getattr(finding, name) for name in names}


def text(finding: Finding) -> str:
    """Return a finding as two lines: what and where, and what mends it."""
    mark = "✕" if finding.level == "error" else "▲"
    return f"{mark} {finding.id} {finding.place}: {finding.message}\n    mend: {finding.hint}"


def annotation(finding: Finding) -> str:
    """Return a finding as a workflow command, which CI shows beside the line."""
    place = f"file={escaped(finding.path, ',:')},line={finding.line},title={finding.id}"
    message = escaped(f"{finding.message} Mend: {finding.hint}")
    return f"::{finding.level} {place}::{message}"


def escaped(words: str, more: str = "") -> str:
    """Return text with the characters encoded that would end a workflow command's field."""
    return "".join(f"%{ord(letter):02X}" if letter in f"%\r\n{more}" else letter for letter in words)
