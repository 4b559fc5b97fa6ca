"""Proves the rules: every id fires exactly once on its own mutation of the documents, none without one."""

from governance.selftest.run import run

__all__ = ["run"]
