"""Reads what tests wrote (JUnit XML, Axe JSON) instead of believing, and remembers what it was about."""

import hashlib
import json
import os
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.writing import Refused

LARGEST_BYTES = 50_000_000
PROPERTY = "sha256 "


@dataclass
class Report:
    """What JUnit reports say: tests by id (path::name) and how each went, the digests of the test files as
    they ran, and when the run began (seconds since 1970; 0 where no report says).
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    began: float = 0.0
    sources: dict[str, str] = field(default_factory=dict)

    def failed(self) -> list[str]:
        """Return the tests that did not pass and were not skipped."""
        return [name for name, outcome in self.outcomes.items() if outcome == "failed"]

    def passed(self, test: str) -> list[str]:
        """Return the tests that passed of a file, or of one test in all its parameters."""
        return [name for name, outcome in self.outcomes.items() if outcome == "passed" and covers(test, name)]

    def files(self) -> list[str]:
        """Return the test files that the reports speak of."""
        return sorted({name.partition("::")[0] for name in self.outcomes})


def covers(test: str, name: str) -> bool:
    """Say whether a test's name is of a file (tests/x.py) or one test (tests/x.py::name) asked for."""
    return name == test or name.startswith((f"{test}::", f"{test}["))


def read_junit(paths: list[str], root: str) -> Report:
    """Return what JUnit reports say together.

    Raises:
        Refused: a report is missing, too large, no JUnit XML, or declares entities.
    """
    report = Report()
    for path in paths:
        raw = contents(path)
        if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
            raise Refused(f"{path} declares entities; a JUnit report has none.")
        try:
            tree = ElementTree.fromstring(raw)  # noqa: S314 - entities are refused above
        except ElementTree.ParseError as error:
            raise Refused(f"{path} is no JUnit report: {error}.") from error
        report.sources[place(path, root)] = hashlib.sha256(raw).hexdigest()
        take_suites(report, tree)
    return report


def take_suites(report: Report, tree: ElementTree.Element) -> None:
    """Take properties, times and tests of a report."""
    for item in tree.iter("property"):
        name = item.get("name", "")
        if name.startswith(PROPERTY):
            report.digests[name[len(PROPERTY) :]] = item.get("value", "")
    for suite in tree.iter("testsuite"):
        began = seconds(suite.get("timestamp", ""))
        report.began = min(report.began or began, began) if began else report.began
    for case in tree.iter("testcase"):
        report.outcomes[test_id(case)] = outcome(case)


def seconds(stamp: str) -> float:
    """Return a report's time as seconds since 1970, 0 for what is none; a naive time is local."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0


def test_id(case: ElementTree.Element) -> str:
    """Return tests/e2e/test_cost.py::test_range for pytest's classname and name."""
    parts = case.get("classname", "").split(".")
    modules = [number for number, part in enumerate(parts) if part.startswith("test_")]
    cut = (modules[-1] if modules else len(parts) - 1) + 1
    path = "/".join(parts[:cut]) + ".py"
    return "::".join([path, *parts[cut:], case.get("name", "")])


def outcome(case: ElementTree.Element) -> str:
    """Return how a test went: passed, failed or skipped."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


@dataclass
class Axe:
    """What Axe reports say: pages looked at, and what they violate."""

    pages: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def read_axe(paths: list[str]) -> Axe:
    """Return what Axe reports say together: one result, or a list of them, a file; of a folder every .json.

    Raises:
        Refused: a report is missing, no JSON, or no Axe result.
    """
    axe = Axe()
    for path in (file for given in paths for file in files_of(given)):
        raw = contents(path)
        try:
            data = json.loads(raw)
        except ValueError as error:
            raise Refused(f"{path} is no JSON: {error}.") from error
        for result in data if isinstance(data, list) else [data]:
            take_result(axe, path, result)
    return axe


def files_of(path: str) -> list[str]:
    """Return a file itself, and of a folder its .json files."""
    return sorted(str(file) for file in Path(path).glob("*.json")) if os.path.isdir(path) else [path]


def take_result(axe: Axe, path: str, result: Any) -> None:
    """Take one page's result; what ran no rule at all proves nothing."""
    if (
        not isinstance(result, dict)
        or not isinstance(result.get("violations"), list)
        or not result.get("passes")
    ):
        raise Refused(f"{path} is no Axe result: it needs `violations` and the rules in `passes`.")
    axe.pages.append(str(result.get("url", path)))
    axe.violations += [f"{axe.pages[-1]}: {found.get('id', '?')}" for found in result["violations"]]


def contents(path: str) -> bytes:
    """Return a report's bytes; raises Refused for what is missing or too large."""
    try:
        if os.path.getsize(path) > LARGEST_BYTES:
            raise Refused(f"{path} has more than {LARGEST_BYTES // 1_000_000} MB: that is no report.")
        return Path(path).read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def place(path: str, root: str) -> str:
    """Return a path as seen from the repository, or its name where it lies elsewhere."""
    inside = os.path.relpath(os.path.abspath(path), root)
    return os.path.basename(path) if inside.startswith("..") else inside


def digest(root: str, path: str) -> str:
    """Return the SHA-256 of a file in the repository, in hex; '' where it is gone."""
    try:
        return hashlib.sha256((Path(root) / path).read_bytes()).hexdigest()
    except OSError:
        return ""


def stale(report: Report, root: str, files: list[str]) -> list[str]:
    """Return the files that are not as they were when the tests ran.

    A test file is compared by the digest that the run wrote down, where it did; every other file by its time.
    """
    changed = [path for path, known in report.digests.items() if digest(root, path) != known]
    for path in files:
        try:
            if path not in report.digests and report.began and newest(Path(root) / path) > report.began:
                changed.append(path)
        except OSError:
            changed.append(path)
    return sorted(set(changed))


def newest(path: Path) -> float:
    """Return when a file, or the newest Python file of a folder, was last changed."""
    if not path.is_dir():
        return path.stat().st_mtime
    return max((found.stat().st_mtime for found in path.rglob("*.py")), default=0.0)
