"""The tables of System Status, one module a subject."""

from systemstatus.models.audit import AuditEntry
from systemstatus.models.snapshots import Hour, ModuleState, Seen, Snapshot, StatusLease, TenMinutes

__all__ = ["AuditEntry", "Hour", "ModuleState", "Seen", "Snapshot", "StatusLease", "TenMinutes"]
