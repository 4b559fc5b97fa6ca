"""The gallery: every component in every state, one alone by its address, and the samples' small answers."""

import re

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client

from healthpilot.portals.gallery.contexts import SEVEN
from healthpilot.portals.gallery.specimens import documented, specimens
from tests.costs.factories import make_staff, make_visitor

pytestmark = pytest.mark.django_db

COMPONENTS = settings.BASE_DIR / "templates" / "components"
# What belongs to the frame of every page rather than to a component.
FRAME = {
    "_account", "_brand", "_chart_scripts", "_chart_styles", "_form_fields", "_head", "_icon", "_keys",
    "_messages", "_navigation", "_sprite", "_themes",
}  # fmt: skip


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_every_state_of_every_component_is_on_the_page_with_ids_of_its_own(staff: Client) -> None:
    page = staff.get("/admin/design").content.decode()
    for one in specimens():
        for state in one.states:
            assert f'data-component="{one.key}" data-state="{state}"' in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))


def test_data_components_come_in_all_seven_states() -> None:
    shown = {one.key: set(one.states) for one in specimens()}
    assert {"loading", "ready", "empty", "filtered", "stale", "partial", "error"} <= set(SEVEN)
    for key in ("kpi", "chart_card", "table_card"):
        assert shown[key] >= set(SEVEN)


def test_every_component_says_what_it_takes_and_is_in_the_gallery(staff: Client) -> None:
    page = staff.get("/admin/design").content.decode()
    sources = {
        path.stem: get_template(f"components/{path.name}").template.source  # type: ignore[attr-defined] # a Django template has it
        for path in COMPONENTS.glob("*.html")
        if path.stem not in FRAME
    }
    assert [name for name, source in sources.items() if not documented(source)] == []
    within = {"_blank", "_note", "_pager", "_card", "_status_mark", "_options"}
    for name in sources.keys() - within:
        assert f"components/{name}.html" in page or name in {"_badge", "_copy"}, name


def test_one_state_can_be_seen_alone(staff: Client) -> None:
    page = staff.get("/admin/design?component=kpi&state=stale").content.decode()
    assert re.findall(r'data-component="(\w+)" data-state="([\w-]+)"', page) == [("kpi", "stale")]


@pytest.mark.parametrize("query", ["component=nothing", "component=kpi&state=nothing", "component=<script>"])
def test_an_unknown_component_or_state_is_not_found(staff: Client, query: str) -> None:
    assert staff.get(f"/admin/design?{query}").status_code == 404


def test_the_gallery_is_for_staff(client: Client) -> None:
    assert client.get("/admin/design").status_code == 302
    client.force_login(make_visitor())
    assert client.get("/admin/design").status_code == 403
    assert client.get("/admin/design/options").status_code == 403


def test_a_tab_fetches_only_its_panel(staff: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "panel-row"}
    answer = staff.get("/admin/design?tab=3", headers=headers).content.decode()
    assert "<b>API</b>" in answer
    assert "<html" not in answer


@pytest.mark.parametrize("tab", ["", "-1", "x", "²", "9" * 40])
def test_a_tab_that_is_none_is_the_first(staff: Client, tab: str) -> None:
    headers = {"HX-Request": "true", "HX-Target": "panel-row"}
    assert "<b>Overview</b>" in staff.get("/admin/design", {"tab": tab}, headers=headers).content.decode()


def test_the_typeahead_answers_a_page_at_a_time_until_there_is_no_more(staff: Client) -> None:
    url, seen = "/admin/design/options?q=usr_1", []
    while url:
        answer = staff.get(url).content.decode()
        found = re.findall(r'data-value="([^"]+)"', answer)
        assert len(found) <= 8
        seen += found
        more = re.findall(r'data-more="([^"]+)"', answer)
        url = more[0].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) > 16
    assert all(one.startswith("usr_1") for one in seen)


def test_the_typeahead_says_when_nothing_matches_and_shows_what_was_typed_as_text(staff: Client) -> None:
    answer = staff.get("/admin/design/options", {"q": "<script>", "after": "x"}).content.decode()
    assert "No match." in answer
    assert "<script>" not in answer
