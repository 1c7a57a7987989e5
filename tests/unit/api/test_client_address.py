"""The address of a client behind proxies: only what trusted ones wrote is believed."""

import pytest

from facecli.api.client_address import MAX_CHAIN, TrustedProxies
from facecli.core.errors import InvalidInput

PROXIES = "10.0.0.0/8, 2001:db8::/32"
PROXY = "10.0.0.1"
CLIENT = "203.0.113.7"


@pytest.mark.parametrize(
    ("host", "lines", "client"),
    [
        (PROXY, [CLIENT], CLIENT),
        (PROXY, [f"198.51.100.1, {CLIENT}"], CLIENT),  # what stands before may be invented
        (PROXY, ["198.51.100.1", CLIENT], CLIENT),
        (PROXY, [f"{CLIENT}, 10.9.9.9"], CLIENT),
        (PROXY, ["10.3.3.3,10.9.9.9"], "10.3.3.3"),
        (PROXY, ["2001:db9::5"], "2001:db9::5"),
        (PROXY, [f"::ffff:{CLIENT}"], CLIENT),
        (PROXY, [f"{CLIENT}:4711"], CLIENT),
        (PROXY, ["[2001:db9::5]:4711"], "2001:db9::5"),
        ("::ffff:10.0.0.1", [CLIENT], CLIENT),
        ("2001:db8::1", [CLIENT], CLIENT),
        (PROXY, [], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["unknown"], PROXY),
        (PROXY, [f"{CLIENT}, evil"], PROXY),
        (PROXY, ["fe80::1%\x1b[2J"], PROXY),
        (PROXY, ["1.2.3.4.5"], PROXY),
        (PROXY, ["evil, 10.9.9.9"], "10.9.9.9"),
        (PROXY, [f"{CLIENT}, " * 200 + CLIENT], PROXY),
        ("192.0.2.1", [CLIENT], "192.0.2.1"),
        ("unix:", [CLIENT], "unix:"),
    ],
)
def test_the_last_address_that_is_no_trusted_proxy_is_the_client(
    host: str, lines: list[str], client: str
) -> None:
    headers: list[tuple[str, str | bytes]] = [("x-other", "1.1.1.1")]
    headers += [("X-Forwarded-For", line.encode()) for line in lines]
    assert TrustedProxies(PROXIES).client(host, headers) == client


@pytest.mark.parametrize(
    ("line", "client"),
    [
        (f"for={CLIENT};proto=https;by=10.0.0.1", CLIENT),
        (f'For="{CLIENT}:4711"', CLIENT),
        ('for="[2001:db9::5]:4711"', "2001:db9::5"),
        (f"for=198.51.100.1, for={CLIENT} ; host=a, for=10.9.9.9", CLIENT),
        (f'host="a, for=198.51.100.1";for={CLIENT}', CLIENT),
        (f'for="{CLIENT[:-1]}\\7"', CLIENT),
        ("for=_hidden", PROXY),
        ("for=unknown", PROXY),
        ("proto=https", PROXY),
        (f'for="{CLIENT}', PROXY),
        (f"for={CLIENT};;", PROXY),
        (f"for = {CLIENT}", PROXY),
        ("for=" + "1" * MAX_CHAIN, PROXY),
    ],
)
def test_the_client_is_read_from_forwarded(line: str, client: str) -> None:
    headers = [("forwarded", line), ("x-forwarded-for", "198.51.100.99")]
    assert TrustedProxies(PROXIES, header="forwarded").client(PROXY, headers) == client


@pytest.mark.parametrize("proxies", [TrustedProxies(), TrustedProxies(PROXIES, header="proxy-protocol")])
def test_no_header_counts_without_proxies_or_with_the_proxy_protocol(proxies: TrustedProxies) -> None:
    headers = [("x-forwarded-for", CLIENT), ("forwarded", f"for={CLIENT}")]
    assert proxies.client(PROXY, headers) == PROXY


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("ipv4:10.0.0.1:40000", f"ipv4:{CLIENT}"),
        ("ipv6:%5B2001:db8::1%5D:40000", f"ipv4:{CLIENT}"),
        ("ipv6:[2001:db8::1]:40000", f"ipv4:{CLIENT}"),
        ("ipv4:192.0.2.1:40000", "ipv4:192.0.2.1:40000"),
        ("ipv4:203.0.113.7", "ipv4:203.0.113.7"),
        ("unix:/run/facecli", "unix:/run/facecli"),
    ],
)
def test_the_peer_of_grpc_becomes_the_client(peer: str, client: str) -> None:
    assert TrustedProxies(PROXIES).peer(peer, [("x-forwarded-for", CLIENT)]) == client


@pytest.mark.parametrize("networks", ["10.0.0.0/33", "10.0.0.1/8", "proxy.example", "10.0.0.0/8 ::1"])
def test_a_malformed_network_is_named(networks: str) -> None:
    with pytest.raises(InvalidInput, match="is no network; write 10"):
        TrustedProxies(networks)
