"""A session of PostgreSQL is stopped from the page: the right one, once, by whom it may be, and audited."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.db import connection
from django.test import Client

from healthpilot.web.roles import Role
from systemstatus import sessions
from systemstatus.models import AuditEntry
from tests.costs.factories import make_with_role
from tests.systemstatus.factories import HOSTILE
from tests.systemstatus.probes.test_postgres import session as opened

pytestmark = pytest.mark.django_db(transaction=True)

Link = psycopg.Connection[tuple[object, ...]]


@contextmanager
def session(application: str = "shop") -> Iterator[Link]:
    """Another client, which may be gone at the end."""
    with suppress(psycopg.OperationalError), opened(application=application) as link:
        yield link


def signed_in(role: Role, name: str = "") -> Client:
    client = Client()
    client.force_login(make_with_role(role, name))
    return client


@pytest.fixture
def admin() -> Client:
    return signed_in(Role.ADMIN, "ada")


@pytest.fixture
def idle() -> Iterator[Link]:
    """A session of another program that idles in a transaction."""
    with session() as link:
        link.execute("SELECT 'a password'")
        yield link


def path_of(pid: int) -> str:
    return f"/admin/status/database/sessions/{pid}"


def form_of(client: Client, pid: int, act: str, typed: str = "") -> dict[str, str]:
    """Return what the page's form would send."""
    html = client.get(path_of(pid)).content.decode()
    hidden = dict(re.findall(r'name="(started_at|statement_at)" value="([^"]+)"', html))
    return {"typed": typed or str(pid), "act": act, **hidden}


def sent(client: Client, pid: int, fields: dict[str, str], status: int = 200) -> str:
    answer = client.post(path_of(pid), fields, follow=True)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


class Sleeper:
    """A session whose statement runs until somebody stops it."""

    def __init__(self) -> None:
        self.error = ""
        self.pid = 0
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        with session(application="report") as link:
            self.pid = link.info.backend_pid
            try:
                link.execute("SELECT pg_sleep(60)")
            except psycopg.Error as error:
                self.error = type(error).__name__

    def __enter__(self) -> "Sleeper":
        self.thread.start()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = sessions.session_of(self.pid) if self.pid else None
            if found and "pg_sleep" in found.query and found.runs:
                return self
            time.sleep(0.02)
        raise AssertionError("the statement did not begin")

    def __exit__(self, *details: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [self.pid])
        self.thread.join()


def test_an_idle_transaction_is_ended_after_its_id_was_typed(admin: Client, idle: Link) -> None:
    pid = idle.info.backend_pid
    html = admin.get(path_of(pid)).content.decode()
    assert "shop of" in html
    assert "a password" not in html
    assert "Cancel the statement" not in html
    fields = form_of(admin, pid, "terminate")
    assert f"Type {pid} to confirm" in sent(admin, pid, fields | {"typed": "1"}, 422)
    assert sessions.session_of(pid)
    assert f"Ended session {pid} (shop of" in sent(admin, pid, fields)
    assert sessions.session_of(pid) is None
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.after) == ("ada", "session.terminate", {"sent": "terminate"})
    assert entry.before
    assert entry.before["program"] == "shop"
    assert entry.before["state"] == "idle in transaction"


def test_a_statement_is_cancelled_and_its_session_goes_on() -> None:
    operator = signed_in(Role.OPERATOR)
    with Sleeper() as sleeper:
        told = sent(operator, sleeper.pid, form_of(operator, sleeper.pid, "cancel"))
        assert f"The statement of session {sleeper.pid} (report of" in told
        sleeper.thread.join(5)
    assert sleeper.error == "QueryCanceled"
    assert AuditEntry.objects.get().action == "session.cancel"


def test_an_operator_may_cancel_but_not_end(idle: Link) -> None:
    operator, pid = signed_in(Role.OPERATOR), idle.info.backend_pid
    assert "Ending a session needs the role admin" in operator.get(path_of(pid)).content.decode()
    sent(operator, pid, form_of(operator, pid, "terminate"), 403)
    assert sessions.session_of(pid)
    assert signed_in(Role.VIEWER).get(path_of(pid)).status_code == 403


def test_of_two_admins_at_once_one_ends_it_and_the_other_is_told_who() -> None:
    people = [signed_in(Role.ADMIN, name) for name in ("ada", "bo")]
    with Sleeper() as sleeper:
        fields = form_of(people[0], sleeper.pid, "terminate")
        with ThreadPoolExecutor() as pool:
            told = list(pool.map(lambda one: sent(one, sleeper.pid, fields), people))
    assert AuditEntry.objects.count() == 1
    assert sum("Ended session" in one for one in told) == 1
    assert sum("ended it at" in one and "nothing more was done" in one for one in told) == 1


def test_a_later_statement_is_left_alone(admin: Client) -> None:
    with Sleeper() as sleeper:
        fields = form_of(admin, sleeper.pid, "cancel") | {"statement_at": "2026-01-01T00:00:00+00:00"}
        assert "has ended: nothing was done" in sent(admin, sleeper.pid, fields)
        assert not sleeper.error
    assert not AuditEntry.objects.exists()


def test_another_session_of_the_same_id_is_left_alone(admin: Client, idle: Link) -> None:
    pid = idle.info.backend_pid
    for started_at in ("2026-01-01T00:00:00+00:00", "2026-99-99T00:00:00Z", ""):
        fields = form_of(admin, pid, "terminate") | {"started_at": started_at}
        assert f"Session {pid} is gone" in sent(admin, pid, fields)
    assert sessions.session_of(pid)


def test_what_is_gone_is_said_to_be(admin: Client) -> None:
    for pid in (2**31 - 1, 2**40):
        answer = admin.get(path_of(pid))
        assert answer.status_code == 404
        assert "It is gone" in answer.content.decode()
    told = sent(admin, 2**31 - 1, {"typed": str(2**31 - 1), "act": "terminate"})
    assert "is gone: nothing was done" in told


@pytest.mark.parametrize("program", ["healthpilot-probes", "healthpilot-watchdog"])
def test_what_healthpilot_needs_is_never_stopped(admin: Client, program: str) -> None:
    with session(application=program) as link:
        pid = link.info.backend_pid
        html = admin.get(path_of(pid)).content.decode()
        assert "HealthPilot needs it" in html
        assert "End the session" not in html
        found = sessions.session_of(pid)
        assert found
        fields = {"typed": program, "act": "terminate", "started_at": sessions.text_of(found.started_at)}
        assert "HealthPilot needs it" in sent(admin, pid, fields)
        assert sessions.session_of(pid)
    assert not AuditEntry.objects.exists()


def test_a_process_of_the_server_and_the_own_session_are_never_stopped(admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        (pid,) = cursor.fetchone()
        assert "a process of the server itself" in admin.get(path_of(pid)).content.decode()
        own = connection.connection.info.backend_pid
    assert "by which this page asks" in admin.get(path_of(own)).content.decode()


def test_a_session_of_a_healthpilot_program_takes_the_programs_name(admin: Client) -> None:
    with session(application="healthpilot-worker") as link:
        pid = link.info.backend_pid
        assert "HealthPilot’s own" in admin.get(path_of(pid)).content.decode()
        sent(admin, pid, form_of(admin, pid, "terminate"), 422)
        assert "Ended session" in sent(admin, pid, form_of(admin, pid, "terminate", "healthpilot-worker"))


def test_without_the_right_it_says_which_one_is_lacking(admin: Client) -> None:
    with opened(user="postgres") as link:
        pid = link.info.backend_pid
        told = sent(admin, pid, form_of(admin, pid, "terminate"))
        assert "GRANT pg_signal_backend TO healthpilot" in told
        assert link.execute("SELECT 1").fetchone() == (1,)
    assert not AuditEntry.objects.exists()


def test_without_an_entry_in_the_trail_nothing_is_stopped(admin: Client, idle: Link) -> None:
    pid = idle.info.backend_pid
    fields = form_of(admin, pid, "terminate")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    idle.execute("LOCK TABLE audit_entries IN EXCLUSIVE MODE")
    try:
        told = sent(admin, pid, fields)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert "without an entry in the audit trail nothing is" in told
    assert sessions.session_of(pid)


def test_a_hostile_name_is_text(admin: Client) -> None:
    with session(application=HOSTILE[:60]) as link:
        html = admin.get(path_of(link.info.backend_pid)).content.decode()
    assert "<img src=x" not in html
