"""The guard: no address that only this machine can reach, whatever it is dressed as."""

import ipaddress

import pytest

from telemetry.outbound import guard
from telemetry.outbound.guard import ForbiddenAddressError, check_url, refusal


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::",
        "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_what_is_of_the_open_internet_may_be_asked(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/x", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("https://", "names a host"),
        ("http://user:secret@example.com/", "name and password"),
        ("http://[::1]:80/", "this machine"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://host:99999/", "no address"),
    ],
)
def test_an_address_is_refused_with_the_reason_and_without_its_secrets(url: str, why: str) -> None:
    with pytest.raises(ForbiddenAddressError, match=why) as refused:
        check_url(url)
    assert "secret" not in str(refused.value)


def test_the_setting_allows_addresses_of_ones_own_network() -> None:
    check_url("http://127.0.0.1:9/", allows_private=True)
    assert guard.resolve("localhost", 80, allows_private=True)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1"])
def test_a_name_is_refused_for_what_it_resolves_to(host: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="this machine"):
        guard.resolve(host, 80)


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("1.1.1.1", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *a, **k: found)
    with pytest.raises(ForbiddenAddressError, match=r"10\.0\.0\.1"):
        guard.resolve("both.example", 80)
