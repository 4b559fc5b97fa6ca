"""Every program that the page and the README show does what it says, run as it stands."""

import json
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import RequestFactory

from telemetry import snippets
from telemetry.models import JobEvent, LlmEvent
from tests.telemetry import commandline
from tests.telemetry.celery_events.worker import recorded

pytestmark = pytest.mark.usefixtures("recording")

FOLDER = Path(snippets.__file__).parent
SET_UP = ("import django", "django.setup()")  # as manage.py, a worker or a server has done before
README = (commandline.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("snippet", snippets.SNIPPETS, ids=lambda snippet: snippet.name)
def test_the_readme_shows_the_same_program(snippet: snippets.Snippet) -> None:
    assert f"### {snippet.title}\n" in README
    assert f"```python\n{snippet.code}\n```" in README


def test_every_program_in_the_folder_is_shown() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == {
        snippet.name for snippet in snippets.SNIPPETS
    }


def test_the_programs_are_short_enough_to_read_on_a_phone() -> None:
    for snippet in snippets.SNIPPETS:
        lines = snippet.code.splitlines()
        assert sum(1 for line in lines if line.strip()) <= 16, snippet.name
        assert max(map(len, lines)) <= 80, snippet.name


def test_the_view_records_a_job_with_its_rows() -> None:
    user = User.objects.create(username="ada")
    user.groups.add(Group.objects.create(name="analysts"))
    request = RequestFactory().get("/export")
    request.user = user
    answer = runpy.run_path(str(FOLDER / "view.py"))["export_groups"](request)
    assert json.loads(answer.content) == {"rows": [{"name": "analysts"}]}
    (event,) = recorded(1)
    assert (event.job_type, event.user_id, event.rows_read) == ("export-groups", "ada", 1)


def run(name: str, *before: str, **environment: str) -> None:
    """Run a program in a process of its own, as __main__, after these statements."""
    path = f"{FOLDER / name}.py"
    run_statements("import runpy", *before, f"runpy.run_path({path!r}, run_name='__main__')", **environment)


def run_statements(*statements: str, **environment: str) -> None:
    """Run statements in a process of their own; it must end well and say nothing."""
    command = [sys.executable, "-c", "; ".join(statements)]
    extra = {"PYTHONPATH": str(commandline.ROOT), "DJANGO_SETTINGS_MODULE": "healthpilot.settings"}
    done = subprocess.run(
        command,
        env=commandline.environment(**extra, **environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_script_has_shipped_its_job_when_it_ends() -> None:
    run("script")
    (event,) = JobEvent.objects.all()
    assert (event.job_type, event.domain, event.success) == ("import-prices", "imports", True)


def test_the_coroutine_records_a_job() -> None:
    run("coroutine", *SET_UP)
    (event,) = recorded(1)
    assert (event.job_type, event.tier) == ("rebuild-index", "free")
    assert event.duration_ms is not None
    assert event.duration_ms >= 10


def test_the_task_is_recorded_by_a_real_worker_for_the_user_it_was_ordered_by(
    worker_of_the_snippet: None,
) -> None:
    order = "from telemetry.snippets import task; task.order_report('usr_7kq2h9')"
    run_statements(*SET_UP, order, CELERY_BROKER_URL=settings.CELERY_BROKER_URL)
    (event,) = recorded(1)
    assert event.job_type == "telemetry.snippets.task.nightly_report"
    assert (event.user_id, event.tier, event.domain) == ("usr_7kq2h9", "pro", "reports")
    assert event.queue_wait_ms is not None


@pytest.fixture
def worker_of_the_snippet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run a worker on the program of the page."""
    monkeypatch.setenv("CELERY_BROKER_URL", settings.CELERY_BROKER_URL)
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "telemetry.snippets.task", "worker"]
    environment = commandline.environment(DJANGO_SETTINGS_MODULE="healthpilot.settings")
    worker = subprocess.Popen(
        [*command, "--pool", "solo", "--without-gossip", "--without-mingle"],
        cwd=commandline.ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield
    worker.terminate()
    assert worker.wait(30) in (0, -15)


class Provider(BaseHTTPRequestHandler):
    """Answers as the Responses API does, and keeps what it was asked."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body["model"]))
        answer = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *details: object) -> None:
        """Keep quiet."""


@pytest.fixture
def provider() -> Iterator[str]:
    """The address of an HTTP server in the provider's place."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_openai_call_records_billed_cached_and_reasoning_tokens(provider: str) -> None:
    run("openai_call", *SET_UP, OPENAI_BASE_URL=provider, OPENAI_API_KEY="sk-test")
    assert Provider.asked == [("/v1/responses", "gpt-4o-mini")]
    event = LlmEvent.objects.get()
    assert (event.llm_model, event.user_id, event.domain) == ("gpt-4o-mini-2024-07-18", "usr_7kq2h9", "chat")
    assert (event.input_tokens, event.cached_input_tokens) == (1200, 1024)
    assert (event.output_tokens, event.reasoning_tokens) == (180, 64)
    assert event.success is True


ANSWER = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1764000000,
    "status": "completed",
    "model": "gpt-4o-mini-2024-07-18",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}],
        }
    ],
    "usage": {
        "input_tokens": 1200,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": 180,
        "output_tokens_details": {"reasoning_tokens": 64},
        "total_tokens": 1380,
    },
}
