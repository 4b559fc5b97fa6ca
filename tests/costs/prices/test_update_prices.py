"""`manage.py update_prices`: shows first, writes when told, and a second run writes nothing."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from costs.models import ModelPrice
from tests.costs.events import call, store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def calls() -> None:
    store(
        *(
            call("2026-05-04 10:00", llm_model=name, provider="openai")
            for name in ("gpt-4o-mini", "whisper-1")
        )
    )


def run(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("update_prices", *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_a_dry_run_shows_the_prices_and_writes_none() -> None:
    words = run("--dry-run")
    assert "gpt-4o-mini" in words
    assert "0.15 / 0.075 / 0.6  new" in words
    assert "whisper-1" in words
    assert "unknown to the library" in words
    assert not ModelPrice.objects.exists()


def test_without_yes_and_without_a_terminal_nothing_is_written_and_the_exit_code_says_so() -> None:
    with pytest.raises(CommandError, match="Nothing written") as refused:
        run()
    assert refused.value.returncode == 2
    assert not ModelPrice.objects.exists()


def test_with_yes_it_writes_from_the_day_given_and_the_second_time_has_nothing_to_do() -> None:
    assert "1 price written" in run("--yes", "--from", "2026-05-01")
    row = ModelPrice.objects.get()
    assert (str(row.effective_from), row.llm_model, row.provider) == ("2026-05-01", "gpt-4o-mini", "openai")
    assert "Nothing to write." in run("--yes", "--from", "2026-05-01")
    assert ModelPrice.objects.count() == 1


def test_json_is_one_object_a_line() -> None:
    out = io.StringIO()
    call_command("update_prices", "--dry-run", "--json", stdout=out, stderr=io.StringIO())
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {line["model"]: line["status"] for line in found} == {"gpt-4o-mini": "new", "whisper-1": "unknown"}


def test_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="no such day"):
        run("--from", "2026-02-30")
