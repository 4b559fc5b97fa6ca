"""The instrumented client: each call is bounded, retried where that is safe, measured and redacted."""

import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import stamina

from telemetry.flushing import Flusher
from telemetry.histograms import Observed
from telemetry.outbound.circuits import Circuit
from telemetry.outbound.guard import ForbiddenAddressError, check_url
from telemetry.outbound.transport import deadline, transport

MOST_BYTES: Final = 1 << 20
SAFE: Final = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
SECRET: Final = re.compile(r"(?i)\b(bearer|basic)\s+\S+|\b(sk|whsec|xkeysib)[-_][\w+/=-]{6,}")
ADDRESS: Final = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+")
# Durations by (client, outcome); the outcome is a status class as 2xx, or timeout, refused, failed.
observed: Final = Observed()
flusher: Final = Flusher("outbound", observed)
circuits: Final[dict[str, Circuit]] = {}


class OutboundError(Exception):
    """A call that did not succeed; status: the answer's, None without one. The message may be shown."""

    def __init__(self, message: str, *, status: int | None = None, is_worth_a_retry: bool = True) -> None:
        self.status, self.is_worth_a_retry = status, is_worth_a_retry
        super().__init__(message)


class Client:
    """Asks one service.

    name: as its module claims it. limit_s: for a whole call with its retries' single tries each. tries: how
    often at most, for methods that may be repeated. is_guarded: the address was typed by a person.
    """

    def __init__(
        self,
        name: str,
        *,
        limit_s: float = 10,
        tries: int = 3,
        is_guarded: bool = False,
        allows_private: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.limit_s, self.tries = name, limit_s, tries
        self.is_guarded, self.allows_private = is_guarded, allows_private
        self.circuit = circuits.setdefault(name, Circuit(name))
        self._client = httpx2.Client(
            transport=transport(is_guarded=is_guarded, allows_private=allows_private),
            timeout=httpx2.Timeout(limit_s),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "HealthPilot", **(headers or {})},
        )

    def request(
        self, method: str, url: str, *, may_repeat: bool | None = None, **options: Any
    ) -> httpx2.Response:
        """Return the answer of 2xx, read whole up to 1 MiB.

        Raises:
            OutboundError: any other answer, none, or one too large. CircuitOpenError: it rests.
            ForbiddenAddressError: a guarded client was given an address that must not be asked.
        """
        if self.is_guarded:
            check_url(url, allows_private=self.allows_private)
        repeats = method.upper() in SAFE if may_repeat is None else may_repeat
        attempts = self.tries if repeats else 1
        for attempt in stamina.retry_context(
            on=worth_a_retry, attempts=attempts, timeout=self.limit_s * attempts, wait_initial=0.2
        ):
            with attempt:
                return self.once(method, url, options)
        raise AssertionError("a retry context ends with an answer or an error")

    def once(self, method: str, url: str, options: Mapping[str, Any]) -> httpx2.Response:
        """Ask once, within the limit, and count what came of it."""
        self.circuit.enter()
        began = time.monotonic()
        token = deadline.set(began + self.limit_s)
        outcome = "failed"
        try:
            response = self.answer(method, url, options)
            outcome = f"{response.status_code // 100}xx"
        except httpx2.TimeoutException as error:
            outcome = "timeout"
            raise OutboundError(f"{shown(url)} gave no answer within {self.limit_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise OutboundError(f"{shown(url)}: {redacted(str(error) or type(error).__name__)}") from error
        except ForbiddenAddressError:
            outcome = "refused"
            raise
        finally:
            deadline.reset(token)
            observe(self.name, outcome, (time.monotonic() - began) * 1000)
            self.circuit.leave(is_well=outcome in {"2xx", "3xx", "4xx", "refused"})
        return good(response, url)

    def answer(self, method: str, url: str, options: Mapping[str, Any]) -> httpx2.Response:
        """Return an answer with its body, which is read no further than the bound."""
        with self._client.stream(method, url, **options) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise OutboundError(f"{shown(url)} answered with more than {MOST_BYTES} bytes")
        headers = [pair for pair in response.headers.multi_items() if pair[0] not in ENCODINGS]
        return httpx2.Response(response.status_code, headers=headers, content=bytes(body))

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


# The body is decoded already when it is put into the answer.
ENCODINGS: Final = {"content-encoding", "transfer-encoding", "content-length"}


def good(response: httpx2.Response, url: str) -> httpx2.Response:
    """Return an answer of 2xx; raises OutboundError for another."""
    status = response.status_code
    if response.is_success:
        return response
    if response.is_redirect:
        told = f"{shown(url)} answered {status}, a redirect, which is not followed: write the final address"
        raise OutboundError(told, status=status, is_worth_a_retry=False)
    said = redacted(" ".join(response.text[:200].split()))
    raise OutboundError(
        f"{shown(url)} answered {status}{f': {said}' if said else ''}",
        status=status,
        is_worth_a_retry=status >= 500 or status in {408, 425, 429},
    )


def worth_a_retry(error: Exception) -> bool:
    return isinstance(error, OutboundError) and error.is_worth_a_retry


def observe(name: str, outcome: str, ms: float) -> None:
    """Count one call of a client, also of one that brings its own transport."""
    observed.observe((name, outcome), ms)
    flusher.begin()


def shown(url: str) -> str:
    """Return scheme and host of a URL: paths of webhooks are secrets more often than not."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(unreadable address)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def redacted(text: str) -> str:
    """Return a text without secrets: tokens, and all of an address but its host."""
    return SECRET.sub("***", ADDRESS.sub(lambda found: shown(found[0]), text))
