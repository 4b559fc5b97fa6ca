"""Where pages tell how they were for who reads them: counted and forgotten, within narrow limits."""

import json
import threading
import time
from collections import Counter
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from healthpilot.web.access import open_to_all
from healthpilot.web.peers import address_of
from telemetry import vitals

MOST_BYTES: Final = 512
MOST_A_MINUTE: Final = 600
MOST_OF_ONE: Final = 60


class Gate:
    """Lets so many a minute through, of one address and of all; addresses are forgotten with the minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute, self._all = 0, 0
        self._of = Counter[str]()

    def lets(self, address: str, now: float) -> bool:
        """Count one more, and say whether it may pass."""
        with self._lock:
            if self._minute != now // 60:
                self._minute, self._all = int(now // 60), 0
                self._of.clear()
            if self._all >= MOST_A_MINUTE or self._of[address] >= MOST_OF_ONE:
                return False
            self._all += 1
            self._of[address] += 1
            return True


gate: Final = Gate()


@open_to_all
@csrf_exempt
@require_POST
def heard(request: HttpRequest) -> HttpResponse:
    """Count what a page of this site tells of itself; it changes nothing else, so that no token is needed."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return said("Only pages of this site tell of themselves.", 403)
    if not gate.lets(address_of(request), time.time()):
        return said("So many visits a minute are counted; this one is not.", 429)
    if (length := request.headers.get("Content-Length", "")).isdecimal() and int(length) > MOST_BYTES:
        return said(f"At most {MOST_BYTES} bytes are read.", 413)
    try:
        portal, values = vitals.read(json.loads(request.read(MOST_BYTES)))
    except (ValueError, RecursionError) as error:
        return said(f"Not understood: {error}.", 400)
    for name, value in values.items():
        vitals.observe(portal, name, value)
    return HttpResponse(status=204)


def said(why: str, status: int) -> HttpResponse:
    return HttpResponse(f"{why}\n", status=status, content_type="text/plain; charset=utf-8")
