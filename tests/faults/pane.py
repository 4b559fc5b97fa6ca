"""What the pane shows, as a person and a monitor read it: `python -m tests.faults.pane` prints it as JSON."""

import html
import json
import re
from dataclasses import asdict, dataclass

SENTENCE = re.compile(r'id="verdict-sentence"><bdi class="plain">(.*?)</bdi>', re.DOTALL)
STATUS = re.compile(r'class="card verdict is-(\w+)"')


@dataclass(frozen=True)
class Pane:
    """The overview's status and sentence; monitor: what /healthz/collector answers."""

    status: str
    sentence: str
    monitor: int

    def says(self, *words: str) -> bool:
        return any(word.lower() in self.sentence.lower() for word in words)


def read() -> Pane:
    """Return what the overview says now."""
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    account, _ = User.objects.get_or_create(username="watcher", defaults={"is_staff": True})
    client = Client(SERVER_NAME="localhost")
    client.force_login(account)
    page = client.get("/admin/status/overview").content.decode()
    status, sentence = STATUS.search(page), SENTENCE.search(page)
    assert status, "the overview shows no verdict"
    assert sentence, "the overview shows no sentence"
    monitor = client.get("/healthz/collector").status_code
    return Pane(status[1], html.unescape(sentence[1]).strip(), monitor)


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(asdict(read())))
