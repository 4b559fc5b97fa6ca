"""Usage by hour without the user, and usage by hour and user apart, made once a day is over."""

from django.db import migrations, models

PARTS = "day, hour, tier, domain, model"
SUMS = (
    "jobs",
    "job_failures",
    "job_retries",
    "duration_ms",
    "cpu_ms",
    "rows_read",
    "rows_written",
    "ai_calls",
    "llm_failures",
    "cache_hits",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "avoided_input_tokens",
    "avoided_output_tokens",
    "llm_duration_ms",
    "failed_cpu_ms",
    "failed_rows",
    "retried_cpu_ms",
    "retried_rows",
    "failed_requests",
    "failed_input_tokens",
    "failed_cached_tokens",
    "failed_output_tokens",
)

RENAME_KEY = "ALTER INDEX usage_hourly_pkey RENAME TO usage_user_hourly_pkey"
RENAME_KEY_BACK = "ALTER INDEX usage_user_hourly_pkey RENAME TO usage_hourly_pkey"

# Its few rows change all day, so their pages keep room for new versions (HOT).
FILL = f"""
ALTER TABLE usage_hourly SET (fillfactor = 50);
INSERT INTO usage_hourly ({PARTS}, {", ".join(SUMS)}, last_event_at)
SELECT {PARTS}, {", ".join(f"cost_sum({name})" for name in SUMS)}, max(last_event_at)
FROM usage_user_hourly GROUP BY {PARTS};
"""


class Migration(migrations.Migration):
    """Backwards the day that is going on lacks hours by user: rolling it up --from-raw brings them back."""

    dependencies = [("costs", "0006_hours")]

    operations = [
        migrations.RenameModel("UsageHourly", "UsageUserHourly"),
        migrations.AlterModelTable("UsageUserHourly", "usage_user_hourly"),
        migrations.RunSQL(RENAME_KEY, RENAME_KEY_BACK),
        migrations.AddField("CostDay", "user_hours_due_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="UsageHourly",
            fields=[
                ("day", models.DateField()),
                ("hour", models.DateTimeField()),
                ("tier", models.CharField(db_collation="C", max_length=16)),
                ("domain", models.CharField(db_collation="C", max_length=16)),
                ("model", models.CharField(db_collation="C", max_length=40)),
                *((name, models.BigIntegerField(db_default=0)) for name in SUMS),
                ("last_event_at", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "hour",
                        "tier",
                        "domain",
                        "model",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={"db_table": "usage_hourly"},
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
