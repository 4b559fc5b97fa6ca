"""The tables of System Status, one module a subject."""

from systemstatus.models.alerts import (
    Alert,
    AlertState,
    AlertTransition,
    Maintenance,
    Notification,
    Quiet,
    Severity,
    Silence,
)
from systemstatus.models.audit import AuditEntry
from systemstatus.models.errors import ErrorGroup, ErrorHour
from systemstatus.models.snapshots import Hour, ModuleState, Seen, Snapshot, StatusLease, TenMinutes
from systemstatus.models.vitals import Canary, Sign

__all__ = [
    "Alert",
    "AlertState",
    "AlertTransition",
    "AuditEntry",
    "Canary",
    "ErrorGroup",
    "ErrorHour",
    "Hour",
    "Maintenance",
    "ModuleState",
    "Notification",
    "Quiet",
    "Seen",
    "Severity",
    "Sign",
    "Silence",
    "Snapshot",
    "StatusLease",
    "TenMinutes",
]
