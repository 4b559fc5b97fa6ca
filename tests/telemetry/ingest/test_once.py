"""The ledger of ids: once each, whoever sends and however often, side by side too."""

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction

from telemetry.ingest.once import Outcome, prune, store_once
from telemetry.ingest.parsing import Event, parsed
from telemetry.models import IngestedEvent, JobEvent, LlmEvent
from tests.telemetry.ingest.test_parsing import CALL, JOB, lines

pytestmark = pytest.mark.django_db

WRITERS = 8


def events(*ids: str, **change: object) -> list[Event]:
    records = [(CALL if one.startswith("c") else JOB) | {"event_id": one} | change for one in ids]
    return parsed(lines(*records), now=datetime.now(UTC)).events


def test_events_of_both_kinds_are_stored_once() -> None:
    assert store_once("app", events("c1", "j1")) == Outcome(accepted=2)
    assert store_once("app", events("j1", "c1", "c2")) == Outcome(accepted=1, duplicates=2)
    assert (LlmEvent.objects.count(), JobEvent.objects.count()) == (2, 1)


def test_another_body_under_a_known_id_is_a_conflict_and_changes_nothing() -> None:
    store_once("app", events("c1"))
    (other,) = events("c1", user_id="someone else")
    assert store_once("app", [other, *events("c2")]) == Outcome(accepted=1, conflicts=[other])
    assert LlmEvent.objects.filter(user_id="someone else").count() == 0


def test_within_a_batch_the_first_of_an_id_counts() -> None:
    first, same, other = events("c1")[0], events("c1")[0], events("c1", input_tokens=6)[0]
    assert store_once("app", [first, same, other]) == Outcome(accepted=1, duplicates=1, conflicts=[other])
    assert LlmEvent.objects.get().input_tokens == 5


def test_ids_belong_to_their_client() -> None:
    assert store_once("one", events("c1")).accepted == 1
    assert store_once("two", events("c1", user_id="v")).accepted == 1


def test_ids_and_events_are_stored_together_or_not_at_all() -> None:
    with transaction.atomic():
        store_once("app", events("c1"))
        transaction.set_rollback(True)
    assert not IngestedEvent.objects.exists()
    assert store_once("app", events("c1")).accepted == 1


def test_ids_are_forgotten_when_their_events_would_be_too_old_to_come_again() -> None:
    store_once("app", events("c1", "c2", "c3"))
    keep = timedelta(days=settings.TELEMETRY_RETENTION_DAYS)
    IngestedEvent.objects.exclude(event_id="c3").update(
        received_at=datetime.now(UTC) - keep - timedelta(seconds=9)
    )
    assert prune(datetime.now(UTC)) == 2
    assert [row.event_id for row in IngestedEvent.objects.all()] == ["c3"]


@pytest.fixture
def clean_tables(transactional_db: None) -> Iterator[None]:
    """Leave nothing for tests that roll back: what threads commit stays otherwise."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE telemetry_ingested, telemetry_llm_events, telemetry_job_events, telemetry_shipments"
        )


@pytest.mark.django_db(transaction=True)
def test_eight_writers_who_send_the_same_events_thrice_and_shuffled_store_each_once(
    clean_tables: None,
) -> None:
    batches = [[f"c{number}" for number in range(start, start + 40)] for start in range(0, 200, 20)]
    outcomes: list[Outcome] = []
    failures: list[BaseException] = []

    def send(seed: int) -> None:
        chance = random.Random(seed)
        todo = batches * 3
        chance.shuffle(todo)
        try:
            for batch in todo:
                outcomes.append(store_once("app", events(*chance.sample(batch, len(batch)))))
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[seed]) for seed in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    ids = {one for batch in batches for one in batch}
    assert LlmEvent.objects.count() == IngestedEvent.objects.count() == len(ids)
    assert sum(one.accepted for one in outcomes) == len(ids)
    assert sum(one.duplicates for one in outcomes) == WRITERS * 3 * 40 * len(batches) - len(ids)


@pytest.mark.django_db(transaction=True)
def test_of_two_bodies_that_race_for_an_id_one_stands_and_the_other_is_told(clean_tables: None) -> None:
    outcomes: list[Outcome] = []
    together = threading.Barrier(WRITERS)

    def send(number: int) -> None:
        together.wait()
        try:
            outcomes.append(store_once("app", events("c1", "c2", input_tokens=number)))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(one.accepted for one in outcomes) == 2
    assert sum(len(one.conflicts) for one in outcomes) == 2 * (WRITERS - 1)
    assert LlmEvent.objects.count() == 2
