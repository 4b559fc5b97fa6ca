"""How far each file of the spool is in the database."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("telemetry", "0002_ingested"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpoolSegment",
            fields=[
                (
                    "segment",
                    models.CharField(db_collation="C", max_length=160, primary_key=True, serialize=False),
                ),
                ("committed_bytes", models.BigIntegerField()),
                ("events", models.BigIntegerField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "telemetry_spool_segments",
                "indexes": [models.Index(fields=["updated_at"], name="telemetry_spool_segments_age")],
            },
        ),
    ]
