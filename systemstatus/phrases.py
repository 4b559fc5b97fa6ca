"""What is wrong, in a few words: one phrase for each rule, for verdicts and lists."""

from collections.abc import Mapping
from typing import Final

from systemstatus import registry
from systemstatus.models import Alert, AlertState
from systemstatus.registry import CheckState
from systemstatus.thresholds import BY_ID
from systemstatus.wording import figure_text

SHORT: Final = 60
# Where it reads better than "the metric of the module is at the value".
PHRASES: Final[Mapping[str, str]] = {
    "api.p50": "half of all requests take {value} or longer",
    "api.p95": "pages are slow, p95 {value}",
    "api.p99": "the slowest requests take {value}",
    "api.errors": "{value} of requests fail",
    "api.burn": "the error budget burns at {value} its rate",
    "api.exceptions": "errors come at {value}",
    "db.connections": "{title} has {value} of its connections in use",
    "db.cache_hit": "{title} finds only {value} of its blocks in memory",
    "db.longest_query": "a query in {title} has run for {value}",
    "db.idle_in_tx": "a session in {title} has been idle in its transaction for {value}",
    "db.lock_wait": "a session in {title} has waited {value} for a lock",
    "db.lock_table": "{title} has {value} of its lock table in use",
    "db.deadlocks": "{title} broke {value} deadlocks",
    "db.replica_lag": "the replica{of} is {value} behind",
    "db.inactive_slot": "a replication slot{of} has had no reader for {value}",
    "queue.oldest": "jobs{queue} are {value} late",
    "queue.depth": "{value} wait{queue}",
    "queue.failures": "{value} of job runs{queue} fail",
    "queue.worker_heartbeat": "a worker{of} has been silent for {value}",
    "queue.progress": "a job{of} has made no progress for {value}",
    "queue.canary": "a trial job{queue} takes {value}",
    "queue.beat_lateness": "the schedule is {value} late",
    "cache.memory": "{title} has {value} of its memory in use",
    "cache.evictions": "{title} throws out {value}",
    "cache.rtt": "{title} answers in {value}",
    "cache.hit": "{title} answers only {value} of lookups",
    "storage.probe": "{title} takes {value} for a file",
    "integration.p95": "{title} answers in {value}",
    "integration.failures": "{value} of calls to {title} fail",
    "tls.days": "a certificate{of} ends in {value}",
    "host.disk": "the disk is {value} full",
    "cost.rollup_age": "costs were last closed {value} ago",
    "collector.age": "nothing has been collected for {value}",
    "collector.pass": "collecting takes {value}",
    "alerts.unsent": "a notice has waited {value} to be sent",
    "check.down": "{title} fails its check{of}{why}",
    "module.unknown": "nothing is known of {title}",
}

# Their messages say more than the rule could: whose cap, and on what.
IN_OWN_WORDS: Final = frozenset({"cost.budget"})


def phrase(alert: Alert) -> str:
    """Return what an alert says, as part of a sentence; figures are those it was last judged by."""
    form = PHRASES.get(alert.rule)
    if form is None or ("{value}" in form and alert.value is None):
        return other(alert)
    target = alert.target
    return form.format(
        value=value_of(alert),
        title=title_of(alert.module),
        of=f" of {target}" if target else "",
        queue=f" in queue {target}" if target else "",
        why=why(alert),
    )


def why(alert: Alert) -> str:
    """Return a check's own words for what is wrong, in brackets; empty where they are long or a state."""
    said = alert.message.removeprefix(f"{title_of(alert.module)}, {alert.target}: ")
    is_short = said != alert.message and said not in set(CheckState) and len(said) <= SHORT
    return f" ({said})" if is_short else ""


def tells_of_itself(rule: str) -> bool:
    """Whether a rule of an app above judges what no part below can be the cause of, such as what is spent."""
    return bool(rule) and (rule in IN_OWN_WORDS or (rule not in PHRASES and rule not in BY_ID))


def other(alert: Alert) -> str:
    """Return what an alert says whose rule has no phrase: the metric, or the message's first sentence."""
    budget = BY_ID.get(alert.rule)
    of = f" of {alert.target}" if alert.target else ""
    if budget and alert.state in {AlertState.NO_DATA, AlertState.ERROR}:
        return f"nothing is known of {budget.metric}{of}"
    if budget and alert.value is not None and alert.rule not in IN_OWN_WORDS:
        return f"{budget.metric}{of} is {value_of(alert)}"
    return alert.message.partition(". ")[0].rstrip(".") or f"{alert.rule}{of}"


def value_of(alert: Alert) -> str:
    """Return an alert's value with its unit; empty without one."""
    budget = BY_ID.get(alert.rule)
    unit = alert.unit or (budget.unit if budget else "")  # what tells of a past minute keeps none
    return "" if alert.value is None else figure_text(alert.value, unit)


def title_of(name: str) -> str:
    """Return a module's title; the name itself where it is not registered."""
    module = registry.registered.get(name)
    return module.title if module else name


def layer_of(name: str) -> str:
    """Return the word for a module's layer; empty where it is not registered."""
    module = registry.registered.get(name)
    return str(module.layer) if module else ""


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
