"""What both parsers share: ids, titles, and the one error for whatever is not in the grammar.

Standard library only, and none of its slow parts: this is imported before every command.
"""

from governance.findings import Finding

MOST_FAULTS = 10
STOP_WORDS = frozenset(("a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with"))


SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}


class Faults:
    """The E010 findings of one document; after MOST_FAULTS the rest is counted."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[Finding] = []
        self.more = 0

    def add(self, line: int, message: str, hint: str) -> None:
        """Note a line that is not in the grammar."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(Finding("E010", self.path, line, message, hint))
        else:
            self.more += 1

    def all(self) -> list[Finding]:
        """Return the findings, the last one saying how many are not shown."""
        if self.more:
            self.found[-1].message += f" ({self.more} more lines do not parse.)"
            self.more = 0
        return self.found


def is_id(word: str, letter: str, digits: int = 4) -> bool:
    """Say whether a word is an id such as T-0042 (or P-003 with three digits)."""
    return (
        len(word) == digits + 2
        and word[0] == letter
        and word[1] == "-"
        and word[2:].isdigit()
        and word.isascii()
    )


def is_date(word: str) -> bool:
    """Say whether a word is a day such as 2026-11-22."""
    if not (len(word) == 10 and word[4] == word[7] == "-" and word.isascii()):
        return False
    year, month, day = word[:4], word[5:7], word[8:]
    if not (year.isdigit() and month.isdigit() and day.isdigit()):
        return False
    lengths = (31, 29 if is_leap(int(year)) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= int(month) <= 12 and 1 <= int(day) <= lengths[int(month) - 1]


def is_leap(year: int) -> bool:
    """Say whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def heading(line: str, letter: str) -> tuple[str, str] | None:
    """Return id and title of `### T-0042 — Title`, '' for a missing title; None for any other line."""
    if not (line.startswith("### ") and is_id(line[4:10], letter)):
        return None
    if line[10:].strip() in ("", "—"):
        return line[4:10], ""
    title = line[13:]
    return (line[4:10], title) if line[10:13] == " — " and title == title.strip() else None


def words_of(title: str) -> tuple[str, ...]:
    """Return a title's words as they are compared: lower case, no punctuation, no small words, no plural,
    in alphabetical order.
    """
    lower = title.lower()
    if lower.isascii():
        plain = lower.translate(SPACES)
    else:
        plain = "".join(letter if letter.isalnum() else " " for letter in lower)
    words = [word for word in plain.split() if word not in STOP_WORDS]
    return tuple(sorted(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words))
