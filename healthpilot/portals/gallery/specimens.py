"""Every component with the states in which it can be seen, in the order of the gallery."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.template import engines

from healthpilot.portals.gallery import contexts, samples
from healthpilot.portals.gallery.contexts import SEVEN, Context, by_name


@dataclass(frozen=True)
class Specimen:
    """One component: its template, what it is given in each state, and the room that one of them takes."""

    key: str
    title: str
    template: str
    states: Mapping[str, Context]
    room: str = "half"
    described_by: str = ""

    @property
    def usage(self) -> str:
        """What the head of the component's template says about its arguments."""
        name = self.described_by or self.template
        return documented(engines["django"].get_template(name).template.source)  # type: ignore[attr-defined] # a Django template has it

    @property
    def component(self) -> str:
        return self.described_by or self.template


def documented(source: str) -> str:
    """Return the first comment of a template in one line; empty where there is none."""
    marks = [("{% comment %}", "{% endcomment %}"), ("{#", "#}")]
    found = [(source.find(start), start, end) for start, end in marks if start in source]
    if not found:
        return ""
    place, start, end = min(found)
    return " ".join(source[place + len(start) :].partition(end)[0].split())


def component(name: str) -> str:
    return f"components/_{name}.html"


def sample(name: str) -> str:
    return f"portals/gallery/_{name}.html"


def one(**context: object) -> dict[str, Context]:
    return {"ready": context}


def specimens() -> list[Specimen]:
    """Return all components: those that carry data first, then what stands in and round them."""
    return [*data(), *controls(), *pieces()]


def data() -> list[Specimen]:
    views, statuses = ("chart", "table", "both"), ("error", "warn", "ok", "unknown")
    chart_card = component("chart_card")
    budgets = one(id="budgets", title="Budgets", level=4, sentence="", table=samples.budgets("budgets-rows"))
    return [
        Specimen("kpi", "KPI card", component("kpi"), by_name(SEVEN, contexts.kpi), "quarter"),
        Specimen("chart_card", "Chart card", chart_card, by_name(SEVEN, contexts.chart), "third"),
        Specimen(
            "chart_switch",
            "Chart card with a switch",
            chart_card,
            by_name(views, contexts.switched),
            "full",
        ),
        Specimen("table_card", "Table", component("table_card"), by_name(SEVEN, contexts.table)),
        Specimen(
            "table", "Table of few columns", component("table_card"), budgets, "full", component("table")
        ),
        Specimen(
            "verdict", "Verdict sentence", component("verdict"), by_name(statuses, contexts.verdict), "full"
        ),
        Specimen(
            "heartbeat", "Heartbeat strip", sample("heartbeats"), {"ready": contexts.heartbeats()}, "full"
        ),
        Specimen(
            "facts",
            "Facts",
            sample("facts_card"),
            one(facts=samples.FACTS, title="Within budget"),
            described_by=component("facts"),
        ),
        Specimen("definitions", "Definition list", component("definitions"), one(pairs=samples.PAIRS)),
        Specimen("sparkline", "Sparkline", sample("sparkline"), samples.SPARKLINES, "quarter"),
        Specimen("progress", "Progress bar", component("progress"), samples.PROGRESS, "third"),
    ]


def controls() -> list[Specimen]:
    picker = one(label="Range", presets=samples.PRESETS, custom=sample("own_days"))
    return [
        Specimen(
            "tabs",
            "Tabs",
            sample("tabs"),
            by_name(("row", "column"), contexts.tabs),
            "full",
            component("tabs"),
        ),
        Specimen("range", "Range picker", component("range"), picker),
        Specimen(
            "refresh",
            "Refresh control",
            sample("refreshed"),
            {"running": contexts.refresh()},
            described_by=component("refresh"),
        ),
        Specimen(
            "change_form",
            "Change form",
            sample("change"),
            by_name(("ready", "changed", "wrong"), contexts.change),
            "third",
            component("change_form"),
        ),
        Specimen(
            "combobox",
            "Typeahead",
            sample("combobox"),
            by_name(("closed", "open", "none"), contexts.combobox),
            "third",
            component("combobox"),
        ),
        Specimen("buttons", "Buttons and fields", sample("buttons"), one()),
        Specimen("copy", "Copy button", sample("copy"), one(), described_by=component("copy")),
        Specimen(
            "dialog",
            "Dialog and drawer",
            sample("dialog"),
            samples.DIALOGS,
            described_by=component("dialog"),
        ),
    ]


def pieces() -> list[Specimen]:
    shapes = {shape: {"shape": shape, "size": "h-220"} for shape in ("value", "lines", "rows", "figure")}
    return [
        Specimen("banner", "Banner", component("banner"), by_name(samples.BANNERS, contexts.banner)),
        Specimen(
            "notice", "Notice after a failed request", component("notice"), {"error": samples.FAILED_REQUEST}
        ),
        Specimen("failed", "Page not filled", component("failed"), {"error": samples.FAILED_PAGE}),
        Specimen("toast", "Toast", component("toast"), samples.TOASTS),
        Specimen("badge", "Badges", sample("badges"), one()),
        Specimen("time", "Time", component("time"), samples.TIMES, "quarter"),
        Specimen("skeleton", "Skeleton", component("skeleton"), shapes, "quarter"),
    ]
