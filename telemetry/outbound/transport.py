"""The network beneath the client: checked and pinned addresses, and a deadline that drips cannot stretch."""

import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2

from telemetry.outbound import guard

# When the current request must be over, by time.monotonic().
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def left(timeout: float | None) -> float | None:
    """Return how long to wait at most; raises httpcore2.ReadTimeout when the time is over."""
    until = deadline.get()
    if until is None:
        return timeout
    rest = until - time.monotonic()
    if rest <= 0:
        raise httpcore2.ReadTimeout("the time for the whole request is over")
    return min(rest, timeout) if timeout is not None else rest


class Stream(httpcore2.NetworkStream):
    """A connection whose every wait ends at the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self.inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return Stream(self.inner.start_tls(ssl_context, server_hostname, left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class Backend(httpcore2.SyncBackend):
    """Connects to the address that was checked; the certificate is still checked against the name."""

    def __init__(self, *, is_guarded: bool, allows_private: bool) -> None:
        self.is_guarded, self.allows_private = is_guarded, allows_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self.checked(host, port) if self.is_guarded else [host]
        *others, last = addresses
        for address in others:
            try:
                return self.connect(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self.connect(last, port, timeout, local_address, socket_options)

    def checked(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, all of them checked."""
        try:
            return guard.resolve(host, port, allows_private=self.allows_private)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} is not known: {error}") from error

    def connect(self, address: str, port: int, timeout: float | None, *options: Any) -> Stream:
        return Stream(super().connect_tcp(address, port, left(timeout), *options))


def transport(*, is_guarded: bool, allows_private: bool) -> httpx2.HTTPTransport:
    """Return httpx2's transport over this network."""
    made = httpx2.HTTPTransport(trust_env=False)
    # httpx2 has no parameter for it, and the pool is what every transport of it is made of.
    made._pool = httpcore2.ConnectionPool(
        ssl_context=httpx2.create_ssl_context(),
        network_backend=Backend(is_guarded=is_guarded, allows_private=allows_private),
    )
    return made
