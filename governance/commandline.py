"""The arguments of every verb, and which function each calls."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from governance import decisions, history, selftest
from governance.decisions import KINDS
from governance.drafts import day, draft, drafts
from governance.output import Answer
from governance.todo import STATES
from governance.verbs import decide, readcheck, survey, tasks, verify
from governance.verbs.done import Proof, close
from governance.writing import Refused

Verb = Callable[[str, dict[str, Any]], Answer]
TASK_FIELDS = ("plan", "type", "needs", "doc_target", "pre_verified")


def add_verbs(parser: ArgumentParser) -> None:
    """Declare every verb."""
    parser.set_defaults(json=False)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    adders = {
        "readcheck": ("print the proof of reading", add_reading),
        "brief": ("what to know before work", None),
        "report": ("what to say after work", add_report),
        "task": ("change docs/TODO.md", add_task),
        "decide": ("append a decision, sealed", add_decide),
        "seal": ("seal what was appended by hand", add_seal),
        "inventory": ("what exists, and what tasks seem to have already", add_inventory),
        "route": ("which document a topic belongs in", add_route),
        "stop": ("EMERGENCY STOP: block mutating commands and scheduled work", add_draft),
        "resume": ("end the emergency stop", add_draft),
        "verify": ("look at everything, without cache", add_verify),
        "selftest": ("make every id fire once on copies of the documents", None),
    }
    for name, (summary, adder) in adders.items():
        verb = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        verb.add_argument("--json", action="store_true", help="print JSON")
        if adder:
            adder(verb)


def add_reading(verb: ArgumentParser) -> None:
    verb.add_argument("--task", default="", metavar="T-id", help="the task to be worked on")


def add_report(verb: ArgumentParser) -> None:
    verb.add_argument("task", metavar="T-id")


def add_route(verb: ArgumentParser) -> None:
    verb.add_argument("topic", nargs="+")


def add_inventory(verb: ArgumentParser) -> None:
    verb.add_argument("--task", default="", metavar="T-id", help="the proposals for one task alone")


def add_verify(verb: ArgumentParser) -> None:
    verb.add_argument("--base", default="", metavar="REV", help="the version that is landed on")
    verb.add_argument("--format", choices=("text", "annotations"), default="text", help="annotations: for CI")


def add_seal(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--base", default="", metavar="REV", help="number and seal anew what this revision lacks"
    )
    add_dry_run(verb)


def add_dry_run(verb: ArgumentParser) -> None:
    verb.add_argument("--dry-run", action="store_true", help="judge and show, write nothing")


def add_decide(verb: ArgumentParser) -> None:
    verb.add_argument("--kind", choices=KINDS, default="decision")
    verb.add_argument("--sets", action="append", default=[], metavar="'NAME OLD -> NEW'")
    verb.add_argument("--supersedes", default="none", metavar="D-id")
    verb.add_argument(
        "--file", default="", help="entries in the grammar, without numbers and seals (- for standard input)"
    )
    add_draft(verb)


def add_draft(verb: ArgumentParser) -> None:
    """The parts of a decision that every kind has."""
    verb.add_argument("--title", default="")
    for name in ("context", "decision", "consequences"):
        verb.add_argument(
            f"--{name}", default="", metavar="TEXT", help="text, @FILE, or - for standard input"
        )
    verb.add_argument("--task", default="none", metavar="T-id")
    verb.add_argument("--by", default="HealthPilot developers")
    verb.add_argument("--date", type=day, default=None, help="the day, today in UTC by default")
    add_dry_run(verb)


def add_task(verb: ArgumentParser) -> None:
    """The verbs below `task`."""
    below = verb.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in ("add", "extend", "start", "block", "drop", "done", "list"):
        action = below.add_parser(name)
        action.add_argument("--json", action="store_true", help="print JSON")
        if name == "list":
            action.add_argument("--state", choices=STATES, default="")
            action.add_argument("--plan", default="")
            continue
        add_dry_run(action)
        if name == "add":
            add_new_task(action)
        else:
            action.add_argument("task", metavar="T-id")
        if name == "extend":
            action.add_argument("--accept", action="append", default=[], metavar="'KIND: TEXT'")
            action.add_argument("--needs", action="append", default=[], metavar="T-id")
        if name in ("block", "drop"):
            action.add_argument("--why", required=True)
        if name == "done":
            add_proof(action)


def add_new_task(action: ArgumentParser) -> None:
    action.add_argument("title")
    action.add_argument("--doc-target", required=True, metavar="docs/UI_SPEC.md#place")
    action.add_argument("--type", metavar="ui,code")
    action.add_argument("--plan", metavar="P-id")
    action.add_argument("--needs", metavar="T-id,T-id")
    action.add_argument("--pre-verified", metavar="PATH#SYMBOL")
    action.add_argument("--accept", action="append", default=[], metavar="'KIND: TEXT'")
    action.add_argument("--discovered-in", default="", metavar="T-id")


def add_proof(action: ArgumentParser) -> None:
    action.add_argument("--files", default="", metavar="PATH,PATH", help="what was made")
    action.add_argument(
        "--junit", action="append", default=[], metavar="FILE", help="pytest --junit-xml=FILE"
    )
    action.add_argument(
        "--axe", action="append", default=[], metavar="FILE", help="Axe's results (AXE_REPORTS=FOLDER)"
    )
    action.add_argument("--test", action="append", default=[], type=pair, metavar="A2=tests/x.py::name")
    action.add_argument("--seen", action="append", default=[], type=pair, metavar="A2='what was seen'")
    action.add_argument("--answer", action="append", default=[], type=pair, metavar="prefetch=YES")
    action.add_argument("--again", action="store_true", help="prove a task anew that is done already")


def pair(text: str) -> tuple[str, str]:
    """Return both sides of NAME=VALUE."""
    name, sign, value = text.partition("=")
    if not (name and sign and value.strip()):
        raise ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name.strip(), value.strip()


def run_task(root: str, options: dict[str, Any]) -> Answer:
    """Call the function of a verb below `task`."""
    action = options["action"]
    if action == "list":
        return tasks.listing(root, options["state"], options["plan"])
    dry_run = options["dry_run"]
    if action == "add":
        values = {name.replace("_", "-"): spaced(options[name]) for name in TASK_FIELDS if options[name]}
        found_in = options["discovered_in"]
        return tasks.add(
            root, options["title"], values, options["accept"], found_in=found_in, dry_run=dry_run
        )
    if action == "extend":
        return tasks.extend(root, options["task"], options["accept"], options["needs"], dry_run=dry_run)
    if action == "done":
        return close(root, options["task"], proof(options), again=options["again"], dry_run=dry_run)
    state = {"start": "doing", "block": "blocked", "drop": "dropped"}[action]
    return tasks.move(root, options["task"], state, why=options.get("why", ""), dry_run=dry_run)


def spaced(text: str) -> str:
    """Return a list as the grammar writes it, with a space behind each comma."""
    return ", ".join(part.strip() for part in text.split(","))


def proof(options: dict[str, Any]) -> Proof:
    """Return what the arguments bring forward."""
    files = [part.strip() for part in options["files"].split(",") if part.strip()]
    named = {
        name: dict(options[option])
        for name, option in (("tests", "test"), ("seen", "seen"), ("answers", "answer"))
    }
    return Proof(options["junit"], options["axe"], files, **named)


def run_seal(root: str, options: dict[str, Any]) -> Answer:
    """Seal, after --base from the first entry that the revision does not have."""
    if not options["base"]:
        return decide.seal(root, dry_run=options["dry_run"])
    text = history.entries_at(root, options["base"]).decode("utf-8", "replace")
    return decide.seal(root, base_entries=len(decisions.parse(text).entries), dry_run=options["dry_run"])


def run_decide(root: str, options: dict[str, Any]) -> Answer:
    """Append one decision, or those of a file."""
    chosen = drafts(options) if options["file"] else [draft(options, options["kind"])]
    if not chosen:
        raise Refused(f"{options['file']} holds no entry: each begins with `### Title`.")
    return decide.decide(root, chosen, dry_run=options["dry_run"])


VERBS: dict[str, Verb] = {
    "readcheck": lambda root, options: readcheck.readcheck(root, options["task"]),
    "brief": lambda root, options: readcheck.brief(root),
    "report": lambda root, options: readcheck.report(root, options["task"]),
    "task": run_task,
    "decide": run_decide,
    "seal": run_seal,
    "inventory": lambda root, options: survey.survey(root, options["task"]),
    "route": lambda root, options: survey.route(" ".join(options["topic"])),
    "stop": lambda root, options: decide.stop(root, draft(options, "stop"), dry_run=options["dry_run"]),
    "resume": lambda root, options: decide.resume(root, draft(options, "resume"), dry_run=options["dry_run"]),
    "verify": lambda root, options: verify.verify(root, options["base"]),
    "selftest": lambda root, options: selftest.run(root),
}
