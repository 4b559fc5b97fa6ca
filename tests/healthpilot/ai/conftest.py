"""A local server that answers as the OpenAI API does, over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

ID = {"id": "x-1", "created": 1, "created_at": 1}
CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 80,
    "total_tokens": 1280,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
RESPONSE_USAGE = {
    "input_tokens": 1200,
    "input_tokens_details": {"cached_tokens": 1024},
    "output_tokens": 80,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 1280,
}


@dataclass
class Provider:
    """What was asked, and how to answer."""

    base_url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    states_usage: bool = True
    response_status: str = "completed"
    # What an answer waits for, and a stream after its first event.
    waits: threading.Event | None = None
    waits_after_first: threading.Event | None = None

    def answer(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        model = question["model"]
        if path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.5]}
            usage = {"prompt_tokens": 9, "total_tokens": 9}
            return {"object": "list", "data": [vector], "model": model, "usage": usage}
        if path.endswith("/responses"):
            return {
                **ID,
                "object": "response",
                "model": model,
                "status": self.response_status,
                "output": [],
                "tools": [],
                "parallel_tool_calls": True,
                "tool_choice": "auto",
                "usage": RESPONSE_USAGE,
            }
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "four"}}
        told = {"usage": CHAT_USAGE} if self.states_usage else {}
        return {**ID, "object": "chat.completion", "model": model, "choices": [choice], **told}

    def events(self, path: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Return a stream's events; Chat Completions tell their usage only when asked to."""
        model = question["model"]
        if path.endswith("/responses"):
            yield {"type": "response.output_text.delta", "delta": "fo", "sequence_number": 0}
            yield {
                "type": "response.completed",
                "response": self.answer(path, question),
                "sequence_number": 1,
            }
            return
        for text in ("fo", "ur"):
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
            yield {**ID, "object": "chat.completion.chunk", "model": model, "choices": [choice]}
        if question.get("stream_options", {}).get("include_usage"):
            yield {
                **ID,
                "object": "chat.completion.chunk",
                "model": model,
                "choices": [],
                "usage": CHAT_USAGE,
            }


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            provider.asked.append(question)
            if provider.waits:
                provider.waits.wait(10)
            if provider.status != 200:
                self.reply("application/json", json.dumps({"error": {"message": "no"}}).encode())
            elif question.get("stream"):
                lines = [f"data: {json.dumps(event)}\n\n" for event in provider.events(self.path, question)]
                end = [] if self.path.endswith("/responses") else ["data: [DONE]\n\n"]
                self.stream([line.encode() for line in lines + end])
            else:
                self.reply("application/json", json.dumps(provider.answer(self.path, question)).encode())

        def reply(self, kind: str, body: bytes) -> None:
            with suppress(OSError):  # nobody waits for it any more
                self.send_response(provider.status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def stream(self, lines: list[bytes]) -> None:
            first, rest = lines[0], b"".join(lines[1:])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(first) + len(rest)))
            self.end_headers()
            self.wfile.write(first)
            if provider.waits_after_first:
                provider.waits_after_first.wait(10)
            with suppress(OSError):  # nobody reads on
                self.wfile.write(rest)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    found.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


Make = Callable[..., Any]
