"""The parser of docs/DECISIONS.md and its chain: entries stay as they were written, or are found out."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import chain, decisions, documents, preflight, rules
from governance.reading import Reading
from tests.governance.repository import Repository

REAL = Path(preflight.ROOT, documents.DECISIONS).read_text(encoding="utf-8")
DECISIONS = documents.DECISIONS


def test_the_repositorys_own_entries_parse_and_every_seal_holds() -> None:
    log = decisions.parse(REAL)
    assert log.faults.all() == []
    assert len(log.entries) >= 22
    prev = "0" * 64
    for entry in log.entries:
        text = f"{prev}\n{entry.body}"
        assert entry.prev == prev
        assert entry.seal == hashlib.sha256(text.encode()).hexdigest() == chain.seal(prev, entry.body)
        prev = entry.seal


def test_the_seal_covers_heading_to_last_line_without_trailing_space() -> None:
    entry = decisions.parse(REAL).entries[1]
    assert entry.body.startswith("### D-0002 — How this chain is sealed\n- date: 2026-11-22\n")
    assert entry.body.endswith("only against an earlier version.")
    assert chain.seal("0", "a \n\n") == chain.seal("0", "a")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- kind: decision\n", "- kind: idea\n", "kind: 'idea' is not usable"),
        ("- date: 2026-01-02\n", "", "no line `- date: …` here"),
        ("- task: T-0001\n", "- task: T-0001\n- mood: good\n", "'- mood: good' is not in place here"),
        ("#### Context\n", "#### Why\n", "stands where #### Context is due"),
        ("#### Decision\n", "", "says nothing under #### Decision"),
        ("A reason.\n", "", "says nothing under #### Context"),
        ("### D-0001 — First", "### D-1 — First", "begins no entry"),
        ("### D-0001 — First", "### D-0001 —", "begins no entry"),
        ("- supersedes: none\n", "- supersedes: all\n", "supersedes: 'all' is not usable"),
        ("Append-only.", "- a list", "is not in place here"),
        ("allowlist none -> docs", "allowlist docs", "sets nothing"),
    ],
)
def test_what_is_not_in_the_grammar_is_named(repository: Repository, old: str, new: str, words: str) -> None:
    repository.replace(DECISIONS, old, new)
    found = decisions.parse(repository.text(DECISIONS)).faults.all()
    assert any(words in fault.message for fault in found), found


def test_prose_may_hold_dashes_quotes_backticks_and_tables(repository: Repository) -> None:
    prose = "- a list — with dashes\n- \"quotes\" and 'more'\n\n| a | b |\n|---|---|\n`code -> x`\n> said"
    repository.decide(decision=prose)
    assert repository.ids() == []
    assert prose in decisions.parse(repository.text(DECISIONS)).entries[-1].body


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_changed_character_in_an_old_entry_is_found_at_that_entry(
    repository: Repository, number: int
) -> None:
    entry = decisions.parse(repository.text(DECISIONS)).entries[number]
    repository.replace(DECISIONS, entry.body, entry.body.replace("A reason.", "A reason!"))
    (finding,) = rules.check(Reading(repository.path))
    assert (finding.id, finding.line) == ("E030", entry.line)
    assert entry.id in finding.message


def test_an_entry_taken_out_breaks_the_chain(repository: Repository) -> None:
    entries = decisions.parse(repository.text(DECISIONS)).entries
    lines = repository.text(DECISIONS).split("\n")
    repository.write(DECISIONS, "\n".join(lines[: entries[0].line - 1] + lines[entries[1].line - 1 :]))
    assert "E030" in repository.ids()


def test_entries_that_change_places_break_the_chain_and_the_order(repository: Repository) -> None:
    parts = repository.text(DECISIONS).split("\n### ")
    repository.write(
        DECISIONS, "\n### ".join([parts[0], parts[1], parts[3].rstrip() + "\n", parts[2] + "\n"])
    )
    assert {"E030", "E032"} <= set(repository.ids())


def test_only_the_newest_entries_may_stand_unsealed(repository: Repository) -> None:
    lines = repository.text(DECISIONS).rstrip("\n").split("\n")
    repository.write(DECISIONS, "\n".join(lines[:-2]) + "\n")
    (finding,) = rules.check(Reading(repository.path))
    assert (finding.id, finding.level) == ("W033", "warning")


def test_an_unsealed_entry_below_sealed_ones_breaks_the_chain(repository: Repository) -> None:
    lines = repository.text(DECISIONS).split("\n")
    last = decisions.parse(repository.text(DECISIONS)).entries[1].last_line
    repository.write(DECISIONS, "\n".join(lines[: last - 2] + lines[last:]))
    assert repository.ids() == ["E030"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"supersedes": "D-0001"}, []),
        ({"supersedes": "D-0009"}, ["E032"]),
        ({"task": "T-0777"}, ["E032"]),
        ({"kind": "budget", "task": "T-0002", "sets": ["budget.x none -> 5"]}, []),
        ({"kind": "budget", "task": "T-0002", "sets": ["budget.x 4 -> 5"]}, ["E041"]),
        ({"kind": "budget", "sets": ["budget.x none -> 5"]}, ["E041"]),
        ({"task": "T-0002", "sets": ["budget.x none -> 5"]}, ["E041"]),
        ({"kind": "stop"}, ["C090"]),
    ],
)
def test_what_an_entry_names_must_exist(
    repository: Repository, values: dict[str, object], expected: list[str]
) -> None:
    repository.decide(**values)
    assert repository.ids() == expected


def test_a_resume_ends_a_stop_and_a_new_stop_counts_again(repository: Repository) -> None:
    repository.decide(kind="stop")
    repository.decide(kind="resume")
    assert repository.ids() == []
    repository.decide(kind="stop")
    assert repository.ids() == ["C090"]


@given(st.text(max_size=400))
def test_any_text_is_parsed_or_refused_and_never_crashes(text: str) -> None:
    log = decisions.parse(text)
    assert all(1 <= fault.line <= text.count("\n") + 1 for fault in log.faults.all())
    rules.entries.check(log, None)


def test_broken_copies_of_real_entries_never_crash_and_are_found_out() -> None:
    rng = random.Random(11)
    start = REAL.index("### D-0001")
    for _ in range(200):
        at = rng.randrange(start, len(REAL) - 100)
        text = (
            REAL[:at]
            + rng.choice(["", "\n", "- seal: ", "####", "—", "###\n"])
            + REAL[at + rng.randint(1, 40) :]
        )
        log = decisions.parse(text)
        assert log.faults.all() or rules.entries.check(log, None)
