"""What surrounds every tab: the tabs with their states, how fresh snapshots are, which minute shows."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from healthpilot.web.templatetags.figures import relative
from systemstatus.moment import GONE_AFTER_S, Moment
from systemstatus.standing import NONE, OFF, OK, UNKNOWN, WORDS, Standing, of_alert, worst
from systemstatus.tabs import TABS, Tab
from systemstatus.thresholds import BY_ID


@dataclass(frozen=True)
class Line:
    """One tab in the list: where it leads, how what it is about stands, and how much is open on it."""

    tab: Tab
    url: str
    is_current: bool
    status: str
    count: int

    @property
    def word(self) -> str:
        return WORDS[self.status]


@dataclass(frozen=True)
class Banner:
    """What concerns every tab: status (warn, error, info), a title, and a sentence."""

    status: str
    title: str
    text: str


def lines(moment: Moment, found: Sequence[Standing], overall: str, current: Tab | None) -> list[Line]:
    """Return the eleven tabs, each coloured by what it is about; overall: the status of everything."""
    own = {"overview": overall, "alerts": of_alerts(moment), "budgets": of_alerts(moment, BY_ID)}
    return [
        Line(
            tab,
            tab.url + moment.query,
            tab is current,
            own[tab.slug] if tab.slug in own else of_modules(tab, found),
            count_of(tab, moment),
        )
        for tab in TABS
    ]


def of_modules(tab: Tab, found: Sequence[Standing]) -> str:
    """Return the worst status of the modules that a tab tells of; none where none is configured."""
    status = worst(one.status for one in found if tab.shows(one.module))
    return NONE if status == OFF else status


def of_alerts(moment: Moment, rules: Container[str] | None = None) -> str:
    """Return the worst status of open alerts of certain rules; unknown while nobody evaluates them."""
    late_s = moment.unjudged_s
    if moment.is_gone or late_s is None or late_s > GONE_AFTER_S:
        return UNKNOWN
    told = [of_alert(alert) for alert in moment.alerts if rules is None or alert.rule in rules]
    return worst(told) or OK


def count_of(tab: Tab, moment: Moment) -> int:
    return len(moment.alerts) if tab.slug == "alerts" else 0


def said(overall: str, moment: Moment, current: Tab | None) -> str:
    """Return what is read out after a swap, and again only when it changes: statuses, no figures."""
    status = WORDS[overall]
    count = len(moment.alerts)
    alerts = f"{count} open alert{'' if count == 1 else 's'}"
    return f"{current.title if current else 'System Status'}. Overall {status}, {alerts}."


def earlier(moment: Moment) -> datetime:
    """Return the minute that the arrow to the left leads to: one of the grain before, from now 15 minutes."""
    step = moment.grain.minutes if moment.is_past else 15
    return moment.at - timedelta(minutes=step)


def later(moment: Moment) -> datetime:
    return min(moment.now, moment.at + timedelta(minutes=moment.grain.minutes))


def banners(moment: Moment) -> list[Banner]:
    """Return what is said above the tab: what was asked and cannot be shown, how old snapshots are."""
    said = [Banner("warn", "This minute cannot be shown", f"{moment.problem}. Now is shown.")]
    return [*(said if moment.problem else []), *freshness(moment)]


def freshness(moment: Moment) -> list[Banner]:
    """Return a banner where snapshots are late: yellow after two minutes, red after five."""
    if moment.newest is None:
        title = "Nothing has been collected yet" if not moment.is_past else "Nothing was collected by then"
        remedy = "The collector runs every minute under ./run up; ./run manage collect_metrics collects once."
        return [Banner("error", title, f"Every status is unknown. {remedy}")]
    if not moment.is_old:
        return []
    old = relative(moment.at - moment.newest).removesuffix(" ago")
    title = f"The newest snapshot is {old} old" + (" at this minute" if moment.is_past else "")
    if moment.is_gone:
        text = "Figures below are the last that were seen, and every status counts as unknown. "
        return [Banner("error", title, text + "See whether beat and a worker run: ./run manage doctor.")]
    return [Banner("warn", title, "One comes every minute. What is shown may have changed since.")]
