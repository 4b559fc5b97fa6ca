"""Raw events and the bookkeeping around them."""

from typing import Any

from django.db import models
from django.db.models.functions import Now


class NextValue(models.Func):
    """The next value of a named sequence, as a database default."""

    function = "nextval"

    def __init__(self, sequence: str) -> None:
        super().__init__(models.Value(sequence))


class CurrentShipment(models.Func):
    """The top-level transaction's id as a bigint: it marks the rows that one transaction shipped."""

    template = "(pg_current_xact_id()::text::bigint)"


def key_field(max_length: int, *, null: bool = False, **options: Any) -> "models.CharField[Any, Any]":
    """A short text key in byte order, so that sorting is fast and the same on every server."""
    return models.CharField(max_length=max_length, null=null, db_collation="C", **options)


class JobEvent(models.Model):
    """One attempt of one background job. Partitioned by UTC day of created_at (see the migration)."""

    pk = models.CompositePrimaryKey("created_at", "id")
    id = models.BigIntegerField(db_default=NextValue("telemetry_job_events_id_seq"))
    job_id = key_field(40, null=True)
    job_type = key_field(40)
    user_id = key_field(40)
    tier = key_field(16)
    domain = key_field(16)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.BigIntegerField(null=True)
    queue_wait_ms = models.BigIntegerField(null=True)
    success = models.BooleanField()
    error_code = key_field(64, null=True)
    attempt = models.IntegerField(db_default=1)
    rows_read = models.BigIntegerField(db_default=0)
    rows_written = models.BigIntegerField(db_default=0)
    cpu_ms = models.BigIntegerField(db_default=0)
    mem_mb_peak = models.IntegerField(db_default=0)
    mem_is_process = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    received_at = models.DateTimeField(db_default=Now())
    shipment = models.BigIntegerField(db_default=CurrentShipment())

    class Meta:
        db_table = "telemetry_job_events"

    def __str__(self) -> str:
        return f"{self.job_type} of {self.user_id}"


class LlmEvent(models.Model):
    """One LLM call, or one that was skipped. Partitioned by UTC day of created_at (see the migration)."""

    pk = models.CompositePrimaryKey("created_at", "id")
    id = models.BigIntegerField(db_default=NextValue("telemetry_llm_events_id_seq"))
    user_id = key_field(40)
    tier = key_field(16)
    llm_model = key_field(40)
    context_type = key_field(32)
    input_tokens = models.IntegerField()
    output_tokens = models.IntegerField()
    cache_hit = models.BooleanField(db_default=False)
    duration_ms = models.BigIntegerField(null=True)
    success = models.BooleanField()
    error_code = key_field(64, null=True)
    domain = key_field(16, db_default="")
    provider = key_field(32, db_default="")
    job_id = key_field(40, null=True)
    cached_input_tokens = models.IntegerField(db_default=0)
    reasoning_tokens = models.IntegerField(db_default=0)
    avoided_input_tokens = models.IntegerField(db_default=0)
    avoided_output_tokens = models.IntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    received_at = models.DateTimeField(db_default=Now())
    shipment = models.BigIntegerField(db_default=CurrentShipment())

    class Meta:
        db_table = "telemetry_llm_events"

    def __str__(self) -> str:
        return f"{self.llm_model} for {self.user_id}"


class Shipment(models.Model):
    """Rows that one transaction stored and that the usage partials do not hold yet.

    Written by a trigger in the storing transaction itself, whatever the path, so nothing that commits late or
    out of order is ever missed. Deleted by the fold in the transaction that counts the rows.
    """

    pk = models.CompositePrimaryKey("shipment", "kind")
    shipment = models.BigIntegerField()
    kind = key_field(3)
    first_created_at = models.DateTimeField()
    last_created_at = models.DateTimeField()
    events = models.BigIntegerField()
    shipped_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "telemetry_shipments"

    def __str__(self) -> str:
        return f"{self.events} {self.kind} events of {self.shipment}"


class DroppedPartition(models.Model):
    """A span of raw rows that retention dropped; the days it touches can be rolled up from partials only."""

    table_name = key_field(40)
    lower_at = models.DateTimeField()
    upper_at = models.DateTimeField()
    dropped_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "telemetry_dropped"
        indexes = [models.Index(fields=["lower_at", "upper_at"], name="telemetry_dropped_span")]

    def __str__(self) -> str:
        return f"{self.table_name} {self.lower_at:%Y-%m-%d}"


class IngestedEvent(models.Model):
    """One event that a client sent over HTTP: its id and the digest of its body, so that it counts once."""

    pk = models.CompositePrimaryKey("client", "event_id")
    client = key_field(60)
    event_id = key_field(64)
    digest = models.BinaryField(max_length=32)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "telemetry_ingested"
        # Ids are forgotten by their age.
        indexes = [models.Index(fields=["received_at"], name="telemetry_ingested_age")]

    def __str__(self) -> str:
        return f"{self.event_id} of {self.client}"


class Import(models.Model):
    """How far one file's content under one mapping has been imported; it outlives the rows' retention."""

    kind = key_field(3)
    content_sha256 = key_field(64)
    mapping_sha256 = key_field(64)
    source_name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    offset_bytes = models.BigIntegerField(db_default=0)
    line = models.BigIntegerField(db_default=0)
    accepted = models.BigIntegerField(db_default=0)
    rejected = models.BigIntegerField(db_default=0)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "telemetry_imports"
        constraints = [
            models.UniqueConstraint(
                fields=["content_sha256", "mapping_sha256", "kind"], name="telemetry_imports_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_name} ({self.accepted} {self.kind} events)"


class SpoolSegment(models.Model):
    """How far one file of the spool is in the database; it outlives the file, so that a copy is recognised.

    Committed with the rows it counts, which is what stores each event exactly once.
    """

    segment = key_field(160, primary_key=True)
    committed_bytes = models.BigIntegerField()
    events = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "telemetry_spool_segments"
        indexes = [models.Index(fields=["updated_at"], name="telemetry_spool_segments_age")]

    def __str__(self) -> str:
        return f"{self.segment} ({self.events} events)"
