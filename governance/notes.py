"""Tells the audit trail at a start which decisions came into docs/DECISIONS.md since the last one."""

from typing import Final

from governance import decisions, documents, preflight
from governance.decisions import Decision
from systemstatus.audit import record_audit
from systemstatus.models import AuditEntry

ACTION: Final = "decision"
MOST: Final = 50


def note_decisions(actor: str) -> None:
    """Add an entry for each decision that is newer than the last one told; the first time for the newest.

    Args:
        actor: who starts. A decision itself says who decided.
    """
    try:
        log = decisions.parse(documents.read(preflight.ROOT, documents.DECISIONS))
    except documents.Unreadable:
        return
    last = AuditEntry.objects.filter(action=ACTION).order_by("-id").values_list("after", flat=True).first()
    known = int(last["number"]) if last else None
    found = [one for one in log.entries if known is None or one.number > known]
    for one in found[-1:] if known is None else found[:MOST]:
        tell(one)


def tell(one: Decision) -> None:
    after = {"number": one.number, "kind": one.kind, "date": one.value("date"), "task": one.value("task")}
    sets = {name: f"{old} -> {new}" for name, old, new, _ in one.sets}
    record_audit(
        actor=one.value("by"), action=ACTION, target=f"{one.id} {one.title}", after={**after, **sets},
        reason=f"sealed {one.seal[:12]}" if one.seal else "not sealed yet",
    )  # fmt: skip
