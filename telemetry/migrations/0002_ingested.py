"""Which events clients have sent over HTTP, so that each counts once."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("telemetry", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="IngestedEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "client", "event_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("client", models.CharField(db_collation="C", max_length=60)),
                ("event_id", models.CharField(db_collation="C", max_length=64)),
                ("digest", models.BinaryField(max_length=32)),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "telemetry_ingested",
                "indexes": [models.Index(fields=["received_at"], name="telemetry_ingested_age")],
            },
        ),
    ]
