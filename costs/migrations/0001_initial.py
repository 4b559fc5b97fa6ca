"""Usage partials, prices and the daily cost tables."""

import costs.models
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CostBreakdownDaily",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "date", "kind", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("date", models.DateField()),
                ("kind", models.CharField(db_collation="C", max_length=8)),
                ("key", models.CharField(db_collation="C", max_length=40)),
                ("jobs", models.BigIntegerField(db_default=0)),
                ("job_failures", models.BigIntegerField(db_default=0)),
                ("ai_calls", models.BigIntegerField(db_default=0)),
                ("cache_hits", models.BigIntegerField(db_default=0)),
                ("unpriced_calls", models.BigIntegerField(db_default=0)),
                ("cpu_ms", models.BigIntegerField(db_default=0)),
                ("tokens_in", models.BigIntegerField(db_default=0)),
                ("cached_tokens", models.BigIntegerField(db_default=0)),
                ("tokens_out", models.BigIntegerField(db_default=0)),
                ("cost_usd", models.DecimalField(decimal_places=6, max_digits=18)),
                ("cost_exact", costs.models.ExactDecimalField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_breakdown_daily",
            },
        ),
        migrations.CreateModel(
            name="CostGlobalDaily",
            fields=[
                ("date", models.DateField(primary_key=True, serialize=False)),
                ("users", models.IntegerField(db_default=0)),
                ("jobs", models.BigIntegerField(db_default=0)),
                ("job_failures", models.BigIntegerField(db_default=0)),
                ("ai_calls", models.BigIntegerField(db_default=0)),
                ("llm_failures", models.BigIntegerField(db_default=0)),
                ("cache_hits", models.BigIntegerField(db_default=0)),
                ("unpriced_calls", models.BigIntegerField(db_default=0)),
                ("cpu_ms", models.BigIntegerField(db_default=0)),
                ("tokens_in", models.BigIntegerField(db_default=0)),
                ("cached_tokens", models.BigIntegerField(db_default=0)),
                ("tokens_out", models.BigIntegerField(db_default=0)),
                ("avoided_tokens_in", models.BigIntegerField(db_default=0)),
                ("avoided_tokens_out", models.BigIntegerField(db_default=0)),
                ("cost_usd", models.DecimalField(decimal_places=6, max_digits=18)),
                ("cost_exact", costs.models.ExactDecimalField()),
                ("tier_breakdown_json", models.JSONField(db_default=models.Value({}, models.JSONField()))),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_global_daily",
            },
        ),
        migrations.CreateModel(
            name="CostWindow",
            fields=[
                ("days", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("ends_on", models.DateField()),
                ("users", models.BigIntegerField(db_default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_windows",
            },
        ),
        migrations.CreateModel(
            name="UsageDaily",
            fields=[
                ("day", models.DateField()),
                ("user_id", models.CharField(db_collation="C", max_length=40)),
                ("tier", models.CharField(db_collation="C", max_length=16)),
                ("domain", models.CharField(db_collation="C", max_length=16)),
                ("model", models.CharField(db_collation="C", max_length=40)),
                ("jobs", models.BigIntegerField(db_default=0)),
                ("job_failures", models.BigIntegerField(db_default=0)),
                ("job_retries", models.BigIntegerField(db_default=0)),
                ("duration_ms", models.BigIntegerField(db_default=0)),
                ("cpu_ms", models.BigIntegerField(db_default=0)),
                ("rows_read", models.BigIntegerField(db_default=0)),
                ("rows_written", models.BigIntegerField(db_default=0)),
                ("ai_calls", models.BigIntegerField(db_default=0)),
                ("llm_failures", models.BigIntegerField(db_default=0)),
                ("cache_hits", models.BigIntegerField(db_default=0)),
                ("input_tokens", models.BigIntegerField(db_default=0)),
                ("cached_input_tokens", models.BigIntegerField(db_default=0)),
                ("output_tokens", models.BigIntegerField(db_default=0)),
                ("reasoning_tokens", models.BigIntegerField(db_default=0)),
                ("avoided_input_tokens", models.BigIntegerField(db_default=0)),
                ("avoided_output_tokens", models.BigIntegerField(db_default=0)),
                ("llm_duration_ms", models.BigIntegerField(db_default=0)),
                ("last_event_at", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "user_id",
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
            options={
                "db_table": "usage_daily",
            },
        ),
        migrations.CreateModel(
            name="UsageHourly",
            fields=[
                ("day", models.DateField()),
                ("user_id", models.CharField(db_collation="C", max_length=40)),
                ("tier", models.CharField(db_collation="C", max_length=16)),
                ("domain", models.CharField(db_collation="C", max_length=16)),
                ("model", models.CharField(db_collation="C", max_length=40)),
                ("jobs", models.BigIntegerField(db_default=0)),
                ("job_failures", models.BigIntegerField(db_default=0)),
                ("job_retries", models.BigIntegerField(db_default=0)),
                ("duration_ms", models.BigIntegerField(db_default=0)),
                ("cpu_ms", models.BigIntegerField(db_default=0)),
                ("rows_read", models.BigIntegerField(db_default=0)),
                ("rows_written", models.BigIntegerField(db_default=0)),
                ("ai_calls", models.BigIntegerField(db_default=0)),
                ("llm_failures", models.BigIntegerField(db_default=0)),
                ("cache_hits", models.BigIntegerField(db_default=0)),
                ("input_tokens", models.BigIntegerField(db_default=0)),
                ("cached_input_tokens", models.BigIntegerField(db_default=0)),
                ("output_tokens", models.BigIntegerField(db_default=0)),
                ("reasoning_tokens", models.BigIntegerField(db_default=0)),
                ("avoided_input_tokens", models.BigIntegerField(db_default=0)),
                ("avoided_output_tokens", models.BigIntegerField(db_default=0)),
                ("llm_duration_ms", models.BigIntegerField(db_default=0)),
                ("last_event_at", models.DateTimeField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "hour",
                        "user_id",
                        "tier",
                        "domain",
                        "model",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
            ],
            options={
                "db_table": "usage_hourly",
            },
        ),
        migrations.CreateModel(
            name="UsageWaitDaily",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "domain",
                        "bucket",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("domain", models.CharField(db_collation="C", max_length=16)),
                ("bucket", models.SmallIntegerField()),
                ("waits", models.BigIntegerField()),
            ],
            options={
                "db_table": "usage_wait_daily",
            },
        ),
        migrations.CreateModel(
            name="CostDay",
            fields=[
                ("date", models.DateField(primary_key=True, serialize=False)),
                ("dirty_at", models.DateTimeField(null=True)),
                ("rolled_up_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("lease_token", models.BigIntegerField(db_default=0)),
                ("lease_pid", models.IntegerField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_days",
                "indexes": [
                    models.Index(
                        condition=models.Q(("dirty_at__isnull", False)),
                        fields=["date"],
                        name="cost_days_dirty",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["date"],
                        name="cost_days_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CostSettings",
            fields=[
                ("id", models.SmallIntegerField(db_default=1, primary_key=True, serialize=False)),
                ("timezone", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_settings",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="cost_settings_one_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="CostUserDaily",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id", "date", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("user_id", models.CharField(db_collation="C", max_length=40)),
                ("date", models.DateField()),
                ("tier", models.CharField(db_collation="C", max_length=16)),
                ("jobs", models.IntegerField(db_default=0)),
                ("ai_calls", models.IntegerField(db_default=0)),
                ("cpu_ms", models.BigIntegerField(db_default=0)),
                ("tokens_in", models.BigIntegerField(db_default=0)),
                ("tokens_out", models.BigIntegerField(db_default=0)),
                ("cost_usd", models.DecimalField(decimal_places=6, max_digits=18)),
                ("cost_exact", costs.models.ExactDecimalField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_user_daily",
                "indexes": [
                    models.Index(fields=["date"], name="cost_user_daily_date"),
                    models.Index(fields=["tier", "date"], name="cost_user_daily_tier_date"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CostUserWindow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "days", "user_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("days", models.SmallIntegerField()),
                ("user_id", models.CharField(db_collation="C", max_length=40)),
                ("tier", models.CharField(db_collation="C", max_length=16)),
                ("user_days", models.IntegerField(db_default=0)),
                ("jobs", models.BigIntegerField(db_default=0)),
                ("ai_calls", models.BigIntegerField(db_default=0)),
                ("cpu_ms", models.BigIntegerField(db_default=0)),
                ("tokens_in", models.BigIntegerField(db_default=0)),
                ("tokens_out", models.BigIntegerField(db_default=0)),
                ("cost_exact", costs.models.ExactDecimalField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_user_window",
                "indexes": [
                    models.Index(fields=["days", "-cost_exact", "user_id"], name="cost_user_window_top")
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("llm_model", models.CharField(db_collation="C", max_length=40)),
                ("effective_from", models.DateField()),
                ("effective_to", models.DateField(null=True)),
                ("input_usd_per_million", models.DecimalField(decimal_places=9, max_digits=18)),
                ("cached_input_usd_per_million", models.DecimalField(decimal_places=9, max_digits=18)),
                ("output_usd_per_million", models.DecimalField(decimal_places=9, max_digits=18)),
                ("request_usd", models.DecimalField(db_default=0, decimal_places=9, max_digits=18)),
                ("source", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "cost_model_prices",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("llm_model", "effective_from"), name="cost_model_prices_once"
                    )
                ],
            },
        ),
    ]
