"""Earlier versions of docs/DECISIONS.md are the beginning of the present one, whatever a copy knows."""

import pytest

from governance import history
from governance.documents import DECISIONS
from tests.governance.repository import Repository


def test_appending_is_all_that_may_happen(repository: Repository) -> None:
    base = repository.commit()
    repository.decide(title="Another")
    assert history.check(repository.path, base) == []
    repository.commit()
    assert history.check(repository.path) == []


def test_a_cut_tail_is_seen_against_the_base_and_says_where(repository: Repository) -> None:
    before = repository.text(DECISIONS)
    repository.decide(title="Another")
    base = repository.commit()
    repository.write(DECISIONS, before)
    (finding,) = history.check(repository.path, base)
    assert (finding.id, finding.line) == ("E031", before.count("\n") + 1)
    assert "it was cut here" in finding.message
    assert base[:12] in finding.hint


def test_a_rewritten_chain_whose_seals_all_hold_is_seen(repository: Repository) -> None:
    base = repository.commit()
    text = repository.text(DECISIONS)
    repository.write(DECISIONS, text[: text.index("\n### D-0003")])
    repository.decide(title="Something else", sets=[])
    assert "E030" not in repository.ids()
    assert [finding.id for finding in history.check(repository.path, base)] == ["E031"]


def test_a_copy_that_knows_no_other_branch_is_checked_by_its_own_history(repository: Repository) -> None:
    before = repository.text(DECISIONS)
    repository.decide(title="Another")
    repository.commit()
    repository.write(DECISIONS, before)
    repository.commit()
    assert [finding.id for finding in history.check(repository.path)] == ["E031"]


def test_the_branch_that_is_landed_on_is_found_by_itself(repository: Repository) -> None:
    repository.commit()
    repository.git("branch", "main")
    repository.decide(title="Mine")
    mine = repository.commit()
    assert history.landing_on(repository.path) == repository.git("rev-parse", "main")
    repository.git("branch", "-f", "main", mine)
    assert history.check(repository.path) == []


def test_an_unknown_revision_is_refused_and_no_git_is_no_fault(repository: Repository) -> None:
    assert history.check(repository.path, "anything") == []
    repository.commit()
    with pytest.raises(history.UnknownRevision, match="no-such"):
        history.check(repository.path, "no-such")
