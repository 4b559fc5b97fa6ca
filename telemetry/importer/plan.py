"""The effective mapping of one import: where each column of the event comes from, checked before any row."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from telemetry import events, values
from telemetry.expressions import Expression, column
from telemetry.fields import Field, Flag, InvalidEvent, Text, Whole
from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.records import json_getter
from telemetry.values import BadValueError

FIELDS: dict[str, Mapping[str, Field]] = {"job": events.JOB_FIELDS, "llm": events.LLM_FIELDS}
Read = Callable[[object], object]


@dataclass(frozen=True)
class Plan:
    """How the records of a file become events.

    Attributes:
        kind: 'job' or 'llm'.
        header: the file's columns, None for JSON Lines.
        mapped: expression by target column.
        fixed: the value every row gets, by target column.
        zone: the zone of times without an offset, None where there must be none.
        layout: what else decides the reading of a row: the format and the delimiter.
    """

    kind: str
    header: Sequence[str] | None
    mapped: dict[str, Expression]
    fixed: dict[str, str]
    zone: ZoneInfo | None
    layout: str

    @property
    def sha256(self) -> str:
        """Return the digest of everything that decides what a row becomes."""
        sources = {target: expression.source for target, expression in self.mapped.items()}
        zone = self.zone.key if self.zone else None
        said = json.dumps([sources, self.fixed, zone, self.layout], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def described(self) -> str:
        """Return the effective mapping on one line, fixed values in quotes."""
        parts = [f"{target}={expression.source}" for target, expression in self.mapped.items()]
        return ", ".join([*parts, *(f"{target}={value!r}" for target, value in self.fixed.items())])

    @property
    def left_over(self) -> list[str]:
        """Return the file's columns that nothing takes; of JSON Lines they are not known beforehand."""
        taken = {name for expression in self.mapped.values() for name in expression.columns}
        return [name for name in self.header or () if name not in taken]

    def source_of(self, target: str) -> str | None:
        """Return the expression that fills a target column, None where none does."""
        return self.mapped[target].source if target in self.mapped else None

    def converter(self) -> Callable[[Any], dict[str, object]]:
        """Return the function from a record to the values of an event; it raises InvalidEvent."""
        fixed, steps = self.fixed_values(), self._steps()

        def convert(record: Any) -> dict[str, object]:
            found = fixed.copy()
            target = ""
            try:
                for target, get, read in steps:
                    value = read(get(record))
                    if value is not None:
                        found[target] = value
            except BadValueError as error:
                raise InvalidEvent(target, f"{target} {error}") from None
            return found

        return convert

    def fixed_values(self) -> dict[str, object]:
        """Return the fixed values read as what their columns need. Raises ImportRefusedError."""
        found: dict[str, object] = {}
        for target, text in self.fixed.items():
            field = FIELDS[self.kind][target]
            try:
                value = self._reader(field)(text)
                if value is not None:
                    found[target] = field.check(target, value, datetime.now(UTC))
            except (BadValueError, InvalidEvent) as error:
                reason = str(error) if isinstance(error, InvalidEvent) else f"{target} {error}"
                raise ImportRefusedError(f"--set: {reason}") from None
        return found

    def _steps(self) -> list[tuple[str, Callable[[Any], object], Read]]:
        fields = FIELDS[self.kind]
        return [
            (target, expression.compile(self._getter), self._reader(fields[target], expression))
            for target, expression in self.mapped.items()
        ]

    def _getter(self, name: str) -> Callable[[Any], object]:
        return json_getter(name) if self.header is None else itemgetter(self.header.index(name))

    def _reader(self, field: Field, expression: Expression | None = None) -> Read:
        """Return what reads a value for a field; a time or boolean of an expression needs no reading."""
        if expression and expression.kind in ("instant", "boolean"):
            return lambda value: value
        if isinstance(field, Text):
            return values.text
        if isinstance(field, Whole):
            return values.whole
        return values.boolean if isinstance(field, Flag) else values.instant_reader(self.zone)


def make_plan(
    kind: str,
    header: Sequence[str] | None,
    mapped: dict[str, Expression],
    fixed: dict[str, str],
    *,
    zone: ZoneInfo | None,
    layout: str,
) -> Plan:
    """Return the plan of an import, columns that nothing mentions taken by their own name.

    Raises ImportRefusedError for targets and columns that do not exist, expressions of the wrong kind, bad
    fixed values, and where an event would lack what it must have.
    """
    fields = FIELDS[kind]
    for target in [*mapped, *fixed]:
        if target not in fields:
            raise ImportRefusedError(f"{kind} events have no column {target!r}{_known(target, list(fields))}")
    if twice := sorted(set(mapped) & set(fixed)):
        raise ImportRefusedError(f"{twice[0]} is given by --map and by --set: leave one out")
    _refuse_unknown_columns(header, mapped)
    for target, expression in mapped.items():
        _refuse_wrong_kind(target, fields[target], expression)
    free = [name for name in fields if name not in mapped and name not in fixed]
    implied = {name: column(name) for name in free if header is None or header.count(name) == 1}
    plan = Plan(kind, header, mapped | implied, fixed, zone, layout)
    plan.fixed_values()
    if header is not None:
        _refuse_missing(plan)
    return plan


def _known(word: str, words: Sequence[str]) -> str:
    close = get_close_matches(word, words, 1)
    listed = ", ".join(words[:60]) + (", …" if len(words) > 60 else "")
    return f" (did you mean {close[0]}?): there are {listed}" if close else f": there are {listed}"


def _refuse_unknown_columns(header: Sequence[str] | None, mapped: dict[str, Expression]) -> None:
    if header is None:
        return
    for target, expression in mapped.items():
        for name in expression.columns:
            if name not in header:
                raise ImportRefusedError(
                    f"--map {target}: the file has no column {name!r}{_known(name, header)}"
                )
            if header.count(name) > 1:
                raise ImportRefusedError(
                    f"--map {target}: the file has {header.count(name)} columns named {name!r}"
                )


def _refuse_wrong_kind(target: str, field: Field, expression: Expression) -> None:
    needs = {Text: "text", Whole: "a whole number", Flag: "true or false"}.get(type(field), "a time")
    gives = {"number": "a whole number", "instant": "a time", "boolean": "true or false"}.get(
        expression.kind, needs
    )
    if gives != needs:
        raise ImportRefusedError(
            f"--map {target}: {expression.source} gives {gives}, and {target} is {needs}"
        )


def _refuse_missing(plan: Plan) -> None:
    """Try an event that has a value in every column of the plan: what it lacks, every row would lack."""
    now = datetime.now(UTC)
    samples = {Text: "x", Whole: 1, Flag: True}
    fields = FIELDS[plan.kind]
    event = {name: samples.get(type(fields[name]), now) for name in [*plan.mapped, *plan.fixed]}
    try:
        events.EVENT_KINDS[plan.kind].clean(event, now=now)
    except InvalidEvent as error:
        if error.column not in event:
            raise ImportRefusedError(
                f"{error.reason}: name its column with --map or its value with --set"
            ) from None
