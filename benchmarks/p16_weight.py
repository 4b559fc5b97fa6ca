"""P16: what a first visit to /admin/cost loads, against plotly's full bundle alone; both as brotli."""

import re
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import brotli
from django.contrib.staticfiles import finders

from benchmarks import ranges
from benchmarks.database import COSTS, empty
from benchmarks.figures import Bench, Measurement
from benchmarks.server import site
from benchmarks.timing import Spread
from costs.days import local_today

# Static files are packed at 11, which takes half a minute for the full bundle and changes no ratio.
QUALITY = 9
ASSET = re.compile(r'(?:src|href)="/static/([^"?]+)')


def measure(bench: Bench) -> Measurement:
    """Weigh the page with every style, script and icon that it names, each once."""
    ranges.fill(bench, local_today(datetime.now(UTC)))
    try:
        with site() as found:
            page = found.get("/admin/cost")
    finally:
        empty(*COSTS)
    names = sorted(set(ASSET.findall(page.decode())))
    assets = {name: packed(contents(name)) for name in names}
    bundle = packed(resources.files("plotly").joinpath("package_data/plotly.min.js").read_bytes())
    html, total = packed(page), packed(page) + sum(assets.values())
    largest = max(assets, key=lambda name: assets[name])
    note = (
        f"{total / 1000:.0f} kB: page {html / 1000:.0f} kB ({len(page) / 1000:.0f} kB unpacked), "
        f"{len(assets)} files, of which {largest} {assets[largest] / 1000:.0f} kB; "
        f"full bundle {bundle / 1000:.0f} kB; "
        f"with the page unpacked, as the server itself sends it, {(total - html + len(page)) / bundle:.2f}"
    )
    ratio = total / bundle
    return Measurement(Spread(ratio, ratio, ratio), 1, note)


def packed(content: bytes) -> int:
    """Return how many bytes brotli leaves of a file."""
    return len(brotli.compress(content, quality=QUALITY))


def contents(name: str) -> bytes:
    """Return a static file by its name; raises RuntimeError when the page names one that is not there."""
    path = finders.find(name)
    if not path:
        raise RuntimeError(f"the page names {name}, which does not exist")
    return Path(str(path)).read_bytes()
