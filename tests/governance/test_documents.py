"""Reading a document: what is refused, by which id, at which line, and that a mend is named."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import documents, rules
from governance.documents import LARGEST_BYTES, Unreadable, refuse_bytes
from governance.reading import Reading
from tests.governance.repository import Repository

TODO = documents.TODO


def refusal(repository: Repository, path: str = TODO) -> tuple[str, int, str]:
    with pytest.raises(Unreadable) as caught:
        documents.read(repository.path, path)
    finding = caught.value.finding
    assert finding.hint
    return finding.id, finding.line, finding.message


@pytest.mark.parametrize(
    ("added", "line", "words"),
    [
        (b"a\0b", 2, "a NUL byte"),
        (b"a\r", 2, "a carriage return"),
        (b"a\x1b[31m", 2, "a control character (0x1b)"),
        ("a\u202e".encode(), 2, "a bidirectional control (U+202E)"),
        ("a\u2066".encode(), 2, "a bidirectional control (U+2066)"),
        ("a\u061c".encode(), 2, "a bidirectional control (U+061C)"),
        ("a\u200b".encode(), 2, "an invisible character (U+200B)"),
        ("a\ufeff".encode(), 2, "a byte order mark"),
        ("a\U000e0041".encode(), 2, "a tag character"),
        (b"\n<<<<<<< HEAD", 3, "a conflict marker"),
        (b"\n>>>>>>> other", 3, "a conflict marker"),
        (b"\xff\xfe", 2, "not UTF-8"),
    ],
)
def test_what_a_reader_cannot_see_is_refused_where_it_stands(
    repository: Repository, added: bytes, line: int, words: str
) -> None:
    (repository.root / TODO).write_bytes(b"# TODO\n" + added + b"\n")
    id_, at, message = refusal(repository)
    assert (id_, at) == ("E010", line)
    assert words in message


def test_a_file_of_fifty_megabytes_is_refused_unread(repository: Repository) -> None:
    with open(repository.root / TODO, "wb") as stream:
        stream.truncate(50_000_000)
    assert "50.0 MB, more than the 4 MB" in refusal(repository)[2]
    assert repository.ids() == ["E010"]


def test_the_largest_file_that_is_allowed_is_read(repository: Repository) -> None:
    (repository.root / TODO).write_bytes(b"a" * LARGEST_BYTES)
    assert len(documents.read(repository.path, TODO)) == LARGEST_BYTES


@pytest.mark.parametrize("whole", [True, False], ids=["the file", "its folder"])
def test_a_symbolic_link_is_not_followed(repository: Repository, tmp_path: Path, whole: bool) -> None:
    place = repository.root / (TODO if whole else "docs")
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    assert "symbolic link" in refusal(repository)[2]


def test_a_folder_or_a_pipe_in_a_documents_place_is_refused_at_once(repository: Repository) -> None:
    for make in (os.mkdir, os.mkfifo):
        place = repository.root / TODO
        place.rmdir() if place.is_dir() else place.unlink()
        make(place)
        assert refusal(repository)[0] == "E010"


def test_a_missing_document_is_its_own_id(repository: Repository) -> None:
    (repository.root / TODO).unlink()
    assert refusal(repository)[0] == "E001"


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused_and_never_crash(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        refuse_bytes("docs/TODO.md", raw)
        assert b"\0" not in raw
        assert b"\r" not in raw


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("docs/notes.md", "# Notes\n", ["E003"]),
        ("NOTES.md", "# Notes\n", ["E003"]),
        ("docs/deep/notes.txt", "Notes\n", ["E003"]),
        ("docs/no_ending", "Notes\n", ["E003"]),
        ("docs/images/figure.png", "a picture", []),
        ("docs/notes.md", "DEPRECATED: see docs/UI_SPEC.md\n", []),
        ("README.md", "# Anything\n", []),
    ],
)
def test_a_document_outside_the_allowlist_needs_a_decision(
    repository: Repository, path: str, text: str, expected: list[str]
) -> None:
    repository.write(path, text)
    assert repository.ids() == expected


def test_a_decision_lets_a_document_in(repository: Repository) -> None:
    repository.write("docs/notes.md", "# Notes\n")
    repository.decide(kind="conflict", decision="It is kept.", sets=["allowlist none -> docs/notes.md"])
    assert repository.ids() == []


def test_a_document_that_decisions_speak_of_is_a_warning_that_names_both_ways_out(
    repository: Repository,
) -> None:
    repository.write("docs/SCHEMA.md", "# Tables of old\n")
    repository.decide(decision="docs/SCHEMA.md is from before.")
    (finding,) = rules.check(Reading(repository.path))
    assert (finding.id, finding.level) == ("W006", "warning")
    assert "allowlist none -> docs/SCHEMA.md" in finding.hint
    assert "DEPRECATED: see docs/DB_SCHEMA.md" in finding.hint


def test_a_heading_with_another_home_is_named_with_it(repository: Repository) -> None:
    repository.write(
        "docs/REFERENCES.md", "# Links\n\n```\n## Tokens\n```\n\n## Tokens\n\n### D-0004 — A choice\n"
    )
    found = rules.check(Reading(repository.path))
    assert [(one.id, one.line) for one in found] == [("E005", 7), ("E005", 9)]
    assert "DESIGN_SYSTEM.md" in found[0].message
    assert "docs/DECISIONS.md" in found[1].message


def test_a_changed_bootloader_needs_a_decision(repository: Repository) -> None:
    repository.replace("replit.md", "Read the documents.", "Do as you like.")
    assert repository.ids() == ["E004"]
    repository.write("replit.md", "# Background\n")
    assert repository.ids() == ["E002"]


@pytest.mark.parametrize(
    ("topic", "home"),
    [
        ("a new route", "docs/UI_SPEC.md"),
        ("design tokens", "DESIGN_SYSTEM.md"),
        ("index on a table", "docs/DB_SCHEMA.md"),
        ("why we chose it", "docs/DECISIONS.md"),
        ("acceptance of a task", "docs/TODO.md"),
        ("links to papers", "docs/REFERENCES.md"),
        ("an ugly UI fault", "UI_DEBT.md"),
        ("gold rules", "docs/AGENT_BRIEF.md"),
        ("measured figures", "docs/PERFORMANCE.md"),
    ],
)
def test_the_router_knows_the_home_of_a_topic(topic: str, home: str) -> None:
    assert rules.places.home_of(topic) == home
