"""What models cost, from a day on."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now

from telemetry.models import key_field


class ModelPrice(models.Model):
    """What a model costs from one local day on, per million tokens; constants apply where no row does.

    Amounts are never edited: a new row ends the one before it, or supersedes one that began on the same day.
    Rows that are not superseded never overlap (an exclusion constraint), so one at most applies to a day.
    """

    llm_model = key_field(40)
    provider = key_field(32, db_default="")
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    input_usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)
    cached_input_usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)
    output_usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)
    request_usd = models.DecimalField(max_digits=18, decimal_places=9, db_default=0)
    source = models.CharField(max_length=40)
    reason = models.CharField(max_length=200, db_default="")
    created_by = models.CharField(max_length=150, db_default="")
    superseded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_model_prices"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(effective_to=None) | models.Q(effective_to__gt=models.F("effective_from")),
                name="cost_model_prices_span",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    input_usd_per_million__gte=0,
                    cached_input_usd_per_million__gte=0,
                    output_usd_per_million__gte=0,
                    request_usd__gte=0,
                ),
                name="cost_model_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.llm_model} from {self.effective_from}"

    @property
    def is_free(self) -> bool:
        """Every amount is zero: right for a model of one's own, else a price that nobody filled in."""
        return not any(self.amounts)

    @property
    def amounts(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Return the four amounts: input, cached input and output per million tokens, and per request."""
        return (
            self.input_usd_per_million,
            self.cached_input_usd_per_million,
            self.output_usd_per_million,
            self.request_usd,
        )
