"""One API token: whose it is and what it may do. Its secret is not here, only the secret's digest."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class ApiToken(models.Model):
    """A token of an application. `prefix` is the part that may be shown and by which it is found.

    `client` names the application: tokens of one client share the ids of the events they send, so that a
    token can be replaced by another without an event being counted twice.
    """

    name = models.CharField(max_length=60)
    client = models.CharField(max_length=60, db_collation="C")
    prefix = models.CharField(max_length=12, unique=True, db_collation="C")
    digest = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=32))
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, db_default="")

    class Meta:
        db_table = "api_tokens"
        constraints = [
            # A form that is sent twice must not make two tokens; a revoked one's name may be used again.
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(revoked_at__isnull=True), name="api_tokens_live_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.shown})"

    @property
    def shown(self) -> str:
        """The beginning of the token, by which a person tells it from others."""
        return f"hp_{self.prefix}_…"

    def state(self, now: datetime) -> str:
        """Return live, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"
