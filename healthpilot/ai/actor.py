"""For whom an LLM call is made."""

from dataclasses import dataclass
from typing import Final

from telemetry.events import LLM_FIELDS
from telemetry.fields import Text
from telemetry.fitting import fitted

LENGTHS: Final = {name: rule.most for name, rule in LLM_FIELDS.items() if isinstance(rule, Text)}


def fit(column: str, text: str) -> str:
    """Return a text as it fits a column of an LLM event."""
    return fitted(text, LENGTHS[column])


@dataclass(frozen=True, slots=True)
class Actor:
    """The user a call is made for, with their tier, and the part of the product that makes it.

    Names too long for an event, as e-mail addresses are, are cut and end in a digest of the whole: a call
    that could not be recorded would cost nothing, and no budget would know of it.
    """

    user_id: str
    tier: str
    domain: str
    job_id: str | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, fit(name, str(value)))
