"""`facecli doctor` through real proxies: silent where they are as generated, and clear where one is not."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from facecli.bootstrap.server import run_server
from facecli.bootstrap.tokens import tokens
from facecli.certificates import make_dev_certificates
from facecli.config.settings import Settings
from facecli.operations.front import Front
from tests.support.e2e.process import Event, invoke
from tests.support.e2e.proxies import ENDED, PASSED_THROUGH, SOURCE, front_of, proxy_command, running
from tests.support.e2e.requirements import needs
from tests.support.eventually import eventually
from tests.support.sockets import free_port, is_open

pytestmark = [needs("haproxy"), needs("nginx")]

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Site:
    """A server without TLS, and one with it, each behind a public address at which a proxy can be started."""

    folder: Path
    ended: Front
    passed: Front
    ca: Path
    secrets: dict[str, str]

    def findings(self, kind: str, edit: Edit | None = None) -> dict[str, Event]:
        """Findings of doctor through a proxy with the generated configuration, edited or not."""
        front = self.ended if kind in ENDED else self.passed
        command = proxy_command(kind, front, self.folder)
        file = Path(command[-1])
        text = file.read_text()
        file.write_text(edit(text) if edit else text)
        assert edit is None or file.read_text() != text
        address = f"localhost:{front.port}"
        with running(command):
            eventually(lambda: is_open(address))
            shown = invoke(
                *("doctor", "--server", address, "--tls-ca", self.ca, "--json"),
                expect=None,
                environment={"FACECLI_TOKEN": self.secrets[address]},
            )
        return {each["check"]: each for each in shown.objects}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("doctor")
    certs = make_dev_certificates(folder / "certs", hosts=["localhost"], user="ann")
    with ExitStack() as stack:
        fronts, secrets = dict[str, Front](), dict[str, str]()
        plain = Settings(engine="mock", workers=0, auth="token", trusted_proxies=SOURCE)
        secured = replace(
            plain, tls_cert=str(certs.server), tls_key=str(certs.server_key), proxy_header="proxy-protocol"
        )
        for name, base in (("ended", plain), ("passed", secured)):
            front = front_of(certs, folder, servers=[], http_port=free_port())
            settings = replace(
                base,
                bind="127.0.0.1:0",
                http=f"127.0.0.1:{front.http_port}",
                http_url=f"https://localhost:{front.port}",
                data_dir=str(folder / name),
            )
            made = stack.enter_context(tokens(settings))
            server = stack.enter_context(run_server(settings))
            fronts[name] = replace(front, servers=[server.address])
            secrets[f"localhost:{front.port}"] = made.create("ann")[1]
        yield Site(folder, fronts["ended"], fronts["passed"], certs.ca, secrets)


@pytest.mark.parametrize("kind", [*ENDED, *PASSED_THROUGH])
def test_doctor_warns_of_no_generated_configuration(site: Site, kind: str) -> None:
    findings = site.findings(kind)
    assert {"route", "http"} <= set(findings)
    assert [each for each in findings.values() if each["warning"] or not each["ok"]] == []
    assert findings["http"]["client_address"] == "127.0.0.1"  # and not that of the proxy
    assert findings["http"]["proxy_address"] == (SOURCE if kind in ENDED else "")


NO_GRPC = (r"if \(\$facecli_grpc\) {[^}]*}", "")
NO_HTTP = (r"(upstream facecli_http {[^}]*server )[^ ;]*", r"\g<1>127.0.0.1:9")
NO_HTTP_BACKEND = ("default_backend .*", "")
BUFFERED = ("proxy_request_buffering off", "proxy_request_buffering on")
NO_HEADER = (r"X-Forwarded-For \$remote_addr", 'X-Forwarded-For ""')
NO_PROXY_PROTOCOL = ("proxy_protocol on;|(?<=[0-9]) proxy_protocol", "")
UNTRUSTED = (f"source {SOURCE}", "source 127.0.0.3")


@pytest.mark.parametrize(
    ("kind", "edit", "check", "words"),
    [
        ("nginx", BUFFERED, "http", "let it buffer no requests"),
        ("nginx", NO_GRPC, "server", "it passes no gRPC on"),
        ("nginx", NO_HTTP, "http", "--http-port"),
        ("haproxy", NO_HTTP_BACKEND, "http", "start the servers with --http"),
        ("nginx", NO_HEADER, "route", "let it set X-Forwarded-For"),
        ("haproxy", UNTRUSTED, "route", "--trusted-proxies 127.0.0.3"),
        ("haproxy", UNTRUSTED, "http", "--trusted-proxies 127.0.0.3"),
        ("nginx pass-through", NO_PROXY_PROTOCOL, "http", "--proxy-header proxy-protocol"),
    ],
)
def test_doctor_names_the_next_step_for_a_wrong_proxy(
    site: Site, kind: str, edit: tuple[str, str], check: str, words: str
) -> None:
    finding = site.findings(kind, lambda text: re.sub(*edit, text))[check]
    assert words in "; ".join((finding["found"], finding["hint"], finding["warning"]))
