"""The seven states of whatever shows data: what to say in each, and whether the data still show beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

LOADING, READY, EMPTY, FILTERED, STALE, PARTIAL, ERROR = KINDS = (
    "loading", "ready", "empty", "filtered", "stale", "partial", "error",
)  # fmt: skip
BLANK = {EMPTY: "i-inbox", FILTERED: "i-filter"}
NOTED = {STALE: ("Stale", "stale"), PARTIAL: ("Warning", "warn"), ERROR: ("Error", "error")}


@dataclass(frozen=True)
class Act:
    """One thing that a person can do about a state: its words and where it leads."""

    label: str
    url: str


@dataclass(frozen=True)
class State:
    """What a component is in. An error keeps the old data unless it says that there are none."""

    kind: str = READY
    title: str = ""
    text: str = ""
    acts: Sequence[Act] = ()
    reference: str = ""
    has_data: bool = True

    @property
    def is_loading(self) -> bool:
        return self.kind == LOADING

    @property
    def is_blank(self) -> bool:
        """Nothing to show, with a reason in its place."""
        return self.kind in BLANK or not self.has_data

    @property
    def is_noted(self) -> bool:
        """The data show under a line that says what is wrong with them."""
        return self.kind in NOTED and self.has_data

    @property
    def icon(self) -> str:
        """The symbol's name in the sprite."""
        return BLANK.get(self.kind) or f"s-{self.tone}"

    @property
    def tone(self) -> str:
        """The status colour's name; none where the state is no status."""
        return NOTED[self.kind][1] if self.kind in NOTED else ""

    @property
    def word(self) -> str:
        """What the colour and the shape mean, in a word."""
        return NOTED[self.kind][0] if self.kind in NOTED else ""


def ready() -> State:
    return State()


def loading() -> State:
    """Return the state before the first data: a skeleton of the final size."""
    return State(LOADING)


def empty(title: str, text: str, *acts: Act) -> State:
    """Return the state without any data: the cause and the next step."""
    return State(EMPTY, title, text, acts)


def filtered(title: str, text: str, *acts: Act) -> State:
    """Return the state in which a filter hides everything: which one, and how to clear it."""
    return State(FILTERED, title, text, acts)


def stale(text: str, *acts: Act) -> State:
    """Return the state with the last good data: their age and why no newer ones came."""
    return State(STALE, "", text, acts)


def partial(text: str, *acts: Act) -> State:
    """Return the state in which a part is missing: which, and what still adds up."""
    return State(PARTIAL, "", text, acts)


def error(text: str, *acts: Act, title: str = "", reference: str = "", has_data: bool = True) -> State:
    """Return the state after a failure: what happened, Retry among the acts, a reference to copy."""
    return State(ERROR, title, text, acts, reference, has_data)
