"""Vendored files are the ones that were looked at, and pages load only what they use."""

import hashlib
import re
from pathlib import Path

import pytest
from django.test import Client

from tests.costs.factories import make_month, make_staff

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"


def test_every_vendored_file_has_the_digest_that_was_written_down() -> None:
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    present = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*/*") if path.is_file()}
    assert set(listed) == present
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_every_vendored_folder_has_its_licence() -> None:
    for folder in filter(Path.is_dir, VENDOR.iterdir()):
        assert (folder / "LICENSE").read_text().strip()


def test_scripts_of_our_own_use_neither_eval_nor_inline_styles() -> None:
    for path in (ROOT / "static" / "js").glob("*.js"):
        source = path.read_text()
        assert not re.search(
            r"\beval\(|new Function|innerHTML|insertAdjacentHTML|\.style\b|setAttribute\(.style", source
        ), path


def test_templates_hold_no_inline_style_script_or_handler() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        source = re.sub(r"{%.*?%}", "", path.read_text(), flags=re.DOTALL)  # a tag's own words go nowhere
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", source), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source)), path


@pytest.mark.django_db
def test_the_chart_bundle_loads_deferred_and_only_where_charts_are(client: Client) -> None:
    client.force_login(make_staff())
    make_month(days=3, users=3)
    assert re.search(
        r'<script src="[^"]*plotly-basic[^"]*" defer>', client.get("/admin/cost").content.decode()
    )
    for path in ("/", "/accounts/password/", "/accounts/2fa/"):
        assert "plotly" not in client.get(path, follow=True).content.decode()
