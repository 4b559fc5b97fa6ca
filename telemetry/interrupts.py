"""Tells an exception that a signal handler raised, which is the host's, from one of recording's own."""

import signal
from typing import Final

SIGNALS: Final = tuple(signal.valid_signals())


def raised_by_signal(error: BaseException) -> bool:
    """Return whether a signal handler raised this, wherever it struck, as a soft time limit does."""
    handlers = {getattr(signal.getsignal(number), "__code__", None) for number in SIGNALS} - {None}
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return True
        trace = trace.tb_next
    return False
