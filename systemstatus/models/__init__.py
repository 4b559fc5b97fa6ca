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
from systemstatus.models.snapshots import Hour, ModuleState, Seen, Snapshot, StatusLease, TenMinutes

__all__ = [
    "Alert",
    "AlertState",
    "AlertTransition",
    "AuditEntry",
    "Hour",
    "Maintenance",
    "ModuleState",
    "Notification",
    "Quiet",
    "Seen",
    "Severity",
    "Silence",
    "Snapshot",
    "StatusLease",
    "TenMinutes",
]
