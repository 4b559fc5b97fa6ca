"""Appends to docs/DECISIONS.md: decisions, stops and resumes; seals what was written by hand."""

from datetime import UTC, date, datetime

from governance import chain, edit
from governance.documents import DECISIONS
from governance.edit import Draft
from governance.output import Answer
from governance.reading import Reading
from governance.rules.entries import stop_of
from governance.writing import Refused, alone, write


def today() -> date:
    """Return the day of the server's clock, in UTC."""
    return datetime.now(UTC).date()


def decide(root: str, drafts: list[Draft], *, dry_run: bool = False) -> Answer:
    """Append decisions, sealed, in their order; all of them or none.

    Raises:
        Refused: one would not parse, names what does not exist, or would break a rule.
    """
    with alone(root):
        reading = ready(root)
        first = len(reading.log.entries) if reading.log else 0
        for draft in drafts:
            append(reading, draft)
        write(root, {DECISIONS: reading.texts[DECISIONS]}, dry_run=dry_run)
    entries = reading.log.entries[first:] if reading.log else []
    lines = [
        f"{'Would append' if dry_run else 'Appended'} {one.id} — {one.title} ({one.seal[:8]})"
        for one in entries
    ]
    if dry_run:
        lines += ["", *(line for one in entries for line in (one.body, ""))]
    return Answer(
        lines, {"decisions": [{"id": one.id, "seal": one.seal} for one in entries], "dry_run": dry_run}
    )


def ready(root: str) -> Reading:
    """Return the documents when decisions can be read; raises Refused."""
    reading = Reading(root)
    if reading.log is None:
        raise Refused("docs/DECISIONS.md cannot be read.", reading.faults)
    return reading


def append(reading: Reading, draft: Draft) -> str:
    """Add a decision to what was read, without writing it; returns its id. Raises Refused."""
    if reading.log is None:
        raise Refused("docs/DECISIONS.md cannot be read.", reading.faults)
    if reading.log.entries and not reading.log.entries[-1].seal:
        raise Refused("The newest decision is not sealed: ./run manage governance seal comes first.")
    refuse_prose(draft)
    text, number = edit.with_entry(reading.texts[DECISIONS], reading.log, draft)
    fresh = Reading(reading.root, reading.texts | {DECISIONS: text})
    reading.texts[DECISIONS], reading.log = text, fresh.log
    return number


def refuse_prose(draft: Draft) -> None:
    """Raise Refused for prose that the grammar would take for something else."""
    for name in ("context", "decision", "consequences"):
        text = getattr(draft, name)
        if not text.strip():
            raise Refused(
                f"'{draft.title}' says nothing for {name}: give --{name} TEXT, @FILE or - for standard input."
            )
        for line in text.split("\n"):
            if line.startswith(("#", "- prev: ", "- seal: ")):
                raise Refused(
                    f"A line of {name} begins like the grammar's own: {line[:60]!r}. Indent it, or reword it."
                )


def seal(root: str, *, base_entries: int | None = None, dry_run: bool = False) -> Answer:
    """Seal what stands unsealed at the end of docs/DECISIONS.md.

    Args:
        base_entries: how many entries the version to land on has: what comes after them is numbered and
            sealed anew, which is what two branches that both appended need after a merge.
    """
    with alone(root):
        reading = Reading(root)
        if reading.log is None:
            raise Refused("docs/DECISIONS.md cannot be read.", reading.faults)
        entries = reading.log.entries
        first = next((n for n, entry in enumerate(entries) if not entry.seal), len(entries))
        first = first if base_entries is None else min(base_entries, first)
        if first == len(entries):
            return Answer(["Every decision is sealed."], {"sealed": []})
        text, numbers = resealed(reading.texts[DECISIONS], reading, first, renumber=base_entries is not None)
        write(root, {DECISIONS: text}, dry_run=dry_run)
    return Answer([f"{'Would seal' if dry_run else 'Sealed'} {', '.join(numbers)}."], {"sealed": numbers})


def resealed(text: str, reading: Reading, first: int, *, renumber: bool) -> tuple[str, list[str]]:
    """Return docs/DECISIONS.md with the entries from `first` on sealed, and their ids."""
    assert reading.log is not None
    entries = reading.log.entries
    kept = text.split("\n")[: entries[first].line - 1]
    prev = entries[first - 1].seal if first else chain.FIRST
    number = entries[first - 1].number if first else 0
    parts, numbers = [], []
    for entry in entries[first:]:
        number = number + 1 if renumber else entry.number
        name = f"D-{number:04d}"
        body = entry.body.replace(f"### {entry.id}", f"### {name}", 1)
        parts.append(edit.sealed(body, prev))
        numbers.append(name)
        prev = chain.seal(prev, body)
    return "\n".join(kept).rstrip() + "\n\n" + "\n\n".join(parts) + "\n", numbers


def stop(root: str, draft: Draft, *, dry_run: bool = False) -> Answer:
    """Put the EMERGENCY STOP in force; says what was under way, so that work can be taken up again."""
    reading = ready(root)
    if reading.log and stop_of(reading.log.entries):
        raise Refused("The emergency stop is in force already: ./run manage governance resume ends it.")
    answer = decide(root, [draft], dry_run=dry_run)
    return with_state(root, answer, "EMERGENCY STOP: mutating commands and scheduled work are blocked.")


def resume(root: str, draft: Draft, *, dry_run: bool = False) -> Answer:
    """End the EMERGENCY STOP."""
    reading = ready(root)
    if reading.log and not stop_of(reading.log.entries):
        raise Refused("No emergency stop is in force: there is nothing to resume.")
    return with_state(root, decide(root, [draft], dry_run=dry_run), "Work goes on.")


def with_state(root: str, answer: Answer, sentence: str) -> Answer:
    """Add plan, task in progress, doc target and the smallest next step to an answer."""
    state = state_of(Reading(root))
    lines = [sentence, *answer.lines, *(f"{name}: {value}" for name, value in state.items())]
    return Answer(lines, answer.data | {"state": state})


def state_of(reading: Reading) -> dict[str, str]:
    """Return where the work stands."""
    todo = reading.todo
    task = next((one for one in todo.tasks if one.state == "doing"), None) if todo else None
    pending = next((item for item in task.acceptance if not item.ticked), None) if task else None
    step = f"A{pending.number} {pending.kind}: {pending.text}" if pending else "./run manage governance brief"
    return {
        "Plan": todo.plan if todo else "unknown",
        "Task in progress": f"{task.id} — {task.title}" if task else "none",
        "Doc target": task.value("doc-target") if task else "none",
        "Smallest next step": step,
    }
