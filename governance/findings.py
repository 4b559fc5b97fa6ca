"""What a check found: an id, a place, what is wrong, and what mends it. Standard library only."""

ERROR, WARNING = "error", "warning"

# Every id there is, and what it stands for; `governance selftest` makes each of them fire once.
CATALOGUE = {
    "E001": "a required document is missing",
    "E002": "replit.md holds no BOOTLOADER section",
    "E003": "a document outside the allowlist",
    "E004": "the BOOTLOADER differs from what its last decision approved",
    "W006": "a known document outside the allowlist, not yet logged as a conflict",
    "E005": "content in the wrong document",
    "E010": "a line that does not parse, or a file that cannot be read safely",
    "E011": "a task id used twice",
    "E012": "a title used twice; a warning where it is nearly another",
    "E013": "a task without title, plan, needs or acceptance",
    "E014": "an interface task without check, Playwright and Axe acceptance",
    "E015": "a big-data task without batching, pagination and DataQueue acceptance",
    "E016": "a dependency that does not exist, or that comes back to its task",
    "E017": "more than one task is being done",
    "E018": "a task is being done outside the current plan",
    "E019": "a task is being done, or done, before what it needs",
    "E020": "a done task without files and tests",
    "E021": "a performance checklist that is not eight valid lines",
    "E022": "a done task with open acceptance",
    "W023": "evidence that no longer matches its files",
    "E024": "a done task that no decision names",
    "E030": "the chain of decisions is broken",
    "E031": "an earlier version of docs/DECISIONS.md is no longer its beginning",
    "E032": "a decision id out of order or used twice, or a reference to nothing",
    "W033": "a decision that is not sealed (an error on main)",
    "E040": "a live budget differs from its latest decision",
    "E041": "a budget changed without decision and task",
    "W050": "a place that a task names is gone",
    "E060": "an address that catches all",
    "E061": "a dependency that no decision approves",
    "E062": "a noqa or type: ignore without its reason",
    "C090": "the emergency stop is active",
    "E091": "a bypass without the decision that explains it",
    "W099": "the checker itself failed (an error in CI)",
}
STOP = "C090"


class Finding:
    """One thing that is wrong.

    Attributes: id (a key of CATALOGUE), path and line (from 1) of the place, message (one line), hint (what
    mends it, a command where there is one), level ("error" or "warning").
    """

    __slots__ = ("hint", "id", "level", "line", "message", "path")

    def __init__(self, id: str, path: str, line: int, message: str, hint: str, level: str = "") -> None:  # noqa: A002 - the word for it
        self.id = id
        self.path = path
        self.line = line
        self.message = message
        self.hint = hint
        self.level = level or (WARNING if id.startswith("W") else ERROR)

    @property
    def place(self) -> str:
        """The place as editors and terminals understand it: path:line."""
        return f"{self.path}:{self.line}"

    def pack(self) -> tuple[str, str, int, str, str, str]:
        """Return the finding as plain values, which Finding(*values) brings back."""
        return (self.id, self.path, self.line, self.message, self.hint, self.level)

    def __repr__(self) -> str:
        return f"{self.id} {self.place}: {self.message}"


def errors(findings: list[Finding]) -> list[Finding]:
    """Return those that stop a command where documents are enforced."""
    return [finding for finding in findings if finding.level == ERROR]
