"""`./run up`, `./run stop` and `./run manage` as a newcomer uses them, from a copy of the project."""

import http.client
import http.cookiejar
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from healthpilot import configuration, processes

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "test-results"
)
GIVEN = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "HEALTHPILOT_ROLE", processes.MARK)


@dataclass
class Copy:
    """A copy of the project with a data folder of its own; it uses this run's virtual environment."""

    root: Path
    port: int

    @property
    def var(self) -> Path:
        return self.root / "var"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ./run with arguments; its output is kept."""
        inherited = {name: value for name, value in os.environ.items() if name not in GIVEN}
        own = {"HEALTHPILOT_VENV": sys.prefix, "HEALTHPILOT_VAR": str(self.var)}
        return subprocess.run(
            [str(self.root / "run"), *arguments],
            env=inherited | own | environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        """Start it in the background, without a demonstration."""
        return self.run("up", "--detach", "--no-seed", "--port", str(self.port))

    def alive(self) -> list[psutil.Process]:
        """Return every process of this copy, known by its mark, its arguments or its working folder."""
        return [process for process in psutil.process_iter() if self.concerns(process)]

    def concerns(self, process: psutil.Process) -> bool:
        """Say whether a process has to do with this copy."""
        try:
            words = " ".join([*process.cmdline(), process.cwd()])
            return processes.is_alive(process) and (
                str(self.root) in words or process.environ().get(processes.MARK) == str(self.var)
            )
        except psutil.Error:
            return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], limit_s: float = 30) -> bool:
    """Wait for a condition; says whether it came true."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def answers(copy: Copy) -> bool:
    """Say whether the sign-in page comes."""
    try:
        with urllib.request.urlopen(copy.url + "accounts/login/", timeout=10) as page:
            return bool(page.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def signed_in(copy: Copy, password: str) -> tuple[urllib.request.OpenerDirector, str]:
    """Sign in as admin; returns what keeps the session, and the address where that leads."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(copy.url + "accounts/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"login": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
    landed = browser.open(copy.url + "accounts/login/", urllib.parse.urlencode(form).encode())
    return browser, landed.geturl()


@pytest.fixture(scope="module")
def copy(open_folder: Path) -> Iterator[Copy]:
    """A copy that was never started; whatever runs in it at the end is stopped."""
    root = open_folder / "healthpilot"
    shutil.copytree(configuration.ROOT, root, ignore=LEFT_OUT)
    copy = Copy(root, free_port())
    yield copy
    copy.run("stop")


@pytest.fixture
def running(copy: Copy) -> Copy:
    """The copy, started unless it runs already."""
    done = copy.up()
    assert done.returncode == 0, done.stdout + done.stderr
    return copy


def test_a_port_in_use_is_named_together_with_the_option_that_helps(copy: Copy) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", copy.port))
        taken.listen()
        done = copy.up()
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        f"CommandError: Port {copy.port} on 127.0.0.1 is in use: choose another with --port N."
    )
    assert copy.alive() == []


@pytest.mark.parametrize("port", ["0", "70000", "http"])
def test_an_impossible_port_is_a_usage_error(copy: Copy, port: str) -> None:
    done = copy.run("up", "--port", port)
    assert done.returncode == 2
    assert "choose a number from 1 to 65535" in done.stderr


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://me:s3cret@127.0.0.1:1/x"),
        ("REDIS_URL", "redis://:s3cret@127.0.0.1:1/0"),
    ],
)
def test_a_server_out_of_reach_is_named_in_one_line_without_its_password(
    copy: Copy, name: str, url: str
) -> None:
    done = copy.run("up", "--detach", "--no-seed", "--port", str(copy.port), **{name: url})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert f"Cannot reach {name}" in last
    assert f"correct {name}" in last
    assert "***" in last
    assert "s3cret" not in done.stderr + done.stdout
    assert copy.alive() == []


def test_a_setting_that_the_checks_refuse_stops_the_start_in_one_line(copy: Copy) -> None:
    done = copy.run("up", "--detach", "--no-seed", "--port", str(copy.port), COST_TIMEZONE="Mars/Olympus")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "CommandError: healthpilot.E001: COST_TIMEZONE='Mars/Olympus' is no time zone. Write"
    )
    assert copy.alive() == []


def test_manage_starts_the_services_for_one_command_and_leaves_nothing(copy: Copy) -> None:
    done = copy.run("manage", "showmigrations", "costs")
    assert done.returncode == 0, done.stderr
    assert "[X] 0001_initial" in done.stdout
    assert copy.alive() == []


@pytest.mark.slow
def test_up_answers_and_prints_a_password_once_that_signs_in(copy: Copy) -> None:
    first = copy.up()
    assert first.returncode == 0, first.stdout + first.stderr
    assert answers(copy)
    found = re.search(r"as admin with the password (\S+) ", first.stdout)
    assert found
    _, landed = signed_in(copy, found[1])
    assert landed == copy.url + "admin/cost"
    written = [path for path in copy.var.rglob("*") if path.is_file() and path.parts[-2] != "postgres"]
    assert not any(found[1].encode() in path.read_bytes() for path in written)


@pytest.mark.slow
def test_a_second_up_says_where_it_runs_and_exits_with_0(running: Copy) -> None:
    done = running.run("up", "--port", str(free_port()))
    assert done.returncode == 0
    assert done.stdout.strip() == f"HealthPilot already runs at {running.url} (./run stop ends it)."


@pytest.mark.slow
def test_the_doctor_finds_nothing_wrong_while_it_runs(running: Copy) -> None:
    assert until(lambda: running.run("manage", "doctor").returncode == 0), running.run(
        "manage", "doctor"
    ).stdout


@pytest.mark.slow
def test_a_command_beside_it_leaves_it_running(running: Copy) -> None:
    assert running.run("manage", "showmigrations").returncode == 0
    assert answers(running)


@pytest.mark.slow
def test_what_a_script_records_is_on_the_cost_page_within_a_minute(running: Copy) -> None:
    password = secrets.token_urlsafe()
    script = f"""
from django.contrib.auth import get_user_model
from telemetry.record import record_llm_event
admin = get_user_model().objects.get(username="admin")
admin.set_password({password!r})
admin.save()
call = dict(user_id="usr_minute", tier="free", llm_model="gpt-4o", context_type="chat")
assert record_llm_event(dict(call, input_tokens=1000, output_tokens=10))
"""
    done = running.run("manage", "shell", "-c", script)
    recorded = time.monotonic()
    assert done.returncode == 0, done.stderr
    browser, _ = signed_in(running, password)
    assert until(lambda: b"usr_minute" in browser.open(running.url + "admin/cost").read(), 75)
    assert time.monotonic() - recorded <= 60


@pytest.mark.slow
def test_a_killed_web_server_is_started_again(running: Copy) -> None:
    web = [process for process in running.alive() if "gunicorn" in process.cmdline()]
    for process in web:
        process.kill()
    assert until(lambda: answers(running))


@pytest.mark.slow
def test_stop_leaves_no_process_and_says_so_when_there_is_none(running: Copy) -> None:
    assert len(running.alive()) > 5
    done = running.run("stop")
    assert (done.returncode, done.stdout) == (0, "Stopped.\n")
    assert running.alive() == []
    again = running.run("stop")
    assert again.returncode == 0
    assert again.stdout.startswith("Nothing to stop: HealthPilot does not run")


@pytest.mark.slow
def test_stop_ends_the_rest_after_the_supervisor_was_killed(running: Copy) -> None:
    start = processes.current(running.var)
    assert start
    os.kill(start.pid, signal.SIGKILL)
    assert until(lambda: processes.current(running.var) is None)
    assert running.alive() != []
    assert running.run("stop").returncode == 0
    assert running.alive() == []


@pytest.mark.slow
def test_ctrl_c_ends_everything_that_a_foreground_up_started(copy: Copy) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in GIVEN}
    own = {"HEALTHPILOT_VENV": sys.prefix, "HEALTHPILOT_VAR": str(copy.var)}
    command = [str(copy.root / "run"), "up", "--no-seed", "--port", str(copy.port)]
    with open(copy.root / "output", "wb") as output:
        up = subprocess.Popen(
            command, env=inherited | own, stdout=output, stderr=output, start_new_session=True
        )
        assert until(lambda: answers(copy), 60), (copy.root / "output").read_text()
        os.killpg(up.pid, signal.SIGINT)
        assert up.wait(timeout=60) == 0
    assert "password" not in (copy.root / "output").read_text().partition("changepassword")[0]
    assert copy.alive() == []


def test_a_recorded_number_that_another_process_has_now_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        start = processes.remember(tmp_path, bystander.pid, "http://127.0.0.1:1/")
        earlier = processes.Start(start.pid, start.started - 3600, start.url)
        path = processes.record_path(tmp_path)
        path.write_text(path.read_text().replace(str(start.started), str(earlier.started)))
        assert processes.current(tmp_path) is None
        assert processes.end(tmp_path) == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
