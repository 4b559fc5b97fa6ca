"""The services of others that System Status watches: what configures each, and how it is tried."""

import os
from dataclasses import replace
from functools import partial
from typing import Final

from django.conf import settings

from systemstatus.probes import elsewhere, gate, r2, trials
from systemstatus.probes.integrations import integration
from systemstatus.registry import Layer, Metric, Module, Probe, register

HOURLY_S: Final = 3600
TRIALS: Final = {
    "openai": trials.openai,
    "brevo": trials.brevo,
    "nowpayments": trials.nowpayments,
    "ayrshare": trials.ayrshare,
}
SERVICES: Final = (
    ("openai", "OpenAI", "OPENAI_API_KEY", "healthpilot.ai", ("ai.",)),
    ("brevo", "Brevo", "BREVO_API_KEY", "systemstatus", ()),
    ("nowpayments", "NOWPayments", "NOWPAYMENTS_API_KEY", "systemstatus", ()),
    ("ayrshare", "Ayrshare", "AYRSHARE_API_KEY", "systemstatus", ()),
    ("smtp", "E-mail by SMTP", "ALERT_EMAIL_TO", "systemstatus", ()),
    ("webhook", "Alert webhook", "ALERT_WEBHOOK_URL", "systemstatus", ()),
    ("apprise", "Apprise", "ALERT_APPRISE_URLS", "systemstatus", ()),
)


def lacking(name: str) -> str:
    """Return the name of a setting, in Django's settings or in the environment, that is not set."""
    return "" if getattr(settings, name, "") or os.environ.get(name) else name


def register_all() -> None:
    """Have every service watched from now on."""
    register(
        replace(
            integration(
                "r2",
                "Cloudflare R2",
                r2.lacking,
                owner="systemstatus",
                probes=(
                    Probe("put get delete", r2.round_trip),
                    Probe("contents", r2.contents, every_s=HOURLY_S),
                ),
                metrics=(
                    Metric("storage.probe", "ms", "Put, get and delete", "storage.probe"),
                    Metric("storage.objects", "objects", "Objects"),
                    Metric("storage.bytes", "bytes", "Stored"),
                ),
            ),
            layer=Layer.STORAGE,
        )
    )
    for client, title, setting, owner, tasks in SERVICES:
        tried = (Probe("key", TRIALS[client]),) if client in TRIALS else ()
        register(
            integration(client, title, partial(lacking, setting), owner=owner, tasks=tasks, trials=tried)
        )
    for name, title, probe, metrics in (
        ("connexcs", "ConnexCS", Probe("client", elsewhere.connexcs), ()),
        ("upstash", "Upstash Redis", Probe("ping", elsewhere.upstash), ()),
        (
            "axe_gate",
            "Playwright/Axe gate",
            Probe("last look", gate.last_look),
            (
                Metric("gate.findings", "findings", "Findings"),
                Metric("gate.looks", "looks", "Looks at pages"),
            ),
        ),
    ):
        register(
            Module(
                name=name,
                title=title,
                layer=Layer.INTEGRATION,
                core=False,
                owner="systemstatus",
                probes=(probe,),
                metrics=metrics,
            )
        )
