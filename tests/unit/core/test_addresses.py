"""Server addresses: valid ones, and local ones."""

import pytest

from facecli.core.addresses import checked_address, checked_addresses, checked_host, is_local
from facecli.core.errors import InvalidInput


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "127.8.8.8:1", "localhost:65535", "LocalHost.:1", "[::1]:5"]
)
def test_loopback_addresses_are_local(address: str) -> None:
    assert is_local(checked_address(address, option="--server"))


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "127.a.org:1", "localhost.x:1"])
def test_other_addresses_are_not_local(address: str) -> None:
    assert not is_local(checked_address(address, option="--server"))


@pytest.mark.parametrize("address", ["", "host", "host:", ":1", "host:0", "host:65536", "host:-1", "host:²"])
def test_an_invalid_address_names_the_option(address: str) -> None:
    with pytest.raises(InvalidInput, match="--server"):
        checked_address(address, option="--server")


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("http://10.0.0.1:1", "is a URL; write HOST:PORT, here 10.0.0.1:1"),
        ("https://studio.example/x", "is a URL; write HOST:PORT, here studio.example:50051"),
        ("dns://a@b.example:7/c?d", "is a URL; write HOST:PORT, here b.example:7"),
        ("http://", "is a URL; write HOST:PORT, here HOST:50051"),
        ("::1:5", r"put an IPv6 address into brackets: \[::1\]:5"),
        ("a b:5", "'a b' is not the name of a host"),
        ("[a]:5", "not the name of a host"),
        ("1.2.3:5", "not the name of a host"),
        ("ann@host:5", "not the name of a host"),
        ("-host:5", "not the name of a host"),
        ("a..b:5", "not the name of a host"),
        (f"{'a' * 64}:5", "not the name of a host"),
        ("host\x1b:5", "not the name of a host"),
        (f"host:{'9' * 5000}", "is not HOST:PORT"),
    ],
)
def test_a_common_mistake_is_explained(address: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=hint):
        checked_address(address, option="--server")


@pytest.mark.parametrize("address", ["a_b.example:5", "x-1.y:5", "host.:5", "[fe80::1]:5", "10.1.2.3:5"])
def test_names_and_addresses_in_use_are_valid(address: str) -> None:
    assert checked_address(address, option="--server") == address


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("bad host", "^--host 'bad host' is not the name of a host$"),
        ("", "^--host '' is not the name of a host$"),
        ("a_b:99", "^--host 'a_b:99' has a port; write only a_b$"),
        ("https://x.example/a", "^--host 'https://x.example/a' is a URL; write only the name of the host$"),
        ("fe80::1", r"^--host 'fe80::1': put an IPv6 address into brackets: \[fe80::1\]$"),
    ],
)
def test_a_host_that_is_none_is_shown_as_it_was_written(host: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=hint):
        checked_host(host, option="--host")


def test_a_list_with_an_empty_address_is_shown_as_it_was_written() -> None:
    assert checked_addresses("a:1, b:2", option="--server") == ["a:1", "b:2"]
    with pytest.raises(InvalidInput, match=r"^--server 'a:1,' has a comma without an address$"):
        checked_addresses("a:1,", option="--server")
