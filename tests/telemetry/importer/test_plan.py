"""The effective mapping: everything that can be known before the first row is."""

from collections.abc import Sequence

import pytest

from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.plan import Plan, make_plan
from telemetry.mapping import parse_map, parse_set

HEADER = ("created_at", "user_id", "tier", "tokens", "twice", "twice")
FIXED = "llm_model=m,context_type=chat,output_tokens=0"


def plan(
    mapped: str = "input_tokens=tokens", fixed: str = FIXED, header: Sequence[str] | None = HEADER
) -> Plan:
    return make_plan("llm", header, parse_map(mapped), parse_set(fixed), zone=None, layout="csv ,")


def refusal(*args: str, **options: Sequence[str] | None) -> str:
    with pytest.raises(ImportRefusedError) as caught:
        plan(*args, **options)  # type: ignore[arg-type] # options as the command line has them
    return str(caught.value)


def test_the_effective_mapping_names_every_source() -> None:
    assert plan().described == (
        "input_tokens=tokens, user_id=user_id, tier=tier, created_at=created_at, "
        "llm_model='m', context_type='chat', output_tokens='0'"
    )


def test_an_unknown_target_is_refused_with_the_ones_there_are() -> None:
    said = refusal("input_tokens=tokens,teir=tier")
    assert said.startswith("llm events have no column 'teir' (did you mean tier?): there are user_id, tier,")


def test_a_fixed_value_for_an_unknown_target_is_refused() -> None:
    assert "no column 'cpu_ms'" in refusal(fixed=FIXED + ",cpu_ms=1")


def test_an_unknown_column_is_refused_with_those_of_the_file() -> None:
    assert refusal("input_tokens=tokns*2") == (
        "--map input_tokens: the file has no column 'tokns' (did you mean tokens?): "
        "there are created_at, user_id, tier, tokens, twice, twice"
    )


def test_a_column_that_the_file_has_twice_is_refused() -> None:
    assert "2 columns named 'twice'" in refusal("input_tokens=twice")


def test_a_target_given_both_ways_is_refused() -> None:
    assert "tier is given by --map and by --set" in refusal(
        "input_tokens=tokens,tier=user_id", FIXED + ",tier=pro"
    )


def test_an_expression_of_the_wrong_kind_is_refused() -> None:
    assert "unix(tokens) gives a time, and input_tokens is a whole number" in refusal(
        "input_tokens=unix(tokens)"
    )
    assert "(tokens+1) gives a whole number, and created_at is a time" in refusal("created_at=tokens+1")
    assert "gives true or false, and tier is text" in refusal("tier=is(tokens,1)")


def test_a_fixed_value_that_breaks_a_rule_is_refused_before_any_row() -> None:
    assert "--set: tier is 17 characters long" in refusal(
        header=HEADER[:2] + HEADER[3:], fixed=FIXED + ",tier=" + "x" * 17
    )
    assert "--set: success is 'maybe', give 1/0" in refusal(fixed=FIXED + ",success=maybe")


def test_what_every_row_would_lack_is_refused_before_any_row() -> None:
    assert refusal("", "llm_model=m,context_type=chat,output_tokens=0") == (
        "input_tokens is missing, an event must have it: name its column with --map or its value with --set"
    )


def test_the_digest_changes_with_whatever_changes_the_events() -> None:
    digests = {
        plan().sha256,
        plan("input_tokens=tokens+1").sha256,
        plan(fixed=FIXED + ",provider=x").sha256,
        make_plan(
            "llm", HEADER, parse_map("input_tokens=tokens"), parse_set(FIXED), zone=None, layout="csv ;"
        ).sha256,
    }
    assert len(digests) == 4
    assert plan().sha256 == plan(' input_tokens = "tokens" ').sha256
