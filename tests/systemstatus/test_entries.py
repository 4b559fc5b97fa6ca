"""How it stood around a change: what the trail says in one statement is what the verdict says of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple

import pytest
from django.utils import timezone

from systemstatus import grains
from systemstatus.entries import how_it_stood
from systemstatus.models import AlertState, AlertTransition, Snapshot
from systemstatus.moment import moment_of
from systemstatus.standing import standings
from systemstatus.verdict import verdict
from tests.systemstatus.factories import check, make_alert, snapshot, this_minute
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db
APART = timedelta(minutes=25)
CHECKS = {"critical": "failed", "unknown": "crashed"}


class Scene(NamedTuple):
    """One module that is so for some minutes, and an alert: of which severity, with data or not."""

    core: bool
    state: str = "ok"
    minutes: int = 0
    severity: str = ""
    alert: str = AlertState.FIRING


STATES = ("ok", "warning", "critical", "unknown", "skipped", "disabled")
ALERTS = tuple(
    product(("info", "warning", "critical"), (AlertState.FIRING, AlertState.NO_DATA, AlertState.ERROR))
)
SCENES = (
    *(Scene(core, state, minutes) for core, state, minutes in product((True, False), STATES, (0, 1, 8))),
    *(Scene(core, severity=level, alert=state) for core, (level, state) in product((True, False), ALERTS)),
    *(Scene(True, state, 8, "info") for state in STATES),
)


@pytest.fixture(autouse=True)
def two_modules() -> Iterator[None]:
    with only(module("core", title="Core"), module("side", title="Side", core=False)):
        yield


def play(scene: Scene, at: datetime) -> Iterator[Snapshot]:
    """Yield a scene's nine minutes up to an instant, and store its alert as it then stood."""
    began = at - timedelta(minutes=scene.minutes)
    bad = {"last_ok": (began - timedelta(minutes=1)).isoformat(), "since": began.isoformat()}
    word = CHECKS.get(scene.state, scene.state)
    for then in (at - timedelta(minutes=minute) for minute in range(9)):
        for name in ("core", "side"):
            is_it = name == ("core" if scene.core else "side") and then >= began
            checks = [check("look", word, at=then, **bad)] if is_it else [check("look", at=then)]
            yield snapshot(name, then, state=scene.state if is_it else "ok", checks=checks)
    if scene.severity:
        fired = at - timedelta(minutes=5)
        alert = make_alert("made.up", "core", target=f"{at}", state="resolved", core=scene.core,
                           began_at=fired, fired_at=fired, closed_at=at + timedelta(minutes=5))  # fmt: skip
        AlertTransition.objects.create(
            alert=alert, occurred_at=fired, from_state="ok", to_state=scene.alert, severity=scene.severity
        )


def test_the_trail_says_what_the_verdict_says() -> None:
    newest = this_minute() - timedelta(minutes=30)
    moments = {newest - place * APART: scene for place, scene in enumerate(SCENES)}
    for day in sorted({at.date() for at in moments}):
        grains.ensure_partitions(next(at for at in moments if at.date() == day))
    Snapshot.objects.bulk_create(row for at, scene in moments.items() for row in play(scene, at))
    said = how_it_stood(list(moments))
    for at, scene in moments.items():
        moment = moment_of(f"{at:%Y-%m-%dT%H:%M}", timezone.now())
        assert not moment.problem
        assert (scene, said[at]) == (scene, verdict(moment, standings(moment)).status)
