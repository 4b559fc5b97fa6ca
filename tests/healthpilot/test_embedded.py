"""The embedded PostgreSQL and Valkey: made, shared, adopted, recovered, refused with one line, stopped."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from healthpilot import configuration, embedded
from healthpilot.embedded import Home, postgres, valkey

HOLD = """
import sys, time
from pathlib import Path
from healthpilot import embedded
with embedded.using(embedded.Home(Path(sys.argv[1])), durable=False, say=lambda line: None):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(open_folder: Path) -> Iterator[Home]:
    """A data folder of its own; whatever runs in it at the end is stopped."""
    home = Home(Path(tempfile.mkdtemp(dir=open_folder)) / "var")
    yield home
    if home.var.is_dir():
        embedded.stop(home)


def quiet(line: str) -> None:
    """Say nothing."""


def holder(home: Home) -> subprocess.Popen[str]:
    """Start a process that uses the pair until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.var)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=configuration.ROOT,
    )
    assert process.stdout
    assert process.stdout.readline() == "holding\n"
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    """Let a holder leave in order."""
    process.communicate(timeout=60)
    assert process.returncode == 0


def postmaster(home: Home) -> psutil.Process:
    """Return the server process, which must run."""
    found = postgres.postmaster(home)
    assert found
    return found


def test_the_project_owns_its_database_without_being_superuser(home: Home) -> None:
    with embedded.using(home, durable=False, say=quiet), postgres.connect(home, "healthpilot") as link:
        asked = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'healthpilot'"
        assert link.execute(asked).fetchone() == (False, True)
        link.execute("SET ROLE healthpilot")
        link.execute("CREATE TABLE mine (id int)")
        assert link.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)
        locale = "pg_encoding_to_char(encoding), datlocprovider, datlocale"
        found = link.execute(f"SELECT {locale} FROM pg_database WHERE datname = 'healthpilot'").fetchone()
        assert found == ("UTF8", "b", "C.UTF-8")


def test_nothing_listens_on_the_network_and_nobody_else_reaches_the_sockets(home: Home) -> None:
    with embedded.using(home, durable=False, say=quiet):
        server = postmaster(home)
        assert [link for link in server.net_connections("inet") if link.status == psutil.CONN_LISTEN] == []
        assert home.sockets.stat().st_mode & 0o777 == 0o700
        assert (home.postgres.stat().st_mode & 0o077) == 0
    assert not home.sockets.exists()


def test_the_last_user_stops_the_pair_and_an_earlier_one_does_not(home: Home) -> None:
    first = holder(home)
    second = holder(home)
    server = postmaster(home)
    let_go(first)
    assert embedded.is_running(home)
    assert not embedded.stop_unused(home)
    let_go(second)
    assert not embedded.is_running(home)
    assert not postgres.is_alive(server)


def test_a_killed_users_server_is_adopted_and_stopped_by_the_next(home: Home) -> None:
    first = holder(home)
    server = postmaster(home)
    first.kill()
    first.wait()
    assert embedded.is_running(home)
    with embedded.using(home, durable=False, say=quiet):
        assert postmaster(home) == server
    assert not embedded.is_running(home)


def test_a_killed_server_recovers_with_its_data(home: Home) -> None:
    with embedded.using(home, say=quiet):
        with postgres.connect(home, "healthpilot") as link:
            link.execute("CREATE TABLE kept AS SELECT 7 AS number")
        postmaster(home).send_signal(signal.SIGKILL)
        with embedded.using(home, say=quiet), postgres.connect(home, "healthpilot") as link:
            assert link.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_pid_file_that_names_another_living_process_does_not_stop_a_start(home: Home) -> None:
    with embedded.using(home, durable=False, say=quiet):
        left = (home.postgres / "postmaster.pid").read_text()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        lines = [str(bystander.pid), *left.splitlines()[1:]]
        (home.postgres / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with embedded.using(home, durable=False, say=quiet):
            assert embedded.is_running(home)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_server_whose_socket_was_removed_is_started_anew(home: Home) -> None:
    with embedded.using(home, durable=False, say=quiet):
        before = postmaster(home)
        postgres.socket_path(home).unlink()
        with embedded.using(home, durable=False, say=quiet):
            assert postmaster(home) != before
            assert embedded.is_running(home)


def test_a_half_made_data_folder_is_made_anew(home: Home) -> None:
    half = home.var / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded.using(home, durable=False, say=quiet):
        assert embedded.is_running(home)
    assert not half.exists()


def test_data_of_another_major_version_is_refused_in_one_line(home: Home) -> None:
    home.postgres.mkdir(parents=True)
    (home.postgres / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.EmbeddedError, match="made by PostgreSQL 17, this copy brings 18") as caught:
        embedded.start(home, say=quiet)
    assert "\n" not in str(caught.value)


# A folder of another user can only be laid out by root.
TRAPS = ["open folder", "symbolic link", "file", *(["foreign folder"] if os.geteuid() == 0 else [])]


@pytest.mark.parametrize("trap", TRAPS)
def test_a_socket_folder_laid_out_by_somebody_else_is_refused(home: Home, tmp_path: Path, trap: str) -> None:
    if trap == "symbolic link":
        home.sockets.symlink_to(tmp_path)
    elif trap == "file":
        home.sockets.touch(mode=0o600)
    else:
        home.sockets.mkdir(mode=0o700)
    if trap == "open folder":
        home.sockets.chmod(0o777)
    if os.geteuid() == 0:
        owner = embedded.home.system_user().uid + (trap == "foreign folder")
        os.chown(home.sockets, owner, -1, follow_symlinks=False)
    try:
        with pytest.raises(embedded.EmbeddedError, match="not a private folder"):
            embedded.start(home, say=quiet)
        assert not postgres.postmaster(home)
    finally:
        home.sockets.rmdir() if "folder" in trap else home.sockets.unlink()


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        embedded.EmbeddedError, match=r"Cannot make the folder .*Set HEALTHPILOT_VAR"
    ) as caught:
        embedded.start(Home(tmp_path / "file" / "var"), say=quiet)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named(home: Home) -> None:
    output = 'initdb: error: could not write to file "base/1": No space left on device'
    assert "disk that holds" in postgres.explain(home, output)
    assert "free some space" in postgres.explain(home, output)


def test_the_socket_path_is_short_however_deep_the_data_folder_is() -> None:
    deep = Home(Path("/" + "/".join(["a" * 200] * 10)))
    assert len(os.fsencode(postgres.socket_path(deep))) < 107
    assert deep.sockets != Home(deep.var / "other").sockets


def test_valkey_evicts_nothing_and_writes_nothing(home: Home) -> None:
    with embedded.using(home, durable=False, parts=["valkey"], say=quiet):
        assert not postgres.postmaster(home)
        import redis

        with redis.Redis.from_url(home.redis_url, decode_responses=True) as link:
            assert link.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert link.config_get("save") == {"save": ""}
            assert link.config_get("port") == {"port": "0"}
    assert not valkey.answers(home)


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text(
        "import os, time\n"
        "def test_hang():\n"
        f"    open({str(tmp_path / 'var')!r}, 'w').write(os.environ['HEALTHPILOT_VAR'])\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", str(probe)]
    run = subprocess.Popen(
        command, cwd=configuration.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    note = tmp_path / "var"
    assert until(lambda: note.exists() and note.read_text() != "", 60)
    home = Home(Path(note.read_text()))
    assert str(home.var) != os.environ["HEALTHPILOT_VAR"]
    assert embedded.is_running(home)
    run.kill()
    run.wait()
    assert until(lambda: not home.var.exists(), 60)
    assert not embedded.is_running(home)


def until(condition: object, limit_s: float) -> bool:
    """Wait for a condition; says whether it came true."""
    assert callable(condition)
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
