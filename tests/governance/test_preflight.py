"""Before a command: documents in order let it run, a fault stops it in the promised modes and ways."""

import os

import pytest

from governance import preflight
from governance.gate import READ_CHECK
from tests.governance.clone import Clone

REASON = "T-0009: the migration must run tonight, documents follow"
# Commands that skip Django's system checks beside one that does not.
COMMANDS = (["showmigrations"], ["shell", "-c", "pass"], ["makemessages", "-l", "de"], ["sqlflush"])

KEPT = (
    "import sys; from governance import preflight; found = preflight.verdict(preflight.ROOT); "
    "print(len(found), 'governance.gate' in sys.modules)"
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_missing_document_stops_every_command_with_the_read_check(clone: Clone, command: list[str]) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    done = clone.manage(*command)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == READ_CHECK
    assert "E001 docs/UI_SPEC.md:1: " in done.stderr
    assert "mend: git checkout -- docs/UI_SPEC.md" in done.stderr


def test_documents_in_order_let_a_command_run_and_say_nothing(clone: Clone) -> None:
    done = clone.manage("diffsettings")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", [["help"], ["check", "--help"], ["version"], ["migrate", "--help"]])
def test_help_is_always_there(clone: Clone, command: list[str]) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    assert clone.manage(*command).returncode == 0


def test_check_runs_and_tells_of_the_fault(clone: Clone) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    done = clone.manage("check")
    assert done.returncode == 1
    assert "governance.E001" in done.stderr


def test_a_command_called_from_code_is_stopped_too(clone: Clone) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    code = (
        "import django; django.setup(); from django.core.management import call_command; call_command({!r})"
    )
    done = clone.run("-c", code.format("showmigrations"), DJANGO_SETTINGS_MODULE="healthpilot.settings")
    assert done.returncode == 1
    assert "CommandError" in done.stderr
    assert "E001 docs/UI_SPEC.md:1" in done.stderr


def test_django_admin_is_stopped_too(clone: Clone) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    environment = {"DJANGO_SETTINGS_MODULE": "healthpilot.settings"}
    done = clone.run("-m", "django", "diffsettings", **environment)
    assert done.returncode == 2
    assert "E001 docs/UI_SPEC.md:1" in done.stderr


def test_production_only_warns(clone: Clone) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    done = clone.manage("diffsettings", ALLOWED_HOSTS="status.example.com")
    assert done.returncode == 0
    assert done.stderr.startswith("governance: the documents have faults (E001)")


def test_a_silenced_check_stops_the_start(clone: Clone) -> None:
    code = (
        "import django, healthpilot.settings as s; s.SILENCED_SYSTEM_CHECKS = ['governance.E001']; "
        "django.setup()"
    )
    done = clone.run("-c", code, DJANGO_SETTINGS_MODULE="healthpilot.settings")
    assert done.returncode != 0
    assert "SILENCED_SYSTEM_CHECKS holds governance.E001" in done.stderr


def test_an_unusable_mode_is_refused(clone: Clone) -> None:
    done = clone.manage("diffsettings", HEALTHPILOT_GOVERNANCE="loose")
    assert done.returncode == 2
    assert "write enforce or warn" in done.stderr


def test_a_bypass_passes_once_loudly_and_is_asked_about_until_a_decision_explains_it(clone: Clone) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    done = clone.manage("diffsettings", GOVERNANCE_BYPASS=REASON)
    assert done.returncode == 0
    assert "!! GOVERNANCE BYPASS for `diffsettings`: E001 passed over for T-0009" in done.stderr
    (clone.root / "docs/UI_SPEC.md").write_bytes(clone.kept["docs/UI_SPEC.md"])
    done = clone.manage("diffsettings")
    assert done.returncode == 2
    assert "E091" in done.stderr
    words = ["--context", "a", "--decision", "b", "--consequences", "c"]
    done = clone.manage(
        "governance", "decide", "--kind", "bypass", "--task", "T-0009", "--title", "It ran", *words
    )
    assert done.returncode == 0, done.stderr
    assert clone.manage("diffsettings").returncode == 0


@pytest.mark.parametrize(
    "value", ["T-0009: too short", "a reason of twenty characters", "T-9: a reason long enough here"]
)
def test_a_bypass_without_task_or_reason_is_refused(clone: Clone, value: str) -> None:
    (clone.root / "docs/UI_SPEC.md").unlink()
    done = clone.manage("diffsettings", GOVERNANCE_BYPASS=value)
    assert done.returncode == 2
    assert "20 characters or more" in done.stderr


def test_the_emergency_stop_blocks_what_changes_things_in_production_too(clone: Clone) -> None:
    words = ["--title", "Costs run away", "--context", "a", "--decision", "b", "--consequences", "c"]
    done = clone.manage("governance", "stop", *words)
    assert done.returncode == 0, done.stderr
    for name in ("Plan: ", "Task in progress: ", "Doc target: ", "Smallest next step: "):
        assert name in done.stdout
    production = {"ALLOWED_HOSTS": "status.example.com"}
    done = clone.manage("seed_telemetry", "--days", "1", **production)
    assert done.returncode == 2
    assert "C090" in done.stderr
    assert "governance resume" in done.stderr
    assert clone.manage("diffsettings", **production).returncode == 0
    assert clone.manage("governance", "resume", *words).returncode == 0
    assert "C090" not in clone.manage("diffsettings").stderr


def test_an_installation_without_documents_says_so_once(clone: Clone) -> None:
    for path in clone.kept:
        (clone.root / path).unlink()
    hidden = clone.root / ".git"
    hidden.rename(clone.root / "hidden")
    try:
        first, second = clone.manage("diffsettings"), clone.manage("diffsettings")
    finally:
        (clone.root / "hidden").rename(hidden)
    assert "there are no documents beside this installation" in first.stderr
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")


def test_a_checker_that_fails_itself_stops_nothing_but_ci(clone: Clone) -> None:
    rule = clone.root / "governance/rules/titles.py"
    kept = rule.read_text()
    rule.write_text(f"{kept}\n\ndef check(todo):\n    raise RuntimeError('broken')\n")
    try:
        here, ci = clone.manage("diffsettings"), clone.manage("diffsettings", CI="true")
    finally:
        rule.write_text(kept)
    assert (here.returncode, ci.returncode) == (0, 2)
    assert "W099 governance/titles.py" in here.stderr


def test_the_verdict_is_kept_until_a_document_or_a_rule_changes(clone: Clone) -> None:
    assert clone.run("-c", KEPT).stdout == "0 True\n"
    assert clone.run("-c", KEPT).stdout == "0 False\n"
    clone.write("docs/notes.md", "# Notes\n")
    assert clone.run("-c", KEPT).stdout == "1 True\n"
    assert clone.run("-c", KEPT).stdout == "1 False\n"
    os.utime(clone.root / "governance/todo.py")
    assert clone.run("-c", KEPT).stdout == "1 True\n"
    assert clone.run("-c", KEPT, CI="true").stdout == "1 True\n"


def test_a_kept_verdict_that_others_may_write_is_not_believed(clone: Clone) -> None:
    clone.run("-c", KEPT)
    (clone.var / preflight.CACHE).chmod(0o666)
    assert clone.run("-c", KEPT).stdout == "0 True\n"
    (clone.var / preflight.CACHE).write_bytes(b"not marshal")
    assert clone.run("-c", KEPT).stdout == "0 True\n"


def test_nothing_slow_is_imported_before_a_command(clone: Clone) -> None:
    code = (
        "import sys; from governance import gate, preflight; gate.look(preflight.ROOT); print(*sys.modules)"
    )
    loaded = clone.run("-c", code).stdout.split()
    rules = {
        f"{name.removeprefix('governance.').replace('.', '/')}.py" for name in loaded if "governance." in name
    }
    assert rules - {"rules.py"} == set(preflight.RULES) - {"rules/__init__.py"}
    assert "governance.rules.entries" in loaded
    assert not {"re", "json", "dataclasses", "typing", "hashlib", "django", "healthpilot"} & set(loaded)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "enforce"),
        ({"HEALTHPILOT_GOVERNANCE": "warn"}, "warn"),
        ({"HEALTHPILOT_GOVERNANCE": "enforce", "HEALTHPILOT_ROLE": "web"}, "enforce"),
        ({"HEALTHPILOT_ROLE": "worker", "CI": "1"}, "warn"),
        ({"CI": "true", "ALLOWED_HOSTS": "status.example.com"}, "enforce"),
        ({"ALLOWED_HOSTS": "localhost, 127.0.0.1"}, "enforce"),
        ({"ALLOWED_HOSTS": "localhost, status.example.com"}, "warn"),
        ({"ALLOWED_HOSTS": "status.example.com", "DEBUG": "1"}, "enforce"),
    ],
)
def test_what_decides_the_mode(
    monkeypatch: pytest.MonkeyPatch, clone: Clone, environment: dict[str, str], expected: str
) -> None:
    for name in ("HEALTHPILOT_GOVERNANCE", "HEALTHPILOT_ROLE", "CI", "ALLOWED_HOSTS", "DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert preflight.mode(str(clone.root)) == expected
    if not {"HEALTHPILOT_GOVERNANCE", "CI"} & set(environment):
        assert preflight.mode(str(clone.root / "docs")) == "warn"
