"""Answers that are not sent twice: an ETag from what the answer depends on, and 304 for who has it."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers

from healthpilot.web import VERSION


def unless_known(
    request: HttpRequest, response: HttpResponse, version: str, make: Callable[[], dict[str, Any]]
) -> Any:
    """Return what make() gives, its ETag on the response, or a 304 without making it.

    The tag stands for this address with its query, this version of the data and of the program. It is weak:
    the figures are the same, the bytes need not be. Browsers keep the answer and ask each time.

    Args:
        version: changes whenever the answer may.
    """
    known = f"{VERSION} {version} {request.get_full_path()}"
    response["ETag"] = f'W/"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["Cookie", "Authorization"])
    unchanged = get_conditional_response(request, etag=response["ETag"], response=response)
    if unchanged is not response and unchanged is not None:
        return unchanged
    return make()
