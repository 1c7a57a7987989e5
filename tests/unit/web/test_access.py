"""Access over HTTP: tokens, refusals before a body is read, and the audit log."""

import json
from collections.abc import Iterator

import grpc
import pytest

from facecli.bootstrap.server import Running, run_server
from facecli.bootstrap.tokens import tokens
from facecli.config.settings import Settings
from facecli.wire.generated import upload_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.web.grpc_web import BINARY
from tests.support.web.http_client import raw, until
from tests.support.web.requests import BEGIN, CHUNK_SIZE, CLIP, UPLOAD_CHUNK, head, post
from tests.unit.rpc.conftest import Stubs


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Settings]]:
    """A server that requires tokens."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    settings = Settings(
        engine="mock", bind="127.0.0.1:0", http="127.0.0.1:0", data_dir=str(data), workers=0, auth="token"
    )
    with run_server(settings) as server:
        yield server, settings


@pytest.mark.parametrize(
    "token", ["", "Authorization: Bearer x\r\n", f"Authorization: Bearer fc_{'0' * 16}_{'0' * 64}\r\n"]
)
@pytest.mark.parametrize("kind", ["application/proto", BINARY])
def test_a_caller_without_a_valid_token_is_refused_before_its_body(
    guarded: tuple[Running, Settings], token: str, kind: str
) -> None:
    asking = head(UPLOAD_CHUNK, length=CHUNK_SIZE, kind=kind, more=f"{token}Expect: 100-continue\r\n")
    with raw(guarded[0].http, asking) as stranger:
        answer = until(stranger, b"unauthenticated" if kind == "application/proto" else b"grpc-status: 16")
    assert answer.startswith(b"HTTP/1.1 401 " if kind == "application/proto" else b"HTTP/1.1 200 ")


def test_a_token_is_good_for_both_transports(guarded: tuple[Running, Settings]) -> None:
    server, settings = guarded
    with tokens(settings) as made:
        token, secret = made.create("ann")
        bearing = {"Authorization": f"Bearer {secret}"}
        begun = post(server, BEGIN, json.dumps(CLIP).encode(), **bearing)
        assert begun.status == 200
        with grpc.insecure_channel(server.address) as channel:
            metadata = (("authorization", f"Bearer {secret}"),)
            listed = Stubs(channel).uploads.ListUploads(pb.ListUploadsRequest(), metadata=metadata)
        assert [each.upload_id for each in listed.uploads] == [begun.json["upload"]["uploadId"]]
        made.revoke(token.id)
    eventually(lambda: post(server, BEGIN, json.dumps(CLIP).encode(), **bearing).status == 401)


def test_a_call_over_http_is_in_the_audit_log_without_its_token(
    guarded: tuple[Running, Settings], caplog: pytest.LogCaptureFixture
) -> None:
    server, settings = guarded
    with tokens(settings) as made:
        secret = made.create("eve")[1]
    with caplog.at_level("INFO"):
        begun = post(
            server, BEGIN, json.dumps({**CLIP, "userId": ""}).encode(), Authorization=f"Bearer {secret}"
        )
    (record,) = [vars(each) for each in caplog.records if each.name == "facecli.audit"]
    assert (record["user"], record["method"], record["outcome"]) == ("eve", "BeginUpload", "OK")
    assert record["upload"] == begun.json["upload"]["uploadId"]
    assert secret[-64:] not in caplog.text
