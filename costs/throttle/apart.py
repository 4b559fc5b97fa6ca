"""Runs reads and writes of budget checks on a connection of their own, out of the host's transaction.

A check may be asked in the middle of a transaction. Folding usage there would hold the partials' lock until
the host commits, and a failed statement would break what the host is doing.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import connection

T = TypeVar("T")
PATIENCE_S: Final = 5.0


class Thread:
    """The one thread of this process for it; a forked child gets its own."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="budget")


thread: Final = Thread()
os.register_at_fork(after_in_child=thread.reset)


def result(question: Callable[[], T]) -> T:
    """Return what the question returns, or raise what it raises; TimeoutError after PATIENCE_S."""

    def answer() -> T:
        try:
            return question()
        finally:
            connection.close()

    return thread.pool.submit(answer).result(PATIENCE_S)
