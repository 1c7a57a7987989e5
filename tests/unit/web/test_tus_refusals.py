"""Requests that tus refuses: headers that are missing or lie, other methods and paths."""

import pytest

from facecli.api.offset_uploads import CHUNK_SIZE
from facecli.wire.generated import upload_service_pb2 as pb
from tests.support.web.http_client import ask, raw, until
from tests.support.web.shop import Shop
from tests.support.web.tus import BODY_TYPE, Tus, encoded
from tests.unit.rpc.conftest import bearing
from tests.unit.web.conftest import ServeHttp


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"tus-resumable": None}, 412),
        ({"tus-resumable": "0.2.2"}, 412),
        ({"upload-length": None}, 400),
        ({"upload-length": "-1"}, 400),
        ({"upload-length": "0"}, 400),
        ({"upload-length": "1e3"}, 400),
        ({"upload-length": "٣"}, 400),
        ({"upload-length": "9" * 17}, 413),
        ({"upload-length": "9" * 40}, 400),
        ({"upload-defer-length": "1"}, 400),
        ({"upload-length": None, "upload-defer-length": "2"}, 400),
        ({"upload-metadata": None}, 400),
        ({"upload-metadata": "filename !!!"}, 400),
        ({"upload-metadata": f"filename {encoded('a.mp4')},filename {encoded('b.mp4')}"}, 400),
        ({"upload-metadata": "filename /w=="}, 400),
        ({"upload-metadata": f"filename {encoded('../a.mp4')}"}, 400),
        ({"upload-metadata": f"filename {encoded('a' + chr(10) + 'b.mp4')}"}, 400),
        ({"upload-metadata": f"filename {encoded('a.txt')}"}, 400),
        ({"upload-metadata": f"filename {encoded('a.txt')},filetype {encoded('text/plain')}"}, 400),
    ],
)
def test_a_creation_that_cannot_be_is_refused(tus: Tus, headers: dict[str, str | None], status: int) -> None:
    good = {"upload-length": "10", "upload-metadata": f"filename {encoded('a.mp4')}"}
    sent = {name: value.encode().decode("latin-1") if value else value for name, value in headers.items()}
    answer = tus.ask("POST", "/files", b"", {**good, **sent})
    assert answer.status == status and answer.json["error"]["message"]
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["tus-version"] == ("1.0.0" if status == 412 else None)


@pytest.mark.parametrize(
    ("size", "headers", "status"),
    [
        (4, {"upload_checksum": f"sha1 {encoded('wrong')}"}, 460),
        (3, {}, 413),
        (4, {"upload_checksum": "rot13 eA=="}, 400),
    ],
)
def test_a_creation_whose_bytes_are_refused_leaves_no_upload(
    tus: Tus, shop: Shop, size: int, headers: dict[str, str], status: int
) -> None:
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        before = stubs.uploads.ListUploads(pb.ListUploadsRequest())
        assert tus.create(size, b"0123", **headers).status == status
        assert stubs.uploads.ListUploads(pb.ListUploadsRequest()) == before


@pytest.mark.parametrize(
    ("headers", "sent", "status"),
    [
        ({"upload-offset": None}, b"x", 400),
        ({"upload-offset": "-1"}, b"x", 400),
        ({"upload-offset": "0"}, b"x", 409),
        ({"upload-offset": "6"}, b"x", 409),
        ({"content-type": None}, b"x", 415),
        ({"content-type": "text/plain"}, b"x", 415),
        ({"upload-length": "11"}, b"x", 400),
        ({"upload-checksum": "rot13 eA=="}, b"x", 400),
        ({"upload-checksum": "sha1"}, b"x", 460),
        ({"upload-checksum": "sha1 !"}, b"x", 400),
        ({"tus-resumable": None}, b"x", 412),
        ({}, b"123456", 413),
    ],
)
def test_an_append_that_does_not_fit_changes_nothing(
    tus: Tus, headers: dict[str, str | None], sent: bytes, status: int
) -> None:
    path = tus.begun(10, b"01234")
    answer = tus.ask("PATCH", path, sent, {"upload-offset": "5", "content-type": BODY_TYPE, **headers})
    assert (answer.status, tus.offset(path)) == (status, 5)


def test_another_method_and_another_path_are_refused(tus: Tus) -> None:
    path = tus.begun(10)
    for method, wrong, status in (
        ("GET", path, 405),
        ("PUT", path, 405),
        ("PATCH", "/files", 405),
        ("POST", path, 405),
        ("HEAD", f"{path}0", 404),
        ("HEAD", "/files/..%2f", 404),
        ("PATCH", "/files/%00", 404),
    ):
        assert tus.ask(method, wrong).status == status, (method, wrong)
    overridden = {"x-http-method-override": "PATCH", "upload-offset": "0", "content-type": BODY_TYPE}
    assert tus.ask("POST", path, b"0123", overridden).headers["upload-offset"] == "4"


def test_a_body_that_stops_is_refused_and_its_whole_chunks_are_kept(serve_http: ServeHttp) -> None:
    version = {"tus-resumable": "1.0.0"}
    with serve_http(idle_limit=0.3, min_rate=0) as server:
        new = {"upload-length": str(3 * CHUNK_SIZE), "upload-metadata": f"filename {encoded('a.mp4')}"}
        created = ask(server.http, "/files", method="POST", headers={**version, **new})
        path = str(created.headers["location"])
        head = (
            f"PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            f"Content-Type: {BODY_TYPE}\r\nContent-Length: {3 * CHUNK_SIZE}\r\n\r\n"
        )
        with raw(server.http, head.encode() + bytes(CHUNK_SIZE + 1)) as stopped:
            answer = until(stopped, b"}}")
        assert b"HTTP/1.1 408 " in answer and b"IDLE_TOO_LONG" in answer
        stored = ask(server.http, path, method="HEAD", headers=version)
        assert stored.headers["upload-offset"] == str(CHUNK_SIZE)
