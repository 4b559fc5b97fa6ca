"""Tells the processes of a worker's pool that it is being stopped, so that jobs end between two batches."""

import multiprocessing
from typing import Any

from celery.signals import worker_shutting_down

# Made before the pool forks, so that its processes share it.
_near = multiprocessing.get_context("fork").Event()


@worker_shutting_down.connect(weak=False)
def announce(**options: Any) -> None:
    """Called in the worker's main process when it was asked to end."""
    _near.set()


def is_near() -> bool:
    """Say whether the worker of this process is being stopped."""
    return _near.is_set()
