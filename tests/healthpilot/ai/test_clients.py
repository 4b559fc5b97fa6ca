"""Calls through the wrapper: recorded from what the provider states, skipped when unchanged, admitted."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from healthpilot import admission
from healthpilot.ai.actor import Actor
from healthpilot.ai.clients import AsyncMeteredOpenAI, BudgetDeferred, MeteredOpenAI
from healthpilot.ai.models import AiAnswer
from telemetry import outbound
from telemetry.models import LlmEvent
from telemetry.record import flush
from tests.healthpilot.ai.conftest import Provider
from tests.healthpilot.dataqueue.conftest import recording

__all__ = ["recording"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("recording")]
ADA = Actor("ada", "pro", "support", "job-1")
QUESTION: list[Any] = [{"role": "user", "content": "2 + 2?"}]


class Keeper:
    """An admission hook that answers as told and remembers."""

    def __init__(self) -> None:
        self.verdict = admission.Verdict()
        self.asked: list[admission.Ask] = []
        self.spent: list[admission.Spent] = []

    def admit(self, ask: admission.Ask, /) -> admission.Verdict:
        self.asked.append(ask)
        return self.verdict

    def settle(self, verdict: admission.Verdict, spent: admission.Spent, /) -> None:
        self.spent.append(spent)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    before, found = admission.registered(), Keeper()
    admission.register(found)
    yield found
    admission.unregister()
    if before:
        admission.register(before)


@pytest.fixture
def ai(provider: Provider, keeper: Keeper) -> MeteredOpenAI:
    return MeteredOpenAI(ADA, OpenAI(api_key="k", base_url=provider.base_url, max_retries=0))


def chat(ai: MeteredOpenAI, **options: Any) -> Any:
    return ai.chat.completions.create(
        context_type="sums", **{"model": "gpt-4o", "messages": QUESTION, **options}
    )


def events() -> list[LlmEvent]:
    assert flush(10)
    return list(LlmEvent.objects.order_by("created_at", "id"))


def test_a_chat_is_recorded_with_what_the_provider_states(ai: MeteredOpenAI, keeper: Keeper) -> None:
    assert chat(ai).choices[0].message.content == "four"
    [event] = events()
    assert (event.input_tokens, event.cached_input_tokens) == (1200, 1024)
    assert (event.output_tokens, event.reasoning_tokens) == (80, 30)
    assert (event.user_id, event.tier, event.domain, event.job_id) == ("ada", "pro", "support", "job-1")
    assert (event.llm_model, event.provider, event.context_type) == ("gpt-4o", "127.0.0.1", "sums")
    assert event.success
    spent = admission.Spent(input_tokens=1200, cached_input_tokens=1024, output_tokens=80, model="gpt-4o")
    assert keeper.spent == [spent]


def test_responses_and_embeddings_are_recorded_too(ai: MeteredOpenAI) -> None:
    ai.responses.create(context_type="a", model="gpt-4o", input="2 + 2?")
    ai.embeddings.create(context_type="b", model="embed", input="2 + 2?")
    first, second = events()
    assert (first.input_tokens, first.cached_input_tokens, first.output_tokens) == (1200, 1024, 80)
    assert (second.input_tokens, second.output_tokens) == (9, 0)


@pytest.mark.parametrize("way", ["chat", "responses"])
def test_an_unchanged_question_makes_no_request_and_records_what_it_avoided(
    ai: MeteredOpenAI, provider: Provider, way: str
) -> None:
    def ask() -> Any:
        if way == "chat":
            return chat(ai)
        return ai.responses.create(context_type="sums", model="gpt-4o", input="2 + 2?")

    first, second = ask(), ask()
    assert second.model_dump() == first.model_dump()
    assert len(provider.asked) == 1
    skipped = events()[1]
    assert skipped.cache_hit
    assert (skipped.input_tokens, skipped.output_tokens) == (0, 0)
    assert (skipped.avoided_input_tokens, skipped.avoided_output_tokens) == (1200, 80)


@pytest.mark.parametrize(
    "change",
    [{"model": "gpt-4o-mini"}, {"temperature": 1}, {"messages": [*QUESTION, *QUESTION]}],
)
def test_any_change_of_the_question_asks_again(
    ai: MeteredOpenAI, provider: Provider, change: dict[str, Any]
) -> None:
    chat(ai)
    chat(ai, **change)
    chat(ai)
    assert len(provider.asked) == 3, "only the last answer is kept"


def test_another_user_never_gets_an_answer_of_somebody_else(ai: MeteredOpenAI, provider: Provider) -> None:
    chat(ai)
    chat(MeteredOpenAI(Actor("bo", "pro", "support"), ai.client))
    assert len(provider.asked) == 2
    assert AiAnswer.objects.count() == 2


def test_skipping_can_be_left_out(ai: MeteredOpenAI, provider: Provider) -> None:
    for _ in range(2):
        chat(ai, skip_unchanged=False)
    assert len(provider.asked) == 2
    assert not AiAnswer.objects.exists()


def test_several_answers_may_take_several_times_as_much(ai: MeteredOpenAI, keeper: Keeper) -> None:
    chat(ai, n=3, max_completion_tokens=100)
    assert keeper.asked[0].est_output_tokens == 300


def test_deferred_work_makes_no_request_and_says_until_when(
    ai: MeteredOpenAI, provider: Provider, keeper: Keeper
) -> None:
    until = datetime(2026, 6, 1, tzinfo=UTC)
    keeper.verdict = admission.Verdict(action="defer", reason="The cap is reached.", release_at=until)
    with pytest.raises(BudgetDeferred, match=r"reached\. It may run from 2026-06-01") as deferred:
        chat(ai)
    assert deferred.value.release_at == until
    assert provider.asked == []
    assert events() == []


def test_a_downgrade_takes_the_smaller_model(
    ai: MeteredOpenAI, provider: Provider, keeper: Keeper, settings: Any
) -> None:
    settings.AI_SMALLER_MODELS = {"gpt-4o": "gpt-4o-mini"}
    keeper.verdict = admission.Verdict(action="downgrade")
    chat(ai, max_completion_tokens=50)
    assert keeper.asked[0].can_downgrade
    assert (keeper.asked[0].model, keeper.asked[0].est_output_tokens) == ("gpt-4o", 50)
    assert provider.asked[0]["model"] == "gpt-4o-mini"
    assert events()[0].llm_model == "gpt-4o-mini"


def test_a_failed_call_is_recorded_settled_and_raised(
    ai: MeteredOpenAI, provider: Provider, keeper: Keeper
) -> None:
    provider.status = 429
    with pytest.raises(openai.RateLimitError):
        chat(ai)
    [event] = events()
    assert (event.success, event.error_code, event.input_tokens) == (False, "RateLimitError", 0)
    assert keeper.spent == [admission.Spent(model="gpt-4o")]


def test_a_call_is_recorded_before_anything_else_can_go_wrong(
    ai: MeteredOpenAI, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(verdict: admission.Verdict, spent: admission.Spent) -> None:
        raise SystemExit

    monkeypatch.setattr(keeper, "settle", killed)
    with pytest.raises(SystemExit):
        chat(ai)
    assert [event.input_tokens for event in events()] == [1200]


def test_a_stream_is_recorded_at_its_end(ai: MeteredOpenAI) -> None:
    text = "".join(chunk.choices[0].delta.content for chunk in chat(ai, stream=True))
    assert text == "four", "the chunk of the usage, which only we asked for, has no choice to read"
    stream = ai.responses.create(context_type="s", model="gpt-4o", input="2 + 2?", stream=True)
    assert [event.type for event in stream] == ["response.output_text.delta", "response.completed"]
    stated = [(event.input_tokens, event.output_tokens, event.success) for event in events()]
    assert stated == [(1200, 80, True)] * 2


def test_a_stream_that_is_left_is_recorded_as_cut_off_once(ai: MeteredOpenAI, keeper: Keeper) -> None:
    with chat(ai, stream=True) as stream:
        next(stream)
    stream.close()
    [event] = events()
    assert (event.success, event.error_code) == (False, "StreamCutOff")
    assert len(keeper.spent) == 1


def test_an_application_that_asks_for_the_usage_sees_it(ai: MeteredOpenAI) -> None:
    chunks = list(chat(ai, stream=True, stream_options={"include_usage": True}))
    assert [bool(chunk.choices) for chunk in chunks] == [True, True, False]
    assert chunks[2].usage.prompt_tokens == 1200


def test_a_stream_that_is_left_costs_what_was_asked_and_what_came(
    ai: MeteredOpenAI, keeper: Keeper, provider: Provider
) -> None:
    question: list[Any] = [{"role": "user", "content": "x" * 4000}]
    for _ in chat(ai, stream=True, messages=question):
        break
    [event] = events()
    assert (event.error_code, event.input_tokens, event.output_tokens) == ("StreamCutOff", 1001, 1)
    assert keeper.spent == [admission.Spent(input_tokens=1001, output_tokens=1, model="gpt-4o")]


def test_a_stream_that_nobody_reads_is_recorded_as_well(ai: MeteredOpenAI, keeper: Keeper) -> None:
    chat(ai, stream=True)
    [event] = events()
    assert (event.success, event.error_code, event.output_tokens) == (False, "StreamCutOff", 0)
    assert event.input_tokens > 0
    assert len(keeper.spent) == 1


def test_a_stream_that_is_left_is_no_failure_of_the_provider(
    ai: MeteredOpenAI, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(outbound, "observe", lambda name, outcome, ms: seen.append((name, outcome)))
    with chat(ai, stream=True) as stream:
        next(stream)
    provider.status = 500
    with pytest.raises(openai.InternalServerError):
        chat(ai)
    assert seen == [("openai", "2xx"), ("openai", "failed")]


def test_a_stream_offers_what_the_clients_own_does(ai: MeteredOpenAI) -> None:
    with chat(ai, stream=True) as stream:
        assert stream.response.status_code == 200
        with pytest.raises(AttributeError):
            _ = stream.nothing_of_the_kind


def test_a_response_that_failed_is_recorded_as_such_and_asked_for_again(
    ai: MeteredOpenAI, provider: Provider
) -> None:
    provider.response_status = "failed"
    question: dict[str, Any] = {"context_type": "s", "model": "gpt-4o", "input": "2 + 2?"}
    assert ai.responses.create(**question).status == "failed"
    list(ai.responses.create(**question, stream=True))
    provider.response_status = "completed"
    assert ai.responses.create(**question).status == "completed"
    told = [(event.success, event.error_code, event.input_tokens) for event in events()]
    assert told == [(False, "response_failed", 1200)] * 2 + [(True, None, 1200)]


def test_another_provider_is_another_question(ai: MeteredOpenAI, provider: Provider) -> None:
    chat(ai)
    elsewhere = provider.base_url.replace("127.0.0.1", "localhost")
    chat(MeteredOpenAI(ADA, OpenAI(api_key="k", base_url=elsewhere, max_retries=0)))
    assert len(provider.asked) == 2


def test_embeddings_reserve_no_answer(ai: MeteredOpenAI, keeper: Keeper) -> None:
    ai.embeddings.create(context_type="b", model="embed", input=[[1, 2, 3], [4]])
    assert (keeper.asked[0].est_input_tokens, keeper.asked[0].est_output_tokens) == (4, 1)


def test_a_user_known_by_a_long_address_is_recorded_and_asked_for_by_one_name(
    ai: MeteredOpenAI, keeper: Keeper
) -> None:
    for name in ("ada", "bob"):
        address = f"somebody.with.a.long.name@company.example.{name}"
        chat(MeteredOpenAI(Actor(address, "pro", "customer-support-chat"), ai.client))
    one, other = events()
    assert [ask.user_id for ask in keeper.asked] == [one.user_id, other.user_id]
    assert one.user_id.startswith("somebody.with.a.long.name@company")
    assert one.user_id != other.user_id
    assert one.domain == keeper.asked[0].domain


def test_a_primary_key_is_the_same_user_as_its_text(ai: MeteredOpenAI) -> None:
    chat(MeteredOpenAI(Actor(7, "pro", "support"), ai.client))  # type: ignore[arg-type] # as hosts do
    assert events()[0].user_id == "7"


def test_long_names_cost_no_event(ai: MeteredOpenAI) -> None:
    tuned = "ft:gpt-4o-mini-2024-07-18:acme-corporation:support:9ab2"
    ai.chat.completions.create(context_type="c" * 40, model=tuned, messages=QUESTION)
    [event] = events()
    assert event.llm_model.startswith("ft:gpt-4o-mini-2024-07-18:acme-corp")
    assert len(event.llm_model) == 40
    assert event.llm_model != tuned[:40], "two models with one beginning stay two"
    assert len(event.context_type) == 32


def test_an_answer_without_usage_is_marked_and_not_kept(ai: MeteredOpenAI, provider: Provider) -> None:
    provider.states_usage = False
    chat(ai)
    [event] = events()
    assert (event.success, event.error_code) == (True, "usage_not_stated")
    assert (event.input_tokens, event.output_tokens) == (3, 1), "estimated, for nothing is free"
    assert not AiAnswer.objects.exists()


def test_the_asynchronous_client_does_the_same(provider: Provider, keeper: Keeper) -> None:
    async def work() -> None:
        client = AsyncOpenAI(api_key="k", base_url=provider.base_url, max_retries=0)
        ai = AsyncMeteredOpenAI(ADA, client)
        question: dict[str, Any] = {"context_type": "sums", "model": "gpt-4o", "messages": QUESTION}
        first = await ai.chat.completions.create(**question)
        again = await ai.chat.completions.create(**question)
        assert again.model_dump() == first.model_dump()
        chunks = [chunk async for chunk in await ai.chat.completions.create(**question, stream=True)]
        assert len(chunks) == 2
        async with await ai.chat.completions.create(**question, stream=True):
            pass
        await client.close()

    asyncio.run(work())
    assert len(provider.asked) == 3
    assert [event.cache_hit for event in events()] == [False, True, False, False]
    assert events()[3].error_code == "StreamCutOff"


def test_a_coroutine_that_is_cancelled_within_a_stream_costs_what_came(
    provider: Provider, keeper: Keeper
) -> None:
    async def work(seen: asyncio.Event) -> None:
        client = AsyncOpenAI(api_key="k", base_url=provider.base_url, max_retries=0)
        question: dict[str, Any] = {"context_type": "sums", "model": "gpt-4o", "messages": QUESTION}
        stream = await AsyncMeteredOpenAI(ADA, client).chat.completions.create(**question, stream=True)
        await anext(stream)
        seen.set()
        await anext(stream)

    async def cancelled() -> None:
        provider.waits_after_first = threading.Event()
        seen = asyncio.Event()
        task = asyncio.create_task(work(seen))
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        provider.waits_after_first.set()

    asyncio.run(cancelled())
    [event] = events()
    assert (event.error_code, event.input_tokens, event.output_tokens) == ("CancelledError", 3, 1)
    assert len(keeper.spent) == 1


def test_a_call_that_is_given_up_while_the_provider_is_at_it_costs_what_was_asked(
    ai: MeteredOpenAI, provider: Provider, keeper: Keeper
) -> None:
    provider.waits = threading.Event()
    with pytest.raises(openai.APITimeoutError):
        chat(ai, timeout=openai.Timeout(30, read=0.05))  # however long connecting takes

    async def cancelled() -> None:
        client = AsyncOpenAI(api_key="k", base_url=provider.base_url, max_retries=0)
        question: dict[str, Any] = {"context_type": "sums", "model": "gpt-4o", "messages": QUESTION}
        task = asyncio.create_task(AsyncMeteredOpenAI(ADA, client).chat.completions.create(**question))
        while len(provider.asked) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    provider.waits.set()
    told = [(event.error_code, event.input_tokens, event.output_tokens) for event in events()]
    assert told == [("APITimeoutError", 3, 0), ("CancelledError", 3, 0)]


def test_a_call_that_reached_nobody_costs_nothing(keeper: Keeper) -> None:
    client = OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0)
    with pytest.raises(openai.APIConnectionError):
        chat(MeteredOpenAI(ADA, client))
    [event] = events()
    assert (event.error_code, event.input_tokens) == ("APIConnectionError", 0)
