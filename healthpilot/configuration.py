"""Reads the environment for settings.py: typed values, and a one-line hint instead of a traceback for a
bad one.
"""

import os
import secrets
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}
# How libpq finds out that a server cannot be reached, or went away without a word: within 15 to 30 seconds.
DEAD_PEER = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class Reader:
    """One typed getter per kind of value.

    Every one raises ImproperlyConfigured naming the variable, the value and a mend.
    """

    def __init__(self) -> None:
        self._env = environ.Env()

    def text(self, name: str, default: str) -> str:
        return str(self._env.str(name, default=default)).strip()

    def boolean(self, name: str, default: bool) -> bool:
        word = self.text(name, "").lower()
        if word in TRUE_WORDS or word in FALSE_WORDS:
            return word in TRUE_WORDS
        if word:
            raise refusal(name, word, "write 1 or 0")
        return default

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        word = self.text(name, default)
        if word not in choices:
            raise refusal(name, word, f"choose one of {', '.join(choices)}")
        return word

    def words(self, name: str, default: Sequence[str]) -> list[str]:
        given = [word.strip() for word in self.text(name, "").split(",") if word.strip()]
        return given or list(default)

    def pairs(self, name: str) -> dict[str, str]:
        """Return names and values written as a=b,c=d; none where nothing is given."""
        parts = [word.partition("=") for word in self.words(name, [])]
        if any(not (left.strip() and right.strip()) for left, _, right in parts):
            raise refusal(name, self.text(name, ""), "write pairs as large=small,other=smaller")
        return {left.strip(): right.strip() for left, _, right in parts}

    def limits(self, name: str, known: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return a warning and a critical limit by name, written as heavy=600/1800; known: what has one."""
        found = {}
        for key, text in self.pairs(name).items():
            first, _, second = text.partition("/")
            limits = (int(first), int(second)) if first.isdecimal() and second.isdecimal() else (0, 0)
            if key not in known or not 0 < limits[0] <= limits[1]:
                hint = f"write {known[-1]}=600/1800, the warning first; there are {', '.join(known)}"
                raise refusal(name, f"{key}={text}", hint)
            found[key] = limits
        return found

    def whole(self, name: str, default: int, *, least: int) -> int:
        word = self.text(name, str(default))
        if not word.isdecimal() or int(word) < least:
            raise refusal(name, word, f"write a whole number of at least {least}, such as {default}")
        return int(word)

    def money(self, name: str, default: str) -> Decimal:
        """Return a price in USD as written, never through a float."""
        word = self.text(name, default)
        try:
            price = Decimal(word)
        except InvalidOperation:
            price = Decimal("NaN")
        if not price.is_finite() or price < 0:
            raise refusal(name, word, f"write a price in USD of zero or more, such as {default}")
        return price

    def folder(self, name: str, default: Path) -> Path:
        return Path(self.text(name, str(default))).expanduser().resolve()


def data_folder() -> Path:
    """Return HEALTHPILOT_VAR, by default var/ in the project."""
    return Reader().folder("HEALTHPILOT_VAR", ROOT / "var")


def refusal(name: str, value: str, hint: str) -> ImproperlyConfigured:
    """Return the error for a bad value: which variable, what it said, how to mend it."""
    return ImproperlyConfigured(f"{name}={value!r} is not usable: {hint}.")


def secret_key(var: Path) -> str:
    """Return the key kept in var/secret_key (mode 0600), made once; an unusable folder is refused."""
    try:
        return kept_key(var)
    except OSError as error:
        hint = f"nothing can be kept there ({error.strerror}): name a folder you may write to"
        raise refusal("HEALTHPILOT_VAR", str(var), hint) from error


def kept_key(var: Path) -> str:
    """Return the key, made at the first call and kept whole when two processes race for it."""
    path = var / "secret_key"
    if not path.exists():
        draft = var / f".secret_key.{os.getpid()}"
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def database(url: str, session: dict[str, str], *, patience_s: float | None = None) -> dict[str, Any]:
    """Return Django's settings for a PostgreSQL URL.

    Each connection is opened with the session settings given, and no answer is waited for longer than
    patience_s, for ever without. What the URL itself says of the ways to notice a dead peer stands.
    """
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise refusal(
            "DATABASE_URL", without_password(url), "write postgresql://user:password@host:5432/name"
        )
    settings = dict(environ.Env.db_url_config(url))
    options = DEAD_PEER | dict(settings.pop("OPTIONS", {}))
    settings["HOST"] = options.pop("host", settings["HOST"])
    options["options"] = " ".join(f"-c {name}={value}" for name, value in session.items())
    if patience_s is not None:
        options["patience_s"] = patience_s
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return settings | kept | {"ENGINE": "healthpilot.postgres", "OPTIONS": options}


def redis_address(url: str) -> str:
    """Return REDIS_URL as redis-py and Django want it: unix:// for a socket."""
    scheme, _, rest = url.partition("://")
    if scheme not in {"redis", "rediss", "unix", "redis+socket"}:
        raise refusal(
            "REDIS_URL",
            without_password(url),
            "write redis://host:6379/0, rediss://… or unix:///path/to.sock",
        )
    return f"unix://{rest}" if scheme == "redis+socket" else url


def broker_address(url: str) -> str:
    """Return REDIS_URL as Celery wants it: redis+socket:// for a socket, and certificates checked
    over TLS.
    """
    scheme, _, rest = redis_address(url).partition("://")
    if scheme == "unix":
        return f"redis+socket://{rest}"
    if scheme == "rediss" and "ssl_cert_reqs" not in rest:
        return f"{url}{'&' if '?' in rest else '?'}ssl_cert_reqs=required"
    return url


def without_password(url: str) -> str:
    """Return a URL that may be shown: the same one, its password replaced by stars."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable address)"
    if not parts.password:
        return url
    account, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{account.split(':')[0]}:***@{host}").geturl()
