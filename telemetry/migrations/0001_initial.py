"""The raw event tables, their partitions' bookkeeping and the import ledger."""

import django.db.models.functions.datetime
import telemetry.models
from django.db import migrations, models

# Declarative partitioning wants the partition column in the key, and Django 5.2 refuses an auto field in a
# composite key, so these two tables are made by SQL; the state below says the same to Django.
EVENT_TABLES = """
CREATE SEQUENCE telemetry_job_events_id_seq AS bigint;
CREATE TABLE telemetry_job_events (
    id bigint NOT NULL DEFAULT nextval('telemetry_job_events_id_seq'),
    job_id varchar(40) COLLATE "C",
    job_type varchar(40) COLLATE "C" NOT NULL,
    user_id varchar(40) COLLATE "C" NOT NULL,
    tier varchar(16) COLLATE "C" NOT NULL,
    domain varchar(16) COLLATE "C" NOT NULL,
    queued_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    duration_ms bigint,
    queue_wait_ms bigint,
    success boolean NOT NULL,
    error_code varchar(64) COLLATE "C",
    attempt integer NOT NULL DEFAULT 1,
    rows_read bigint NOT NULL DEFAULT 0,
    rows_written bigint NOT NULL DEFAULT 0,
    cpu_ms bigint NOT NULL DEFAULT 0,
    mem_mb_peak integer NOT NULL DEFAULT 0,
    mem_is_process boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    received_at timestamptz NOT NULL DEFAULT now(),
    shipment bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE telemetry_job_events_id_seq OWNED BY telemetry_job_events.id;
CREATE INDEX telemetry_job_events_user ON telemetry_job_events (user_id, started_at);
CREATE INDEX telemetry_job_events_type ON telemetry_job_events (job_type, started_at);
CREATE INDEX telemetry_job_events_tier ON telemetry_job_events (tier, started_at);
CREATE INDEX telemetry_job_events_shipment ON telemetry_job_events USING brin (shipment);

CREATE SEQUENCE telemetry_llm_events_id_seq AS bigint;
CREATE TABLE telemetry_llm_events (
    id bigint NOT NULL DEFAULT nextval('telemetry_llm_events_id_seq'),
    user_id varchar(40) COLLATE "C" NOT NULL,
    tier varchar(16) COLLATE "C" NOT NULL,
    llm_model varchar(40) COLLATE "C" NOT NULL,
    context_type varchar(32) COLLATE "C" NOT NULL,
    input_tokens integer NOT NULL,
    output_tokens integer NOT NULL,
    cache_hit boolean NOT NULL DEFAULT false,
    duration_ms bigint,
    success boolean NOT NULL,
    error_code varchar(64) COLLATE "C",
    domain varchar(16) COLLATE "C" NOT NULL DEFAULT '',
    provider varchar(32) COLLATE "C" NOT NULL DEFAULT '',
    job_id varchar(40) COLLATE "C",
    cached_input_tokens integer NOT NULL DEFAULT 0,
    reasoning_tokens integer NOT NULL DEFAULT 0,
    avoided_input_tokens integer NOT NULL DEFAULT 0,
    avoided_output_tokens integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    received_at timestamptz NOT NULL DEFAULT now(),
    shipment bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE telemetry_llm_events_id_seq OWNED BY telemetry_llm_events.id;
CREATE INDEX telemetry_llm_events_user ON telemetry_llm_events (user_id, created_at);
CREATE INDEX telemetry_llm_events_model ON telemetry_llm_events (llm_model, created_at);
CREATE INDEX telemetry_llm_events_shipment ON telemetry_llm_events USING brin (shipment);
"""

DROP_EVENT_TABLES = "DROP TABLE telemetry_llm_events; DROP TABLE telemetry_job_events;"

# One mark per transaction and table, whichever path stored the rows (COPY, ORM, SQL). The partials are folded
# from these marks: a high-water id would miss rows that commit out of order.
SHIPMENT_TRIGGERS = """
CREATE FUNCTION telemetry_mark_shipment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_shipments AS mark (shipment, kind, first_created_at, last_created_at, events, shipped_at)
    SELECT pg_current_xact_id()::text::bigint, TG_ARGV[0], min(created_at), max(created_at), count(*), now()
    FROM stored
    HAVING count(*) > 0
    ON CONFLICT (shipment, kind) DO UPDATE SET
        first_created_at = least(mark.first_created_at, excluded.first_created_at),
        last_created_at = greatest(mark.last_created_at, excluded.last_created_at),
        events = mark.events + excluded.events;
    RETURN NULL;
END $$;
CREATE TRIGGER telemetry_job_events_mark AFTER INSERT ON telemetry_job_events
    REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION telemetry_mark_shipment('job');
CREATE TRIGGER telemetry_llm_events_mark AFTER INSERT ON telemetry_llm_events
    REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION telemetry_mark_shipment('llm');
"""

DROP_SHIPMENT_TRIGGERS = """
DROP TRIGGER telemetry_job_events_mark ON telemetry_job_events;
DROP TRIGGER telemetry_llm_events_mark ON telemetry_llm_events;
DROP FUNCTION telemetry_mark_shipment();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Shipment",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "shipment", "kind", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("shipment", models.BigIntegerField()),
                ("kind", models.CharField(db_collation="C", max_length=3)),
                ("first_created_at", models.DateTimeField()),
                ("last_created_at", models.DateTimeField()),
                ("events", models.BigIntegerField()),
                ("shipped_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "telemetry_shipments",
            },
        ),
        migrations.CreateModel(
            name="DroppedPartition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table_name", models.CharField(db_collation="C", max_length=40)),
                ("lower_at", models.DateTimeField()),
                ("upper_at", models.DateTimeField()),
                ("dropped_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "telemetry_dropped",
                "indexes": [models.Index(fields=["lower_at", "upper_at"], name="telemetry_dropped_span")],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(db_collation="C", max_length=3)),
                ("content_sha256", models.CharField(db_collation="C", max_length=64)),
                ("mapping_sha256", models.CharField(db_collation="C", max_length=64)),
                ("source_name", models.CharField(max_length=255)),
                ("size_bytes", models.BigIntegerField()),
                ("offset_bytes", models.BigIntegerField(db_default=0)),
                ("line", models.BigIntegerField(db_default=0)),
                ("accepted", models.BigIntegerField(db_default=0)),
                ("rejected", models.BigIntegerField(db_default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "telemetry_imports",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("content_sha256", "mapping_sha256", "kind"), name="telemetry_imports_once"
                    )
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(EVENT_TABLES, DROP_EVENT_TABLES)],
            state_operations=[
                migrations.CreateModel(
                    name="JobEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "created_at",
                                "id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=telemetry.models.NextValue("telemetry_job_events_id_seq")
                            ),
                        ),
                        ("job_id", models.CharField(db_collation="C", max_length=40, null=True)),
                        ("job_type", models.CharField(db_collation="C", max_length=40)),
                        ("user_id", models.CharField(db_collation="C", max_length=40)),
                        ("tier", models.CharField(db_collation="C", max_length=16)),
                        ("domain", models.CharField(db_collation="C", max_length=16)),
                        ("queued_at", models.DateTimeField(null=True)),
                        ("started_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("duration_ms", models.BigIntegerField(null=True)),
                        ("queue_wait_ms", models.BigIntegerField(null=True)),
                        ("success", models.BooleanField()),
                        ("error_code", models.CharField(db_collation="C", max_length=64, null=True)),
                        ("attempt", models.IntegerField(db_default=1)),
                        ("rows_read", models.BigIntegerField(db_default=0)),
                        ("rows_written", models.BigIntegerField(db_default=0)),
                        ("cpu_ms", models.BigIntegerField(db_default=0)),
                        ("mem_mb_peak", models.IntegerField(db_default=0)),
                        ("mem_is_process", models.BooleanField(db_default=False)),
                        (
                            "created_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        (
                            "received_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("shipment", models.BigIntegerField(db_default=telemetry.models.CurrentShipment())),
                    ],
                    options={
                        "db_table": "telemetry_job_events",
                    },
                ),
                migrations.CreateModel(
                    name="LlmEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "created_at",
                                "id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "id",
                            models.BigIntegerField(
                                db_default=telemetry.models.NextValue("telemetry_llm_events_id_seq")
                            ),
                        ),
                        ("user_id", models.CharField(db_collation="C", max_length=40)),
                        ("tier", models.CharField(db_collation="C", max_length=16)),
                        ("llm_model", models.CharField(db_collation="C", max_length=40)),
                        ("context_type", models.CharField(db_collation="C", max_length=32)),
                        ("input_tokens", models.IntegerField()),
                        ("output_tokens", models.IntegerField()),
                        ("cache_hit", models.BooleanField(db_default=False)),
                        ("duration_ms", models.BigIntegerField(null=True)),
                        ("success", models.BooleanField()),
                        ("error_code", models.CharField(db_collation="C", max_length=64, null=True)),
                        ("domain", models.CharField(db_collation="C", db_default="", max_length=16)),
                        ("provider", models.CharField(db_collation="C", db_default="", max_length=32)),
                        ("job_id", models.CharField(db_collation="C", max_length=40, null=True)),
                        ("cached_input_tokens", models.IntegerField(db_default=0)),
                        ("reasoning_tokens", models.IntegerField(db_default=0)),
                        ("avoided_input_tokens", models.IntegerField(db_default=0)),
                        ("avoided_output_tokens", models.IntegerField(db_default=0)),
                        (
                            "created_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        (
                            "received_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("shipment", models.BigIntegerField(db_default=telemetry.models.CurrentShipment())),
                    ],
                    options={
                        "db_table": "telemetry_llm_events",
                    },
                ),
            ],
        ),
        migrations.RunSQL(SHIPMENT_TRIGGERS, DROP_SHIPMENT_TRIGGERS),
    ]
