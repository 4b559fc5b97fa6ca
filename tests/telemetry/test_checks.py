"""What doctor and `manage.py check` say of the spool."""

from pathlib import Path

from telemetry.checks import check_spool


def test_a_spool_that_takes_files_is_fine(spool_folder: Path) -> None:
    assert check_spool(None) == []


def test_a_spool_that_takes_none_is_named_with_a_mend(spool_folder: Path) -> None:
    if spool_folder.exists():
        spool_folder.rmdir()
    spool_folder.write_text("a file where the folder should be")
    [warning] = check_spool(None)
    assert warning.id == "telemetry.W001"
    assert str(spool_folder) in warning.msg
    assert warning.hint
    spool_folder.unlink()
