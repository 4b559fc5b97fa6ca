"""What is asked of Cloudflare R2: put, get and delete one small object, over the instrumented client."""

import os
import secrets
import socket
import time
from functools import lru_cache
from typing import Any, Final

from django.conf import settings

from systemstatus.registry import CheckState, Reading
from telemetry.outbound import Client

EXPIRES_S: Final = 60
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


@lru_cache(maxsize=1)
def client() -> Client:
    return Client("r2", limit_s=4, tries=1)


def signed(step: str) -> str:
    """Return a signed address for one step; made here, nothing is asked for it."""
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
    place = {"Bucket": settings.R2_BUCKET, "Key": f"healthpilot-probe/{socket.gethostname()}-{os.getpid()}"}
    return str(maker.generate_presigned_url(f"{step}_object", Params=place, ExpiresIn=EXPIRES_S))
