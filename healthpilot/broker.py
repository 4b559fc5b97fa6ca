"""Lets a Celery worker outlive its Redis: kombu 5.7 ends it where a message is still in hand then."""

from typing import Any

from kombu.transport.redis import Channel, QoS


class Outliving(QoS):
    """kombu's account of the messages in hand, which asks nothing of a connection that is gone.

    kombu puts such messages back, and acknowledges them, through the lost connection, and the error ends the
    worker. Nothing here needs either: ticks come again, the sweeper sends anew for jobs, and what was not
    acknowledged comes again after the visibility timeout and finds nothing to do.
    """

    def ack(self, delivery_tag: Any) -> None:
        """Acknowledge a message while the connection that it came by is there."""
        if not self.channel.closed:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call] # kombu has no types

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Reject a message while the connection that it came by is there."""
        if not self.channel.closed:
            super().reject(delivery_tag, requeue=requeue)  # type: ignore[no-untyped-call] # kombu has no types


def outlive_redis() -> None:
    """Make every channel of this process outlive its connection."""
    Channel.do_restore = False
    Channel.QoS = Outliving
