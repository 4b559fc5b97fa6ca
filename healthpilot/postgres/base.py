"""The database backend of settings.py: what it adds is an end to waiting for a server that is frozen.

statement_timeout is kept by the server, so it is no help against one that stands still, whose connections
stay open and answer nothing. Here the client looks at the clock itself.
"""

import time
from types import ModuleType
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base
from django.utils.asyncio import async_unsafe

# How long a kept connection may take to prove that it still works.
PROOF_S: Final = 2.0
# After a silence nobody waits again for so long: neither the error's own page nor those who queue behind it.
PAUSE_S: Final = 2.0


class PatientConnection(psycopg.Connection[Any]):
    """A connection that closes itself and raises OperationalError when an answer takes too long."""

    patience_s: float | None = None
    tells_others: bool = False

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Run one exchange with the server, for patience_s at most where nobody gave it another limit.

        The result can still arrive after that, so the connection is of no use to anybody else.
        """
        if timeout is not None or self.patience_s is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience_s)
        except psycopg.errors._WaitTimeout as error:
            self.close()
            if self.tells_others:
                Silence.noted()
            said = f"PostgreSQL gave no answer within {self.patience_s:g} s"
            raise psycopg.OperationalError(said) from error


class Silence:
    """Whether the server fell silent a moment ago, as this process saw it."""

    until: float = 0.0

    @classmethod
    def noted(cls) -> None:
        cls.until = time.monotonic() + PAUSE_S

    @classmethod
    def lasts(cls) -> bool:
        return time.monotonic() < cls.until


def driver() -> ModuleType:
    """Return psycopg as Django uses it, but with connections of the kind above."""
    own = ModuleType(psycopg.__name__)
    vars(own).update(vars(psycopg), connect=PatientConnection.connect)
    return own


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper with two OPTIONS more, for who has no time to wait.

    patience_s: the seconds (float) that any answer may take. is_apart: what this connection sees of a silence
    concerns nobody else, and it asks for itself: for health checks, whose limits are tighter than a page's.
    """

    Database = driver()

    @property
    def patience_s(self) -> float | None:
        limit: float | None = self.settings_dict["OPTIONS"].get("patience_s")
        return limit

    @property
    def takes_part(self) -> bool:
        return self.patience_s is not None and not self.settings_dict["OPTIONS"].get("is_apart")

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        for name in ("patience_s", "is_apart"):
            params.pop(name, None)
        return params

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect; who has no time is refused at once while a silence lasts."""
        if self.takes_part and Silence.lasts():
            raise psycopg.OperationalError("PostgreSQL gave no answer a moment ago")
        try:
            link: PatientConnection = super().get_new_connection(conn_params)
        except psycopg.errors.ConnectionTimeout:
            if self.takes_part:
                Silence.noted()
            raise
        link.patience_s, link.tells_others = self.patience_s, self.takes_part
        return link

    def is_usable(self) -> bool:
        """Return whether the kept connection still answers, asked for a moment only."""
        link: PatientConnection | None = self.connection
        if link is None or self.patience_s is None:
            return bool(super().is_usable())
        if self.takes_part and Silence.lasts():
            return False
        link.patience_s, link.tells_others = min(PROOF_S, self.patience_s), False
        try:
            return bool(super().is_usable())
        finally:
            link.patience_s, link.tells_others = self.patience_s, self.takes_part
