"""./run and its bootstrap: which Python, which packages, one at a time, one line for every failure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from healthpilot import bootstrap, configuration

EMPTY_LOCK = "# no package\n"
UNREACHABLE_LOCK = (
    "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of ./run and its bootstrap alone, whose locks name no package."""
    root = tmp_path / "project"
    (root / "healthpilot").mkdir(parents=True)
    shutil.copy(configuration.ROOT / "run", root / "run")
    shutil.copy(configuration.ROOT / "healthpilot" / "bootstrap.py", root / "healthpilot" / "bootstrap.py")
    (root / "manage.py").write_text("import os, sys\nprint(sys.argv[1:], os.getcwd(), sys.prefix)\n")
    for name in ("requirements.lock", "requirements-dev.lock"):
        (root / name).write_text(EMPTY_LOCK)
    return root


def environment(**given: str) -> dict[str, str]:
    """Return this environment without what would lead ./run elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHPILOT_")}
    return kept | {"HEALTHPILOT_PYTHON": sys.executable} | given


def run(project: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the project's ./run from another folder."""
    command = [str(project / "run"), *arguments]
    folder = project.parent
    return subprocess.run(
        command, env=environment(**given), cwd=folder, capture_output=True, text=True, check=False
    )


def fake_python(folder: Path, version: str) -> Path:
    """Make a folder with a `python3` of that version, which answers ./run's questions."""
    folder.mkdir()
    major, minor = version.split(".")
    program = folder / "python3"
    program.write_text(
        f'#!/bin/sh\ncase "$2" in *print*) echo {version};; *) [ {major}{minor:0>2} -ge 311 ];; esac\n'
    )
    program.chmod(0o755)
    for tool in ("sh", "dirname"):
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return folder


def test_a_python_that_is_too_old_is_named_in_one_line(project: Path, tmp_path: Path) -> None:
    folder = fake_python(tmp_path / "bin", "3.9")
    done = run(project, "up", PATH=str(folder), HEALTHPILOT_PYTHON="")
    assert done.returncode == 1
    assert done.stderr.startswith("HealthPilot needs Python 3.11 or newer; python3 (3.9) found.")
    assert done.stderr.count("\n") == 1


def test_a_machine_without_python_is_told_so_in_one_line(project: Path, tmp_path: Path) -> None:
    folder = fake_python(tmp_path / "bin", "3.9")
    (folder / "python3").unlink()
    done = run(project, "up", PATH=str(folder), HEALTHPILOT_PYTHON="")
    assert done.returncode == 1
    assert done.stderr.startswith("HealthPilot needs Python 3.11 or newer; none found.")
    assert done.stderr.count("\n") == 1


def test_help_needs_nothing_and_an_unknown_verb_is_a_usage_error(project: Path) -> None:
    assert run(project, "help").stdout == bootstrap.HELP
    assert run(project).returncode == 0
    unknown = run(project, "dance")
    assert (unknown.returncode, unknown.stdout, unknown.stderr) == (2, "", bootstrap.HELP)
    assert not (project / ".venv").exists()


def test_stop_before_the_first_start_says_so_and_installs_nothing(project: Path) -> None:
    done = run(project, "stop")
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing to stop")
    assert not (project / ".venv").exists()


def test_two_first_starts_at_once_install_once_and_both_go_on(project: Path) -> None:
    command = [str(project / "run"), "manage", "probe"]
    both = [
        subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert all(str(project / ".venv") in stdout for stdout, _ in outputs)
    said = "".join(stderr for _, stderr in outputs)
    assert said.count("Making the virtual environment") == 1
    assert said.count("Installing 0 packages from requirements.lock") == 1


def test_packages_are_installed_again_only_when_a_lock_changed(project: Path) -> None:
    assert "Installing" in run(project, "manage").stderr
    assert run(project, "manage").stderr == ""
    (project / "requirements.lock").write_text(EMPTY_LOCK + "# another state\n")
    changed = run(project, "manage").stderr
    assert "Installing" in changed
    assert "Making" not in changed


def test_manage_gets_its_arguments_and_the_callers_folder(project: Path) -> None:
    done = run(project, "manage", "import_events", "a file.csv", "--kind", "llm")
    assert done.stdout.startswith(f"['import_events', 'a file.csv', '--kind', 'llm'] {project.parent} ")


def test_an_environment_that_was_copied_or_moved_is_made_anew(project: Path, tmp_path: Path) -> None:
    assert run(project, "manage").returncode == 0
    moved = project.rename(tmp_path / "moved")
    done = run(moved, "manage")
    assert "Making the virtual environment" in done.stderr
    assert str(moved / ".venv") in done.stdout


def test_an_index_out_of_reach_is_one_line_and_the_next_start_tries_again(project: Path) -> None:
    assert run(project, "manage").returncode == 0
    (project / "requirements.lock").write_text(UNREACHABLE_LOCK)
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    for _ in range(2):
        done = run(project, "manage", **away)
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith(
            "The packages of requirements.lock could not be installed: the package index does not answer."
        )


def test_a_package_that_does_not_match_its_hash_is_refused(project: Path) -> None:
    wheel = project / "six-1.17.0-py2.py3-none-any.whl"
    wheel.write_bytes(b"not the wheel")
    (project / "requirements.lock").write_text(UNREACHABLE_LOCK)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project), "PIP_CONFIG_FILE": os.devnull}
    done = run(project, "manage", **offline)
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_a_full_disk_is_named() -> None:
    line = bootstrap.explain(
        "ERROR: [Errno 28] No space left on device", "The packages could not be installed"
    )
    assert line.startswith("The packages could not be installed: the disk that holds")


@pytest.mark.parametrize(("uid", "apt"), [(1000, "/usr/bin/apt-get"), (0, None)])
def test_a_python_without_venv_says_how_to_get_it_where_we_may_not(
    monkeypatch: pytest.MonkeyPatch, uid: int, apt: str | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(shutil, "which", lambda name: apt)
    with pytest.raises(bootstrap.SetupError, match="comes without venv and pip") as caught:
        bootstrap.install_venv_module()
    assert ("sudo apt-get install python3" in str(caught.value)) == bool(apt)


def test_the_bootstrap_uses_the_standard_library_alone() -> None:
    source = (configuration.ROOT / "healthpilot" / "bootstrap.py").read_text()
    imported = {
        line.split()[1].partition(".")[0]
        for line in source.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names
