"""Parses docs/DECISIONS.md: entries of fixed form, prose under three headings. Standard library only."""

from governance.chain import is_seal
from governance.documents import DECISIONS
from governance.parser import Faults, heading, is_date, is_id
from governance.todo import short

KINDS = ("decision", "conflict", "budget", "stop", "resume", "bypass", "correction")
FIELDS = ("date", "kind", "by", "task", "supersedes")
SECTIONS = ("Context", "Decision", "Consequences")
Good = dict[str, tuple[str, str]]
REWRITE = "write it anew with ./run manage governance decide"


class Decision:
    """One entry as written.

    fields maps a name to its value and line; sets holds (name, old, new, line); body is what the seal covers;
    prev and seal are '' while the entry is not sealed.
    """

    __slots__ = (
        "body",
        "fields",
        "id",
        "last_line",
        "line",
        "prev",
        "prose",
        "seal",
        "seal_line",
        "sets",
        "title",
    )

    def __init__(self, id: str, title: str, line: int) -> None:  # noqa: A002 - the word for it
        self.id = id
        self.title = title
        self.line = self.last_line = self.seal_line = line
        self.fields: dict[str, tuple[str, int]] = {}
        self.sets: list[tuple[str, str, str, int]] = []
        self.prose: dict[str, int] = {}
        self.body = self.prev = self.seal = ""

    def value(self, name: str) -> str:
        """Return a field's value, '' where the field is missing."""
        return self.fields.get(name, ("", 0))[0]

    def line_of(self, name: str) -> int:
        """Return a field's line, the heading's where the field is missing."""
        return self.fields.get(name, ("", self.line))[1]

    @property
    def kind(self) -> str:
        return self.value("kind")

    @property
    def number(self) -> int:
        return int(self.id[2:])


class Log:
    """The whole document: its entries in the order they stand, and what did not parse."""

    __slots__ = ("entries", "faults")

    def __init__(self) -> None:
        self.entries: list[Decision] = []
        self.faults = Faults(DECISIONS)

    def latest(self, name: str) -> tuple[str, Decision] | None:
        """Return what the last `sets` of a name sets it to, and the entry; None where nothing sets it."""
        for entry in reversed(self.entries):
            for known, _, new, _ in reversed(entry.sets):
                if known == name:
                    return new, entry
        return None


def parse(text: str) -> Log:
    """Return what docs/DECISIONS.md says; whatever does not parse is in the result's faults."""
    log = Log()
    lines = text.split("\n")
    if lines[-1]:
        log.faults.add(len(lines), "the last line has no line feed.", f"echo >> {DECISIONS}")
    elif text:
        lines.pop()
    if not lines or lines[0] != "# Decisions":
        log.faults.add(1, "the title is missing.", "begin with `# Decisions`, then sentences")
    starts = [index for index, line in enumerate(lines) if line.startswith("### ")]
    good: Good = {}
    preamble(log, lines[: starts[0] if starts else len(lines)])
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        found = heading(lines[start], "D")
        if found and found[1]:
            entry = Decision(*found, start + 1)
            log.entries.append(entry)
            parse_entry(log.faults, entry, lines, start, end, good)
        else:
            hint = "an entry begins with `### D-0007 — Title`"
            log.faults.add(start + 1, f"{short(lines[start])} begins no entry.", hint)
    return log


def preamble(log: Log, lines: list[str]) -> None:
    """Take what stands below the title and before the first entry: plain sentences."""
    for number, line in enumerate(lines, 1):
        if number > 1 and line.startswith(("#", "-", ">")):
            log.faults.add(
                number, f"{short(line)} is not in place here.", "begin with `# Decisions`, then sentences"
            )


def parse_entry(faults: Faults, entry: Decision, lines: list[str], start: int, end: int, good: Good) -> None:
    """Take one entry, lines[start:end], its heading included; good holds field lines that were good once."""
    while end > start + 1 and not lines[end - 1]:
        end -= 1
    entry.last_line = end
    prose_end = take_seal(faults, entry, lines, start, end)
    entry.body = "\n".join(lines[start:prose_end]).rstrip()
    index = take_fields(faults, entry, lines, start + 1, prose_end, good)
    take_prose(faults, entry, lines, index, prose_end)


def take_seal(faults: Faults, entry: Decision, lines: list[str], start: int, end: int) -> int:
    """Take the two last lines of a sealed entry; returns where its text ends."""
    last, before = lines[end - 1], lines[end - 2] if end - 2 > start else ""
    if not last.startswith("- seal: "):
        return end
    entry.seal_line = end
    if not before.startswith("- prev: ") or not is_seal(before[8:]) or not is_seal(last[8:]):
        faults.add(
            end, f"{entry.id} does not end with prev and seal of 64 hex digits.", f"git diff {DECISIONS}"
        )
        return end - 1
    entry.prev, entry.seal = before[8:], last[8:]
    return end - 2


def take_fields(faults: Faults, entry: Decision, lines: list[str], index: int, end: int, good: Good) -> int:
    """Take the five fields in their order and what the entry sets; returns where the prose begins."""
    for name in FIELDS:
        if index < end and good.get(lines[index], ("", ""))[0] == name:
            entry.fields[name] = (good[lines[index]][1], index + 1)
            index += 1
        elif index < end and lines[index].startswith(f"- {name}: "):
            value = lines[index][len(name) + 4 :]
            entry.fields[name] = (value, index + 1)
            problem = wrong_value(name, value)
            if problem:
                faults.add(index + 1, f"{name}: {short(value)} is not usable.", problem)
            else:
                good[lines[index]] = (name, value)
            index += 1
        else:
            place = min(index, len(lines) - 1)
            order = ", ".join(FIELDS)
            faults.add(place + 1, f"{entry.id} has no line `- {name}: …` here.", f"the order is {order}")
    while index < end and lines[index].startswith("- sets: "):
        take_sets(faults, entry, lines[index][8:], index + 1)
        index += 1
    return index


def take_sets(faults: Faults, entry: Decision, text: str, number: int) -> None:
    """Take `name old -> new`."""
    words = text.split(" ")
    if len(words) == 4 and words[2] == "->" and all(words):
        entry.sets.append((words[0], words[1], words[3], number))
    else:
        hint = "write `- sets: budget.api.p95 500 -> 400`, none for what was not set before"
        faults.add(number, f"{short(text)} sets nothing.", hint)


def take_prose(faults: Faults, entry: Decision, lines: list[str], index: int, end: int) -> None:
    """Take the three sections, each with at least one line of prose."""
    if index < end and lines[index].startswith("#") and is_plain(entry.body[entry.body.index("\n#") :]):
        return
    section = ""
    for number, line in enumerate(lines[index:end], index + 1):
        if line.startswith("#"):
            section = line[5:]
            expected = SECTIONS[len(entry.prose)] if len(entry.prose) < len(SECTIONS) else "no heading"
            if line != f"#### {expected}":
                faults.add(number, f"{short(line)} stands where #### {expected} is due.", REWRITE)
            entry.prose[section] = 0
        elif not section or line.startswith(("- prev: ", "- seal: ")):
            faults.add(number, f"{short(line)} is not in place here.", REWRITE)
        elif line.strip():
            entry.prose[section] += 1
    for name in SECTIONS:
        if not entry.prose.get(name):
            faults.add(entry.line, f"{entry.id} says nothing under #### {name}.", REWRITE)


def is_plain(text: str) -> bool:
    """Say whether a text is the three sections and nothing that needs a closer look."""
    parts = text.split("\n#")
    return (
        len(parts) == len(SECTIONS) + 1
        and not parts[0].strip()
        and "\n- prev: " not in text
        and "\n- seal: " not in text
        and all(
            part.startswith(f"### {name}\n") and part[len(name) + 5 :].strip()
            for name, part in zip(SECTIONS, parts[1:], strict=True)
        )
    )


def wrong_value(name: str, value: str) -> str:
    """Return how to write a field whose value is not usable, '' for one that is."""
    if name == "date":
        return "" if is_date(value) else "write the day, as 2026-11-22"
    if name == "kind":
        return "" if value in KINDS else f"write one of {', '.join(KINDS)}"
    if name == "task":
        return "" if value == "none" or is_id(value, "T") else "write it as T-0042, or none"
    if name == "supersedes":
        good = value == "none" or all(is_id(word, "D") for word in value.split(", "))
        return "" if good else "write it as D-0003, or none"
    return "" if value.strip() else "write who decided"
