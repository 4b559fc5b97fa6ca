"""Takes uploaded files in, streamed and bounded, and removes them when they are too old."""

import os
from datetime import timedelta
from pathlib import PurePath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from healthpilot.imports.models import Upload, folder

KEPT = timedelta(days=7)
BATCH = 500


class UploadRefusedError(ValueError):
    """The file cannot be taken; the text says why and what to do."""


def kept(file: "UploadedFile[bytes]", *, kind: str, actor: str) -> Upload:
    """Bring an uploaded file into the data folder, chunk by chunk; raises UploadRefusedError."""
    most = settings.IMPORT_MOST_BYTES
    name = PurePath(str(file.name or "file").replace("\\", "/")).name[-200:]
    if not file.size:
        raise UploadRefusedError(f"{name} is empty.")
    if file.size > most:
        raise UploadRefusedError(too_large(name, file.size))
    upload = Upload(name=name, size_bytes=file.size, kind=kind, actor=actor[:80])
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = upload.path.with_suffix(".part")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            for chunk in file.chunks():
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(upload.path)
    finally:
        draft.unlink(missing_ok=True)
    upload.save(force_insert=True)
    return upload


def too_large(name: str, size: int) -> str:
    """Return what is said of a file above the limit."""
    return (
        f"{name} has {size >> 20:,} MiB; at most {settings.IMPORT_MOST_BYTES >> 20:,} MiB are taken here."
        " Compress it with gzip, or use ./run manage import_events, which has no limit."
    )


def prune() -> int:
    """Remove uploads that are a week old, with their files; returns how many."""
    removed = 0
    old = Upload.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")
    while found := list(old[:BATCH]):
        for upload in found:
            upload.path.unlink(missing_ok=True)
        Upload.objects.filter(pk__in=[upload.pk for upload in found]).delete()
        removed += len(found)
    return removed
