"""For whom an LLM call is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """The user a call is made for, with their tier, and the part of the product that makes it."""

    user_id: str
    tier: str
    domain: str
    job_id: str | None = None
