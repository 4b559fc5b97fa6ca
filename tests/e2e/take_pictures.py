"""Takes the pictures of README.md: a freshly seeded instance, rolled up, at a fixed time and size.

It is run by `./run screenshots` and by nothing else, for it writes into docs/images.
"""

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command
from playwright.sync_api import Page

from costs.models import CostDay
from systemstatus.models import Alert
from tests.e2e.conftest import DESKTOP, PHONE, TABLET, Open
from tests.e2e.pages import all_drawn
from tests.systemstatus import factories as status

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 17, 14, 36, tzinfo=UTC)
INTO = Path(os.environ.get("HEALTHPILOT_PICTURES", "."))
QUALITY = 0.86
# The browser itself encodes: WebP is a fifth of the PNG, and no package is needed for it.
ENCODE = """async ([png, quality]) => {
  const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").drawImage(image, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality });
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.readAsDataURL(blob);
  });
}"""


@dataclass(frozen=True)
class Picture:
    """One picture: its name, what it shows, how tall it is where not the whole page is wanted.

    is_at_night: taken while things go wrong; these come last.
    """

    name: str
    path: str
    size: tuple[int, int]
    theme: str = "dark"
    height: int | None = None
    is_at_night: bool = False


PICTURES = [
    Picture("cost", "/admin/cost", DESKTOP),
    Picture("cost-tablet", "/admin/cost", TABLET, "light", height=1500),
    Picture("cost-phone", "/admin/cost", PHONE, height=1500),
    Picture("status", "/admin/status", DESKTOP, height=1280, is_at_night=True),
    Picture("status-phone", "/admin/status", PHONE, "light", height=1100, is_at_night=True),
]


@pytest.fixture
def seeded() -> Iterator[None]:
    with time_machine.travel(AT, tick=True):
        call_command("seed_telemetry", "--days", "65", "--users", "300", "--seed", "1")
        call_command("update_prices", "--from", "2026-01-01", "--yes")
        call_command("rollup_costs", "--days", "65")
        # The database's clock knows nothing of the fixed time.
        CostDay.objects.update(rolled_up_at=AT - timedelta(minutes=3))
        status.make_day()
        yield


@pytest.mark.usefixtures("seeded")
def test_take_them(open_page: Open) -> None:
    for picture in PICTURES:
        if picture.is_at_night and not Alert.objects.exists():
            status.make_bad_night(hours=24)
        page = open_page(picture.path, picture.size, theme=picture.theme, reduced_motion="reduce")
        page.clock.set_fixed_time(AT)
        page.reload()
        all_drawn(page)
        (INTO / f"{picture.name}.webp").write_bytes(encoded(page, picture))
        page.context.close()


def encoded(page: Page, picture: Picture) -> bytes:
    """Return the page as WebP, cut at the height that was asked for."""
    clip = {"x": 0, "y": 0, "width": picture.size[0], "height": picture.height} if picture.height else None
    png = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type] # a plain mapping will do
    blank = page.context.new_page()
    answer: str = blank.evaluate(ENCODE, [base64.b64encode(png).decode(), QUALITY])
    return base64.b64decode(answer)
