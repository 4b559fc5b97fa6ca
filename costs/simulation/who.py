"""Lists whose work would have waited, the longest waiting first, by cursor."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from costs.simulation.demand import GROUP, Span, rows
from costs.simulation.outcome import Waiting
from costs.simulation.replay import Stop
from costs.simulation.simulate import Caps, Simulation, simulate, simulate_users
from costs.throttle.scopes import EACH_USER, Scope
from costs.throttle.truth import CONDITIONS
from healthpilot.web.pages import Cursor, Page, keyset_page

WAITED: Final = "sum((jobs + ai_calls) * stop.left_s)"
WHO: Final = f"""
SELECT usage.user_id, sum(jobs * stop.left_s)::bigint, sum(ai_calls * stop.left_s)::bigint,
    min(stop.stopped_at), max(stop.released_at - stop.stopped_at)
FROM unnest(%(stop_days)s::date[], %(stop_hours)s::timestamptz[], %(stop_groups)s::text[],
    %(left_s)s::bigint[], %(stopped_at)s::timestamptz[], %(released_at)s::timestamptz[])
    AS stop (day, hour, of_group, left_s, stopped_at, released_at)
JOIN usage_user_hourly AS usage
    ON usage.day = stop.day AND usage.hour = stop.hour AND {GROUP} = stop.of_group
WHERE {{condition}} GROUP BY usage.user_id HAVING {WAITED} > 0 {{place}}
ORDER BY {WAITED} {{order}}, usage.user_id {{tie}} LIMIT %(most)s"""


def look(
    scope: Scope, caps: Caps, span: Span, *, cursor: str | None, limit: int
) -> tuple[Simulation, Page[Waiting]]:
    """Simulate a scope's caps and return a page of those who wait. Raises CursorError, TooManyRows."""
    if scope.key != EACH_USER:
        found = simulate(scope, caps, span)
        return found, waiting_page(found, cursor=cursor, limit=limit)
    simulated: list[Simulation] = []

    def fetch(start: Cursor | None, most: int) -> list[Waiting]:
        one, waiting = simulate_users(caps, span, start=start, most=most)
        simulated.append(one)
        return waiting

    page = page_of(fetch, scope, span, cursor=cursor, limit=limit)
    return simulated[0], page


def waiting_page(found: Simulation, *, cursor: str | None, limit: int) -> Page[Waiting]:
    """Return one page of the users whose work waited in a simulation of shared caps; raises CursorError."""

    def fetch(start: Cursor | None, most: int) -> list[Waiting]:
        return waiting_users(found, start, most) if found.stops else []

    return page_of(fetch, found.scope, found.span, cursor=cursor, limit=limit)


def page_of(
    fetch: Callable[[Cursor | None, int], list[Waiting]],
    scope: Scope,
    span: Span,
    *,
    cursor: str | None,
    limit: int,
) -> Page[Waiting]:
    return keyset_page(
        fetch,
        lambda one: (str(one.waited_s), one.user_id),
        scope=f"simulation:{scope.name}:{span.first_on}:{span.last_on}",
        cursor=cursor,
        limit=limit,
    )


def waiting_users(found: Simulation, start: Cursor | None, most: int) -> list[Waiting]:
    """Return the users whose work waited longest in sum, after a cursor or before it."""
    backwards = start is not None and start.backwards
    sign, tie = (">", "<") if backwards else ("<", ">")
    after = f"AND ({WAITED} {sign} %(waited)s OR {WAITED} = %(waited)s AND usage.user_id {tie} %(user)s)"
    sql = WHO.format(
        condition=CONDITIONS[found.scope.kind],
        place=after if start else "",
        order="" if backwards else "DESC",
        tie="DESC" if backwards else "",
    )
    values: dict[str, Any] = {**stop_parameters(found.stops), "most": most}
    if start is not None:
        values |= {"waited": int(start.key[0]), "user": start.key[1]}
    return [Waiting(*row) for row in rows(sql, found.scope, found.span, **values)]


def stop_parameters(stops: Sequence[tuple[Stop, datetime]]) -> dict[str, list[Any]]:
    """Return stops as the columns that WHO joins."""
    return {
        "stop_days": [stop.demand.day for stop, _ in stops],
        "stop_hours": [stop.demand.hour for stop, _ in stops],
        "stop_groups": [stop.demand.group for stop, _ in stops],
        "left_s": [stop.left for stop, _ in stops],
        "stopped_at": [stop.at for stop, _ in stops],
        "released_at": [released_at for _, released_at in stops],
    }
