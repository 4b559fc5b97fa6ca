"""The tab Integrations: a card for each service of others, and what is known of how it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from healthpilot.web.templatetags.figures import relative
from systemstatus import queries, registry
from systemstatus.heartbeats import number_of
from systemstatus.moment import Moment
from systemstatus.standing import OFF, OK, UNKNOWN, Standing, standings
from systemstatus.tabs import generic
from systemstatus.wording import figure_text


@dataclass(frozen=True)
class Service:
    """A service that HealthPilot works with: its module's names, its purpose, what configures it."""

    names: tuple[str, ...]
    title: str
    purpose: str
    settings: str


SERVICES: Final = (
    Service(("connexcs",), "ConnexCS", "Call records, rated as they come", "CONNEXCS_URL, CONNEXCS_TOKEN"),
    Service(("brevo", "mail"), "Brevo", "E-mail and alerts", "BREVO_API_KEY"),
    Service(("nowpayments",), "NOWPayments", "Payments and their notices", "NOWPAYMENTS_API_KEY"),
    Service(("ayrshare",), "Ayrshare", "Posts", "AYRSHARE_API_KEY"),
    Service(("upstash", "upstash_redis"), "Upstash Redis", "A hosted Redis, by TLS", "REDIS_URL"),
    Service(("r2", "cloudflare_r2"), "Cloudflare R2", "Exports and files", "R2_BUCKET and its keys"),
    Service(("openai",), "OpenAI", "Answers of models", "OPENAI_API_KEY"),
    Service(("axe_gate", "axe", "browser_gate"), "Playwright/Axe gate", "Every page, looked at in a browser",
            "The report of ./run a11y"),
)  # fmt: skip
CIRCUITS: Final = {"closed": (OK, "Closed"), "half open": ("warn", "Half open"), "open": ("error", "Open")}


@dataclass(frozen=True)
class Card:
    """How one service stands. status and word: unproven where nothing was asked of it of late.

    facts: term and value of each thing that is known.
    """

    service: Service
    standing: Standing | None
    status: str
    word: str
    said: str
    facts: Sequence[tuple[str, str]]
    error: str
    circuit: tuple[str, str] | None


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    by_name = {one.module.name: one for one in standings(moment)}
    own = [name for service in SERVICES for name in service.names if name in by_name]
    extra = [
        one for one in by_name.values()
        if one.module.layer == registry.Layer.INTEGRATION and one.module.name not in own
    ]  # fmt: skip
    names = [*own, *(one.module.name for one in extra)]
    details = queries.details(names, moment.newest, moment.grain) if names and moment.newest else {}
    known = [card(service, by_name, details, moment) for service in SERVICES]
    others = [
        card(Service((one.module.name,), one.module.title, "", ""), by_name, details, moment) for one in extra
    ]
    return {"cards": [*known, *others]}


def card(
    service: Service,
    by_name: Mapping[str, Standing],
    details: Mapping[str, Mapping[str, Any]],
    moment: Moment,
) -> Card:
    """Return the card of one service."""
    one = next((by_name[name] for name in service.names if name in by_name), None)
    if one is None:
        said = f"Nothing is known of it: no module watches it yet. {service.settings} will configure it."
        return Card(service, None, UNKNOWN, "Not watched", said, (), "", None)
    if one.status == OFF:
        said = f"Set {service.settings} to use it."
        return Card(service, one, OFF, "Not configured", said, (), "", None)
    detail = details.get(one.module.name, {})
    checks = generic.checks(one, moment)
    values = one.row.values if one.row else {}
    status, word, said = proven(one, values, detail, checks, moment)
    error = str(detail.get("last_error") or (one.row.error if one.row else ""))
    circuit = CIRCUITS.get(str(detail.get("circuit", "")).replace("_", " "))
    return Card(service, one, status, word, said, facts(values, detail, moment), error, circuit)


def proven(
    one: Standing,
    values: Mapping[str, Any],
    detail: Mapping[str, Any],
    checks: Sequence[generic.Check],
    moment: Moment,
) -> tuple[str, str, str]:
    """Return status, word and a sentence: without calls and without a check that asked it, it is unproven."""
    calls = values.get("integration.calls")
    last = time_of(detail.get("last_success_at")) or max(
        (c.last_ok for c in checks if c.last_ok), default=None
    )
    since = f"last success {relative(moment.at - last)}" if last else "never a success yet"
    if one.status == OK and not checks and not calls:
        return UNKNOWN, "Unproven", f"No traffic: {since}."
    if one.status == OK and calls == 0 and not any(check.status == OK for check in checks):
        return UNKNOWN, "Unproven", f"No traffic: {since}."
    return one.status, one.word, f"{since[:1].upper()}{since[1:]}."


def time_of(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def facts(values: Mapping[str, Any], detail: Mapping[str, Any], moment: Moment) -> list[tuple[str, str]]:
    """Return what is known of a service's answers, in words."""
    lines: list[tuple[str, str]] = []
    failed = (
        number_of("integration.failures", values["integration.failures"])
        if values.get("integration.failures") is not None
        else None
    )
    if failed is not None:
        lines.append(("Success", figure_text(100 - failed, "%")))
    if values.get("integration.p95") is not None:
        p95 = number_of("integration.p95", values["integration.p95"])
        lines += [("p95", figure_text(p95, "ms"))] if p95 is not None else []
    if isinstance(values.get("integration.calls"), int | float):
        lines.append(("Calls in 10 min", figure_text(values["integration.calls"], "")))
    for name, label in (
        ("quota", "Quota"),
        ("key_expires_at", "Key ends"),
        ("certificate_ends_at", "Certificate ends"),
    ):
        if detail.get(name):
            lines.append((label, str(detail[name])))
    if failed_at := time_of(detail.get("last_error_at")):
        lines.append(("Last error", relative(moment.at - failed_at)))
    return lines
