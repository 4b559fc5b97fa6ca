"""The audit trail: who changed what, from what to what, and when."""

from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One change by a person or a program. Rows are only ever added; a trigger refuses anything else.

    seal is the SHA-256 of the seal before and this content: a changed or missing row breaks the chain.
    """

    occurred_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=120)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, db_default="")
    previous_seal = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_entries"
        indexes = [
            # The page lists the newest first, all of them or those of one target.
            models.Index(fields=["-occurred_at", "-id"], name="audit_entries_newest"),
            models.Index(fields=["target", "-id"], name="audit_entries_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target}"
