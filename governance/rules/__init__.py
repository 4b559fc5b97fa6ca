"""The rules that look at the documents alone: quick enough for every command. Standard library only."""

from governance.findings import Finding
from governance.reading import Reading
from governance.rules import entries, places, tasks, titles


def check(reading: Reading) -> list[Finding]:
    """Return what is wrong with the documents, in the order of the places."""
    found = list(reading.faults)
    found += places.check(reading)
    if reading.todo:
        found += tasks.check(reading.todo)
        found += titles.check(reading.todo)
    if reading.log:
        found += entries.check(reading.log, reading.todo)
    return found
