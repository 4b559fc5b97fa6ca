"""Every id fires exactly once on its mutation, and none on the documents as they are."""

from governance import preflight, selftest
from governance.findings import CATALOGUE
from governance.selftest.mutations import MUTATIONS


def test_every_id_fires_once_and_none_on_clean_documents() -> None:
    answer = selftest.run(preflight.ROOT)
    assert answer.data["clean"] == []
    assert answer.data["fired"] == {name: [name] for name in CATALOGUE}
    assert answer.code == 0


def test_every_id_has_its_mutation() -> None:
    assert set(MUTATIONS) == set(CATALOGUE)
