"""The audit trail only grows, and a changed or missing entry shows."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from systemstatus.audit import broken_links, record_audit
from systemstatus.models import AuditEntry


def add(target: str = "global:", reason: str = "") -> AuditEntry:
    after = {"cap": "1", "ünï": "✓"}
    return record_audit(actor="ada", action="budget.save", target=target, after=after, reason=reason)


@pytest.mark.django_db
def test_entries_link_to_the_one_before_and_the_chain_holds() -> None:
    first, second = add(), add(reason="less")
    assert second.previous_seal == first.seal
    assert list(broken_links()) == []


@pytest.mark.django_db
def test_an_entry_can_neither_be_changed_nor_deleted() -> None:
    entry = add()
    with pytest.raises(IntegrityError, match="only ever grows"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(actor="eve")
    with pytest.raises(IntegrityError, match="only ever grows"), transaction.atomic():
        entry.delete()


@pytest.mark.django_db
def test_what_is_changed_around_the_trigger_breaks_the_chain() -> None:
    entries = [add() for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_insert_only")
        cursor.execute("UPDATE audit_entries SET actor = 'eve' WHERE id = %s", [entries[0].pk])
        cursor.execute("DELETE FROM audit_entries WHERE id = %s", [entries[1].pk])
        cursor.execute("ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_insert_only")
    assert dict(broken_links()) == {
        entries[0].pk: "its content does not match its seal",
        entries[2].pk: "an entry before it is missing or was changed",
    }


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_leaves_no_entry() -> None:
    with transaction.atomic():
        add()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_entries_of_many_at_once_make_one_chain() -> None:
    def write(number: int) -> None:
        try:
            add(f"user:{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(24)))
    assert AuditEntry.objects.count() == 24
    assert list(broken_links()) == []
