"""A spool of the test's own and an empty Redis, as the queue's tests have them."""

from tests.healthpilot.dataqueue.conftest import clean_broker, recording

__all__ = ["clean_broker", "recording"]
