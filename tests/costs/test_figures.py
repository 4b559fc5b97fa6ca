"""Every figure of the page equals what plain SQL says over the raw events, for three ranges."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from costs.budgets import save_budget
from costs.throttle.scopes import Scope
from healthpilot.web import numbers
from tests.costs import recorded
from tests.costs.factories import days_ago, make_staff, today

pytestmark = pytest.mark.django_db(transaction=True)

# Written for this test alone: every event with its own cost, from the price row that held on its day.
PRICED = """
SELECT (created_at AT TIME ZONE 'UTC')::date AS day, user_id, tier, domain, '' AS model, job_type,
    1 AS jobs, (NOT success)::int AS failed, (NOT success)::int AS wasted, (attempt > 1)::int AS retried,
    0 AS calls, 0 AS hits, 0 AS unpriced, cpu_ms,
    0::bigint AS tokens_in, 0::bigint AS tokens_out,
    cpu_ms * 0.00000002 + (rows_read + rows_written) * 0.0005 / 1000 AS cost
FROM telemetry_job_events
UNION ALL
SELECT (event.created_at AT TIME ZONE 'UTC')::date, user_id, tier, domain, event.llm_model, NULL,
    0, 0, (NOT success)::int, 0, 1, cache_hit::int, (price.id IS NULL)::int, 0, input_tokens, output_tokens,
    (input_tokens - cached_input_tokens) * coalesce(input_usd_per_million / 1000000, 0.00000015)
    + cached_input_tokens * coalesce(cached_input_usd_per_million / 1000000, 0.00000015)
    + output_tokens * coalesce(output_usd_per_million / 1000000, 0.0000006)
    + CASE WHEN cache_hit THEN 0 ELSE coalesce(request_usd, 0) END
FROM telemetry_llm_events AS event LEFT JOIN cost_model_prices AS price
    ON price.llm_model = event.llm_model
    AND (event.created_at AT TIME ZONE 'UTC')::date >= effective_from
    AND ((event.created_at AT TIME ZONE 'UTC')::date < effective_to OR effective_to IS NULL)
"""
SAVED = """
SELECT sum(avoided_input_tokens * coalesce(input_usd_per_million / 1000000, 0.00000015)
        + avoided_output_tokens * coalesce(output_usd_per_million / 1000000, 0.0000006)
        + CASE WHEN cache_hit THEN coalesce(request_usd, 0) ELSE 0 END),
    sum(cached_input_tokens * coalesce((input_usd_per_million - cached_input_usd_per_million) / 1000000, 0))
FROM telemetry_llm_events AS event LEFT JOIN cost_model_prices AS price
    ON price.llm_model = event.llm_model
    AND (event.created_at AT TIME ZONE 'UTC')::date >= effective_from
    AND ((event.created_at AT TIME ZONE 'UTC')::date < effective_to OR effective_to IS NULL)
WHERE (event.created_at AT TIME ZONE 'UTC')::date BETWEEN %s AND %s
"""
RANGES = {
    "days=7": (6, 0),
    "days=30": (29, 0),
    "custom": (40, 11),
}
MONTH_CAP = Decimal(7)
PAGES = [
    ("user", "users", "user_id", "usr_a"),
    ("domain", "domains", "domain", "ai"),
    ("model", "models", "model", "m-priced"),
    ("job_type", "job-types", "job_type", "sync_cdrs"),
]


def ask(select: str, first: date, last: date, *, group: str = "") -> list[tuple[Any, ...]]:
    by = f" GROUP BY {group}" if group else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {select} FROM ({PRICED}) AS priced WHERE day BETWEEN %s AND %s{by}", [first, last]
        )
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def sheet(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def exact(shown: str, card: str) -> str:
    found = re.search(rf'id="kpi-{card}">.*?<p class="kpi-value[^"]*" title="([^"]*)"', shown, re.S)
    assert found, card
    return unescape(found[1])


@pytest.fixture
def staff(client: Client) -> Client:
    recorded.make_events(days=53, each_day=6)
    client.force_login(make_staff())
    caps = {"monthly_cost_usd_cap": MONTH_CAP, "daily_jobs_cap": 10**6}
    save_budget(Scope("global", ""), caps, actor="ada", reason="a quiet month")
    return client


def test_every_figure_equals_sums_over_raw_events(staff: Client) -> None:
    for name, (first_back, last_back) in RANGES.items():
        first, last = days_ago(first_back), days_ago(last_back)
        query = f"from={first}&to={last}" if name == "custom" else name
        shown = staff.get(f"/admin/cost?{query}").content.decode()
        check_cards(shown, first, last)
        check_savings(shown, first, last)
        check_budget(shown)
        check_tiers(sheet(staff, f"/admin/cost?{query}&csv=tiers"), first, last)
        check_domains(sheet(staff, f"/admin/cost?{query}&csv=domains"), first, last)
        check_tokens(sheet(staff, f"/admin/cost?{query}&csv=tokens"), first, last)
        check_users(sheet(staff, f"/admin/cost?{query}&csv=users"), first, last)
        for by in ("tier", "domain", "model", "user"):
            check_change(sheet(staff, f"/admin/cost?{query}&csv=change&by={by}"), by, first, last)
    check_month(sheet(staff, "/admin/cost?csv=month"))
    for kind, path, column, name in PAGES:
        check_page(staff, kind, path, column, name)


def check_cards(shown: str, first: date, last: date) -> None:
    ((cost, jobs, calls, hits, users, unpriced),) = ask(
        "sum(cost), sum(jobs), sum(calls), sum(hits), count(DISTINCT user_id), sum(unpriced)", first, last
    )
    assert Decimal(exact(shown, "spend").strip("$").replace(",", "")) == cost
    for card, value in (("jobs", jobs), ("ai_calls", calls), ("users", users), ("unpriced_calls", unpriced)):
        assert int(exact(shown, card).replace(",", "")) == value, card
    assert Decimal(exact(shown, "cache_hit_rate").split("\u202f")[0]) == round(Decimal(hits) * 100 / calls, 6)


def check_savings(shown: str, first: date, last: date) -> None:
    """Compare what was saved and wasted, and what the hit-rate's card says of it."""
    with connection.cursor() as cursor:
        cursor.execute(SAVED, [first, last])
        skipped, cached = cursor.fetchone()
    ((failed, retried),) = ask("sum(cost * wasted), sum(cost * retried)", first, last)
    wanted = {
        "Saved by skipped calls": skipped, "Saved by cached input": cached,
        "Spent on failures": failed, "Spent on retries": retried,
    }  # fmt: skip
    for title, amount in wanted.items():
        found = re.search(rf'{title}</dt><dd>(?:<span title="([^"]+)">)?([^<]+)', shown)
        assert found, title
        assert Decimal((found[1] or found[2]).strip("$").replace(",", "")) == amount, title
    assert f'kpi-foot">{numbers.money(skipped + cached)} saved, ' in shown


def check_budget(shown: str) -> None:
    """Compare the fuller of the two caps: what the month cost, of what it may."""
    ((spent,),) = ask("sum(cost)", today().replace(day=1), today())
    used = re.search(r'id="kpi-budget">.*?kpi-value">(\d+) %', shown, re.S)
    assert used
    assert int(used[1]) == int((spent or 0) * 100 / MONTH_CAP)  # no event yet on the first of a month


def check_tiers(rows: list[dict[str, str]], first: date, last: date) -> None:
    wanted = {
        (str(day), tier): cost
        for day, tier, cost in ask("day, tier, sum(cost)", first, last, group="day, tier")
        if cost
    }
    found = {
        (row["Day"], tier): Decimal(row[f"{tier.capitalize()} (USD)"])
        for row in rows
        for tier in ("free", "pro", "enterprise")
    }
    assert {key: cost for key, cost in found.items() if cost} == wanted
    assert sum(Decimal(row["Total (USD)"]) for row in rows) == sum(wanted.values())
    assert [row["Day"] for row in rows if row["Complete"] == "no"] == [str(today())][: last == today()]


def check_domains(rows: list[dict[str, str]], first: date, last: date) -> None:
    wanted = ask("domain, sum(jobs), sum(failed), sum(cost)", first, last, group="domain")
    found = [
        (row["Domain"], int(row["Jobs"]), int(row["Failed jobs"]), Decimal(row["Cost (USD)"])) for row in rows
    ]
    assert sorted(found) == sorted(wanted)


def check_tokens(rows: list[dict[str, str]], first: date, last: date) -> None:
    wanted = ask("day, sum(calls), sum(tokens_in), sum(tokens_out)", first, last, group="day")
    found = {
        row["Day"]: tuple(int(row[name]) for name in ("AI calls", "Tokens in", "Tokens out")) for row in rows
    }
    assert {day: sums for day, sums in found.items() if sums[0]} == {
        str(day): sums for day, *rest in wanted if (sums := tuple(map(int, rest)))[0]
    }


def check_users(rows: list[dict[str, str]], first: date, last: date) -> None:
    columns = {"jobs": "Jobs", "calls": "AI calls", "cpu_ms": "CPU time (ms)", "tokens_in": "Tokens in"}
    sums = ", ".join(f"sum({name})" for name in columns)
    wanted = ask(f"user_id, {sums}, sum(cost)", first, last, group="user_id ORDER BY sum(cost) DESC, user_id")
    found = [
        (row["User"], *(int(row[title]) for title in columns.values()), Decimal(row["Cost (USD)"]))
        for row in rows
    ]
    assert found == wanted


def check_change(rows: list[dict[str, str]], by: str, first: date, last: date) -> None:
    complete = (min(last, days_ago(1)) - first).days + 1
    shift = (last - first).days + 1
    before = costs_by(by, days_ago((today() - first).days + shift), complete)
    now = costs_by(by, first, complete)
    *parts, together = rows
    assert Decimal(together["Change (USD)"]) == sum(now.values()) - sum(before.values())
    assert sum(Decimal(row["Change (USD)"]) for row in parts) == Decimal(together["Change (USD)"])
    for row in parts:
        name = row[by.capitalize()]
        key = {"jobs (no model)": ""}.get(name, name.lower() if by == "tier" else name)
        if not re.fullmatch(r"\d+ others", name):
            assert Decimal(row["Now (USD)"]) - Decimal(row["Before (USD)"]) == now[key] - before.get(key, 0)


def costs_by(by: str, first: date, days: int) -> Mapping[str, Decimal]:
    column = "user_id" if by == "user" else by
    last = date.fromordinal(first.toordinal() + days - 1)
    return dict(ask(f"{column}, sum(cost)", first, last, group=column))


def check_month(rows: list[dict[str, str]]) -> None:
    spent = dict(ask("day, sum(cost)", today().replace(day=1), today(), group="day"))
    done = [row for row in rows if row["Estimate"] == "no"]
    assert {row["Day"]: Decimal(row["Cost (USD)"]) for row in done if Decimal(row["Cost (USD)"])} == {
        str(day): cost for day, cost in spent.items() if day < today()
    }
    assert [row["Day"] for row in rows if row["Estimate"] == "yes"][-1] == str(today())


def check_page(staff: Client, kind: str, path: str, column: str, name: str) -> None:
    """Compare the page of one name with sums over its raw events."""
    first, last = days_ago(29), today()
    address = f"/admin/cost/{path}/{name}?days=30"
    only = f"FILTER (WHERE {column} = '{name}')"
    days = ask(f"day, sum(cost) {only}", first, last, group="day")
    wanted = {str(day): cost for day, cost in days if cost}
    history = {row["Day"]: Decimal(row["Cost (USD)"]) for row in sheet(staff, f"{address}&csv=history")}
    assert {day: cost for day, cost in history.items() if cost} == wanted
    shown = staff.get(address).content.decode()
    assert Decimal(exact(shown, "spend").strip("$").replace(",", "")) == sum(wanted.values())
    for part in {"user": ("domain", "model", "tier")}.get(kind, ("user", "tier")):
        rows = sheet(staff, f"{address}&csv=parts-{part}")
        of = "user_id" if part == "user" else part
        sums = ask(f"{of}, sum(jobs + calls) {only}, sum(cost) {only}", first, last, group=of)
        title = part.capitalize()
        found = sorted((row[title].lower(), int(row["Events"]), Decimal(row["Cost (USD)"])) for row in rows)
        assert found == sorted((key, events, cost) for key, events, cost in sums if events)
