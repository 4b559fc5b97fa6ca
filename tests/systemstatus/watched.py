"""Modules for tests, registered for their time only, and what their probes answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from systemstatus import registry
from systemstatus.registry import Layer, Module, Probe, Reading


@contextmanager
def only(*modules: Module) -> Iterator[None]:
    """Watch these modules and no other."""
    before = dict(registry.registered)
    registry.registered.clear()
    try:
        for module in modules:
            registry.register(module)
        yield
    finally:
        registry.registered.clear()
        registry.registered.update(before)


def module(name: str, *probes: Probe, **facts: Any) -> Module:
    """Return a module of probes."""
    given: dict[str, Any] = {"title": name, "layer": Layer.APP, "core": True, "owner": "tests", **facts}
    return Module(name=name, probes=probes, **given)


def probe(answer: Callable[[], Reading] | dict[str, Any], name: str = "look", **facts: Any) -> Probe:
    """Return a probe that answers with values, or by a function."""
    return Probe(name, answer if callable(answer) else lambda: Reading(answer), **facts)
