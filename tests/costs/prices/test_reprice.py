"""`manage.py reprice`: the difference per day and model first, then the days by it."""

import io
import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from costs.models import CostGlobalDaily
from costs.rollup import rollup_costs_for_date
from systemstatus.models import AuditEntry
from tests.costs.events import call, store
from tests.costs.prices.rows import store_price

pytestmark = pytest.mark.django_db(transaction=True)

ON = date(2024, 5, 4)


@pytest.fixture(autouse=True)
def a_price_after_the_close() -> None:
    store(call("2024-05-04 10:00", input_tokens=1000))
    rollup_costs_for_date(ON)
    store_price("3", "1", "7")


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reprice", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def cost() -> Decimal:
    found: Decimal = CostGlobalDaily.objects.get(date=ON).cost_exact
    return found


def test_a_dry_run_tells_the_signed_difference_and_changes_nothing() -> None:
    words = run("--dry-run")
    assert "2024-05-04: $0.00015 → $0.003 (+0.00285: m-small +0.00285)" in words
    assert "1 day, difference +0.00285 USD." in words
    assert cost() == Decimal("0.00015")


def test_it_reprices_and_then_has_nothing_to_do() -> None:
    assert "1 day repriced." in run("--from", "2024-05-01", "--to", "2024-05-31")
    assert cost() == Decimal("0.003")
    assert "nothing to do" in run()


def test_who_repriced_at_the_command_line_is_in_the_audit_trail() -> None:
    run()
    run()
    entry = AuditEntry.objects.get(action="price.reprice")
    assert entry.actor.endswith(" at the command line")
    assert (entry.target, entry.after) == (f"{ON} to {ON}", {"days": 1, "difference_usd": "+0.00285"})


def test_late_events_are_added_first_and_repriced_with_the_rest() -> None:
    store(call("2024-05-04 11:00", input_tokens=1000))
    run()
    assert cost() == Decimal("0.006")


def test_json_has_every_digit_as_text() -> None:
    found = json.loads(run("--json", "--dry-run"))
    assert (found["change_usd"], found["applied"]) == ("+0.00285", False)
    assert json.loads(run("--json"))["applied"] is True


def test_days_outside_the_span_stay_as_they_are() -> None:
    run("--from", "2024-05-05", "--to", "2024-05-31")
    assert cost() == Decimal("0.00015")


def test_half_a_span_is_refused() -> None:
    with pytest.raises(CommandError, match="go together"):
        run("--from", "2024-05-05")
