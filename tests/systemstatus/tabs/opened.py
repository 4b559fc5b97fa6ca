"""A tab as somebody sees it."""

from django.test import Client


def opened(client: Client, slug: str, query: str = "") -> str:
    """Return the page of a tab, which must come."""
    answer = client.get(f"/admin/status/{slug}{query}")
    assert answer.status_code == 200
    return answer.content.decode()
