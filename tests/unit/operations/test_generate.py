"""`facecli generate`: the files, ready to be redirected."""

import json

import pytest

from facecli.operations.alerts import alerts
from facecli.operations.dashboard import dashboard
from tests.support.cli import facecli


@pytest.mark.parametrize(
    ("words", "content"),
    [
        (["prometheus-rules"], alerts()),
        (["grafana-dashboard"], dashboard()),
        (["nginx", "--host", "facecli.example"], "    server_name facecli.example;\n"),
        (["nginx", "--host", "a.example", "--pass-through"], "    ssl_preread on;\n"),
        (["haproxy", "--host", "facecli.example"], 'ssl crt "/etc/haproxy/facecli.example.pem"'),
        (["haproxy", "--host", "a.example", "--backend", "b:5,c:6"], "server facecli2 c:6 check port 8080"),
        (["systemd"], "[Unit]\nDescription=facecli server\n"),
        (["systemd", "--worker"], "[Unit]\nDescription=facecli worker %i\n"),
    ],
    ids=" ".join,
)
def test_stdout_is_the_file(words: list[str], content: str) -> None:
    ran = facecli("generate", *words)
    assert (ran.code, ran.err) == (0, "")
    assert content.rstrip("\n") in ran.out
    assert json.loads(facecli("generate", *words, "--json").out)["text"] == ran.out.rstrip("\n")


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_a_wrong_address_is_shown_as_it_was_written(proxy: str) -> None:
    ran = facecli("generate", proxy, "--host", "bad host")
    assert (ran.code, ran.err) == (2, "facecli: --host 'bad host' is not the name of a host\n")
    ran = facecli("generate", proxy, "--host", "a", "--backend", "b:5,")
    assert (ran.code, ran.err) == (2, "facecli: --backend 'b:5,' has a comma without an address\n")
