"""tus 1.0: creation, bytes at any offset, checksums, lengths told later, quota and expiry."""

import hashlib

import pytest

from facecli.api.offset_uploads import CHUNK_SIZE
from facecli.core.checksums import crc32c
from facecli.web.tus import body
from facecli.web.tus.headers import CHECKSUMS
from facecli.wire.generated import file_service_pb2 as file_pb
from facecli.wire.generated import upload_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.web.http_client import ask, raw, until
from tests.support.web.shop import Shop
from tests.support.web.tus import BODY_TYPE, Tus, encoded
from tests.unit.rpc.conftest import bearing

CONTENT = bytes(range(251)) * (3 * CHUNK_SIZE // 251 - 9)  # nearly three chunks, of which no two are equal


def test_a_server_says_what_it_can(shop: Shop) -> None:
    answer = ask(shop.server.http, "/files/", method="OPTIONS")
    assert answer.status == 204
    assert answer.headers["tus-version"] == answer.headers["tus-resumable"] == "1.0.0"
    extensions = {"creation", "creation-with-upload", "creation-defer-length"}
    assert {*answer.headers["tus-extension"].split(",")} == {
        *extensions,
        "checksum",
        "expiration",
        "termination",
    }
    assert {"sha1", "sha256", "md5", "crc32c"} <= {*answer.headers["tus-checksum-algorithm"].split(",")}
    assert int(answer.headers["tus-max-size"]) > 0


def test_bytes_are_appended_wherever_the_last_ones_ended(tus: Tus, shop: Shop) -> None:
    created = tus.create(len(CONTENT), name="人 脸.mp4")
    assert (created.status, created.headers["upload-offset"]) == (201, "0")
    path, offset = str(created.headers["location"]), 0
    for size in (1, 200, CHUNK_SIZE - 201, 5, 2 * CHUNK_SIZE - 5, len(CONTENT)):
        answer = tus.append(path, offset, CONTENT[offset : offset + size])
        offset = min(offset + size, len(CONTENT))
        assert (answer.status, answer.headers["upload-offset"]) == (204, str(offset))
        assert (answer.headers["upload-expires"] is None) == (offset == len(CONTENT))
        assert tus.offset(path) == offset
    assert shop.get(str(answer.headers["upload-file-url"])).body == CONTENT
    head = tus.ask("HEAD", path)
    assert head.headers["cache-control"] == "no-store"
    assert f"filename {encoded('人 脸.mp4')}" in head.headers["upload-metadata"]
    assert tus.append(path, offset, b"").headers["upload-offset"] == str(offset)


def test_an_upload_by_tus_is_one_of_the_others(tus: Tus, shop: Shop) -> None:
    path = tus.begun(3 * CHUNK_SIZE, b"x" * CHUNK_SIZE)
    upload_id = path.rpartition("/")[2]
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:
        upload = stubs.uploads.GetUpload(pb.GetUploadRequest(upload_id=upload_id)).upload
        assert (upload.name, upload.size, upload.stored_bytes) == ("clip.mp4", 3 * CHUNK_SIZE, CHUNK_SIZE)
        tus.append(path, CHUNK_SIZE, b"tail of a chunk that another client sends as a whole")
        chunk = pb.UploadChunkRequest(upload_id=upload_id, chunk_index=1, data=b"y" * CHUNK_SIZE)
        stubs.uploads.UploadChunk(chunk)
        assert tus.offset(path) == 2 * CHUNK_SIZE
        stubs.uploads.CancelUpload(pb.CancelUploadRequest(upload_id=upload_id))
    assert tus.ask("HEAD", path).status == 404
    again = tus.begun(10)
    assert (tus.ask("DELETE", again).status, tus.ask("HEAD", again).status) == (204, 404)
    assert tus.append(again, 0, b"x").reason == "UPLOAD_NOT_FOUND"


def test_another_user_finds_no_upload(tus: Tus, shop: Shop) -> None:
    path, bob = tus.begun(10), Tus(shop, "bob")
    for answer in (bob.ask("HEAD", path), bob.append(path, 0, b"x"), bob.ask("DELETE", path)):
        assert answer.status == 404
    assert tus.append(path, 0, b"0123456789").status == 204
    nobody = Tus(shop, "")
    assert (nobody.create(10).status, nobody.ask("HEAD", path).status) == (401, 401)


def test_a_length_may_come_later(tus: Tus, shop: Shop) -> None:
    path = tus.begun(None, CONTENT[:CHUNK_SIZE])
    assert tus.append(path, CHUNK_SIZE, CONTENT[CHUNK_SIZE:-5]).headers["upload-defer-length"] == "1"
    head = tus.ask("HEAD", path)
    assert (head.headers["upload-defer-length"], head.headers["upload-length"]) == ("1", None)
    offset = len(CONTENT) - 5
    assert tus.append(path, offset, b"", upload_length=str(offset - 1)).status == 400
    assert tus.append(path, offset, CONTENT[offset:-2], upload_length=str(len(CONTENT))).status == 204
    assert tus.append(path, offset + 3, b"", upload_length=str(offset + 3)).status == 400
    last = tus.append(path, offset + 3, CONTENT[-2:])
    assert last.headers["upload-defer-length"] is None
    assert shop.get(str(last.headers["upload-file-url"])).body == CONTENT


@pytest.mark.parametrize("size", [5, CHUNK_SIZE, CHUNK_SIZE + 5])
def test_a_length_that_is_reached_already_completes_the_upload(tus: Tus, shop: Shop, size: int) -> None:
    path = tus.begun(None, CONTENT[:size])
    last = tus.append(path, size, b"", upload_length=str(size))
    assert (last.status, last.headers["upload-offset"]) == (204, str(size))
    assert shop.get(str(last.headers["upload-file-url"])).body == CONTENT[:size]


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_a_body_with_a_wrong_checksum_changes_nothing(tus: Tus, algorithm: str) -> None:
    path = tus.begun(20)
    digest = CHECKSUMS[algorithm](b"0123456789")
    wrong = tus.append(path, 0, b"012345678X", upload_checksum=f"{algorithm} {encoded(digest)}")
    assert (wrong.status, wrong.reason, tus.offset(path)) == (460, "CHECKSUM_MISMATCH", 0)
    right = tus.append(path, 0, b"0123456789", upload_checksum=f"{algorithm} {encoded(digest)}")
    assert (right.status, tus.offset(path)) == (204, 10)


def test_checksums_are_those_of_the_standards() -> None:
    assert CHECKSUMS["sha1"](b"a") == hashlib.sha1(b"a").digest()
    assert CHECKSUMS["sha256"](b"a") == hashlib.sha256(b"a").digest()
    assert CHECKSUMS["md5"](b"a") == hashlib.md5(b"a").digest()
    assert CHECKSUMS["crc32c"](b"123456789").hex() == "e3069283" == f"{crc32c(b'123456789'):08x}"


def test_a_body_with_a_checksum_is_bounded(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MAX_CHECKED_BODY", 1000)
    path = tus.begun(2000)
    answer = tus.append(path, 0, bytes(1001), upload_checksum=f"sha1 {encoded(b'x')}")
    assert (answer.status, tus.offset(path)) == (413, 0)


def test_a_body_of_unknown_length_ends_with_the_file(tus: Tus, shop: Shop) -> None:
    path = tus.begun(10)
    headers = {"upload-offset": "0", "content-type": BODY_TYPE, "tus-resumable": "1.0.0"}
    token = {"authorization": f"Bearer {shop.secrets['ann']}"}
    for parts, status in (([b"0123", b"4567", b"89X"], 413), ([b"0123", b"456789"], 204)):
        answer = ask(shop.server.http, path, method="PATCH", headers={**headers, **token}, body=iter(parts))
        assert answer.status == status
    assert tus.offset(path) == 10


def test_bytes_that_arrived_before_a_cut_are_kept(tus: Tus, shop: Shop) -> None:
    path, sent = tus.begun(len(CONTENT)), CHUNK_SIZE + 1234
    with raw(shop.server.http, append_head(shop, path).encode() + CONTENT[:sent]):
        for _ in range(3):  # the rest, which is less than a chunk, arrives while these are answered
            eventually(lambda: tus.offset(path) == CHUNK_SIZE)
    eventually(lambda: tus.offset(path) == sent)
    last = tus.append(path, sent, CONTENT[sent:])
    assert shop.get(str(last.headers["upload-file-url"])).body == CONTENT


def test_a_client_that_comes_back_takes_over_from_its_dead_connection(tus: Tus, shop: Shop) -> None:
    path = tus.begun(len(CONTENT))
    with raw(shop.server.http, append_head(shop, path).encode() + CONTENT[: CHUNK_SIZE + 1234]) as dead:
        eventually(lambda: tus.offset(path) == CHUNK_SIZE)
        answer = tus.append(path, CHUNK_SIZE, CONTENT[CHUNK_SIZE:])
        assert (answer.status, answer.headers["upload-offset"]) == (204, str(len(CONTENT)))
        dead.sendall(CONTENT[CHUNK_SIZE + 1234 :])
        assert b"HTTP/1.1 409 " in until(dead, b"\r\n\r\n")
    assert shop.get(str(answer.headers["upload-file-url"])).body == CONTENT


def test_uploads_are_listed_expire_and_count_with_their_announced_size(tus: Tus, shop: Shop) -> None:
    with bearing(shop.server.address, shop.secrets["ann"]) as stubs:

        def used() -> int:
            return int(stubs.files.GetServerInfo(file_pb.GetServerInfoRequest()).user_bytes)

        before = used()
        answer = tus.create(10_000_000)
        assert used() == before + 10_000_000
        assert answer.headers["upload-expires"].endswith(" GMT")
        listed = stubs.uploads.ListUploads(pb.ListUploadsRequest()).uploads
        assert str(answer.headers["location"]).rpartition("/")[2] in {each.upload_id for each in listed}
        deferred = tus.begun(None, b"x")
        assert used() > before + 10_000_000 + 1024**3
        tus.append(deferred, 1, b"", upload_length="1")
        assert used() == before + 10_000_001


def append_head(shop: Shop, path: str) -> str:
    """The head of a PATCH with all of CONTENT."""
    return (
        f"PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: {BODY_TYPE}\r\nContent-Length: {len(CONTENT)}\r\n"
        f"Authorization: Bearer {shop.secrets['ann']}\r\n\r\n"
    )
