"""Checks of `facecli doctor` about proxies, versions and clocks, each for what a server may say."""

from dataclasses import fields
from typing import NoReturn

import pytest

from facecli.api.server_info import ServerInfo
from facecli.cli.doctor.routes import came_by_proxy, http_route, own_addresses, route
from facecli.cli.doctor.server import clock, versions
from facecli.config.settings import Settings
from facecli.library.session import Session


def connect() -> NoReturn:
    raise AssertionError("no call is needed")


UNCONNECTED = Session(Settings(), connect, flags="")


def info(**values: object) -> ServerInfo:
    nothing: dict[object, object] = {int: 0, str: "", bool: False, float: 0.0}
    blank = {each.name: nothing.get(each.type, ()) for each in fields(ServerInfo)}
    return ServerInfo(**{**blank, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "found", "warning"),
    [
        (
            {
                "client_address": "203.0.113.7",
                "proxy_address": "10.0.0.1",
                "proxy_headers": ("via",),
            },
            "through the proxy 10.0.0.1, which names this machine as 203.0.113.7",
            "",
        ),
        (
            {"client_address": "10.0.0.1", "proxy_headers": ("via", "x-forwarded-for")},
            "through a proxy that sends via, x-forwarded-for; the server takes 10.0.0.1 for you",
            "start the server with --trusted-proxies 10.0.0.1",
        ),
        (
            {"client_address": "10.0.0.1", "proxy_address": "10.0.0.1", "proxy_headers": ("via",)},
            "through the proxy 10.0.0.1, which the server trusts and which does not name this machine",
            "let it set X-Forwarded-For",
        ),
        (  # from the proxy's own machine
            {"client_address": "192.0.2.5", "proxy_address": "192.0.2.5"},
            "no header of a proxy reaches the server, which sees this machine as 192.0.2.5",
            "",
        ),
    ],
)
def test_doctor_names_the_proxies_in_front_of_the_server(
    seen: dict[str, object], found: str, warning: str
) -> None:
    text, more = route(info(**seen), {"::1", "192.0.2.5"})
    assert text == found
    assert warning in more["warning"]
    assert bool(warning) is bool(more["warning"])


def test_doctor_says_that_versions_are_mixed() -> None:
    text, more = versions(
        {"a:1": info(version="0.9.0", worker_versions=("0.9.0",)), "b:1": info(version="0.10.0")}
    )
    assert text == "a:1 0.9.0, b:1 0.10.0; workers 0.9.0"
    assert more["warning"] == "an upgrade is not finished; restart what is not 0.10.0 yet"
    text, more = versions({"a:1": info(version="0.9.0"), "b:1": info(version="0.9.0")})
    assert (text, more["warning"]) == ("servers 0.9.0", "")


@pytest.mark.parametrize(
    ("server_time", "found", "warned"),
    [
        (1000.5, "that of the server agrees with this one", False),
        (1002.0, "the server is 1.5 s ahead of this machine", False),
        (1004.0, "the server is 3.5 s ahead of this machine", True),
        (990.0, "the server is 10.5 s behind this machine", True),
    ],
)
def test_doctor_compares_the_clocks_as_exactly_as_the_call_was_quick(
    server_time: float, found: str, warned: bool
) -> None:
    text, more = clock(server_time, 1000.0, 1001.0)
    assert text == found
    assert bool(more["warning"]) is warned


def test_the_own_addresses_are_those_of_every_way_to_the_server() -> None:
    assert own_addresses("127.0.0.1:5") == {"127.0.0.1"}
    assert "127.0.0.1" in own_addresses("localhost:5")
    assert own_addresses("nowhere.invalid:5") == frozenset()


@pytest.mark.parametrize("url", ["x", "http://", "ftp://a", "http://a:70000", "http://[", "http://a b/"])
def test_a_malformed_url_of_a_server_is_a_warning(url: str) -> None:
    text, more = http_route(UNCONNECTED, info(http_url=url))
    assert text == f"the server names {url!r} for HTTP, which is not a URL"
    assert more["warning"] == "correct its --http-url"


def test_a_direct_call_from_a_trusted_network_came_by_no_proxy() -> None:
    assert not came_by_proxy(info(client_address="10.0.0.1", proxy_address="10.0.0.1"))
    assert came_by_proxy(info(client_address="192.0.2.7", proxy_address="10.0.0.1"))
    assert came_by_proxy(info(client_address="10.0.0.1", proxy_headers=("via",)))
