"""Answers requests whose NUL nobody refused: PostgreSQL keeps none, which is no fault of the server."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from healthpilot.web import errors

# As Django and psycopg name it in what they raise.
NUL: Final = "NUL (0x00)"
REMEDY: Final = "The address or the form holds a NUL character. Take it out and try again."


class RefuseNul:
    """Django's middleware that answers 400 where a NUL came as far as the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the answer to such a request; None leaves everything else to the page for failures."""
        return errors.answer(request, 400, remedy=REMEDY) if NUL in str(exception) else None
