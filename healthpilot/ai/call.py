"""One LLM call from its question to its record: earlier answer, admission, call, usage."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from healthpilot import admission
from healthpilot.ai import answers
from healthpilot.ai.actor import LENGTHS, Actor, fit
from healthpilot.ai.estimates import characters_of, expected, tokens_in
from healthpilot.ai.usage import Usage, failure_of, usage_of
from telemetry import outbound
from telemetry.interrupts import raised_by_signal
from telemetry.record import record_llm_event

T = TypeVar("T")
# Such a call succeeded, and its tokens are estimated.
NOT_STATED: Final = "usage_not_stated"
LEFT: Final = {"StreamCutOff", "CancelledError", "GeneratorExit", "KeyboardInterrupt"}


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Return what the work returns, done in a thread whose database connection ends with it."""

    def done() -> T:
        try:
            return work(*arguments)
        finally:
            connection.close()

    return await asyncio.to_thread(done)


@dataclass
class Call:
    """What is asked, for whom; `options` are those of the client's own method.

    adds_usage: a stream is asked for its usage by us, not by the application.
    """

    actor: Actor
    context_type: str
    shape: str
    provider: str
    options: dict[str, Any]
    skip_unchanged: bool
    adds_usage: bool = False
    question: bytes | None = None
    verdict: admission.Verdict = field(default_factory=admission.Verdict)
    began: float = 0.0

    def earlier(self) -> dict[str, Any] | None:
        """Return the earlier answer when this very question was the last one, and record the skipped call."""
        if not self.skip_unchanged or self.options.get("stream"):
            return None
        self.question = answers.fingerprint(f"{self.shape} {self.provider}", self.options)
        kept = self.question and answers.kept_answer(self.actor, self.context_type, self.question)
        if not kept:
            return None
        avoided = {"avoided_input_tokens": kept.input_tokens, "avoided_output_tokens": kept.output_tokens}
        self.record(Usage(), model=fit("llm_model", kept.llm_model), cache_hit=True, duration_ms=0, **avoided)
        return dict(kept.answer)

    def admit(self) -> None:
        """Ask the budgets; take the smaller model when they say so. Raises BudgetDeferred."""
        question, answer = expected(self.options)
        model = self.model
        smaller = settings.AI_SMALLER_MODELS.get(model)
        self.verdict = admission.admit(
            admission.Ask(
                what=self.context_type,
                tier=self.actor.tier,
                domain=self.actor.domain,
                user_id=self.actor.user_id,
                job_id=self.actor.job_id,
                est_input_tokens=question,
                # Nought is not known; an embedding makes none, and a token is next to it.
                est_output_tokens=1 if self.shape == "embeddings" else answer,
                model=model,
                can_downgrade=smaller is not None,
                is_job=False,
            )
        )
        if not self.verdict:
            raise admission.BudgetDeferred(self.verdict.reason, self.verdict.release_at)
        if self.verdict.action == "downgrade" and smaller:
            self.options["model"] = smaller
        self.began = time.monotonic()

    @property
    def model(self) -> str:
        return str(self.options.get("model", ""))

    def succeed(self, response: Any) -> None:
        """Record what a whole response used, settle the budgets with it, and keep the answer."""
        usage = usage_of(response)
        model = str(getattr(response, "model", None) or self.model)
        self.end(usage, model=model, characters=characters_of(response), code=failure_of(response))
        if self.question and usage and answers.is_whole(response):
            answers.keep_answer(
                self.actor, self.context_type, self.question, model=model, usage=usage, response=response
            )

    def fail(self, error: BaseException) -> None:
        """Record a call that brought nothing: what was asked counts where the provider may have taken it."""
        used = Usage(expected(self.options)[0]) if is_given_up(error) else Usage()
        self.finish(used, model=self.model, error_code=type(error).__name__)

    def end(self, usage: Usage | None, *, model: str, characters: int, code: str | None = None) -> None:
        """Record a call that brought something: what it used as stated, else by so many characters.

        Nought would be wrong by more: a stream that is left, or a provider that states no usage, is billed.
        """
        used = usage or Usage(expected(self.options)[0], tokens_in(characters))
        self.finish(used, model=model, error_code=code or (None if usage else NOT_STATED))

    def finish(self, usage: Usage, *, model: str, error_code: str | None) -> None:
        """Record the call and settle the reservation, both under the name by which the model is priced.

        The record comes first: it survives the process, and where that ends in between the lease lapses.
        """
        model = fit("llm_model", model)
        duration_ms = round((time.monotonic() - self.began) * 1000)
        error_code = fit("error_code", error_code) or "unnamed" if error_code else None
        failed = error_code not in {None, NOT_STATED}
        self.record(usage, model=model, duration_ms=duration_ms, error_code=error_code, success=not failed)
        spent = admission.Spent(
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            output_tokens=usage.output_tokens,
            model=model,
        )
        admission.settle(self.verdict, spent)
        # Whoever leaves a stream says nothing against the provider.
        outbound.observe("openai", "failed" if failed and error_code not in LEFT else "2xx", duration_ms)

    def record(self, usage: Usage, *, model: str, duration_ms: int, **more: Any) -> None:
        """Record one event of this call."""
        record_llm_event(
            {
                "user_id": self.actor.user_id,
                "tier": self.actor.tier,
                "domain": self.actor.domain,
                "job_id": self.actor.job_id,
                "provider": self.provider,
                "context_type": fit("context_type", self.context_type),
                "llm_model": model or "unknown",
                "input_tokens": usage.input_tokens,
                "cached_input_tokens": usage.cached_input_tokens,
                "output_tokens": usage.output_tokens,
                "reasoning_tokens": usage.reasoning_tokens,
                "duration_ms": duration_ms,
                "success": True,
                **more,
            }
        )


def is_given_up(error: BaseException) -> bool:
    """Return whether a call was left by us while the provider was at it, which bills it all the same.

    So it is when a coroutine is cancelled, a signal ends the task, or no answer came in time.
    """
    is_left = isinstance(error, asyncio.CancelledError | KeyboardInterrupt) or raised_by_signal(error)
    return is_left or type(error.__cause__).__name__ == "ReadTimeout"


def provider_of(base_url: object) -> str:
    """Return what a provider is called: openai, or the host of another base_url.

    Of a long host the end: it says whose it is, and prices are found by it.
    """
    host = urlsplit(str(base_url)).hostname or ""
    return "openai" if host == "api.openai.com" else host[-LENGTHS["provider"] :].lstrip(".-")


def with_usage(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that make a stream of Chat Completions tell its usage at the end."""
    told = dict(options.get("stream_options") or {})
    return {**options, "stream_options": {**told, "include_usage": True}}


def asks_usage(shape: str, options: Mapping[str, Any]) -> bool:
    """Return whether a call tells its usage without our asking, or the application said that it shall not."""
    if shape != "chat" or not options.get("stream"):
        return True
    told = options.get("stream_options")
    return isinstance(told, Mapping) and "include_usage" in told
