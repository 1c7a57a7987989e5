"""HTTP proxies: which server is reached through which one."""

import pytest

from facecli.wire.proxies import Proxies

PROXY = {"http_proxy": "http://ann:s3cret@proxy:3128"}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "LOCALHOST:1", "[::1]:1"])
def test_loopback_is_never_proxied(address: str) -> None:
    assert Proxies.from_environment(PROXY).of(address) is None


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"http_proxy": "http://a:1", "https_proxy": "http://b:1", "grpc_proxy": "http://c:1"}, "grpc_proxy"),
        ({"http_proxy": "http://a:1", "https_proxy": "http://b:1"}, "https_proxy"),
        ({"HTTPS_PROXY": "b:1", "http_proxy": "http://a:1"}, "HTTPS_PROXY"),
        ({"http_proxy": "", "HTTP_PROXY": "http://a:1"}, "HTTP_PROXY"),
    ],
)
def test_the_first_variable_that_is_set_names_the_proxy(environment: dict[str, str], variable: str) -> None:
    proxy = Proxies.from_environment(environment).of("192.0.2.1:1")
    assert proxy
    assert proxy.variable == variable
    assert proxy.url.startswith("http://")


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY", "no_grpc_proxy"])
@pytest.mark.parametrize(
    ("exceptions", "address", "direct"),
    [
        ("*", "192.0.2.1:1", True),
        ("a.example, studio.example", "studio.example:1", True),
        (".example", "studio.example:1", True),
        ("*.example", "Studio.Example:1", True),
        ("example", "studio.example:1", True),
        ("example", "notexample:1", False),
        ("192.0.2.0/24", "192.0.2.77:1", True),
        ("192.0.2.0/24", "192.0.3.77:1", False),
        ("192.0.2.1", "192.0.2.1:1", True),
        ("2001:db8::/32", "[2001:db8::7]:1", True),
        ("", "192.0.2.1:1", False),
    ],
)
def test_listed_hosts_are_reached_directly(
    variable: str, exceptions: str, address: str, direct: bool
) -> None:
    assert (Proxies.from_environment({**PROXY, variable: exceptions}).of(address) is None) == direct


def test_a_password_of_a_proxy_is_never_shown() -> None:
    proxy = Proxies.from_environment(PROXY).of("192.0.2.1:1")
    assert proxy
    assert proxy.name == "http://proxy:3128 (http_proxy)"
    assert "s3cret" not in repr(proxy)


@pytest.mark.parametrize("url", ["socks5://proxy:1", "https://proxy:1"])
def test_a_proxy_that_grpc_cannot_speak_to_is_none(url: str) -> None:
    assert Proxies.from_environment({"https_proxy": url}).of("192.0.2.1:1") is None
