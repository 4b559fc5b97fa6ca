"""The tab Integrations: a card for each service of others, and what is known of how it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from healthpilot.web.templatetags.figures import relative
from systemstatus import queries, registry
from systemstatus.figures import Figure, figures_of
from systemstatus.moment import Moment
from systemstatus.runs import probes_now
from systemstatus.standing import OFF, OK, UNKNOWN, Standing, standings
from systemstatus.tabs import generic
from systemstatus.wording import figure_text


@dataclass(frozen=True)
class Service:
    """A service beside HealthPilot: its module's names, its purpose, what configures it where it can be."""

    names: tuple[str, ...]
    title: str
    purpose: str
    settings: str = ""


SERVICES: Final = (
    Service(("connexcs",), "ConnexCS", "Call records, rated as they come"),
    Service(("brevo", "mail"), "Brevo", "E-mail and alerts", "BREVO_API_KEY"),
    Service(("nowpayments",), "NOWPayments", "Payments and their notices", "NOWPAYMENTS_API_KEY"),
    Service(("ayrshare",), "Ayrshare", "Posts", "AYRSHARE_API_KEY"),
    Service(("upstash", "upstash_redis"), "Upstash Redis", "A hosted Redis, by TLS", "REDIS_URL"),
    Service(("r2", "cloudflare_r2"), "Cloudflare R2", "Exports and files", "R2_BUCKET and its keys"),
    Service(("openai",), "OpenAI", "Answers of models", "OPENAI_API_KEY"),
    Service(("axe_gate", "axe", "browser_gate"), "Playwright/Axe gate", "Every page, looked at in a browser"),
)  # fmt: skip
TOLD: Final = (
    ("quota", "Quota"),
    ("key_expires_at", "Key ends"),
    ("certificate_ends_at", "Certificate ends"),
)
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

    @property
    def is_askable(self) -> bool:
        """Whether somebody may have it asked now: it is configured, and has a way to be asked."""
        return self.standing is not None and self.status != OFF and bool(probes_now(self.standing.module))


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    by_name = {one.module.name: one for one in standings(moment)}
    own = {name for service in SERVICES for name in service.names if name in by_name}
    extra = [one for name, one in by_name.items() if is_integration(one) and name not in own]
    names = [*own, *(one.module.name for one in extra)]
    details = queries.details(names, moment.newest, moment.grain) if names and moment.newest else {}
    measured = figures_of([by_name[name].module for name in names], moment) if names else {}
    services = [*SERVICES, *(Service((one.module.name,), one.module.title, "", "") for one in extra)]
    return {"cards": [card(service, by_name, details, measured, moment) for service in services]}


def is_integration(one: Standing) -> bool:
    return one.module.layer == registry.Layer.INTEGRATION


def module_of(service: Service, by_name: Mapping[str, Standing]) -> Standing | None:
    """Return the module that watches a service; None where there is none."""
    return next((by_name[name] for name in service.names if name in by_name), None)


def card(
    service: Service,
    by_name: Mapping[str, Standing],
    details: Mapping[str, Mapping[str, Any]],
    measured: Mapping[str, Sequence[Figure]],
    moment: Moment,
) -> Card:
    """Return the card of one service."""
    one = module_of(service, by_name)
    if one is None:
        return absent(service)
    error = one.row.error if one.row else ""
    if one.status == OFF:
        note = next((check.error for check in generic.checks(one, moment) if check.error), "")
        said = f"{note}." if note else f"Set {service.settings} to use it."
        return Card(service, one, OFF, "Not configured", said, (), "", None)
    detail = details.get(one.module.name, {})
    last = last_ok(one, detail, moment)
    said = f"Last success {relative(moment.at - last)}." if last else "It has not answered well yet."
    is_quiet = one.status == UNKNOWN and one.word == "Unproven"
    circuit = CIRCUITS.get(str(detail.get("circuit") or "").replace("_", " ").replace("-", " "))
    return Card(
        service, one, one.status, one.word, f"No traffic. {said}" if is_quiet else said,
        facts(one, measured.get(one.module.name, ()), detail), "" if is_quiet else error, circuit,
    )  # fmt: skip


def absent(service: Service) -> Card:
    """Return the card of a service that no module watches."""
    said = "Nothing is known of it: no module watches it yet."
    return Card(service, None, UNKNOWN, "Not watched", said, (), "", None)


def last_ok(one: Standing, detail: Mapping[str, Any], moment: Moment) -> datetime | None:
    """Return when a service answered well for the last time, by its calls or else by its checks."""
    told = time_of(detail.get("last_ok_at"))
    if told or "last_ok_at" in detail:
        return told
    return max((check.last_ok for check in generic.checks(one, moment) if check.last_ok), default=None)


def time_of(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def facts(one: Standing, measured: Sequence[Figure], detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is known of a service's answers, in words."""
    values = {figure.metric.id: figure for figure in measured if figure.value is not None}
    lines = [
        (figure.metric.title, figure.text)
        for name, figure in values.items()
        if name != "integration.failures"
    ]
    if (failed := values.get("integration.failures")) and failed.value is not None:
        lines.insert(0, ("Success", figure_text(100 - failed.value, "%")))
    outcomes = detail.get("outcomes")
    if isinstance(outcomes, Mapping) and outcomes:
        lines.append(("Answers", ", ".join(f"{name} {count}" for name, count in outcomes.items())))
    lines += [(label, str(detail[name])) for name, label in TOLD if detail.get(name)]
    return lines
