"""Fixtures that every test may use."""

import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.test import TransactionTestCase

from tests import browser

PAGES = "tests/e2e/test_pages.py"
# Files that take minutes, and wait for servers of their own for most of them: they begin, beside those that
# compute. Each goes to one process, so whoever got one near the end would leave the others idle.
WAITING = ("tests/healthpilot/test_up.py", "tests/benchmarks/test_main.py")
PATIENCE_S = 5.0
DAY_S = 86_400
# Longer than all but a few tests take, which do not mind the day.
LAST_S = 40


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Run the browser's tests last: Playwright leaves an event loop running, so none can start after it.

    The files that wait for minutes come first.
    """
    data = [data_of(item) for item in items]
    together = {item: data.index(name) for item, name in zip(items, data, strict=True)}
    yield  # pytest-django puts tests without a database last, which would be behind the browser's
    items.sort(key=lambda item: turn(item, together[item]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand a file to one process whole, since its tests share servers, but pages by what they show.

    xdist's own groups are no way: this pytest keeps a test's name where xdist does not change it.
    """
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped] # xdist has no types

    class Scheduling(LoadFileScheduling):  # type: ignore[misc] # see above
        def _split_scope(self, nodeid: str) -> str:
            return share_of(nodeid)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def share_of(nodeid: str) -> str:
    """Return the name of those tests that one process runs; the look at every page is many of them."""
    path, _, name = nodeid.partition("::")
    if path != PAGES:
        return path
    kind, _, state = name.partition("[")[2].rstrip("]").partition(": ")
    return f"{path} {state if 'status, ' in kind else kind}"


def turn(item: pytest.Item, together: int) -> tuple[int, int]:
    """Return when a test runs: pages last, and those from the same data one after the other."""
    path = item.nodeid.partition("::")[0]
    if path in WAITING:
        return -1, WAITING.index(path)
    return ("e2e" in item.path.parts) + (path == PAGES), together if path == PAGES else 0


def data_of(item: pytest.Item) -> str:
    """Return the name of what fills the database for a page; '' for other tests."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return str(getattr(getattr(parameters.get("visit"), "prepare", None), "__name__", ""))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Make pytest-playwright use the browser that is here."""
    arguments = [*browser_type_launch_args.get("args", []), *browser.launch_arguments()]
    return browser_type_launch_args | {"executable_path": str(browser.find()), "args": arguments}


@pytest.fixture(autouse=True, scope="session")
def quickly_emptied() -> Iterator[None]:
    """Empty the tables after a test that commits by our own way; Django's is slower with every partition."""
    from tests.emptying import empty_tables  # Django is set up by now

    with mock.patch.object(TransactionTestCase, "_fixture_teardown", side_effect=empty_tables):
        yield


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Leave the database to the guard of the services, which throws the whole server away."""
    return True


@pytest.fixture(autouse=True, scope="session")
def patient_redis() -> Iterator[None]:
    """Let a busy machine's Redis take its time; what gives it up too soon goes on without it for seconds."""
    from django.core.cache import caches

    caches.settings["default"]["OPTIONS"] = {"socket_timeout": PATIENCE_S}
    with mock.patch("costs.throttle.counters.LIMIT_S", PATIENCE_S):
        yield


@pytest.fixture(autouse=True)
def one_day() -> None:
    """Begin no test in the last seconds of a day: what it stores would be of yesterday when it is read."""
    left_s = DAY_S - time.time() % DAY_S
    if left_s < LAST_S:
        time.sleep(left_s)


@pytest.fixture(autouse=True)
def nothing_shipped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ship no event of a test that did not ask for it: a later test would find it in the tables."""
    asked = {"recording", "spool_folder"} & set(request.fixturenames)
    if not asked:
        monkeypatch.setattr("telemetry.spool.process.process.serve", lambda **options: None)
    yield
    if not asked:
        forget_events()


def forget_events() -> None:
    """Drop what this process recorded and did not ship."""
    from telemetry.spool.process import process  # Django is set up by now

    for segment, size in process.writer.snapshot():
        segment.committed = size
    process.writer.drop_shipped(also_current=True)


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder for embedded servers, which run as another user when root tests.

    It is no tmp_path, for every pytest run that starts closes the folder above those to other users.
    """
    folder = Path(tempfile.mkdtemp(prefix="hp-test-")).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
