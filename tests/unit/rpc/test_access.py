"""Access over TLS, with tokens and certificates, and its end."""

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from facecli.bootstrap.server import run_server
from facecli.certificates import DevCertificates
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.core.errors import (
    FacecliError,
    InvalidInput,
    PolicyRefused,
    ServerUnreachable,
    Unauthenticated,
)
from facecli.core.tls import ClientTls
from facecli.wire.errors import from_rpc
from facecli.wire.generated import task_service_pb2 as task_pb
from facecli.wire.generated import upload_service_pb2 as pb
from facecli.wire.generated import video_service_pb2 as video_pb
from tests.support.rpc.over_tls import over_tls, seen_as
from tests.support.rpc.refusals import refused
from tests.unit.rpc.conftest import Stubs, bearing, frame

UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


def test_an_unauthenticated_stream_is_refused_before_it_sends_anything(settings: Settings) -> None:
    done = threading.Event()

    def silent() -> Iterator[video_pb.UploadRequest]:
        done.wait(60)
        yield frame("x", 0, b"x")

    with (
        run_server(replace(settings, auth="token")) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs = Stubs(channel)
        assert refused(lambda: list(stubs.uploads.StreamUpload(silent()))) == UNAUTHENTICATED
        assert refused(lambda: stubs.videos.UploadVideo(silent())) == UNAUTHENTICATED
        done.set()


@pytest.mark.slow
@pytest.mark.parametrize("busy", [False, True], ids=["silent", "busy"])
def test_a_revoked_token_ends_a_running_upload_and_keeps_its_chunks(
    settings: Settings, made: Tokens, busy: bool
) -> None:
    token, secret = made.create("ann")
    ended = threading.Event()

    def sent() -> Iterator[video_pb.UploadRequest]:
        yield frame(upload_id, 0, b"0123")
        while busy and not ended.is_set():
            yield frame(upload_id, 0, b"0123")
        ended.wait(60)

    with run_server(replace(settings, auth="token")) as server, bearing(server.address, secret) as stubs:
        upload_id = stubs.begin()
        call = stubs.uploads.StreamUpload(sent())
        assert next(call).stored_bytes == 4
        made.revoke(token.id)
        assert refused(lambda: list(call)) == UNAUTHENTICATED
        ended.set()
        assert refused(stubs.begin) == UNAUTHENTICATED
        with bearing(server.address, made.create("ann")[1]) as again:
            kept = again.uploads.GetUpload(pb.GetUploadRequest(upload_id=upload_id))
        assert kept.upload.stored_bytes == 4


@pytest.mark.slow
def test_a_revoked_token_ends_a_watch(settings: Settings, made: Tokens, samples: tuple[bytes, bytes]) -> None:
    token, secret = made.create("ann")
    with run_server(replace(settings, auth="token")) as server, bearing(server.address, secret) as stubs:
        face, clip = stubs.stored(samples[0], file_type="image", name="face.png"), stubs.stored(samples[1])
        task = stubs.videos.CreateTask(video_pb.CreateTaskRequest(image_url=face, video_url=clip))
        watching = stubs.tasks.WatchTask(task_pb.WatchTaskRequest(task_id=task.task_id))
        assert next(watching).task.status == "pending"
        made.revoke(token.id)
        with pytest.raises(grpc.RpcError) as ended:
            list(watching)
    error = from_rpc(ended.value, server=server.address)
    assert isinstance(error, Unauthenticated)
    assert re.fullmatch("[0-9a-f]{12}", error.request_id)


def test_tls_needs_a_trusted_authority_and_the_right_name(
    settings: Settings, certs: DevCertificates, others: DevCertificates
) -> None:
    with run_server(over_tls(settings, certs)) as server:
        assert seen_as(server.address, ClientTls(ca=str(certs.ca))) == ""
        by_address = server.address.replace("localhost", "127.0.0.1")
        refusals: list[tuple[str, ClientTls | None, str]] = [
            (server.address, ClientTls(ca=str(others.ca)), "not signed by a trusted authority"),
            (server.address, ClientTls(), "not signed by a trusted authority"),
            (by_address, ClientTls(ca=str(certs.ca)), "for another name"),
            (server.address, None, "it may require TLS"),
        ]
        for address, tls, expected in refusals:
            with pytest.raises(ServerUnreachable, match=expected):
                seen_as(address, tls)


def test_a_tls_client_explains_that_a_server_does_not_use_tls(
    settings: Settings, certs: DevCertificates
) -> None:
    with run_server(settings) as server, pytest.raises(ServerUnreachable, match="does not use TLS"):
        seen_as(server.address, ClientTls(ca=str(certs.ca)))


def test_a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not(
    settings: Settings, certs: DevCertificates, others: DevCertificates, tmp_path: Path
) -> None:
    cert, key = tmp_path / "server.pem", tmp_path / "server.key"
    shutil.copy(certs.server, cert)
    shutil.copy(certs.server_key, key)
    before, after = ClientTls(ca=str(certs.ca)), ClientTls(ca=str(others.ca))
    with run_server(over_tls(settings, certs, tls_cert=str(cert), tls_key=str(key))) as server:
        assert seen_as(server.address, before) == ""
        shutil.copy(others.server, cert)
        assert seen_as(server.address, before) == "", "without its key it cannot be used"
        key.unlink()
        assert seen_as(server.address, before) == ""
        shutil.copy(others.server_key, key)
        assert seen_as(server.address, after) == ""
        with pytest.raises(ServerUnreachable):
            seen_as(server.address, before)


NO_TLS = {"tls_cert": "", "tls_key": ""}


@pytest.mark.parametrize(
    ("changed", "error", "expected"),
    [
        ({**NO_TLS, "auth": "token"}, PolicyRefused, r"needs TLS \(--tls-cert, --tls-key\);"),
        ({}, PolicyRefused, r"needs authentication \(--auth token\);"),
        ({"auth": "token", "tls_key": ""}, InvalidInput, "give both"),
        ({"auth": "token", "tls_cert": "/nowhere/x"}, InvalidInput, "cannot read /nowhere/x: No such file"),
        ({"auth": "token", "tls_key": "GARBAGE"}, InvalidInput, "not a matching certificate and key in PEM"),
        ({"tls_client_ca": __file__}, InvalidInput, "no PEM certificate in"),
    ],
)
def test_a_public_address_requires_tls_and_authentication(
    settings: Settings,
    certs: DevCertificates,
    tmp_path: Path,
    changed: dict[str, str],
    error: type[FacecliError],
    expected: str,
) -> None:
    garbage = tmp_path / "garbage.key"
    garbage.write_text("garbage\n")
    garbage.chmod(0o600)
    changed = {name: value.replace("GARBAGE", str(garbage)) for name, value in changed.items()}
    wanted = replace(over_tls(settings, certs, **changed), bind="0.0.0.0:0")
    with pytest.raises(error, match=expected), run_server(wanted):
        pass


def test_a_public_address_is_allowed_with_both_or_insecure(
    settings: Settings, certs: DevCertificates
) -> None:
    for guarded in (
        over_tls(settings, certs, auth="token"),
        over_tls(settings, certs, tls_client_ca=str(certs.ca)),
        replace(settings, insecure=True),
    ):
        with run_server(replace(guarded, bind="0.0.0.0:0")) as server:
            assert server.address.startswith("0.0.0.0:")
