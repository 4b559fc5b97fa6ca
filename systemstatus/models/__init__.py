"""The tables of System Status, one module a subject."""

from systemstatus.models.audit import AuditEntry

__all__ = ["AuditEntry"]
