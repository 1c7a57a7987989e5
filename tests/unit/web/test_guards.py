"""Guards of the HTTP server: origins, names of the server, and security headers."""

import pytest

from facecli.bootstrap.server import Running
from facecli.core.errors import InvalidInput
from facecli.web.origins import is_foreign, origin_pattern
from tests.support.web.http_client import Answer, ask
from tests.unit.web.conftest import ServeHttp

RPC = "/video.UploadService/ListUploads"
JSON = {"content-type": "application/json"}
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def call(server: Running, **headers: str) -> Answer:
    return ask(server.http, RPC, method="POST", headers={**JSON, **headers}, body=b"{}")


def preflight(server: Running, origin: str) -> Answer:
    wanted = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-grpc-web",
    }
    return ask(server.http, RPC, method="OPTIONS", headers={"origin": origin, **wanted})


def test_no_page_of_another_origin_may_call_a_server_without_the_setting(server: Running) -> None:
    for origin in ("http://localhost:1", "https://evil.example", "null", "nonsense", "http://["):
        for answer in (call(server, origin=origin), preflight(server, origin)):
            assert (answer.status, answer.reason) == (403, "NOT_ALLOWED")
            assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_the_server_itself_may_call_it(server: Running) -> None:
    assert call(server, origin=server.http).status == 200


def test_a_page_of_an_allowed_origin_may_call_and_read_the_answer(serve_http: ServeHttp) -> None:
    with serve_http(cors_origin="http://localhost:*,https://app.example") as server:
        for origin in ("http://localhost:53211", "https://app.example"):
            asked = preflight(server, origin)
            assert (asked.status, asked.headers["access-control-allow-origin"]) == (200, origin)
            assert "x-grpc-web" in asked.headers["access-control-allow-headers"]
            assert {"PATCH", "DELETE", "HEAD"} <= {*asked.headers["access-control-allow-methods"].split(", ")}
            assert asked.headers["access-control-max-age"] == "600"
            assert asked.headers["vary"].startswith("Origin")
            answer = call(server, origin=origin)
            assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, origin)
            assert "grpc-status" in answer.headers["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in answer.headers
            missing = ask(server.http, "/nowhere", headers={"origin": origin})
            assert missing.headers["access-control-allow-origin"] == origin
        assert preflight(server, "http://localhost.evil.example:1").status == 403


@pytest.mark.parametrize(
    ("allowed", "origin", "foreign"),
    [
        ("https://app.example", "https://app.example", False),
        ("https://app.example", "https://APP.example", False),
        ("https://app.example", "http://app.example", True),
        ("https://app.example", "https://app.example:8443", True),
        ("https://app.example", "https://appXexample", True),
        ("https://app.example", "https://app.example.evil", True),
        ("http://localhost:*", "http://localhost", False),
        ("http://localhost:*", "http://localhost:80:80", True),
        ("http://localhost:*", "http://localhost:1/", True),
        ("http://[::1]:*", "http://[::1]:8080", False),
    ],
)
def test_an_origin_is_compared_as_a_whole(allowed: str, origin: str, foreign: bool) -> None:
    assert is_foreign(origin, "127.0.0.1:8080", origin_pattern([allowed])) is foreign


@pytest.mark.parametrize(
    "origin", ["*", "app.example", "https://app.example/", "https://*.example", "file:///"]
)
def test_only_an_origin_can_be_allowed(origin: str) -> None:
    with pytest.raises(InvalidInput, match="is not an origin; write https://app"):
        origin_pattern([origin])


def test_a_server_with_a_setting_that_is_no_origin_does_not_start(serve_http: ServeHttp) -> None:
    with pytest.raises(InvalidInput, match="--cors-origin"), serve_http(cors_origin="*"):
        pass


def test_a_server_that_trusts_everybody_answers_only_to_names_of_this_machine(server: Running) -> None:
    port = server.http.rpartition(":")[2]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", "127.0.0.1", f"[::1]:{port}"):
        assert call(server, host=host).status == 200
    for host in (f"evil.example:{port}", "localhost.evil.example", "0.0.0.0", "x" * 300):
        answer = call(server, host=host)
        assert (answer.status, answer.reason) == (403, "NOT_ALLOWED")


def test_a_server_that_requires_tokens_answers_to_any_name(serve_http: ServeHttp) -> None:
    with serve_http(auth="token") as server:
        assert call(server, host="app.example").status == 401
        assert ask(server.http, "/readyz", headers={"host": "10.0.0.7:8080"}).status == 200


def test_every_answer_has_the_security_headers(server: Running) -> None:
    for answer in (
        call(server),
        ask(server.http, "/healthz"),
        ask(server.http, "/x"),
        call(server, origin="null"),
    ):
        found = {name: answer.headers[name] for name in HEADERS}
        assert found == HEADERS
        assert answer.headers["content-security-policy"].startswith(
            "default-src 'none'; frame-ancestors 'none'"
        )
        assert "server" not in answer.headers
