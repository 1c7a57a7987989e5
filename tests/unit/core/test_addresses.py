"""Server addresses: valid ones, and local ones."""

import pytest

from facecli.core.addresses import checked_address, is_local
from facecli.core.errors import InvalidInput


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.8.8.8:1", "localhost:65535", "[::1]:5"])
def test_loopback_addresses_are_local(address: str) -> None:
    assert is_local(checked_address(address, option="--server"))


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "127.a.org:1", "localhost.x:1"])
def test_other_addresses_are_not_local(address: str) -> None:
    assert not is_local(checked_address(address, option="--server"))


@pytest.mark.parametrize("address", ["", "host", "host:", ":1", "host:0", "host:65536", "host:-1", "host:²"])
def test_an_invalid_address_names_the_option(address: str) -> None:
    with pytest.raises(InvalidInput, match="--server"):
        checked_address(address, option="--server")
