"""What is asked of Cloudflare R2: put, get and delete one small object, and how much there is."""

import html
import os
import re
import secrets
import socket
import time
from functools import lru_cache
from typing import Any, Final

from django.conf import settings

from systemstatus.registry import CheckState, Reading
from telemetry.outbound import Client

EXPIRES_S: Final = 60
# A thousand objects a page, within a probe's five seconds.
MOST_PAGES: Final = 10
SIZE: Final = re.compile(r"<Size>(\d+)</Size>")
NEXT: Final = re.compile(r"<NextContinuationToken>([^<]+)</NextContinuationToken>")
NEEDED: Final = ("R2_ENDPOINT_URL", "R2_BUCKET", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY")


def lacking() -> str:
    """Return the first setting that R2 needs and has not; '' where all are there."""
    return next((name for name in NEEDED if not getattr(settings, name)), "")


def round_trip() -> Reading:
    """Return how long put, get and delete took together, in milliseconds; raises what went wrong."""
    if missing := lacking():
        return Reading(state=CheckState.DISABLED, note=f"{missing} is not set")
    sent = secrets.token_bytes(64)
    took: dict[str, float] = {}
    for step, method in (("put", "PUT"), ("get", "GET"), ("delete", "DELETE")):
        began = time.perf_counter()
        options: dict[str, Any] = {"content": sent} if step == "put" else {}
        answer = client().request(method, signed(step), **options)
        took[step] = round((time.perf_counter() - began) * 1000, 1)
        if step == "get" and answer.content != sent:
            raise ValueError("R2 gave back another content than was put")
    return Reading(
        {"storage.probe": round(sum(took.values()), 1)},
        {"r2": {f"{step}_ms": ms for step, ms in took.items()}},
    )


def contents() -> Reading:
    """Return how many objects the bucket holds and how many bytes; of one too large to count, nothing."""
    if missing := lacking():
        return Reading(state=CheckState.DISABLED, note=f"{missing} is not set")
    objects = size = 0
    token = ""
    for _ in range(MOST_PAGES):
        text = client().request("GET", listing(token)).text
        sizes = [int(found) for found in SIZE.findall(text)]
        objects, size = objects + len(sizes), size + sum(sizes)
        found = NEXT.search(text)
        if found is None:
            return Reading({"storage.objects": objects, "storage.bytes": size})
        token = html.unescape(found[1])
    return Reading(note=f"More than {objects:,} objects: they are not counted")


@lru_cache(maxsize=1)
def client() -> Client:
    return Client("r2", limit_s=4, tries=1)


def signed(step: str) -> str:
    """Return a signed address for one step of the round trip."""
    place = {"Key": f"healthpilot-probe/{socket.gethostname()}-{os.getpid()}"}
    return presigned(f"{step}_object", place)


def listing(token: str) -> str:
    """Return a signed address for a page of the bucket's objects, the one that a token names."""
    return presigned("list_objects_v2", {"ContinuationToken": token} if token else {})


def presigned(method: str, parameters: dict[str, str]) -> str:
    """Return a signed address; made here, nothing is asked for it."""
    import boto3  # type: ignore[import-untyped] # no types; slow to import, and needed by few processes
    from botocore.config import Config  # type: ignore[import-untyped] # see above

    maker = boto3.client(
        "s3",
        endpoint_url=settings.R2_ENDPOINT_URL,
        aws_access_key_id=settings.R2_ACCESS_KEY_ID,
        aws_secret_access_key=settings.R2_SECRET_ACCESS_KEY,
        region_name="auto",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    asked = {"Bucket": settings.R2_BUCKET, **parameters}
    return str(maker.generate_presigned_url(method, Params=asked, ExpiresIn=EXPIRES_S))
