"""Notes in the audit trail which release and settings run, and which migrations were applied."""

import hmac
import logging
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from healthpilot.web.release import release
from systemstatus.audit import lock_chain, record_audit
from systemstatus.models import AuditEntry

logger = logging.getLogger(__name__)

# What else looks for something new at a start: functions of who starts, in the same transaction.
others: Final[list[Callable[[str], None]]] = []

DEPLOY, SETTINGS, MIGRATE = "deploy", "settings.change", "migrate"
RELEASE, ENVIRONMENT, DATABASE = "release", "settings", "database"
MOST_NAMED: Final = 50
# What may be read in the trail as it is, and what is only told apart.
SHOWN: Final = (
    "AI_SMALLER_MODELS", "ALERT_ALLOW_PRIVATE", "ALERT_APPRISE_SCHEMES", "ALERT_WATCHDOG_CHANNELS",
    "ALLOWED_HOSTS", "BUDGET_PROCESSES", "COST_CPU_MS", "COST_DB_ROW_1K", "COST_INSIGHT_MODEL",
    "COST_LLM_INPUT_TOKEN",
    "COST_LLM_OUTPUT_TOKEN", "COST_REFRESH_S", "COST_SUMMARY", "COST_TIMEZONE", "DATAQUEUE_LEASE_S",
    "DATAQUEUE_OLDEST_S", "DATAQUEUE_RETENTION_DAYS", "DEBUG", "HEALTHPILOT_HTTPS", "HEALTHPILOT_URL",
    "IMPORT_MOST_BYTES",
    "R2_BUCKET", "R2_ENDPOINT_URL", "STATUS_DOMAINS", "STATUS_RATE", "STATUS_TLS_HOSTS",
    "TELEMETRY_CLOSE_S", "TELEMETRY_RETENTION_DAYS", "TELEMETRY_SKIPPED_TASKS", "TELEMETRY_SPOOL_MAX_MB",
    "TELEMETRY_TASK_RESOLVER", "TIERS", "VITALS_PERCENT",
)  # fmt: skip
SECRET: Final = (
    "AYRSHARE_API_KEY", "NOWPAYMENTS_API_KEY",
    "ALERT_APPRISE_URLS", "ALERT_EMAIL_TO", "ALERT_WEBHOOK_SECRET", "ALERT_WEBHOOK_URL", "BREVO_API_KEY",
    "DATABASE_URL", "EMAIL_HOST", "EMAIL_HOST_PASSWORD", "EMAIL_HOST_USER", "OPENAI_API_KEY",
    "OPENAI_BASE_URL", "R2_ACCESS_KEY_ID",
    "R2_SECRET_ACCESS_KEY", "REDIS_URL",
)  # fmt: skip


def note_start() -> None:
    """Note a release or settings that differ from those of the last start; whoever starts first does it.

    Never stands in the way of a start.
    """
    try:
        with transaction.atomic():
            lock_chain()
            actor = f"start on {platform.node()}"
            note(actor, DEPLOY, RELEASE, {"release": release()})
            note(actor, SETTINGS, ENVIRONMENT, settings_as_told())
            for look in others:
                look(actor)
    except DatabaseError as error:
        logger.warning("The start was not noted in the audit trail: %s", error)


def note(actor: str, action: str, target: str, after: Mapping[str, Any]) -> None:
    """Add an entry where something differs from the last entry of its kind."""
    last = AuditEntry.objects.filter(target=target, action=action).order_by("-id").first()
    before = last.after if last else None
    if before != after:
        record_audit(actor=actor, action=action, target=target, before=before, after=after)


def settings_as_told() -> dict[str, Any]:
    """Return the settings that change what the product does; of secrets only whether, and a digest."""
    told = {name: as_json(getattr(settings, name)) for name in SHOWN}
    return told | {name: digest(getattr(settings, name)) for name in SECRET}


def as_json(value: Any) -> Any:
    """Return a setting's value as JSON."""
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return value if isinstance(value, bool | int | dict) else str(value)


def digest(value: Any) -> str:
    """Return 'not set', or a few letters that change with the value and tell nothing of it."""
    if not value:
        return "not set"
    text = "\n".join(value) if isinstance(value, list) else str(value)
    return "set, " + hmac.new(settings.SECRET_KEY.encode(), text.encode(), "sha256").hexdigest()[:8]


def note_migrations(plan: Sequence[tuple[Any, bool]] = (), **details: Any) -> None:
    """Note the migrations that one run of `migrate` applied or took back; Django's post_migrate calls it.

    The run that makes the trail's own table is where the trail begins, and no change.
    """
    steps = [(f"{one.app_label}.{one.name}", taken_back) for one, taken_back in plan]
    makes_the_trail = any(name.startswith("systemstatus.0001") for name, _ in steps)
    has_a_trail = AuditEntry._meta.db_table in connection.introspection.table_names()
    if not steps or makes_the_trail or not has_a_trail:
        return
    found = {
        "applied": [name for name, taken_back in steps if not taken_back][:MOST_NAMED],
        "taken_back": [name for name, taken_back in steps if taken_back][:MOST_NAMED],
    }
    after = {name: names for name, names in found.items() if names}
    record_audit(actor=f"migrate on {platform.node()}", action=MIGRATE, target=DATABASE, after=after)
