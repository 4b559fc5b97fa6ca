"""What the cost can be looked into by: one user, domain, model or type of job, each with its own page."""

from dataclasses import dataclass
from urllib.parse import quote

from django.urls import reverse

from costs.bands import label_of


@dataclass(frozen=True)
class Kind:
    """One way to look into the cost: what it is called, and by what else its cost can be broken down."""

    name: str
    noun: str
    plural: str
    nameless: str
    parts: tuple[str, ...]
    has_jobs: bool = True
    has_calls: bool = True


USER = Kind("user", "User", "users", "No user", ("domain", "model", "tier"))
DOMAIN = Kind("domain", "Domain", "domains", "No domain", ("user", "model", "tier"))
MODEL = Kind("model", "Model", "models", "jobs (no model)", ("user", "domain", "tier"), has_jobs=False)
JOB_TYPE = Kind(
    "job_type", "Job type", "job types", "No job type", ("user", "domain", "tier"), has_calls=False
)
KINDS = {kind.name: kind for kind in (USER, DOMAIN, MODEL, JOB_TYPE)}
TITLES = {"tier": "Tier"} | {kind.name: kind.noun for kind in KINDS.values()}


@dataclass(frozen=True)
class Subject:
    """One user, domain, model or job type by its recorded name."""

    kind: Kind
    name: str

    @property
    def label(self) -> str:
        """The name as a page shows it; never empty."""
        return self.name or self.kind.nameless

    @property
    def url(self) -> str:
        return url_of(self.kind.name, self.name) or ""


def url_of(kind: str, name: str) -> str | None:
    """Return the page of a recorded name; None for tiers and for the jobs among models."""
    if kind not in KINDS or (kind == MODEL.name and not name):
        return None
    return reverse(f"costs:{kind}", args=[name])


def label(kind: str, name: str) -> str:
    """Return how a part of the cost is called."""
    if kind == "tier":
        return label_of(name)
    return name or KINDS[kind].nameless


def link(kind: str, name: str, query: str) -> str | None:
    """Return where a part leads: its own page, or for a tier the list of its users, within the same range."""
    if kind == "tier":
        return f"{reverse('costs:dashboard')}?{query}&tier={quote(name, safe='')}#users"
    address = url_of(kind, name)
    return address and f"{address}?{query}"
