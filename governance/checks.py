"""Django's system checks under the tag `governance`: the documents, and the addresses."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from governance import addresses, gate, preflight
from governance.findings import ERROR, STOP, Finding

TAG = "governance"


@register(TAG)
def check_documents(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Every id of the documents, as governance.E001 and so on; a warning where documents only warn."""
    found = [Finding(*values) for values in preflight.verdict(preflight.ROOT)]
    return [message(finding) for finding in gate.strictly(found, preflight.ROOT) if finding.id != STOP]


@register(TAG)
def check_addresses(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E060: an address that catches all."""
    return [message(finding) for finding in addresses.check()]


def message(finding: Finding) -> CheckMessage:
    """Return a finding as Django shows it."""
    enforced = finding.level == ERROR and preflight.mode(preflight.ROOT) == preflight.ENFORCE
    kind = Error if enforced else checks.Warning
    return kind(f"{finding.place}: {finding.message}", hint=finding.hint, id=f"governance.{finding.id}")
