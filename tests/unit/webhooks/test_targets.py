"""The rule which receivers may be notified: hosts by name, addresses after they are resolved."""

import pytest

from facecli.core.errors import FacecliError, InvalidInput, NotConfigured, PolicyRefused, Unavailable
from facecli.webhooks.request import key_bytes
from facecli.webhooks.targets import TargetPolicy, resolve

HOSTS = "hooks.example.org, *.apps.example.org,127.0.0.1,[::1],8.8.8.8,::1"


def policy(*resolved: str, networks: str = "", hosts: str = HOSTS) -> TargetPolicy:
    return TargetPolicy(hosts=hosts, networks=networks, resolve=lambda host, port: resolved)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.example.org", "hooks.example.org", "/"),
        ("https://HOOKS.example.org.:8443/a?b=c", "hooks.example.org:8443", "/a?b=c"),
        ("http://one.two.apps.example.org:80/x", "one.two.apps.example.org", "/x"),
        ("http://8.8.8.8/x", "8.8.8.8", "/x"),
    ],
)
def test_an_allowed_url_is_taken_apart(url: str, authority: str, path: str) -> None:
    target = policy().check(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("https://example.org/", PolicyRefused),
        ("https://hooks.example.org.attacker.test/", PolicyRefused),
        ("https://apps.example.org/", PolicyRefused),
        ("https://evilapps.example.org/", PolicyRefused),
        ("http://127.0.0.1/", PolicyRefused),  # allowed as a host, but its network is not
        ("http://[::1]/", PolicyRefused),
        ("http://2130706433/", PolicyRefused),
        ("ftp://hooks.example.org/", InvalidInput),
        ("file:///etc/passwd", InvalidInput),
        ("//hooks.example.org/", InvalidInput),
        ("https://hooks.example.org@attacker.test/", InvalidInput),
        ("https://hooks.example.org\\@attacker.test/", InvalidInput),
        ("https://hooks.example.org/#x", InvalidInput),
        ("https://hooks.example.org/ HTTP/1.1", InvalidInput),
        ("https://hooks.example.org/\r\nx: y", InvalidInput),
        ("https://hooks.example.org:99999/", InvalidInput),
        ("https://hooks.éxample.org/", InvalidInput),
        ("https://hooks.example.org/" + "x" * 2000, InvalidInput),
        ("https://[::1/", InvalidInput),
    ],
)
def test_another_url_is_refused(url: str, error: type[FacecliError]) -> None:
    with pytest.raises(error):
        policy().check(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_a_name_at_a_private_address_is_refused_unless_its_network_is_allowed(address: str) -> None:
    target = policy().check("https://hooks.example.org/")
    with pytest.raises(PolicyRefused, match="FACECLI_NOTIFY_NETWORKS"):
        policy("8.8.8.8", address).addresses(target)
    assert policy(address, networks="0.0.0.0/0, ::/0").addresses(target)


def test_a_name_at_public_addresses_is_allowed() -> None:
    target = policy().check("https://hooks.example.org/")
    assert policy("8.8.8.8", "2606:4700::1").addresses(target) == ("8.8.8.8", "2606:4700::1")
    with pytest.raises(Unavailable):
        policy().addresses(target)


def test_names_are_resolved() -> None:
    assert "127.0.0.1" in resolve("localhost", 80)
    with pytest.raises(Unavailable, match=r"nothing\.invalid"):
        resolve("nothing.invalid", 80)


def test_without_settings_every_url_is_refused() -> None:
    with pytest.raises(NotConfigured, match="FACECLI_NOTIFY_HOSTS"):
        policy(hosts=" ").check("https://hooks.example.org/")
    with pytest.raises(InvalidInput, match=r"10\.0\.0\.1/8"):
        policy(networks="10.0.0.1/8")


def test_a_key_is_text_or_base64() -> None:
    assert key_bytes("whsec_MDEyMzQ1Njc4OWFiY2RlZg==") == b"0123456789abcdef" == key_bytes("0123456789abcdef")
    for short in ("secret", "whsec_c2VjcmV0", "whsec_%"):
        with pytest.raises(InvalidInput, match="notify_key"):
            key_bytes(short)
