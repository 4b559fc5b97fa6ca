"""The verbs that look around: what exists, and where a kind of content has its home."""

from governance import inventory, tree
from governance.documents import HOMES
from governance.inventory import Item
from governance.output import Answer
from governance.reading import Reading
from governance.rules.places import home_of

KNOWN = "Pre-verified: already implemented"


def survey(root: str, task_id: str = "") -> Answer:
    """Return what exists by kind, what open tasks seem to have already, and places that are gone (W050).

    Args:
        root: the repository, which is the running project's.
        task_id: one task's proposals alone.
    """
    reading = Reading(root)
    items = inventory.look(root)
    proposals = inventory.propose(reading.todo, items) if reading.todo else {}
    proposals = {key: places for key, places in proposals.items() if task_id in ("", key)}
    gone = tree.places(reading)
    lines = [] if task_id else listed(items)
    for key, places in proposals.items():
        lines += [f"{key} {KNOWN}?", *(f"  {item.place}   {item.kind} {item.name}" for item in places)]
        lines.append(f"  if so: `- pre-verified: {', '.join(dict.fromkeys(item.place for item in places))}`")
    data = {
        "items": [vars(item) for item in items],
        "proposals": {key: [item.place for item in places] for key, places in proposals.items()},
    }
    return Answer(lines, data, gone)


def listed(items: list[Item]) -> list[str]:
    """Return the items under a heading for each kind."""
    lines = []
    for kind in dict.fromkeys(item.kind for item in items):
        some = [item for item in items if item.kind == kind]
        lines += [f"{kind}s: {len(some)}", *(f"  {item.name}   {item.place}" for item in some)]
    return [*lines, ""]


def route(topic: str) -> Answer:
    """Return the document in which a topic has its home."""
    home = home_of(topic)
    return Answer([f"{topic} → {home}", f"  holds {HOMES[home]}"], {"topic": topic, "document": home})
