"""Looks at what is there: addresses, models and tables, Celery tasks and schedule, commands, templates."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from celery import current_app
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.urls import get_resolver

from governance import addresses
from governance.parser import words_of
from governance.places import is_ours, place_of, symbol_of
from governance.todo import Task, Todo

COMMON_SHARE = 0.15
LEAST_WEIGHT = 2
MOST_PLACES = 8


@dataclass(frozen=True)
class Item:
    """One thing that exists: its kind, its name, its place as path or path#symbol."""

    kind: str
    name: str
    place: str

    def words(self) -> set[str]:
        """Return the words by which a task may speak of it."""
        text = f"{self.name} {self.place}".replace("_", " ")
        split = "".join(f" {letter}" if letter.isupper() else letter for letter in text)
        return {word for word in (self.name.lower(), *words_of(text), *words_of(split)) if len(word) > 2}


def look(root: str) -> list[Item]:
    """Return everything of this repository that exists, by kind and name."""
    found = {*routes(), *models(), *tasks(), *commands(), *templates(root)}
    return sorted(found, key=lambda item: (item.kind, item.name, item.place))


def routes() -> Iterator[Item]:
    """Yield the addresses whose view is ours."""
    for route, pattern in addresses.leaves(get_resolver().url_patterns):
        if is_ours(pattern.callback):
            yield Item("route", f"/{route}", symbol_of(pattern.callback))


def models() -> Iterator[Item]:
    """Yield the models that are ours, with their tables."""
    for model in apps.get_models():
        if is_ours(model):
            yield Item("table", model._meta.db_table, symbol_of(model))


def tasks() -> Iterator[Item]:
    """Yield the Celery tasks that are ours; a scheduled one says how often."""
    current_app.loader.import_default_modules()
    ticks = {entry["task"]: entry["schedule"] for entry in (current_app.conf.beat_schedule or {}).values()}
    for name, task in current_app.tasks.items():
        if not name.startswith("celery.") and is_ours(task.run):
            every = f" (every {ticks[name]:g} s)" if isinstance(ticks.get(name), int | float) else ""
            yield Item("task", f"{name}{every}", symbol_of(task.run))


def commands() -> Iterator[Item]:
    """Yield the management commands that are ours."""
    for name, app in get_commands().items():
        if isinstance(app, str) and not app.startswith("django."):
            command = type(load_command_class(app, name))
            if is_ours(command):
                yield Item("command", name, place_of(command)[0])


def templates(root: str) -> Iterator[Item]:
    """Yield the templates below templates/ and below the apps' own folders."""
    for path in (*Path(root).glob("templates/**/*.html"), *Path(root).glob("*/templates/**/*.html")):
        place = os.path.relpath(path, root)
        yield Item("template", place.partition("templates/")[2], place)


def propose(todo: Todo, items: list[Item]) -> dict[str, list[Item]]:
    """Return, for each task that is not closed, the things that seem to do some of it already.

    A thing is proposed when it shares at least LEAST_WEIGHT words with what the task says, words that most
    things share not counted. It is a proposal to be looked at: nothing is ticked by it.
    """
    words = {item: item.words() for item in items}
    share = {
        word: sum(word in known for known in words.values()) for known in words.values() for word in known
    }
    rare = {word for word, count in share.items() if count <= max(2, COMMON_SHARE * len(items))}
    found = {}
    for task in todo.tasks:
        if task.state in ("done", "dropped"):
            continue
        wanted = task_words(task) & rare
        ranked = sorted(
            ((len(words[item] & wanted), item) for item in items), key=lambda pair: (-pair[0], pair[1].place)
        )
        places = [item for weight, item in ranked if weight >= LEAST_WEIGHT]
        if places:
            found[task.id] = places[:MOST_PLACES]
    return found


def task_words(task: Task) -> set[str]:
    """Return the words of a task's title, target and acceptance."""
    target = task.value("doc-target").partition("#")[2].replace("-", " ").replace("_", " ")
    text = " ".join([task.title, target, *(item.text for item in task.acceptance)])
    whole = text.lower().replace(",", " ").split()
    return {word for word in (*whole, *words_of(text.replace("_", " "))) if len(word) > 2}
