"""Uploaded files."""

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Upload(models.Model):
    """A file somebody uploaded; its content lies below the data folder until it is imported or too old."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    kind = models.CharField(max_length=3)
    job_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "import_uploads"
        indexes = [
            # What is old enough to be removed.
            models.Index("created_at", name="import_uploads_age"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """Return where the content lies."""
        return folder() / f"{self.id}.upload"


def folder() -> Path:
    """Return the folder of uploads."""
    return Path(settings.HEALTHPILOT_VAR) / "uploads"
