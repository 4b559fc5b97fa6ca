"""Price history that never overlaps, the price behind each figure, and what was saved and wasted."""

from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models
from django.db.models import F, Q

import costs.models

USED = (
    "failed_cpu_ms",
    "failed_rows",
    "retried_cpu_ms",
    "retried_rows",
    "failed_requests",
    "failed_input_tokens",
    "failed_cached_tokens",
    "failed_output_tokens",
)
MONEY = ("saved_skipped_exact", "saved_cached_exact", "failed_exact", "retried_exact")

NO_OVERLAP = """
ALTER TABLE cost_model_prices ADD CONSTRAINT cost_model_prices_no_overlap EXCLUDE USING gist (
    llm_model WITH =, daterange(effective_from, effective_to, '[)') WITH &&
) WHERE (superseded_at IS NULL);
CREATE INDEX cost_model_prices_history ON cost_model_prices (llm_model, effective_from DESC, id DESC);
"""
OVERLAP = """
DROP INDEX cost_model_prices_history;
ALTER TABLE cost_model_prices DROP CONSTRAINT cost_model_prices_no_overlap;
"""


def column(name, field):
    return migrations.AddField("modelprice", name, field)


class Migration(migrations.Migration):
    dependencies = [("costs", "0003_budgets")]

    operations = [
        BtreeGistExtension(),
        *(
            migrations.AddField(table, name, models.BigIntegerField(db_default=0))
            for table in ("usagehourly", "usagedaily")
            for name in USED
        ),
        migrations.AddField("costday", "constants_json", models.JSONField(null=True)),
        migrations.AddField("costglobaldaily", "job_retries", models.BigIntegerField(db_default=0)),
        *(
            migrations.AddField("costglobaldaily", name, costs.models.ExactDecimalField(db_default=0))
            for name in MONEY
        ),
        migrations.AddField("costbreakdowndaily", "price_id", models.BigIntegerField(null=True)),
        migrations.RemoveConstraint("modelprice", "cost_model_prices_once"),
        column("provider", models.CharField(db_collation="C", db_default="", max_length=32)),
        column("reason", models.CharField(db_default="", max_length=200)),
        column("created_by", models.CharField(db_default="", max_length=150)),
        column("superseded_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "modelprice",
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gt=F("effective_from")),
                name="cost_model_prices_span",
            ),
        ),
        migrations.AddConstraint(
            "modelprice",
            models.CheckConstraint(
                condition=Q(
                    input_usd_per_million__gte=0,
                    cached_input_usd_per_million__gte=0,
                    output_usd_per_million__gte=0,
                    request_usd__gte=0,
                ),
                name="cost_model_prices_not_negative",
            ),
        ),
        migrations.RunSQL(NO_OVERLAP, OVERLAP),
    ]
