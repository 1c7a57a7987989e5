"""Addresses: what is one, and which stay on this machine."""

import pytest

from facecli.core.addresses import checked_address, is_local
from facecli.core.errors import InvalidInput


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.8.8.8:1", "localhost:65535", "[::1]:5"])
def test_this_machine_is_local(address: str) -> None:
    assert is_local(checked_address(address, option="--server"))


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "127.a.org:1", "localhost.x:1"])
def test_everything_else_is_not(address: str) -> None:
    assert not is_local(checked_address(address, option="--server"))


@pytest.mark.parametrize("address", ["", "host", "host:", ":1", "host:0", "host:65536", "host:-1", "host:²"])
def test_what_is_no_address_is_refused_by_the_options_name(address: str) -> None:
    with pytest.raises(InvalidInput, match="--server"):
        checked_address(address, option="--server")
