"""A column that Django has no field for."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class ExactDecimalField(models.Field):  # type: ignore[type-arg] # not subscriptable at run time
    """PostgreSQL's numeric without bound: an exact sum of money, never rounded."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric"

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value)
