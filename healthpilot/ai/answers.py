"""Keeps the last answer of each user and context, and finds it again while the question stays the same."""

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.utils import timezone

from healthpilot.ai.actor import Actor
from healthpilot.ai.models import AiAnswer
from healthpilot.ai.usage import Usage
from telemetry.interrupts import raised_by_signal

logger = logging.getLogger("healthpilot.ai")

# Larger answers are not kept: the call is made again.
ANSWER_MOST_BYTES: Final = 256 * 1024
KEEP: Final = timedelta(days=30)
BATCH: Final = 1000


def fingerprint(shape: str, options: Mapping[str, Any]) -> bytes | None:
    """Return the SHA-256 of a whole question, model and settings included; None where it cannot be told."""
    try:
        text = json.dumps([shape, options], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()
    except (TypeError, ValueError, RecursionError):
        return None


def kept_answer(actor: Actor, context_type: str, question: bytes) -> AiAnswer | None:
    """Return the last answer, if it was to this very question; None too where the database is away."""
    try:
        with transaction.atomic():
            return AiAnswer.objects.filter(
                user_id=actor.user_id,
                context_type=context_type,
                question_sha256=question,
                updated_at__gte=timezone.now() - KEEP,
            ).first()
    except (DatabaseError, ValueError) as error:  # a user id may hold what no text of UTF-8 can
        logger.warning("Whether a question changed is not known: %s", error)
        return None


def is_whole(response: Any) -> bool:
    """Return whether a response is what was asked for: one that failed or broke off is asked for again."""
    return getattr(response, "status", None) in {None, "completed"}


def keep_answer(
    actor: Actor, context_type: str, question: bytes, *, model: str, usage: Usage, response: Any
) -> None:
    """Keep an answer in place of the one before; never raises into the host."""
    try:
        answer = response.to_dict(mode="json")
        text = json.dumps(answer)
        if len(text) > ANSWER_MOST_BYTES or "\\u0000" in text:
            return
        values = {
            "question_sha256": question,
            "llm_model": model[:80],
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "answer": answer,
            "updated_at": timezone.now(),
        }
        with transaction.atomic():
            AiAnswer.objects.update_or_create(
                user_id=actor.user_id, context_type=context_type, defaults=values, create_defaults=values
            )
    except Exception as error:  # a provider's answer may be anything, and it is paid for: the host gets it
        if raised_by_signal(error):
            raise
        logger.warning("An answer was not kept: %s", error)


def prune(now: datetime) -> int:
    """Delete a batch of answers older than KEEP; returns how many."""
    old = AiAnswer.objects.filter(updated_at__lt=now - KEEP).order_by("updated_at")[:BATCH]
    deleted = 0
    for user_id, context_type in old.values_list("user_id", "context_type"):
        deleted += AiAnswer.objects.filter(user_id=user_id, context_type=context_type).delete()[0]
    return deleted


def forget_user(user_id: str) -> int:
    """Delete a user's answers, as when their data is erased; returns how many."""
    return AiAnswer.objects.filter(user_id=user_id).delete()[0]
