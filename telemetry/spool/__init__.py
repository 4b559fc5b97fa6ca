"""The spool: events wait in files that survive kill -9, until a shipper has them in the database.

An event is durable when `append` returns: it lies in the system's page cache, in a file of this process
alone, and survives the process in every way but a crash or power loss of the machine itself.
"""

from telemetry.spool.companions import register
from telemetry.spool.folder import spool_folder
from telemetry.spool.process import append, close, companion_path, flush, serve
from telemetry.spool.writer import SpoolError

__all__ = ["SpoolError", "append", "close", "companion_path", "flush", "register", "serve", "spool_folder"]
