"""The services of others that System Status watches: what configures each, and how it is tried."""

import os
from dataclasses import replace
from functools import partial
from typing import Final

from django.conf import settings

from systemstatus.probes import r2, trials
from systemstatus.probes.integrations import integration
from systemstatus.registry import Layer, Metric, Probe, register

TRIALS: Final = {"openai": trials.openai, "brevo": trials.brevo}
SERVICES: Final = (
    ("openai", "OpenAI", "OPENAI_API_KEY", "healthpilot.ai", ("ai.",)),
    ("brevo", "Brevo", "BREVO_API_KEY", "systemstatus", ()),
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
                probes=(Probe("put get delete", r2.round_trip),),
                metrics=(Metric("storage.probe", "ms", "Put, get and delete", "storage.probe"),),
            ),
            layer=Layer.STORAGE,
        )
    )
    for client, title, setting, owner, tasks in SERVICES:
        tried = (Probe("key", TRIALS[client]),) if client in TRIALS else ()
        register(
            integration(client, title, partial(lacking, setting), owner=owner, tasks=tasks, trials=tried)
        )
