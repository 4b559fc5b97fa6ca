"""The status of everything, and the one sentence that says which layer fails, since when, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from healthpilot.web.templatetags.figures import relative
from systemstatus import registry
from systemstatus.models import Alert, Severity
from systemstatus.moment import GONE_AFTER_S, OLD_AFTER_S, Moment
from systemstatus.phrases import capital, layer_of, phrase, tells_of_itself, title_of, value_of
from systemstatus.registry import Layer
from systemstatus.standing import ERROR, OFF, OK, RANK, UNKNOWN, WARN, WORDS, Standing, of_alert, worst
from systemstatus.wording import span_text

LINKS: Final = 4
CAUSE: Final = "Cause"
FIGURE_WITHIN_S: Final = 300
# A cause may show later than what it causes, for rules judge windows of 1 to 15 minutes; not hours later.
CAUSE_WITHIN: Final = timedelta(minutes=20)
# Of one part, what fails is said before what is slow.
FAILING: Final = frozenset({"check.down", "api.errors", "queue.failures", "integration.failures"})
# What wants care one day, and makes nothing above it fail or wait.
EXPLAINS_NOTHING: Final = frozenset(
    {"cache.hit", "db.dead_tuples", "db.bloat", "db.xid_age", "db.inactive_slot", "tls.days"}
)


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong: with which module, since when, and in what words."""

    module: str
    status: str
    phrase: str
    since: datetime | None
    word: str = ""
    caused_by: str = ""
    rule: str = ""


@dataclass(frozen=True)
class Link:
    """One step of how it came to this: when and where, what, and how bad."""

    at: str
    what: str
    status: str
    word: str


@dataclass(frozen=True)
class Verdict:
    """The status of everything at a moment: ok, warn, error or unknown, and the sentence for it."""

    status: str
    sentence: str
    since: datetime | None = None
    why: str = ""
    chain: Sequence[Link] = field(default_factory=list)

    @property
    def word(self) -> str:
        return WORDS[self.status]

    @property
    def is_explained(self) -> bool:
        """Whether the chain leads from a cause to what people notice; else it lists what is wrong."""
        return any(link.word == CAUSE for link in self.chain)


def verdict(moment: Moment, found: Sequence[Standing]) -> Verdict:
    """Return the verdict on a moment.

    RED where a critical alert fires, a core part is down, or nothing is known of one for five minutes; YELLOW
    where a budget's warning is breached or anything else is not well. Without data nothing is green.
    """
    if moment.newest is None:
        return Verdict(UNKNOWN, "Nothing is known: no snapshot has been collected yet.", why=counted(found))
    troubles = sorted(troubles_of(moment, found), key=lambda one: -RANK[one.status])
    status = status_of(moment, found, troubles)
    if not troubles:
        return Verdict(status, well(found), why=counted(found))
    head = headline(troubles)
    cause = root(head, troubles)
    return Verdict(
        status, sentence(head, cause), since(head, cause), why(found, troubles), chain(head, cause, troubles)
    )


def status_of(moment: Moment, found: Sequence[Standing], troubles: Sequence[Trouble]) -> str:
    """Return the status of everything: the worst trouble, what is unknown as a warning."""
    statuses = [one.status for one in troubles]
    if moment.is_old or any(one.module.core and one.status == UNKNOWN for one in found):
        statuses.append(WARN)
    known = [WARN if status == UNKNOWN else status for status in statuses]
    return worst(known) or (OK if any(one.status == OK for one in found) else UNKNOWN)


def troubles_of(moment: Moment, found: Sequence[Standing]) -> Iterator[Trouble]:
    """Yield what is wrong: late snapshots, alerts that fired, and modules that are not well without one."""
    if moment.is_old:
        age = relative(moment.at - moment.newest).removesuffix(" ago") if moment.newest else ""
        bad = ERROR if moment.is_gone else WARN
        yield Trouble("collector", bad, f"nothing has been collected for {age}", moment.newest)
    if (late := unjudged(moment)) is not None:
        yield late
    for alert in moment.alerts:
        if (status := of_alert(alert)) in {WARN, ERROR, UNKNOWN}:
            yield of_fired(alert, status)
    for one in found if not moment.is_gone else ():
        if (alone_status := alone(one, moment)) is not None:
            yield Trouble(one.module.name, alone_status, unwell(one), one.unwell_since, one.word)


def unjudged(moment: Moment) -> Trouble | None:
    """Return the trouble of rules that nobody evaluates: without them no alert can say anything."""
    if moment.is_old:
        return None
    late_s = moment.unjudged_s
    if late_s is None:
        return Trouble("alerts", WARN, "alerts have never been evaluated", None)
    if late_s <= OLD_AFTER_S:
        return None
    status = ERROR if late_s > GONE_AFTER_S else WARN
    said = f"alerts have not been evaluated for {span_text(late_s * 1000)}"
    return Trouble("alerts", status, said, moment.judged_at)


def of_fired(alert: Alert, status: str) -> Trouble:
    """Return the trouble of an alert; one that is critical for want of data makes the whole red too."""
    is_critical = status == ERROR or alert.severity == Severity.CRITICAL
    bad = status if not is_critical else ERROR if alert.core else WARN
    said, value = phrase(alert), value_of(alert)
    return Trouble(alert.module, bad, said, alert.began_at, value, alert.caused_by, alert.rule)


def alone(one: Standing, moment: Moment) -> str | None:
    """Return the status of a module that its snapshot makes worse than its alerts do; else None."""
    status = by_snapshot(one, moment)
    told = worst(of_alert(alert) for alert in one.alerts)
    return status if status and RANK[status] > RANK[told] else None


def by_snapshot(one: Standing, moment: Moment) -> str | None:
    """Return the status that a module's snapshot gives the whole; None where it is well.

    What is not core and not known, such as a service that nobody asked of late, colours only itself.
    """
    if one.own in {OK, OFF}:
        return None
    if not one.module.core:
        return None if one.own == UNKNOWN else WARN
    if one.own == UNKNOWN:
        return ERROR if one.row and one.is_long_unknown(moment.at, GONE_AFTER_S) else UNKNOWN
    return ERROR if one.is_down(moment.at) else WARN


def unwell(one: Standing) -> str:
    """Return in words how a module is unwell."""
    title = one.module.title
    return {UNKNOWN: f"nothing is known of {title}", ERROR: f"{title} fails its check"}.get(
        one.own, f"{title} is not quite well"
    )


def headline(troubles: Sequence[Trouble]) -> Trouble:
    """Return the worst trouble; among equals the one that people notice first, nearest to the edge."""
    bad = [one for one in troubles if one.status == troubles[0].status]
    return min(bad, key=lambda one: (depth(one.module), one.rule not in FAILING))


def depth(name: str) -> int:
    module = registry.registered.get(name)
    return list(Layer).index(module.layer) if module else len(Layer)


def root(head: Trouble, troubles: Sequence[Trouble]) -> Trouble:
    """Return the trouble that explains another: what it names as its cause, or what its module depends on."""
    by_module: dict[str, Trouble] = {}
    for one in sorted(troubles, key=says_first):
        if one.rule not in EXPLAINS_NOTHING:
            by_module.setdefault(one.module, one)
    seen, at = {head.module}, head
    while (under := below(at, by_module, seen)) is not None:
        seen.add(under.module)
        at = under
    return at


def says_first(one: Trouble) -> tuple[bool, float]:
    """Return an order in which troubles say what is wrong: the earliest first, a figure before a check.

    A check that fails beside a figure beyond its limit fails of the same, a few minutes sooner or later.
    """
    late_s = FIGURE_WITHIN_S if one.rule == "check.down" else 0
    return one.since is None, one.since.timestamp() + late_s if one.since else 0


def below(at: Trouble, by_module: Mapping[str, Trouble], seen: set[str]) -> Trouble | None:
    """Return the trouble of a module that this one rests on; None where all of those are well.

    One that this very trouble explains, as a silent collector explains what is unknown, is none, and
    neither is one that began long after it.
    """
    module = registry.registered.get(at.module)
    names = [at.caused_by, *(module.depends_on if module else ())]
    known = (by_module[name] for name in names if name in by_module and name not in seen)
    return next((one for one in known if one.caused_by != at.module and may_cause(one, at)), None)


def may_cause(one: Trouble, other: Trouble) -> bool:
    """Whether one trouble began early enough to be the cause of another, or is named as it."""
    if other.caused_by == one.module:
        return True
    if tells_of_itself(other.rule):
        return False
    if one.since is None or other.since is None:
        return True
    return one.since <= other.since + CAUSE_WITHIN


def sentence(head: Trouble, cause: Trouble) -> str:
    """Return the sentence: what is noticed, because of what, since when."""
    because = f" because {cause.phrase}" if cause is not head else ""
    start = since(head, cause)
    at = f", since {start:%H:%M} UTC" if start else ""
    return f"{capital(head.phrase)}{because}{at}."


def since(head: Trouble, cause: Trouble) -> datetime | None:
    return min((one.since for one in (head, cause) if one.since), default=None)


def chain(head: Trouble, cause: Trouble, troubles: Sequence[Trouble]) -> list[Link]:
    """Return how it came to this, the first first; nothing where there is but one thing."""
    others = [one for one in troubles if one not in (head, cause) and one.since]
    told = [head, *([cause] if cause is not head else []), *others][:LINKS]
    ordered = sorted(told, key=lambda one: (one.since is None, one.since))
    return [link(one, is_cause=one is cause is not head) for one in ordered] if len(told) > 1 else []


def link(one: Trouble, *, is_cause: bool) -> Link:
    where = capital(layer_of(one.module)) or title_of(one.module)
    at = f"{one.since:%H:%M} {where}" if one.since else where
    return Link(at, capital(one.phrase), one.status, CAUSE if is_cause else WORDS[one.status])


def why(found: Sequence[Standing], troubles: Sequence[Trouble]) -> str:
    """Return the sentence below: how many modules are well, and how much else is wrong."""
    more = len(troubles) - 1
    also = f" {more} more thing{'' if more == 1 else 's'} to look at." if more else ""
    return counted(found) + also


def counted(found: Sequence[Standing]) -> str:
    """Return how many modules are well, and how the others stand: '5 of 8 modules are OK, 1 is unknown.'"""
    fine = sum(one.status == OK for one in found)
    counts = {status: sum(one.status == status for one in found) for status in (ERROR, WARN, UNKNOWN, OFF)}
    words = {ERROR: "in error", WARN: "in warning", UNKNOWN: "unknown", OFF: "not configured"}
    rest = [f"{count} {words[status]}" for status, count in counts.items() if count]
    return f"{', '.join([f'{fine} of {len(found)} modules are OK', *rest])}."


def well(found: Sequence[Standing]) -> str:
    if any(one.status == OK for one in found):
        return "Everything that is watched is well."
    return "Nothing that is watched has said anything yet."
