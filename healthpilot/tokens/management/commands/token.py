"""`manage.py token create|list|revoke`: API tokens at the command line."""

import argparse
import getpass
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from healthpilot.tokens import issuing
from healthpilot.tokens.models import ApiToken
from healthpilot.tokens.scopes import SCOPES, unknown_scopes

NAME_MOST = 60


class Command(BaseCommand):
    """Exits 0 when it is done, 1 when the name is taken or nothing is revoked, 2 for bad arguments."""

    help = "Make, list and revoke API tokens. A token is printed once, when it is made."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|list|revoke")
        create = verbs.add_parser("create", help="make a token and print it")
        create.add_argument("name", type=short_text, help="what will use it, at most 60 characters")
        scopes = ", ".join(SCOPES)
        create.add_argument(
            "--scope", action="append", required=True, help=f"one of {scopes}; may be repeated"
        )
        create.add_argument("--client", type=short_text, help="the application (default: the name)")
        create.add_argument(
            "--days", type=whole_days, metavar="N", help="it ends after N days (default: never)"
        )
        listed = verbs.add_parser("list", help="every token, without its secret")
        revoke = verbs.add_parser("revoke", help="end a token for good")
        revoke.add_argument("prefix", help="its beginning: hp_0123456789ab, or those twelve characters")
        for verb in (create, listed, revoke):
            verb.add_argument("--json", action="store_true", help="JSON instead of lines")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, verb)(options)

    def create(self, options: dict[str, Any]) -> None:
        """Print the token on standard output, and what it is on standard error."""
        if unknown := unknown_scopes(options["scope"]):
            raise CommandError(f"--scope {unknown[0]!r}: the scopes are {', '.join(SCOPES)}", returncode=2)
        days = options["days"]
        try:
            with transaction.atomic():
                issued = issuing.issue(
                    name=options["name"],
                    client=options["client"] or "",
                    scopes=sorted(set(options["scope"])),
                    created_by=f"{getpass.getuser()} (command line)"[:150],
                    expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
                )
        except IntegrityError:
            raise CommandError(
                f"a live token is named {options['name']!r}: revoke it or choose another"
            ) from None
        if options["json"]:
            self.stdout.write(json.dumps(described(issued.token) | {"token": issued.text}))
            return
        self.stderr.write(f"{issued.token.name} may {', '.join(issued.token.scopes)}. It is shown this once:")
        self.stdout.write(issued.text)

    def list(self, options: dict[str, Any]) -> None:
        """Print the tokens as they come from the database, never all in memory."""
        for token in ApiToken.objects.defer("digest").order_by("id").iterator():
            told = described(token)
            self.stdout.write(
                json.dumps(told)
                if options["json"]
                else f"{token.shown}  {told['state']:<8}{', '.join(token.scopes)}  {token.name}"
            )

    def revoke(self, options: dict[str, Any]) -> None:
        """Revoke the token with this beginning."""
        found = re.fullmatch(r"(?:hp_)?([0-9a-f]{12})(?:_.*)?", options["prefix"])
        if not found:
            raise CommandError("a token begins with hp_ and twelve characters of 0-9a-f", returncode=2)
        if not issuing.revoke(found[1], revoked_by=f"{getpass.getuser()} (command line)"[:150]):
            raise CommandError(f"no live token begins with hp_{found[1]}")
        self.stdout.write(
            json.dumps({"revoked": found[1]}) if options["json"] else f"hp_{found[1]}_… is revoked."
        )


def described(token: ApiToken) -> dict[str, Any]:
    """Return what may be said of a token."""
    times = {
        name: moment and moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        for name in ("created_at", "last_used_at", "expires_at", "revoked_at")
        if (moment := getattr(token, name)) is None or isinstance(moment, datetime)
    }
    return {
        "prefix": token.prefix,
        "name": token.name,
        "client": token.client,
        "scopes": token.scopes,
        "state": token.state(datetime.now(UTC)),
        "created_by": token.created_by,
        **times,
    }


def short_text(word: str) -> str:
    """Return a name that fits its column; argparse turns the error into a usage message and exit code 2."""
    if not word.strip() or len(word) > NAME_MOST or not word.isprintable():
        raise argparse.ArgumentTypeError(f"{word[:80]!r}: give 1 to {NAME_MOST} printable characters")
    return word.strip()


def whole_days(word: str) -> int:
    """Return a number of days."""
    if not word.isdecimal() or not 1 <= int(word) <= 36_500:
        raise argparse.ArgumentTypeError(f"{word!r}: give 1 to 36500 days")
    return int(word)
