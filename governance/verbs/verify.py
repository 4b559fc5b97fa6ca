"""Looks at everything, without cache: documents, tree, addresses, budgets, bypasses, earlier versions."""

from collections.abc import Callable

from governance import addresses, budgets, bypass, gate, history, preflight, rules, tree
from governance.findings import ERROR, STOP, Finding, errors
from governance.output import Answer
from governance.reading import Reading
from governance.rules import titles

Part = Callable[[], list[Finding]]


def verify(root: str, base: str = "") -> Answer:
    """Return every finding; exit code 1 where one is an error.

    Args:
        base: the revision whose docs/DECISIONS.md must be the beginning of the present one.
    """
    found = findings(root, base)
    wrong = [finding for finding in errors(found) if finding.id != STOP]
    if wrong:
        return Answer([f"✕ {count(len(wrong), 'fault')} in the documents or against them"], {}, found, 1)
    rest = f", {count(len(found), 'thing')} to look at" if found else ""
    return Answer([f"✓ the documents are in order{rest}"], {}, found)


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def findings(root: str, base: str = "") -> list[Finding]:
    """Return what every rule says about a folder, and about the running project where that is its folder."""
    reading = Reading(root)
    parts = about_files(reading, base, preflight.data_folder(root))
    if root == preflight.ROOT:
        parts["addresses"] = addresses.check
        parts["budgets"] = lambda: budgets.check(reading.log, budgets.live()) if reading.log else []
    return gate.strictly(gather(parts), root)


def about_files(reading: Reading, base: str, var: str) -> dict[str, Part]:
    """Return the parts that look at files alone."""
    return {
        "rules": lambda: rules.check(reading),
        "titles": lambda: titles.nearly(reading.todo) if reading.todo else [],
        "tree": lambda: tree.check(reading),
        "history": lambda: history.check(reading.root, base),
        "bypass": lambda: bypass.unexplained(var, reading.log),
    }


def gather(parts: dict[str, Part]) -> list[Finding]:
    """Return what the parts say; one that fails itself is W099, and the others go on."""
    found: list[Finding] = []
    for name, part in parts.items():
        try:
            found += part()
        except history.UnknownRevision:
            raise
        except Exception as error:  # a rule that fails must not hide what the others see
            found.append(broken(name, error))
    return found


def broken(name: str, error: Exception) -> Finding:
    """W099: a part of the checker failed itself."""
    level = ERROR if preflight.truthy("CI") else ""
    message = f"the part '{name}' of the checker failed ({type(error).__name__}: {error})."
    return Finding(
        "W099", f"governance/{name}", 1, message, "it is a fault of the checker: mend it there", level
    )
