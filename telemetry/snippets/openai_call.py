from openai import OpenAI

from telemetry.record import record_llm_event

who = {"user_id": "usr_7kq2h9", "tier": "free", "domain": "chat"}
answer = OpenAI().responses.create(model="gpt-4o-mini", input="Say hello.")
if used := answer.usage:
    record_llm_event(
        {
            **who,
            "llm_model": answer.model,
            "context_type": "greeting",
            "input_tokens": used.input_tokens,
            "cached_input_tokens": used.input_tokens_details.cached_tokens,
            "output_tokens": used.output_tokens,
            "reasoning_tokens": used.output_tokens_details.reasoning_tokens,
        }
    )
