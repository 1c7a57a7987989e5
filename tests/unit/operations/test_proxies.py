"""The configurations of HAProxy and nginx, as these programs judge them."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from facecli.certificates import DevCertificates, make_dev_certificates
from facecli.core.errors import InvalidInput
from facecli.operations.front import Front
from tests.support.e2e.proxies import ENDED, ENVIRONMENT, PASSED_THROUGH, front_of, proxy_command
from tests.support.e2e.requirements import needs

SERVERS = ["127.0.0.1:50051", "[::1]:50051", "localhost:50052"]


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> DevCertificates:
    return make_dev_certificates(tmp_path_factory.mktemp("certs"), hosts=["localhost"], user="ann")


@needs("haproxy")
@needs("nginx")
@pytest.mark.parametrize("verified", [False, True], ids=["plain", "over TLS"])
@pytest.mark.parametrize("kind", [*ENDED, *PASSED_THROUGH])
def test_the_proxy_takes_the_configuration(
    kind: str, verified: bool, certs: DevCertificates, tmp_path: Path
) -> None:
    front = front_of(certs, tmp_path, servers=SERVERS, http_port=8080)
    command = proxy_command(kind, replace(front, ca=str(certs.ca) if verified else ""), tmp_path)
    check = "-c" if kind.startswith("haproxy") else "-t"
    ran = subprocess.run([*command, check], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    text = Path(command[-1]).read_text()
    assert all(server in text for server in SERVERS)
    assert "localhost:8080" in text


def test_the_first_lines_say_how_the_servers_are_started() -> None:
    front = Front(name="a.example", port=8443, servers=["10.0.0.1:5"], http_port=6, cert="/c", key="/k")
    start = "facecli serve --bind 10.0.0.1:5 --http 10.0.0.1:6 --http-url https://a.example:8443 --auth token"
    start = f"{start} --trusted-proxies PROXY"
    assert front.serve_command(tls=False) == f"{start} --insecure"
    assert front.serve_command("-x", tls=True) == f"{start} -x --tls-cert CERT --tls-key KEY"


@pytest.mark.parametrize("path", ['/x"; y', "/a$b", "/a\\b", "/a\nb"])
def test_a_path_that_a_proxy_would_read_differently_is_refused(path: str) -> None:
    for part in ("cert", "key", "ca"):
        paths = {"cert": "/c", "key": "/k", part: path}
        with pytest.raises(InvalidInput, match="is no path for a proxy"):
            Front(name="a.example", port=443, servers=["a:1"], http_port=2, **paths)
