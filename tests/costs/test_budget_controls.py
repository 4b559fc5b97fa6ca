"""The budgets beside the cost figures: what they show, how they are changed there, that nobody keeps them."""

from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from costs.models import CostBudget
from costs.throttle.scopes import Scope
from healthpilot.cache import ForgivingRedisCache
from tests.costs.factories import days_ago, make_breakdown, make_global_day, make_month, make_staff
from tests.costs.waiting import make_waiting_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_counters")]
CONTROLS = "/admin/cost/budgets/controls"
FREE = "/admin/cost/budget?scope=tier&key=free"
HTMX = {"HX-Request": "true"}


def cap(scope: str, key: str = "", **caps: Any) -> None:
    CostBudget.objects.create(apply_scope=scope, scope_key=key, updated_by="ada", **caps)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_each_cap_shows_how_much_of_it_is_used_and_uncapped_places_do_not(admin: Client) -> None:
    make_global_day(days_ago(0), "9", jobs=30)
    make_breakdown(days_ago(0), "tier", "free", "0.5", jobs=30)
    cap("tier", "free", daily_jobs_cap=40)
    cap("global", daily_cost_usd_cap=10)
    page = text_of(admin.get(CONTROLS))
    assert page.index("Everything") < page.index("Tier free")
    assert "<b>90 %</b> of $10.00" in page
    assert "<b>75 %</b> of 40" in page
    assert "CPU time a day" not in page


def test_without_budgets_it_offers_the_first_one(admin: Client) -> None:
    page = text_of(admin.get(CONTROLS))
    assert "All work runs, whatever it costs" in page
    assert "Cap everything" in page


def test_more_budgets_than_fit_are_counted(admin: Client) -> None:
    for number in range(9):
        cap("user", f"u{number}", daily_jobs_cap=1)
    page = text_of(admin.get(CONTROLS))
    assert page.count('class="cap"') == 6
    assert "3 more" in page


def test_the_page_around_them_is_kept_without_any_token(admin: Client) -> None:
    cap("global", daily_jobs_cap=5)
    make_month(days=2, users=2)
    cache.clear()
    admin.get("/admin/cost", headers=HTMX)
    parts = [html for html in kept_parts() if "controls-title" in html]
    assert parts
    assert not [html for html in parts if "csrfmiddlewaretoken" in html or "data-editor" in html]
    assert "no-store" in admin.get(CONTROLS)["Cache-Control"]


def kept_parts() -> list[str]:
    """Return the parts of cost pages that Valkey keeps."""
    client = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
    names = [key.decode().partition("costs.part:") for key in client.scan_iter("*costs.part:*")]
    return [cache.get(mark + digest) for _, mark, digest in names]


def test_while_redis_is_away_the_page_says_so_and_is_not_kept_with_that(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_month(days=2, users=2)
    with monkeypatch.context() as away:
        away.setattr(ForgivingRedisCache, "is_away", staticmethod(lambda: True))
        assert "Redis does not answer" in text_of(admin.get("/admin/cost"))
    assert "Redis does not answer" not in text_of(admin.get("/admin/cost"))


def test_a_change_is_made_in_place_told_and_undone_in_place(admin: Client) -> None:
    cap("tier", "free", daily_jobs_cap=40)
    editor = text_of(admin.get(FREE, headers=HTMX))
    assert "<html" not in editor
    assert "csrfmiddlewaretoken" in editor
    seen = CostBudget.objects.get().updated_at.isoformat()
    typed = {"daily_jobs_cap": "50", "reason": "more room", "seen": seen}
    control = text_of(admin.post(FREE, typed, headers=HTMX))
    assert "is saved and binds from the next check on." in control
    assert "of 50" in control
    assert "Undo" in control
    control = text_of(admin.post("/admin/cost/budget/undo", headers=HTMX))
    assert "is as it was before." in control
    assert CostBudget.objects.get().daily_jobs_cap == 40


def test_what_cannot_be_saved_stays_in_the_editor(admin: Client) -> None:
    answer = admin.post(FREE, {"daily_jobs_cap": "lots", "reason": "x"}, headers=HTMX)
    assert answer.status_code == 422
    assert "data-editor" in text_of(answer)
    assert 'value="lots"' in text_of(answer)


def test_nothing_to_undo_leads_to_the_budgets(admin: Client) -> None:
    answer = admin.post("/admin/cost/budget/undo", headers=HTMX)
    assert answer["HX-Redirect"] == "/admin/cost/budgets"


def test_viewers_see_them_and_change_nothing(client: Client) -> None:
    client.force_login(make_staff("viewer"))
    cap("global", daily_jobs_cap=5)
    page = text_of(client.get(CONTROLS))
    assert "Jobs a day" in page
    assert "Change" not in page
    assert client.get(FREE, headers=HTMX).status_code == 403


def test_a_budget_that_holds_work_back_is_removed_only_when_that_work_may_run(admin: Client) -> None:
    cap("tier", "free", daily_jobs_cap=0)
    make_waiting_job(Scope("tier", "free"))
    assert "<b>1 job waits because of it</b>" in text_of(admin.get(FREE))
    path = "/admin/cost/budget/remove?scope=tier&key=free"
    seen = CostBudget.objects.get().updated_at.isoformat()
    answer = admin.post(path, {"reason": "no more", "seen": seen})
    assert answer.status_code == 409
    assert "1 job waits because of this budget and would run at once." in text_of(answer)
    assert CostBudget.objects.exists()
    answer = admin.post(path, {"reason": "no more", "seen": seen, "release": "yes"}, follow=True)
    assert "The budget of tier free is removed" in text_of(answer)
    assert not CostBudget.objects.exists()


def test_a_removal_says_why_and_is_not_made_over_what_somebody_saved(admin: Client) -> None:
    cap("tier", "free", daily_jobs_cap=3)
    path = "/admin/cost/budget/remove?scope=tier&key=free"
    assert "Say why" in text_of(admin.post(path, {"reason": " "}))
    answer = admin.post(path, {"reason": "no more", "seen": "2026-01-01T00:00:00+00:00"})
    assert answer.status_code == 409
    assert "ada changed it at" in text_of(answer)
    assert CostBudget.objects.exists()
