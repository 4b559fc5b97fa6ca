"""Whether the pictures of README.md still show what there is."""

from pathlib import Path

import pytest

from tests import screenshots


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one template whose pictures were just taken."""
    monkeypatch.setattr(screenshots, "ROOT", tmp_path)
    monkeypatch.setattr(screenshots, "STAMP", tmp_path / "taken-from")
    (tmp_path / "templates" / "costs").mkdir(parents=True)
    (tmp_path / "templates" / "costs" / "dashboard.html").write_text("<h1>Cost</h1>")
    (tmp_path / "taken-from").write_text(screenshots.digest() + "\n")
    return tmp_path


def test_pictures_of_what_there_is_are_not_old(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert screenshots.main(["--check"]) == 0
    assert "show what there is" in capsys.readouterr().out


def test_a_changed_template_makes_them_old(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "templates" / "costs" / "dashboard.html").write_text("<h1>Costs</h1>")
    assert screenshots.main(["--check"]) == 1
    assert "./run screenshots" in capsys.readouterr().out


def test_a_new_style_makes_them_old(project: Path) -> None:
    (project / "static" / "css").mkdir(parents=True)
    (project / "static" / "css" / "base.css").write_text("h1 { color: red }")
    assert screenshots.are_old()


def test_pictures_that_were_never_taken_are_old(project: Path) -> None:
    (project / "taken-from").unlink()
    assert screenshots.are_old()
