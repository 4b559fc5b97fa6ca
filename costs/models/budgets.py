"""Caps of scopes, and what was decided because of them."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now

from telemetry.models import key_field

NO_CAP = 2**63 - 1
NO_CAP_USD = Decimal("999999999999.999999")


class CostBudget(models.Model):
    """Caps on what one scope may take in a local day, and its spend in a month; one row a scope.

    A cap of 0 admits nothing; the type's maximum (NO_CAP, NO_CAP_USD) is no cap.
    """

    apply_scope = key_field(16)
    scope_key = key_field(40, db_default="")
    daily_cpu_ms_cap = models.BigIntegerField(db_default=NO_CAP)
    daily_jobs_cap = models.BigIntegerField(db_default=NO_CAP)
    llm_input_tokens_cap = models.BigIntegerField(db_default=NO_CAP)
    llm_output_tokens_cap = models.BigIntegerField(db_default=NO_CAP)
    daily_cost_usd_cap = models.DecimalField(max_digits=18, decimal_places=6, db_default=NO_CAP_USD)
    monthly_cost_usd_cap = models.DecimalField(max_digits=18, decimal_places=6, db_default=NO_CAP_USD)
    updated_by = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_budgets"
        constraints = [
            models.UniqueConstraint(fields=["apply_scope", "scope_key"], name="cost_budgets_once"),
            models.CheckConstraint(
                condition=models.Q(apply_scope="global", scope_key="")
                | (models.Q(apply_scope__in=["tier", "domain", "user"]) & ~models.Q(scope_key="")),
                name="cost_budgets_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    daily_cpu_ms_cap__gte=0,
                    daily_jobs_cap__gte=0,
                    llm_input_tokens_cap__gte=0,
                    llm_output_tokens_cap__gte=0,
                    daily_cost_usd_cap__gte=0,
                    monthly_cost_usd_cap__gte=0,
                ),
                name="cost_budgets_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.apply_scope} {self.scope_key}".strip()


class CostDecision(models.Model):
    """What budget checks answered in one minute for the same work under the same rule, with its counters."""

    decided_at = models.DateTimeField(db_default=Now())
    day = models.DateField()
    action = key_field(16)
    tier = key_field(16)
    domain = key_field(16)
    user_id = key_field(40, db_default="")
    checks = models.BigIntegerField(db_default=1)
    rule_scope = key_field(64, db_default="")
    rule_place = key_field(16, db_default="")
    rule_cap = models.BigIntegerField(null=True)
    rule_limit = models.BigIntegerField(null=True)
    used = models.BigIntegerField(null=True)
    reserved = models.BigIntegerField(null=True)
    needed = models.BigIntegerField(null=True)
    reason = models.TextField(db_default="")
    release_at = models.DateTimeField(null=True)
    lease = key_field(40, db_default="")

    class Meta:
        db_table = "cost_decisions"
        indexes = [
            # The newest first on the page, and those of one user for the question why.
            models.Index(fields=["-decided_at", "-id"], name="cost_decisions_newest"),
            models.Index(fields=["user_id", "-decided_at"], name="cost_decisions_user"),
            # Who waits is what the page asks first: a handful among a month of answers.
            models.Index(
                fields=["-decided_at", "-id"],
                name="cost_decisions_held",
                condition=~models.Q(action="run"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.tier}/{self.domain} at {self.decided_at:%Y-%m-%d %H:%M}"
