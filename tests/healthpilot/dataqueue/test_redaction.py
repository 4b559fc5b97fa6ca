"""What pages show of payloads and errors: no secret, and all the rest."""

import pytest

from healthpilot.dataqueue.redaction import HIDDEN, redacted, without_secrets


@pytest.mark.parametrize(
    "name", ["password", "api_key", "apikey", "access_token", "Authorization", "client_secret"]
)
def test_fields_that_are_called_like_secrets_are_hidden_at_any_depth(name: str) -> None:
    assert redacted({"a": [{name: "x", "rows": 3}]}) == {"a": [{name: HIDDEN, "rows": 3}]}


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "user_id", "keyboard"])
def test_counts_of_tokens_and_plain_fields_are_shown(name: str) -> None:
    assert redacted({name: "ContextTokens"}) == {name: "ContextTokens"}


def test_a_kind_may_name_further_secrets() -> None:
    assert redacted({"pin": 1234, "rows": 3}, ("pin",)) == {"pin": HIDDEN, "rows": 3}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no answer from postgresql://reader:geheim@db/x", f"no answer from postgresql://{HIDDEN}@db/x"),
        ("refused sk-abcdefgh12345", f"refused {HIDDEN}"),
        ("row 7 of https://example.com/a", "row 7 of https://example.com/a"),
    ],
)
def test_passwords_in_addresses_and_keys_are_cut_out_of_texts(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
