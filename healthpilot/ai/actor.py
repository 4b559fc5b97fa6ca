"""For whom an LLM call is made."""

from dataclasses import dataclass
from typing import Final

from telemetry.celery_events.names import fitted

LENGTHS: Final = {"user_id": 40, "tier": 16, "domain": 16, "job_id": 40}


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
        for name, most in LENGTHS.items():
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, fitted(str(value), most))
