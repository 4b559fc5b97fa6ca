"""How long PostgreSQL takes for the smallest question: a slow way to it slows all that stands on it."""

import time
from typing import Final

from systemstatus.probes.postgres.asking import rows
from systemstatus.registry import CheckState, Reading

SAMPLES: Final = 5
# A page asks some ten questions one after the other, so these are half a second and two and a half a page.
SLOW_MS: Final = 50
FAILED_MS: Final = 250


def round_trip() -> Reading:
    """Return five round trips in milliseconds; the fastest counts, so that one slow sample is no alarm."""
    samples = []
    rows("SELECT 1 AS one")  # opens the connection, which is no part of it
    for _ in range(SAMPLES):
        began = time.perf_counter()
        rows("SELECT 1 AS one")
        samples.append(round((time.perf_counter() - began) * 1000, 3))
    return judged(min(samples), samples)


def judged(best_ms: float, samples: list[float]) -> Reading:
    """Return how a round trip stands: slow is a warning, and slower a failed check."""
    state = CheckState.OK
    if best_ms >= SLOW_MS:
        state = CheckState.FAILED if best_ms >= FAILED_MS else CheckState.WARNING
    note = "" if state == CheckState.OK else f"answers in {best_ms:.0f} ms at best"
    return Reading({"db.rtt": best_ms}, {"rtt_samples_ms": samples}, state, note)
